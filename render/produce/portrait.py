"""Pictures of people for `dcign face`: one person from three sides, a gallery, and what each mode does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dcign.arrays import Float32, UInt8
from dcign.data.dataset.contact_sheet import INK, PAPER, joined
from dcign.data.schema import BATCH_SIZE
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import stacked, typical_person
from dcign.facegen.model.selection import cut_number
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.batch_renderer import BatchRenderer

# Azimuth, elevation, light azimuth. Turned a little, lit from the side: flat frontal light hides a face's shape.
VIEWS = ((0.0, 0.0, -35.0), (-35.0, 5.0, -35.0), (70.0, 0.0, 35.0))
SIDES = (-80.0, -40.0, 0.0, 40.0, 80.0)  # azimuths of a turnaround
LIGHTS = (-60.0, 0.0, 60.0)  # light azimuths, one row each
GALLERY_VIEW = (12.0, 3.0, -30.0)
TEXTURED_FROM = 200  # pixels

MODES_VIEW = (25.0, 0.0, -25.0)
DEVIATIONS = (-2.5, -1.25, 0.0, 1.25, 2.5)
SHAPE_ROWS = 12  # shape modes shown, head size first
ALBEDO_ROWS = 12
COEFFICIENT_ROWS = 16  # of shape, and of skin, in the picture of the documentation
MINUS_ZERO_PLUS = (-2.0, 0.0, 2.0)
WHOLE, FACE_WINDOW = (0.0, 0.0, 1.0), (0.18, 0.14, 0.74)  # left, top, side of what is shown of a picture
AGES_SHOWN = (18.0, 30.0, 45.0, 62.0, 80.0)
FONT_SIZE = 14
MARGIN = 6


def three_sides(model: MorphableModel, person: Person, *, size: int) -> Image.Image:
    """Draw one person from three sides, `size` pixels high."""
    return _sheet(render_people(model, [person] * len(VIEWS), VIEWS, size=size), len(VIEWS))


def turnaround(model: MorphableModel, person: Person, *, size: int) -> Image.Image:
    """Draw one person from five sides under three lights, one row per light."""
    factors = [(side, 0.0, light) for light in LIGHTS for side in SIDES]
    return _sheet(render_people(model, [person] * len(factors), factors, size=size), len(SIDES))


def gallery(model: MorphableModel, people: Sequence[Person], *, size: int) -> Image.Image:
    """Draw a square sheet of people."""
    pictures = render_people(model, people, [GALLERY_VIEW] * len(people), size=size)
    return _sheet(pictures, int(np.ceil(np.sqrt(len(people)))))


def modes(model: MorphableModel, *, size: int) -> Image.Image:
    """Draw what each coefficient does, one row each: sex, age, hair, then the first modes of shape and colour."""
    return _sheet_of_rows(model, list(_rows(model)), size, columns=2)


def coefficients(model: MorphableModel, *, size: int) -> Image.Image:
    """Draw the first coefficients of shape and of skin at minus two, zero and plus two, one row each.

    Shape on the mean head; skin nearer, on somebody in whom most of it shows: fair, of 50 years, with short hair.
    """
    shape_rows = list(_shape_rows(model, typical_person(model), COEFFICIENT_ROWS, MINUS_ZERO_PLUS))
    skin_rows = list(_skin_rows(model, _fair_person(model), COEFFICIENT_ROWS, MINUS_ZERO_PLUS))
    sheets = [
        _sheet_of_rows(model, shape_rows, size, columns=2),
        _sheet_of_rows(model, skin_rows, size, columns=2, window=FACE_WINDOW),
    ]
    return joined(sheets, downwards=False)


def _fair_person(model: MorphableModel) -> Person:
    cuts = model.hair.cut_names if model.hair is not None else ()
    person = typical_person(model, age=50.0, cut=cut_number("short", cuts) if cuts else 0)
    names = model.albedo.coefficient_names
    return replace(person, albedo=_moved(person.albedo, names.index("tone"), 1.0)) if "tone" in names else person


def _sheet_of_rows(
    model: MorphableModel,
    rows: Sequence[tuple[str, dict[str, Person]]],
    size: int,
    *,
    columns: int,
    window: tuple[float, float, float] = WHOLE,
) -> Image.Image:
    """Draw rows of captioned people below each other, in so many columns.

    window: left, top and side of the part of each picture that is shown, as shares of the picture.
    """
    people = [person for _, row in rows for person in row.values()]
    whole = round(size / window[2])
    left, top = (round(whole * each) for each in window[:2])
    pictures = render_people(model, people, [MODES_VIEW] * len(people), size=whole)
    shown = iter(pictures[:, top : top + size, left : left + size])
    strips = [_strip(title, {caption: next(shown) for caption in row}, size) for title, row in rows]
    each = -(-len(strips) // columns)
    parts = [strips[first : first + each] for first in range(0, len(strips), each)]
    return joined([joined(part) for part in parts], downwards=False)


def render_people(
    model: MorphableModel, people: Sequence[Person], factors: Sequence[tuple[float, float, float]], *, size: int
) -> UInt8:
    """Draw each person in colour at its azimuth, elevation and light azimuth: (N, size, size, 3).

    Draws the finest level of detail, and textures from TEXTURED_FROM pixels on: a single sheet need not be fast.
    """
    configuration = RenderConfiguration(Splits.in_paper_proportions(1), size=size, channels=3)
    drawn = []
    with BatchRenderer(replace(model, levels=()), configuration, textured=size >= TEXTURED_FROM) as renderer:
        for first in range(0, len(people), BATCH_SIZE):
            several = slice(first, first + BATCH_SIZE)
            faces = renderer.faces(*stacked(list(people[several])))
            drawn.append(renderer.draw(faces, np.array(factors[several], np.float32)).images)
    return np.concatenate(drawn)


def _rows(model: MorphableModel) -> Iterator[tuple[str, dict[str, Person]]]:
    """Yield the rows of the sheet of modes: a title, and captions with people that differ in nothing else."""
    if model.population is not None:
        yield "sex", {f"{sex:+.2f} sd": typical_person(model, sex=sex) for sex in DEVIATIONS}
        yield "age", {f"{age:.0f} years": typical_person(model, age=age) for age in AGES_SHOWN}
    if model.hair is not None:
        cuts = list(enumerate(model.hair.cut_names))[1:]  # the first is bald
        for first in range(0, len(cuts), len(DEVIATIONS)):
            yield "hair", {name: typical_person(model, cut=cut) for cut, name in cuts[first : first + len(DEVIATIONS)]}
    mean = typical_person(model)
    yield from _shape_rows(model, mean, SHAPE_ROWS, DEVIATIONS)
    yield from _skin_rows(model, mean, ALBEDO_ROWS, DEVIATIONS)


def _shape_rows(
    model: MorphableModel, person: Person, count: int, deviations: Sequence[float]
) -> Iterator[tuple[str, dict[str, Person]]]:
    """Yield a row for each of the first coefficients of a person's shape."""
    for mode in range(min(count, model.shape_modes)):
        title = f"shape {mode}" + ("\nhead size" if mode == model.size_mode else "")
        yield title, {f"{to:+.2f} sd": replace(person, shape=_moved(person.shape, mode, to)) for to in deviations}


