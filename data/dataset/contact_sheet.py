"""A contact sheet: one row per batch, its twenty images in the order of what varies, kind and range at the left."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dcign.arrays import UInt8
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import Batch, Factor
from dcign.data.shard.reader import Shard
from dcign.data.shard.truth_layers import as_pictures
from dcign.errors import DataError
from dcign.storage.atomic import write_atomic

LARGEST_TILE = 128  # pixels; larger images are shrunk, so that a row fits a screen
SMALLEST_TILE = 64  # pixels; smaller images are enlarged by a whole factor
FONT_SIZE = 13
GAP = 2
MARGIN = 4  # left and right of the text
MOST_LEVELS = 2  # lines of a sweep's row: one factor is at a level, the others mostly at 0
LONGEST_CLASS = 12  # characters of a name
PAPER, INK = (255, 255, 255), (32, 32, 32)


def write_sheet(
    source: Path, out: Path, *, of_each_kind: int = 2, rows: int | None = None, truth: Sequence[str] = ()
) -> None:
    """Save `contact_sheet` as a PNG file; an existing file is replaced.

    Raises DataError if `out` does not end in .png, the source cannot be read, or the disk refuses.
    """
    if out.suffix.lower() != ".png":
        raise DataError(f"{out} is not a name for a contact sheet; expected a PNG file: give a name that ends in .png.")
    write_png(out, contact_sheet(source, of_each_kind=of_each_kind, rows=rows, truth=truth))


def contact_sheet(
    source: Path, *, of_each_kind: int = 2, rows: int | None = None, truth: Sequence[str] = ()
) -> Image.Image:
    """Draw the first batches of each kind of each split, from a shard or a data set folder, at most `rows` of them.

    truth: layers to show below the images of each batch that has them; ["all"] shows every layer.

    Raises DataError if the source cannot be read, or does not have a layer that was asked for.
    """
    chosen = list(islice(_chosen(source, of_each_kind), None if rows is None else max(rows, 0)))
    held = sorted({name for *_, batch in chosen for name in batch.truth})
    truth = held if list(truth) == ["all"] else truth
    for name in truth:
        if name not in held:
            raise DataError(f"{source} holds no truth/{name}; it holds {', '.join(held) or 'none'}: name one of these.")
    lines = [line for each in chosen for line in _lines(*each, truth)]
    if not lines:
        raise DataError(f"{source} has no batches to show; expected at least one: ask for one row or more.")
    label_width = max(_text_width(text) for text, _ in lines) + 2 * MARGIN
    return joined([_strip(text, tiles, label_width) for text, tiles in lines], gap=GAP)


def joined(images: Sequence[Image.Image], *, downwards: bool = True, gap: int = 0) -> Image.Image:
    """Lay out images one below another, or one beside another, `gap` pixels apart."""
    widths, heights = zip(*(image.size for image in images), strict=True)
    gaps, at = gap * (len(images) - 1), 0
    extent = (max(widths), sum(heights) + gaps) if downwards else (sum(widths) + gaps, max(heights))
    sheet = Image.new("RGB", extent, PAPER)
    for image in images:
        sheet.paste(image, (0, at) if downwards else (at, 0))
        at += gap + (image.height if downwards else image.width)
    return sheet


def write_png(path: Path, image: Image.Image) -> None:
    """Write a PNG file atomically. Raises DataError if it cannot be written."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())


def _chosen(source: Path, of_each_kind: int) -> Iterator[tuple[str, tuple[Factor, ...], Batch]]:
    """Yield split, its factors and batch, for the first few of each kind."""
    if not source.is_dir():
        firsts = [Shard(source)]
    else:
        dataset = FaceDataset(source)
        firsts = [dataset.shard(entries[0]) for entries in dataset.splits.values() if entries]
    for first in firsts:
        with first as shard:
            taken: Counter[str] = Counter()
            for row, varies in enumerate(shard.varies):
                if taken[varies] < of_each_kind:
                    taken[varies] += 1
                    yield shard.header.split, shard.header.factors, shard.batch(row)


def _lines(
    split: str, factors: tuple[Factor, ...], batch: Batch, truth: Sequence[str]
) -> Iterator[tuple[str, list[Image.Image]]]:
    """Yield the batch's text and its images, sorted by the factor that varies, then each truth layer in that order."""
    order = np.arange(len(batch.images))
    text = f"{split}, batch {batch.number}\n{batch.varies}"
    names = [factor.name for factor in factors]
    if batch.varies in names:
        column = names.index(batch.varies)
        values, classes = batch.factors[:, column], factors[column].classes
        order = np.argsort(values, kind="stable")
        text += "\n" + " to ".join(_label(end, classes) for end in (values.min(), values.max()))
    elif batch.identity_source is not None:
        text += f"\n{_whole_people(batch.identity_source)} people, mixed"
    elif split == "sweep":
        same = (batch.factors == batch.factors[0]).all(axis=0)  # people have their own age and sex
        known = zip(names, batch.factors[0], same, strict=True)
        levels = [f"{name} {value:.1f}" for name, value, alike in known if value and alike]
        text += "\n" + "\n".join(levels[:MOST_LEVELS] or ["all at 0"])
    yield text, [_tile(batch.images[index]) for index in order]
    for name in truth:
        if name in batch.truth:
            pictures = as_pictures(name, batch.truth[name], batch.images)
            yield name, [_tile(pictures[index]) for index in order]


def _label(value: float, classes: tuple[str, ...]) -> str:
    """Return a number, or the name of a class; a damaged label is no index of one."""
    if classes and 0 <= value < len(classes):
        return classes[int(value)][:LONGEST_CLASS]
    return f"{value:.1f}"


def _whole_people(source: UInt8) -> int:
    """Return how many images of a mix batch, sources (20, T), show a person that is not mixed."""
    return int((source == np.arange(len(source))[:, None]).all(axis=1).sum())


def _text_width(text: str) -> int:
    """Return the width of a label in pixels."""
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    return int(np.ceil(draw.multiline_textbbox((0, 0), text, font=ImageFont.load_default(FONT_SIZE))[2]))


def _strip(text: str, tiles: list[Image.Image], label_width: int) -> Image.Image:
    """Draw text and images side by side."""
    width, height = tiles[0].size
    strip = Image.new("RGB", (label_width + len(tiles) * width, max(height, 4 * FONT_SIZE)), PAPER)
    ImageDraw.Draw(strip).multiline_text((MARGIN, 2), text, fill=INK, font=ImageFont.load_default(FONT_SIZE))
    for column, tile in enumerate(tiles):
        strip.paste(tile, (label_width + column * width, 0))
    return strip


def _tile(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Image.Image:
    """Return one image (H, W, C), shrunk if it is large, enlarged by a whole factor if it is small."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((LARGEST_TILE, LARGEST_TILE))
    factor = -(-SMALLEST_TILE // max(image.size))
    return image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)
