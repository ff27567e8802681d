"""The command `dcign face`."""

from __future__ import annotations

from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import (
    HAIR,
    KEEP_HEAD_SIZE,
    MODEL,
    NOT_NEGATIVE,
    PATH,
    refuse_beside,
)
from dcign.terminal.progress import stage_progress


@click.command(short_help="Write one person or a gallery as mesh, picture or JSON.")
@click.option("--seed", type=NOT_NEGATIVE, default=0, show_default=True, metavar="N",
              help="Which person; the first person of a gallery.")  # fmt: skip
@click.option("--person", type=PATH, metavar="FILE.json", help="The person of a file instead of --seed.")
@click.option("--age", type=float, metavar="YEARS", help="The same person at another age, 18 to 80.")
@click.option("--sex", metavar="SEX", help="women, men, or standard deviations: below 0 women, above 0 men.")
@HAIR
@click.option("--set", "settings", multiple=True, metavar="NAME=SD",
              help="A coefficient in standard deviations: shape.N, skin.N, hair.length or hair.volume. May be given "
              "several times.")  # fmt: skip
@click.option("--out", type=PATH, help="A .glb, .obj, .ply, .png or .json file.")
@click.option(
    "--describe", metavar="FACES/SPLIT:IMAGE", help="Print the person of this image as JSON, and write nothing."
)
@click.option("--gallery", type=click.IntRange(1, 400), metavar="N",
              help="A .png or .json of N people, seeds from --seed on.")  # fmt: skip
@click.option("--modes", is_flag=True,
              help="A .png of the effect of sex, age, haircuts and the first shape and colour modes.")  # fmt: skip
@click.option("--coefficients", is_flag=True, help="A .png of the first coefficients of shape and skin, -2 to 2.")
@click.option("--turnaround", is_flag=True, help="A .png of one person from five sides under three lights.")
@click.option("--size", type=click.IntRange(16, 4096), metavar="PIXELS",
              help="Side of each picture in a .png.  [default: 512; gallery 256; modes, coefficients 192]")  # fmt: skip
@KEEP_HEAD_SIZE
@MODEL
def face(
    seed: int,
    person: Path | None,
    age: float | None,
    sex: str | None,
    hair: str,
    settings: tuple[str, ...],
    out: Path | None,
    describe: str | None,
    gallery: int | None,
    size: int | None,
    keep_head_size: bool,
    model_path: Path | None,
    **sheets: bool,
) -> None:
    """Write one person: a mesh with colours, a picture from three sides, or JSON; or a picture of many people.

    --age, --sex, --hair and --set change one thing and keep everything else: the person of --seed grows older.
    A .json file holds the person exactly, and --person draws it again.

    \b
    Example:
      dcign face --seed 7 --out face.glb
      dcign face --age 63 --sex -1 --hair bob --seed 4 --set shape.12=+2 --out her.png
      dcign face --seed 4 --set skin.freckles=2 --set hair.length=1 --out her.json
      dcign face --person her.json --out her.png
      dcign face --describe faces/iid:17 > person.json
      dcign face --gallery 64 --out people.png
      dcign face --seed 7 --model flame2023_Open.pkl --out flame.png
    """
    from dcign.facegen.files.people_file import person_json, read_person
    from dcign.facegen.model.changes import HAIR_SETTINGS, Changes, changed, parse_settings, parse_sex
    from dcign.render.produce import person_file, subjects
    from dcign.render.produce.described import person_of_image
    from dcign.storage.atomic import refuse_taken_file

    context = click.get_current_context()
    if describe is not None:
        refuse_beside(context, "describe")
        model, shown = person_of_image(describe)
        echo(person_json(model, shown).rstrip("\n"))
        return
    if out is None:
        raise click.UsageError("expected --out or --describe, found neither: give one.")
    chosen = [name for name, given in {"gallery": gallery is not None, **sheets}.items() if given]
    if len(chosen) > 1:
        raise click.UsageError(f"expected one of --{', --'.join(person_file.SHEETS)}, found {len(chosen)}: give one.")
    sheet = chosen[0] if chosen else ""
    if sheet in person_file.OF_THE_MODEL:
        refuse_beside(context, sheet, "out", "size", "model_path")
    if person is not None:
        refuse_beside(context, "person", *set(context.params) - {"seed", "gallery", "keep_head_size"})
    person_file.refuse_person_file(out, sheet, seed, gallery or 0, size)
    refuse_taken_file(out)
    cut = None if hair in ("natural", "none") else hair
    changes = Changes(None if sex is None else parse_sex(sex), age, cut, parse_settings(settings))
    if hair == "none" and (of_hair := HAIR_SETTINGS.keys() & changes.settings):
        raise click.UsageError(f"expected --hair none without --set {min(of_hair)}, found both: leave one out.")
    model = subjects.face_model(model_path, stage_progress)
    if sheet in person_file.OF_THE_MODEL:
        echo(person_file.write_sheet_of_model(out, model, sheet, size))
        echo(f"Look at {out}.")
        return
    haired = hair != "none"
    if person is not None:
        people, names = [changed(model, read_person(person, model), changes)], f"the person of {person}"
    else:
        people = person_file.drawn_people(
            model, seed, gallery or 1, changes, keep_head_size=keep_head_size, hair=haired
        )
        names = f"people {seed} to {seed + gallery - 1}" if gallery else f"person {seed}"
    echo(person_file.write_person(out, model, people, names, sheet=sheet, size=size, hair=haired))
    echo(f"Next: {person_file.next_command(out, gallery)}" if out.suffix.lower() == ".json" else f"Look at {out}.")
