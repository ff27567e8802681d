"""Export a data set to another format: a folder with some splits and about.json, which describes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dcign.data.dataset.reader import FaceDataset
from dcign.data.export.hugging_face.columns import export_columns
from dcign.data.export.hugging_face.parquet import refuse_without_pyarrow, write_parquet
from dcign.data.export.hugging_face.words import write_words
from dcign.data.export.npz import write_archive
from dcign.data.export.png import write_pictures
from dcign.data.export.shapes3d import write_shapes
from dcign.data.export.split import SplitSource, split_source
from dcign.data.export.truth import describe_truth
from dcign.data.export.webdataset import write_tars
from dcign.data.schema import CLASSES, FACTOR_FLAGS, Batch, Factor
from dcign.errors import DataError
from dcign.storage.atomic import write_atomic
from dcign.storage.new_folder import refuse_taken, temporary_folder

Writer = Callable[[SplitSource, Iterable[Batch], Path], None]  # split, its batches, folder to write into

PARQUET, WEBDATASET = "parquet", "webdataset"
FORMATS = ("png", "npz", "3dshapes", WEBDATASET, PARQUET)
IN_FILES = (WEBDATASET, PARQUET)  # formats of numbered files
FILE_BATCHES = 250  # 5,000 images per file: 50 MB at 150 px, and enough files for all workers of a large data set
ABOUT = "about.json"


def export_dataset(
    folder: Path,
    out: Path,
    to: str | None,
    splits: Sequence[str] = (),
    *,
    progress: Callable[[int, int], None],
    file_batches: int | None = None,
) -> int:
    """Write splits of a data set, all by default, into the new folder `out`; return the number of images.

    progress(images done, images to do). file_batches: batches per file of webdataset and parquet, 250 by default.
    One batch is in memory at a time, of parquet five. `out` appears when it is complete; on any exception nothing is
    left.

    Raises DataError if the format or a split is unknown, `out` exists, a shard is damaged, or the disk refuses.
    """
    if to is None or to not in FORMATS:
        raise DataError(
            f"expected a format of data sets for {folder}, found {to or 'none'}: choose --to {', '.join(FORMATS)}."
        )
    if file_batches is not None and to not in IN_FILES:
        raise DataError(
            f"expected a size of files for --to {' or '.join(IN_FILES)} alone, found --to {to}: leave it out."
        )
    if to == PARQUET:
        refuse_without_pyarrow()
    refuse_taken(out)
    dataset = FaceDataset(folder)
    wanted = tuple(dict.fromkeys(splits)) or tuple(name for name, entries in dataset.splits.items() if entries)
    if not wanted:
        raise DataError(f"{folder} has no batches; expected at least one: render it again.")
    sources = [split_source(dataset, name) for name in wanted]
    total, done = sum(source.image_count for source in sources), 0

    def counted(batches: Iterable[Batch]) -> Iterator[Batch]:
        nonlocal done
        for batch in batches:
            yield batch
            done += len(batch.images)
            progress(done, total)

    write = _writer(to, sources, file_batches or FILE_BATCHES)
    with temporary_folder(out) as part:
        for source in sources:
            write(source, counted(source.batches(truth=to != "npz")), part)  # npz reads layer by layer
        if to == PARQUET:
            write_words(part, sources)
        write_atomic(part / ABOUT, (json.dumps(_about(sources, to), indent=1) + "\n").encode())
    return sum(source.image_count for source in sources)


def _writer(to: str, splits: Sequence[SplitSource], file_batches: int) -> Writer:
    writers: dict[str, Writer] = {
        "png": write_pictures,
        "npz": write_archive,
        "3dshapes": write_shapes,
        WEBDATASET: partial(write_tars, tar_batches=file_batches),
    }
    if to in writers:
        return writers[to]
    return partial(write_parquet, columns=export_columns(splits), file_batches=file_batches)


def _about(sources: list[SplitSource], to: str) -> dict[str, Any]:  # JSON
    """Return which model and licence the faces have, and what the columns of the labels mean."""
    manifest, layout = sources[0].dataset.manifest, sources[0].layout
    height, width, channels = layout.image_shape
    mixed = {source.name: source.layout.sources for source in sources if source.layout.sources}
    of_people = {name: value for name, value in {"parts": layout.parts, "sources": mixed}.items() if value}
    return {
        "format": to,
        "image": {"height": height, "width": width, "channels": channels},
        "splits": {
            source.name: {"images": source.image_count, "truth": describe_truth(source.layout)} for source in sources
        },
        "factors": [
            {"name": factor.name, "units": factor.units, "range": layout.ranges.get(factor.name), **_kind(factor)}
            for factor in layout.factors
        ],
        "attributes": layout.attributes,
        "nuisances": layout.nuisances,
        **of_people,
        "model": manifest.model,
        "seed": manifest.seed,
        "configuration_sha256": manifest.configuration_sha256,
    }


def _kind(factor: Factor) -> dict[str, Any]:  # JSON
    """Return the sign and the kind of a factor; flags that are not set are left out."""
    flags = {name: value for name in (*FACTOR_FLAGS, CLASSES) if (value := getattr(factor, name))}
    return {"mirror_sign": factor.mirror_sign, **flags}
