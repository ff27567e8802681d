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
    rows = list(_rows(model))
    people = [person for _, row in rows for person in row.values()]
    pictures = iter(render_people(model, people, [MODES_VIEW] * len(people), size=size))
    strips = [_strip(title, {caption: next(pictures) for caption in row}, size) for title, row in rows]
    half = -(-len(strips) // 2)
    return joined([joined(part) for part in (strips[:half], strips[half:]) if part], downwards=False)


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
    for mode in range(min(SHAPE_ROWS, model.shape_modes)):
        title = f"shape {mode}" + ("\nhead size" if mode == model.size_mode else "")
        yield title, {f"{by:+.2f} sd": replace(mean, shape=_moved(mean.shape, mode, by)) for by in DEVIATIONS}
    for mode in range(min(ALBEDO_ROWS, model.albedo_modes)):
        title = model.albedo.coefficient_names[mode].replace("_", " ")
        yield title, {f"{by:+.2f} sd": replace(mean, albedo=_moved(mean.albedo, mode, by)) for by in DEVIATIONS}


def _moved(coefficients: Float32, mode: int, by: float) -> Float32:
    moved = coefficients.copy()
    moved[mode] += by
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
