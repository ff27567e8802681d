"""A contact sheet: a row a batch, its twenty images in the order of what varies, its kind and range at the left."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.part_file import write_whole
from data.reader import FaceDataset, Shard
from data.schema import BATCH_SIZE, Batch, DataError

LARGEST_TILE = 128  # pixels; larger images are shrunk, so that a row fits a screen
LABEL_WIDTH = 190
FONT_SIZE = 13
GAP = 2
PAPER, INK = (255, 255, 255), (32, 32, 32)


def write_sheet(source: Path, out: Path, *, of_each_kind: int = 2, rows: int = 20) -> None:
    """Save `contact_sheet` as a PNG, in place of what was there.

    Raises DataError if the source cannot be read, or the disk refuses.
    """
    buffer = io.BytesIO()
    contact_sheet(source, of_each_kind=of_each_kind, rows=rows).save(buffer, "PNG")
    write_whole(out, buffer.getvalue())


def contact_sheet(source: Path, *, of_each_kind: int = 2, rows: int = 20) -> Image.Image:
    """The first batches of each kind of each split, from a shard or a data set folder; `rows` at most.

    Raises DataError if the source cannot be read.
    """
    strips = []
    for split, factors, batch in _chosen(source, of_each_kind):
        strips.append(_strip(split, factors, batch))
        if len(strips) == rows:
            break
    if not strips:
        raise DataError(f"{source} has no batches to show; expected at least one: ask for one row or more.")
    width = max(strip.width for strip in strips)
    height = sum(strip.height + GAP for strip in strips) - GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height + GAP
    return sheet


def _chosen(source: Path, of_each_kind: int) -> Iterator[tuple[str, tuple[str, ...], Batch]]:
    """Split, names of its factors and batch, for the first few of each kind."""
    if not source.is_dir():
        with Shard(source) as shard:
            yield from _chosen_of(shard, of_each_kind)
        return
    dataset = FaceDataset(source)
    for entries in dataset.splits.values():
        if entries:
            with Shard(dataset.folder / entries[0].file) as shard:
                yield from _chosen_of(shard, of_each_kind)


def _chosen_of(shard: Shard, of_each_kind: int) -> Iterator[tuple[str, tuple[str, ...], Batch]]:
    taken: Counter[str] = Counter()
    names = tuple(factor.name for factor in shard.header.factors)
    for row, varies in enumerate(shard.varies):
        if taken[varies] < of_each_kind:
            taken[varies] += 1
            yield shard.header.split, names, shard.batch(row)


def _strip(split: str, factors: tuple[str, ...], batch: Batch) -> Image.Image:
    """One batch as a row of pictures with its text."""
    order = np.arange(BATCH_SIZE)
    text = f"{split}, batch {batch.number}\n{batch.varies}"
    if batch.varies in factors:
        values = batch.factors[:, factors.index(batch.varies)]
        order = np.argsort(values, kind="stable")
        text += f"\n{values.min():.1f} to {values.max():.1f}"
    tiles = [_tile(batch.images[index]) for index in order]
    width, height = tiles[0].size
    strip = Image.new("RGB", (LABEL_WIDTH + BATCH_SIZE * width, max(height, 4 * FONT_SIZE)), PAPER)
    ImageDraw.Draw(strip).multiline_text((4, 2), text, fill=INK, font=ImageFont.load_default(FONT_SIZE))
    for column, tile in enumerate(tiles):
        strip.paste(tile, (LABEL_WIDTH + column * width, 0))
    return strip


def _tile(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    """One image (H, W, C), shrunk if it is large."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((LARGEST_TILE, LARGEST_TILE))
    return image
