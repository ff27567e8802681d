"""png: one file per image, SPLIT/BATCH/IMAGE.png, and SPLIT/labels.csv with one row per image.

SPLIT/metadata.csv is the same table with the headings that Hugging Face's `imagefolder` reads. Truth layers lie in a
tree of their own, truth/SPLIT/LAYER/BATCH/IMAGE.png or .npy, so that `imagefolder` does not take them for images.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dcign.data.export.labels import image_labels, table_heading, table_row
from dcign.data.export.png_bytes import png_bytes
from dcign.data.export.split import SplitSource
from dcign.data.export.truth import layer_file
from dcign.data.schema import TRUTH, Batch
from dcign.storage.atomic import write_errors

# Table -> its headings that differ. imagefolder finds the picture by file_name and puts it into a column image.
TABLES: dict[str, dict[str, str]] = {"labels.csv": {}, "metadata.csv": {"file": "file_name", "image": "image_number"}}


def write_pictures(split: SplitSource, batches: Iterable[Batch], folder: Path) -> None:
    """Write a split as a tree of PNG files, their labels as tables, and their truth layers."""
    root = folder / split.name
    with write_errors(root):
        root.mkdir()
    with ExitStack() as files:
        tables = []
        for name, renamed in TABLES.items():
            tables.append(files.enter_context(_table(root / name)))
            tables[-1].writerow([renamed.get(each, each) for each in ("file", *table_heading(split.layout))])
        for batch in batches:
            with write_errors(root):
                _write_batch(split, batch, root, tables)
                _write_truth(folder / TRUTH / split.name, batch)


@contextmanager
def _table(path: Path) -> Iterator[Any]:  # csv's writer
    """Yield a table to write. Raises DataError if the disk refuses what is left to write at the end."""
    with write_errors(path):
        file = path.open("w", newline="", encoding="utf-8")
    try:
        yield csv.writer(file, lineterminator="\n")
    finally:
        with write_errors(path):
            file.close()


def _write_batch(split: SplitSource, batch: Batch, root: Path, tables: list[Any]) -> None:  # csv's writers
    name = f"{batch.number:06d}"
    (root / name).mkdir()
    for image in range(len(batch.images)):
        file_name = f"{name}/{image:02d}.png"
        (root / file_name).write_bytes(png_bytes(batch.images[image]))
        row = [file_name, *table_row(image_labels(split.layout, batch, image))]
        for table in tables:
            table.writerow(row)


def _write_truth(root: Path, batch: Batch) -> None:
    """Write LAYER/BATCH/IMAGE.png or .npy."""
    name = f"{batch.number:06d}"
    for layer, values in batch.truth.items():
        (root / layer / name).mkdir(parents=True)
        for image in range(len(batch.images)):
            extension, content = layer_file(values[image])
            (root / layer / name / f"{image:02d}.{extension}").write_bytes(content)
