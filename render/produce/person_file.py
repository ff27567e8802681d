"""The files that `dcign face` writes: one person as a mesh, a picture or JSON, or many people in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dcign.data.dataset.contact_sheet import write_png
from dcign.errors import ModelError, RenderError
from dcign.facegen.files.mesh_file import EXTENSIONS, export_face
from dcign.facegen.files.people_file import people_json, person_json
from dcign.facegen.model.changes import Changes, changed
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person
from dcign.render.produce import portrait
from dcign.storage.atomic import write_atomic

SHEETS = ("gallery", "modes", "coefficients", "turnaround")
OF_THE_MODEL = ("modes", "coefficients")  # sheets that show nobody in particular
USUAL_SIZES = {"gallery": 256, "modes": 192, "coefficients": 192}  # pixels of a side
PORTRAIT_SIZE = 512
MOST_PEOPLE = 400  # in a gallery
FEWEST = 80  # people in a data set of its own: 20 in each of the splits train, test, iid and sweep


def refuse_person_file(out: Path, sheet: str, seed: int, people: int, size: int | None) -> None:
    """Raise ModelError or RenderError unless `write_person` could write this file, whatever the model.

    sheet: one of SHEETS, or "" for one person; size: None if it was not asked for.
    """
    if sheet == "gallery" and not 1 <= people <= MOST_PEOPLE:
        raise RenderError(
            f"expected 1 to {MOST_PEOPLE} people in a gallery, found {people}: give another number for --gallery."
        )
    if not 0 <= seed < 2**63 - people:
        raise ModelError(f"expected a seed from 0 to 2^63 - {1 + people}, found {seed}: give another --seed.")
    accepted = {"": (*EXTENSIONS, ".png", ".json"), "gallery": (".png", ".json")}.get(sheet, (".png",))
    if out.suffix.lower() not in accepted:
        raise ModelError(f"expected a file NAME{', NAME'.join(accepted)}, found {out}: give another --out.")
    if size is not None and out.suffix.lower() != ".png":
        raise ModelError(f"expected --size with a picture NAME.png, found {out}: leave --size out.")


def next_command(out: Path, gallery: int | None) -> str:
    """Return the command that reads a .json of one person, or of a gallery of so many."""
    if gallery is None:
        return f"dcign face --person {out} --out face.png"
    if gallery >= FEWEST:
        return f"dcign render --batches 600 --people {out}"
    return f"dcign face --gallery {FEWEST} --out NAME.json, because dcign render --people takes {FEWEST} people or more"


def drawn_people(
    model: MorphableModel, seed: int, count: int, changes: Changes, *, keep_head_size: bool = False, hair: bool = True
) -> list[Person]:
    """Return the people of `count` seeds from `seed` on, each with the same changes."""
    generators = (np.random.default_rng(each) for each in range(seed, seed + count))
    drawn = (sample_person(model, rng, keep_size=keep_head_size, hair=hair) for rng in generators)
    return [changed(model, person, changes) for person in drawn]


def write_sheet_of_model(out: Path, model: MorphableModel, sheet: str, size: int | None = None) -> str:
    """Write one of OF_THE_MODEL and return a sentence about it. Raises DataError if the file cannot be written."""
    draw = portrait.modes if sheet == "modes" else portrait.coefficients
    write_png(out, draw(model, size=USUAL_SIZES[sheet] if size is None else size))
    shown = "the explicit variables and of the first modes" if sheet == "modes" else "the first coefficients"
    return f"{out}: the effect of {shown} of shape and colour."


def write_person(
    out: Path,
    model: MorphableModel,
    people: Sequence[Person],
    names: str,
    *,
    sheet: str = "",
    size: int | None = None,
    hair: bool = True,
) -> str:
    """Write the file and return a sentence about it.

    people: one, or those of a gallery; names: who they are, for the sentence;
    sheet: "gallery", "turnaround", or "" for one person;
    size: the side of each picture in pixels, None for the usual one; hair: False draws bare heads.

    Raises DataError if the file cannot be written.
    """
    size = USUAL_SIZES.get(sheet, PORTRAIT_SIZE) if size is None else size
    if out.suffix.lower() == ".json":
        text = people_json(model, people) if sheet == "gallery" else person_json(model, people[0])
        write_atomic(out, text.encode())
        return f"{out}: {names}."
    model = model if hair else model.without_hair()
    if sheet == "gallery":
        write_png(out, portrait.gallery(model, people, size=size))
        return f"{out}: {names}."
    if sheet == "turnaround":
        write_png(out, portrait.turnaround(model, people[0], size=size))
    elif out.suffix.lower() == ".png":
        write_png(out, portrait.three_sides(model, people[0], size=size))
    else:
        export_face(out, model, people[0])
    return f"{out}: {names}, {model.vertices:,} vertices."
