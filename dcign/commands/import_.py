"""The command `dcign import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import NO_FILE_WRITTEN, PATH, SEED, interruptible
from dcign.terminal.progress import stage_progress


@click.command("import", short_help="Turn other data into a data set.")
@click.argument("source", type=PATH)
@click.option("--out", type=PATH, metavar="FOLDER", help="The new folder.  [default: SOURCE-imported]")
@click.option("--factors", metavar="A,B,...", help="Columns that are factors.  [default: what the layout says]")
@click.option("--identity", metavar="A,B,...",
              help="Columns that say who is seen, or which object; none: no column does.  "
              "[default: what the layout says]")  # fmt: skip
@click.option("--circular", multiple=True, metavar="NAME",
              help="An angle: 0 and 360 degrees are the same. May be given several times.")  # fmt: skip
@click.option("--categorical", multiple=True, metavar="NAME",
              help="A factor whose values are classes without an order. May be given several times.")  # fmt: skip
@click.option("--mirror", multiple=True, metavar="NAME=-1",
              help="A factor that a left-right flip of the image negates. May be given several times.")  # fmt: skip
@click.option("--units", multiple=True, metavar="NAME=UNIT",
              help="The unit of a factor; of a circular one degree, radian or turn.")  # fmt: skip
@click.option("--size", type=click.IntRange(16, 1024), metavar="PIXELS",
              help="Cut out the middle square, and scale it to this side, 16 to 1024.  "
              "[default: unchanged]")  # fmt: skip
@click.option("--channels", type=click.Choice(["1", "3"]), help="1 gray, 3 colour.  [default: unchanged]")
@click.option("--batch", type=click.IntRange(2, 20), metavar="N",
              help="Images per batch, 2 to 20.  [default: the fewest levels of any factor, at most 20]")  # fmt: skip
@click.option("--test-share", type=click.FloatRange(0.01, 0.5), default=0.1, show_default=True, metavar="SHARE",
              help="Share of the images that train does not see, .01 to .5.")  # fmt: skip
@click.option("--hold-out", type=click.Choice(["identity", "combinations", "images"]), metavar="WHAT",
              help="Hold out whole identities, combinations of factors, or random images.  [default: the first of "
              "these that the labels allow]")  # fmt: skip
@click.option("--name", default="", metavar="TEXT", help="Name of the data set.  [default: that of SOURCE]")
@click.option("--licence", default="", metavar="TEXT",
              help="Licence of the images.  [default: that of the layout, if it is known]")  # fmt: skip
@SEED
@click.option("--dry-run", is_flag=True, help="Print the plan, and write nothing.")
def import_(
    source: Path, out: Path | None, size: int | None, channels: str | None, name: str, licence: str, dry_run: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Turn other people's images and labels into a data set that every command accepts.

    SOURCE is a folder of pictures with labels.csv, labels.jsonl or Hugging Face's metadata.csv; a file or folder of
    dSprites, 3D Shapes, MPI3D, Cars3D, smallNORB, Falcor3D or Isaac3D; Parquet, or a folder of `datasets`; or a folder
    of `dcign export`. Where labels form a grid, it is cut into batches in which one factor varies. The plan is printed
    first. docs/import.md has one command per layout.

    \b
    Example:
      dcign import pictures --out faces --dry-run
      dcign import pictures --factors yaw,light --identity person --mirror yaw=-1 --size 64
      dcign import 3dshapes.h5 --out shapes
    """
    from dcign.data.importing.plan_text import plan_text
    from dcign.data.importing.source_import import prepare_import, run_import

    out = out or Path(f"{source.resolve().stem}-imported")
    with interruptible(NO_FILE_WRITTEN):
        made = prepare_import(source, *_wishes(**options), size=size, channels=int(channels) if channels else None)
        echo(plan_text(made))
        if dry_run:
            return
        with stage_progress(f"importing {source}") as progress:
            count = run_import(made, out, name=name, licence=licence, progress=progress)
    echo(f"\n{out}: {count:,} batches, {count * made.plan.size:,} images.")


def _wishes(
    factors: str | None, identity: str | None, circular: tuple[str, ...], categorical: tuple[str, ...],
    mirror: tuple[str, ...], units: tuple[str, ...], batch: int | None, test_share: float, hold_out: str | None,
    seed: int,
) -> tuple[Any, Any]:  # fmt: skip  # Choice and Settings, whose modules import numpy
    from dcign.data.importing.choice import Choice, mirror_signs, named_pairs
    from dcign.data.importing.plan import Settings

    who = () if identity == "none" else _words(identity)
    choice = Choice(
        _words(factors), who, circular, categorical, dict(named_pairs(units, "--units")), mirror_signs(mirror)
    )
    return choice, Settings(seed, test_share, hold_out, batch)


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(word for each in text.split(",") if (word := each.strip()))
