"""README.md of a Parquet export: the metadata that the hub reads, and text. The text stands in templates/card.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from dcign.data.export.hugging_face.columns import ExportColumn, factor_column
from dcign.data.export.hugging_face.parquet import parquet_files
from dcign.data.export.hugging_face.provenance import Provenance
from dcign.data.export.split import SplitSource
from dcign.storage.atomic import write_atomic

FILE = "README.md"
# The hub's names of sizes, by the number of pictures below which they hold.
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
LARGER = "10M<n<100M"
SAID = ("personalSensitiveInformation", "dataBiases", "dataUseCases", "dataLimitations")


def write_card(
    folder: Path,
    splits: Sequence[SplitSource],
    columns: Sequence[ExportColumn],
    about: Provenance,
) -> None:
    """Write README.md beside the Parquet files."""
    loader = PackageLoader("dcign.data.export.hugging_face")
    templates = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    templates.filters.update(json=json.dumps)  # JSON strings are valid YAML
    count = sum(split.image_count for split in splits)
    text = templates.get_template("card.md").render(
        about=about,
        columns=columns,
        factor=factor_column(splits[0].layout.factors[0].name),
        files={split.name: len(parquet_files(folder, split)) for split in splits},
        size_category=next((word for size, word in SIZES.items() if count < size), LARGER),
        splits=splits,
        words=[sentence for name in SAID for sentence in about.responsible_ai[name]],
    )
    write_atomic(folder / FILE, text.encode())