def _skin_rows(
    model: MorphableModel, person: Person, count: int, deviations: Sequence[float]
) -> Iterator[tuple[str, dict[str, Person]]]:
    """Yield a row for each of the first coefficients of a person's colours."""
    for mode in range(min(count, model.albedo_modes)):
        title = model.albedo.coefficient_names[mode].replace("_", " ")
        yield title, {f"{to:+.2f} sd": replace(person, albedo=_moved(person.albedo, mode, to)) for to in deviations}


def _moved(coefficients: Float32, mode: int, to: float) -> Float32:
    moved = coefficients.copy()
    moved[mode] = to
    return moved


def _strip(title: str, pictures: dict[str, UInt8], size: int) -> Image.Image:
    """Draw the title at the left, and the pictures with their captions beside it."""
    font = ImageFont.load_default(FONT_SIZE)
    label = 9 * FONT_SIZE
    strip = Image.new("RGB", (label + len(pictures) * size, size), PAPER)
    draw = ImageDraw.Draw(strip)
    draw.multiline_text((MARGIN, MARGIN), title, fill=INK, font=font)
    for number, (caption, picture) in enumerate(pictures.items()):
        left = label + number * size
        strip.paste(Image.fromarray(picture), (left, 0))
        draw.text((left + MARGIN, MARGIN // 2), caption, fill=PAPER, font=font)
    return strip


def _sheet(pictures: UInt8, columns: int) -> Image.Image:
    """Lay out pictures (N, S, S, 3) in rows of `columns`; black where there are none."""
    rows, size = -(-len(pictures) // columns), pictures.shape[1]
    cells = np.zeros((rows * columns, *pictures.shape[1:]), np.uint8)
    cells[: len(pictures)] = pictures
    grid = cells.reshape(rows, columns, size, size, 3).swapaxes(1, 2)
    return Image.fromarray(grid.reshape(rows * size, columns * size, 3))
