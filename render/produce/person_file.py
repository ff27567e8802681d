"""The files that `dcign face` writes: one person as a mesh or a picture, or a picture of many people."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dcign.data.dataset.contact_sheet import write_png
from dcign.errors import ModelError, RenderError
from dcign.facegen.files.mesh_file import EXTENSIONS, export_face
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person
from dcign.render.plan.configuration import has_hair
from dcign.render.produce import portrait

SHEETS = ("gallery", "modes", "turnaround")
USUAL_SIZES = {"gallery": 256, "modes": 192}  # pixels of a side
PORTRAIT_SIZE = 512
MOST_PEOPLE = 400  # in a gallery


def refuse_person_file(out: Path, sheet: str, seed: int, people: int) -> None:
    """Raise ModelError or RenderError unless `write_person` could write this file, whatever the model.

    sheet: one of SHEETS, or "" for one person.
    """
    if sheet == "gallery" and not 1 <= people <= MOST_PEOPLE:
        raise RenderError(
            f"expected 1 to {MOST_PEOPLE} people in a gallery, found {people}: give another number for --gallery."
        )
    if not 0 <= seed < 2**63 - people:
        raise ModelError(f"expected a seed from 0 to 2^63 - {1 + people}, found {seed}: give another --seed.")
    accepted = (".png",) if sheet else (*EXTENSIONS, ".png")
    if out.suffix.lower() not in accepted:
        raise ModelError(f"expected a file NAME{', NAME'.join(accepted)}, found {out}: give another --out.")


def write_person(
    out: Path,
    model: MorphableModel,
    seed: int,
    *,
    sheet: str = "",
    people: int = 0,
    size: int | None = None,
    keep_head_size: bool = False,
    hair: str = "natural",
) -> str:
    """Write the file and return a sentence about it.

    sheet: "gallery" of so many people, seeds from `seed` on; "modes"; "turnaround"; or "" for one person.
    size: the side of each picture in pixels, None for the usual one.

    Raises DataError if the file cannot be written.
    """
    size = USUAL_SIZES.get(sheet, PORTRAIT_SIZE) if size is None else size
    if sheet == "modes":
        write_png(out, portrait.modes(model, size=size))
        return f"{out}: the effect of the explicit variables and of the first modes of shape and colour."
    seeds = range(seed, seed + (people if sheet == "gallery" else 1))
    options = {"keep_size": keep_head_size, "hair": has_hair(hair)}
    persons = [sample_person(model, np.random.default_rng(each), **options) for each in seeds]
    if sheet == "gallery":
        write_png(out, portrait.gallery(model, persons, size=size))
        return f"{out}: people {seed} to {seeds[-1]}."
    model = model if options["hair"] else model.without_hair()
    if sheet == "turnaround":
        write_png(out, portrait.turnaround(model, persons[0], size=size))
    elif out.suffix.lower() == ".png":
        write_png(out, portrait.three_sides(model, persons[0], size=size))
    else:
        export_face(out, model, persons[0])
    return f"{out}: person {seed}, {model.vertices:,} vertices."
