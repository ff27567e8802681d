"""README.md and croissant.json of a Parquet export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcign.data.export.hugging_face.card import write_card
from dcign.data.export.hugging_face.columns import export_columns
from dcign.data.export.hugging_face.croissant import write_croissant
from dcign.data.export.hugging_face.provenance import provenance
from dcign.data.export.split import SplitSource


def write_words(folder: Path, splits: Sequence[SplitSource]) -> None:
    """Write what describes the Parquet files of these splits, beside them."""
    size, _, channels = splits[0].layout.image_shape
    about, columns = provenance(splits[0].dataset.manifest, size, channels), export_columns(splits)
    write_card(folder, splits, columns, about)
    write_croissant(folder, splits, columns, about)
