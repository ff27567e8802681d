"""The command `dcign edit`."""

from __future__ import annotations

import shlex
from itertools import chain
from pathlib import Path

import click
from click.core import ParameterSource

from dcign.errors import TrainingError
from dcign.terminal.echo import echo
from dcign.terminal.options import NO_FILE_WRITTEN, PATH, FactorCommand, interruptible, on_device


@click.command(
    cls=FactorCommand,
    options_metavar="[--FACTOR VALUES]... [OPTIONS]",
    short_help="Read a picture's factors, and draw it at others.",
)
@click.argument("run", type=PATH)
@click.argument("picture", type=PATH)
@click.option("--out", type=PATH, metavar="PNG|GIF", help="File to write; a .gif is animated.")
@click.option("--grid", is_flag=True, help="Draw a grid of two factors: the first varies by row, the second by column.")
@click.option("--eyes", type=float, nargs=4, metavar="X Y X Y",
              help="Where the two eyes are in the picture, pixels: cut, turn and scale it so that they lie where those "
              "of our renders do.")  # fmt: skip
@click.option("--box", type=float, nargs=4, metavar="X Y W H",
              help="The same from a box around the face, from the brows to the chin, pixels.")  # fmt: skip
@click.option("--detect", is_flag=True, help="The same from a face detector (the extra photos).")
@click.option("--beside", is_flag=True, help="Show the cropped input and its reconstruction before the results.")
@click.option("--plain", is_flag=True, help="Draw without the run's refiner, if it has one.")
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True, metavar="N",
              help="How many times pictures are enlarged.")  # fmt: skip
@click.option("--fps", type=click.FloatRange(0.1, 50), default=10, show_default=True, metavar="N",
              help="Frames per second of a .gif.")  # fmt: skip
@on_device("cpu")
def edit(
    run: Path,
    picture: Path,
    out: Path | None,
    grid: bool,
    eyes: tuple[float, float, float, float] | None,
    box: tuple[float, float, float, float] | None,
    detect: bool,
    beside: bool,
    plain: bool,
    scale: int,
    fps: float,
    device: str,
    threads: int,
    **given: tuple[tuple[float, ...], ...] | Path | None,
) -> None:
    """Print at what angles a picture was taken, and render it again at others.

    RUN is a run's folder, an exported one, or a network that comes with dcign: face for pictures that are framed as our
    renders are, wild for photographs (docs/photographs.md). PICTURE is any image; its middle square is used, unless you
    say where the face is. Each factor of the run is an option, in the data set's units: `dcign edit RUN --help` lists
    them. Give several values to make a strip, or the frames of a .gif: a list (-60,0,60) or FIRST:LAST:COUNT (-60:60:9
    is 9 values). If several factors have several values, they change together. Factors that you do not set keep the
    value read from the picture. A factor of classes takes their names; a factor named like another option is
    --factor-NAME. If the run's data set varies parts of people, --hair-from, --skin-from and --shape-from take that
    part from another picture, of which the middle square is used, or with --detect the face.

    \b
    Example:
      dcign edit face person.png --azimuth 30 --scale 4 --out new.png
      dcign edit wild photo.jpg --azimuth -60,0,60 --beside --out turned.png
      dcign edit runs/swap photo.png
      dcign edit runs/swap photo.png --azimuth 30 --light-azimuth -60 --out new.png
      dcign edit runs/swap photo.png --azimuth -60:60:25,60:-60:25 --scale 4 --out turning.gif
      dcign edit wild photo.jpg --eyes 310 412 398 405 --beside --out seen.png
      dcign edit runs/people photo.png --age 70 --hair-from other.png --out older.png
    """
    from dcign import device as devices
    from dcign.infer import edit as editing
    from dcign.infer.face_detector import CROP, asked_window
    from dcign.infer.read_picture import fitted, open_picture
    from dcign.infer.write_pictures import refuse_strip_file, save_strip
    from dcign.trained.trained_run import TrainedRun

    asked = {
        name.removeprefix("factor_"): tuple(chain(*values))
        for name, values in given.items()
        if isinstance(values, tuple) and values
    }
    donors = {name.removesuffix("_from"): path for name, path in given.items() if isinstance(path, Path)}
    if donors and (eyes or box):
        raise click.UsageError(
            f"expected --{next(iter(donors))}-from without {'--eyes' if eyes else '--box'}, which says where the face "
            "of one picture is, found both: use --detect, or crop the pictures first."
        )
    source = click.get_current_context().get_parameter_source
    drawing = any(source(name) is ParameterSource.COMMANDLINE for name in ("grid", "beside", "plain", "scale", "fps"))
    if out is not None and out.suffix.lower() == ".png" and source("fps") is ParameterSource.COMMANDLINE:
        raise click.UsageError(f"expected --fps with NAME.gif, found {out}: leave --fps out.")
    with interruptible(NO_FILE_WRITTEN):
        if out is None and (asked or donors or drawing):
            raise TrainingError("expected a file to write the picture to, found none: give --out NEW.png, or NEW.gif.")
        if out is not None:
            refuse_strip_file(out, scale, fps)
        trained = TrainedRun.open(run, device)
        columns, spread = editing.arranged(asked, grid)
        shape = trained.description.size, trained.description.channels
        opened = open_picture(picture)
        window = asked_window(opened, eyes, box, detect)
        image = fitted(opened, *shape, window)
        others = [
            fitted(donor, *shape, asked_window(donor, detect=detect, advice=CROP))
            for donor in map(open_picture, donors.values())
        ]
        with devices.threads(threads):
            codec = trained.codec if plain else trained.sharp_codec
            blocks = dict(zip(donors, others, strict=True))
            edited = editing.edit(codec, trained.calibrations, image, spread, blocks)
        if window is not None:
            echo(f"{picture}: {window.describe(*opened.size)}.")
        classes = {fit.factor: fit.classes for fit in trained.calibrations if fit.classes}
        echo(f"{picture}: {editing.describe(edited.read, trained.description.units, classes)}.")
        if caution := editing.caution(trained, edited.psnr_db, edited.flat_psnr_db):
            echo(caution, err=True)
        if out is not None:
            stills = [image / 255, edited.reconstruction] if beside else None
            save_strip(out, edited.pictures, columns, stills, scale, fps)
            echo(f"{out}: {len(edited.pictures)} picture{'s' if len(edited.pictures) > 1 else ''}. Look at it.")
        else:
            option = editing.example_option(trained.calibrations[0])
            words = ["dcign", "edit", str(run), str(picture), *_framing(eyes, box, detect)]
            echo(f"Next: {shlex.join(words)} {option} --out new.png")


def _framing(eyes: tuple[float, ...] | None, box: tuple[float, ...] | None, detect: bool) -> list[str]:
    """Return the words of the command line that say where the face is."""
    numbers = [f"{number:.10g}" for number in eyes or box or ()]
    return ["--eyes", *numbers] if eyes else ["--box", *numbers] if box else ["--detect"] * detect
