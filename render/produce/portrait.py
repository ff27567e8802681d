"""Pictures of people for `dcign face`: one person from three sides, a gallery, and what each mode does."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dcign.arrays import Float32, UInt8
from dcign.data.schema import BATCH_SIZE
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person, stacked, typical_person
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.storage.atomic import write_atomic

# Azimuth, elevation, light azimuth. Turned a little, lit from the side: flat frontal light hides a face's shape.
VIEWS = ((0.0, 0.0, -35.0), (-35.0, 5.0, -35.0), (70.0, 0.0, 35.0))
SIDES = (-80.0, -40.0, 0.0, 40.0, 80.0)  # azimuths of a turnaround
LIGHTS = (-60.0, 0.0, 60.0)  # light azimuths, a row each
PORTRAIT_SIZE = 512
GALLERY_VIEW = (12.0, 3.0, -30.0)
GALLERY_SIZE = 256
TEXTURED_FROM = 200  # pixels
MOST_PEOPLE = 400  # in a gallery

MODES_SIZE = 192
MODES_VIEW = (25.0, 0.0, -25.0)
DEVIATIONS = (-2.5, -1.25, 0.0, 1.25, 2.5)
SHAPE_ROWS = 12  # shape modes shown, head size first
ALBEDO_ROWS = 12
AGES_SHOWN = (18.0, 30.0, 45.0, 62.0, 80.0)
FONT_SIZE = 14
MARGIN = 6
PAPER, INK = (255, 255, 255), (32, 32, 32)


def save_portrait(path: Path, model: MorphableModel, person: Person, *, size: int) -> None:
    """Write one person from three sides, in colour, `size` pixels high.

    Raises DataError if the file cannot be written.
    """
    pictures = render_people(model, [person] * len(VIEWS), VIEWS, size=size)
    _save(path, Image.fromarray(np.concatenate(list(pictures), axis=1)))


def save_turnaround(path: Path, model: MorphableModel, person: Person, *, size: int) -> None:
    """Write one person from five sides under three lights, a row a light, in colour.

    Raises DataError if the file cannot be written.
    """
    factors = [(side, 0.0, light) for light in LIGHTS for side in SIDES]
    pictures = render_people(model, [person] * len(factors), factors, size=size)
    rows = pictures.reshape(len(LIGHTS), len(SIDES), size, size, 3)
    _save(path, Image.fromarray(np.concatenate(list(np.concatenate(list(rows.swapaxes(0, 1)), axis=2)), axis=0)))


def save_gallery(
    path: Path, model: MorphableModel, seeds: Sequence[int], *, size: int, keep_size: bool = False, hair: bool = True
) -> None:
    """Write a square sheet of people, each the one that `dcign face --seed` draws for its seed.

    Raises RenderError for fewer than 1 or more than MOST_PEOPLE, DataError if the file cannot be written.
    """
    check_gallery(len(seeds))
    people = [sample_person(model, np.random.default_rng(seed), keep_size=keep_size, hair=hair) for seed in seeds]
    pictures = render_people(model, people, [GALLERY_VIEW] * len(people), size=size)
    columns = int(np.ceil(np.sqrt(len(people))))
    sheet = Image.new("RGB", (columns * size, -(-len(people) // columns) * size))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(Image.fromarray(picture), (column * size, row * size))
    _save(path, sheet)


def check_gallery(people: int) -> None:
    """Raise RenderError unless so many people fit a gallery."""
    if not 1 <= people <= MOST_PEOPLE:
        raise RenderError(f"a gallery of {people} people asked for; give --gallery from 1 to {MOST_PEOPLE}.")


def save_modes(path: Path, model: MorphableModel, *, size: int = MODES_SIZE) -> None:
    """Write what a person's numbers do, a row each: sex, age, hair, then the first modes of shape and colour.

    Raises DataError if the file cannot be written.
    """
    rows = _rows(model)
    people = [person for row in rows for person in row.people]
    pictures = iter(render_people(model, people, [MODES_VIEW] * len(people), size=size))
    strips = [_strip(row, [next(pictures) for _ in row.people], size) for row in rows]
    half = -(-len(strips) // 2)
    columns = [_stacked(part) for part in (strips[:half], strips[half:]) if part]
    sheet = Image.new("RGB", (sum(c.width for c in columns), max(c.height for c in columns)), PAPER)
    left = 0
    for column in columns:
        sheet.paste(column, (left, 0))
        left += column.width
    _save(path, sheet)


def render_people(
    model: MorphableModel, people: Sequence[Person], factors: Sequence[tuple[float, float, float]], *, size: int
) -> UInt8:
    """A colour picture of each person at its azimuth, elevation and light azimuth: (N, size, size, 3).

    The model is drawn at its finest, and painted from a gallery's size on: one sheet is worth it.
    """
    configuration = RenderConfiguration(Splits.in_paper_proportions(1), size=size, channels=3)
    drawn = []
    with BatchRenderer(replace(model, levels=()), configuration, textured=size >= TEXTURED_FROM) as batch_renderer:
        for first in range(0, len(people), BATCH_SIZE):
            several = slice(first, first + BATCH_SIZE)
            faces = batch_renderer.faces(*stacked(list(people[several])))
            drawn.append(batch_renderer.draw(faces, np.array(factors[several], np.float32)).images)
    return np.concatenate(drawn)


@dataclass(frozen=True)
class _Row:
    """A line of the sheet of modes: what it shows, and the people that differ in it alone."""

    title: str
    captions: tuple[str, ...]
    people: tuple[Person, ...]


def _rows(model: MorphableModel) -> list[_Row]:
    rows = []
    if model.population is not None:
        rows.append(_row("sex", "{:+.2f} sd", DEVIATIONS, [typical_person(model, sex=s) for s in DEVIATIONS]))
        rows.append(_row("age", "{:.0f} years", AGES_SHOWN, [typical_person(model, age=a) for a in AGES_SHOWN]))
    if model.hair is not None:
        cuts = [(cut, name) for cut, name in enumerate(model.hair.cut_names) if cut > 0]
        for first in range(0, len(cuts), len(DEVIATIONS)):
            some = cuts[first : first + len(DEVIATIONS)]
            people = [typical_person(model, cut=cut) for cut, _ in some]
            rows.append(_Row("hair", tuple(name for _, name in some), tuple(people)))
    mean = typical_person(model)
    for number in range(min(SHAPE_ROWS, model.shape_modes)):
        title = f"shape {number}" + ("\nhead size" if number == model.size_mode else "")
        people = [replace(mean, shape=_moved(mean.shape, number, by)) for by in DEVIATIONS]
        rows.append(_row(title, "{:+.2f} sd", DEVIATIONS, people))
    for number in range(min(ALBEDO_ROWS, model.albedo_modes)):
        people = [replace(mean, albedo=_moved(mean.albedo, number, by)) for by in DEVIATIONS]
        title = model.albedo.coefficient_names[number].replace("_", " ")
        rows.append(_row(title, "{:+.2f} sd", DEVIATIONS, people))
    return rows


def _row(title: str, caption: str, values: Sequence[float], people: Sequence[Person]) -> _Row:
    return _Row(title, tuple(caption.format(value) for value in values), tuple(people))


def _moved(coefficients: Float32, number: int, by: float) -> Float32:
    moved = coefficients.copy()
    moved[number] += by
    return moved


def _strip(row: _Row, pictures: Sequence[UInt8], size: int) -> Image.Image:
    """Title at the left, pictures with their captions beside it."""
    font = ImageFont.load_default(FONT_SIZE)
    label = 9 * FONT_SIZE
    strip = Image.new("RGB", (label + len(pictures) * size, size), PAPER)
    draw = ImageDraw.Draw(strip)
    draw.multiline_text((MARGIN, MARGIN), row.title, fill=INK, font=font)
    for number, (caption, picture) in enumerate(zip(row.captions, pictures, strict=True)):
        left = label + number * size
        strip.paste(Image.fromarray(picture), (left, 0))
        draw.text((left + MARGIN, MARGIN // 2), caption, fill=PAPER, font=font)
    return strip


def _stacked(strips: Sequence[Image.Image]) -> Image.Image:
    column = Image.new("RGB", (max(s.width for s in strips), sum(s.height for s in strips)), PAPER)
    top = 0
    for strip in strips:
        column.paste(strip, (0, top))
        top += strip.height
    return column


def _save(path: Path, picture: Image.Image) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
