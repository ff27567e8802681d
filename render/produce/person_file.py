"""The files that `dcign face` writes: one person as a mesh or a picture, or a picture of many people."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dcign.errors import ModelError
from dcign.facegen.files.mesh_file import EXTENSIONS, export_face
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person
from dcign.render.plan.configuration import has_hair
from dcign.render.produce import portrait

SHEETS = ("gallery", "modes", "turnaround")


def refuse_person_file(out: Path, sheet: str, seed: int, people: int) -> None:
    """Raise ModelError unless `write_person` could write this file, whatever the model.

    sheet: one of SHEETS, or "" for one person.
    """
    if sheet == "gallery":
        portrait.check_gallery(people)
    if not 0 <= seed < 2**63 - people:
        raise ModelError(f"seed {seed} is out of bounds; give --seed from 0 to 2^63 - {1 + people}.")
    accepted = (".png",) if sheet else (*EXTENSIONS, ".png")
    if out.suffix.lower() not in accepted:
        raise ModelError(f"{out} is no name for this; give --out NAME{', NAME'.join(accepted)}.")


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
    """
    options = {"keep_size": keep_head_size, "hair": has_hair(hair)}
    if sheet == "modes":
        portrait.save_modes(out, model, size=portrait.MODES_SIZE if size is None else size)
        return f"{out}: the effect of the explicit variables and of the first modes of shape and colour."
    if sheet == "gallery":
        seeds = range(seed, seed + people)
        portrait.save_gallery(out, model, seeds, size=portrait.GALLERY_SIZE if size is None else size, **options)
        return f"{out}: people {seed} to {seed + people - 1}."
    person = sample_person(model, np.random.default_rng(seed), **options)
    model = model if options["hair"] else model.without_hair()
    portrait_size = portrait.PORTRAIT_SIZE if size is None else size
    if sheet == "turnaround":
        portrait.save_turnaround(out, model, person, size=portrait_size)
    elif out.suffix.lower() == ".png":
        portrait.save_portrait(out, model, person, size=portrait_size)
    else:
        export_face(out, model, person)
    return f"{out}: person {seed}, {model.vertices:,} vertices."
