"""png: one file per image, SPLIT/BATCH/IMAGE.png, and SPLIT/labels.csv with one row per image."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from dcign.arrays import UInt8
from dcign.data.export.labels import image_labels, table_heading, table_row
from dcign.data.export.split import SplitSource
from dcign.data.schema import BATCH_SIZE, Batch


def write_pictures(split: SplitSource, batches: Iterable[Batch], folder: Path) -> None:
    """Write a split as a tree of PNG files, and their labels as a table."""
    root = folder / split.name
    root.mkdir()
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", *table_heading(split.layout)])
        for batch in batches:
            name = f"{batch.number:06d}"
            (root / name).mkdir()
            for image in range(BATCH_SIZE):
                file_name = f"{name}/{image:02d}.png"
                (root / file_name).write_bytes(png_bytes(batch.images[image]))
                table.writerow([file_name, *table_row(image_labels(split.layout, batch, image))])


def png_bytes(image: UInt8) -> bytes:
    """Return one image (H, W, C) as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
