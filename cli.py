"""The command line: parse, call, print. Nothing else; heavy imports happen inside the command that needs them.

Every command in one file, as long as that is: what a user can type is read here from top to bottom, and help, progress
and refusals sound alike.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

try:
    import click
except ModuleNotFoundError:
    sys.exit("dcign: the package click is missing; expected all that dcign needs: run pip install -e . in its folder.")

if TYPE_CHECKING:
    from dcign.facegen.model.morphable import MorphableModel

BATCH_SIZE = 20  # dcign.data.schema.BATCH_SIZE, without importing it for --help
PLAIN_WIDTH = 110  # columns, where the output is no terminal
NAMED_ALIKE = 5  # findings of the same words that get a line each; the others are counted
INTERRUPTED = 130  # the shell's exit code for Ctrl-C
TRUTH_HELP = "Truth beside the images: mask,depth,normals,albedo,parts,visibility,specular,landmarks, or all."
MODEL_HELP = "Your own face model: BFM, FLAME, ICT-FaceKit or GNM (docs/models.md).  [default: the procedural one]"


class _Place(click.ParamType[Path]):
    """A folder or file, or the URL of one in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not isinstance(value, str) or "://" not in value:
            return Path(value)
        from dcign.errors import DataError
        from dcign.storage.paths import to_path

        with _one_sentence(DataError):
            return to_path(value)


PLACE = _Place()


def main() -> None:
    """Entry point of the `dcign` console script."""
    try:
        sys.exit(dcign(prog_name="dcign", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):  # before the command had begun anything: later it says more
        click.echo("\nStopped: nothing was begun. Run the same command again.", err=True)
        sys.exit(INTERRUPTED)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="dcign", message="%(prog)s %(version)s")
def dcign() -> None:
    """Make face data sets in which one thing varies at a time, and train networks whose code says what varied.

    \b
    Example:
      dcign render --batches 1500 --size 64
      dcign inspect faces
      dcign train faces
    """


@dcign.command()
@click.option("--batches", type=int, required=True, metavar="N",
              help="Training batches of 20 images. Test, iid and sweep come on top, 298 at least.")  # fmt: skip
@click.option("--out", type=PLACE, default="faces", show_default=True, help="Folder to make, or s3://BUCKET/FOLDER.")
@click.option("--size", type=int, default=150, show_default=True, metavar="PIXELS", help="Side, 16 to 1024.")
@click.option("--channels", type=int, default=1, show_default=True, metavar="1|3", help="1 gray, 3 colour.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed makes the same bytes.")
@click.option("--workers", type=int, default=None, metavar="N", help="Processes.  [default: one a GPU, or a core]")
@click.option("--cluster", default="", metavar="TCP://HOST:PORT",
              help="A dask scheduler whose workers draw (docs/scale.md).  [default: this machine]")  # fmt: skip
@click.option("--azimuth", type=float, nargs=2, default=(-86, 86), show_default=True, metavar="LO HI",
              help="How far the head turns, degrees within +-180.")  # fmt: skip
@click.option("--elevation", type=float, nargs=2, default=(-23, 23), show_default=True, metavar="LO HI",
              help="How far the camera rises, degrees within +-90.")  # fmt: skip
@click.option("--light-azimuth", type=float, nargs=2, default=(-80, 80), show_default=True, metavar="LO HI",
              help="Where the light comes from, degrees within +-180.")  # fmt: skip
@click.option("--light-elevation", type=float, nargs=2, metavar="LO HI",
              help="How high the light stands, -85 to 85 degrees.  [default: 20 20; -30 70 if varied]")  # fmt: skip
@click.option("--light-to-ambient", type=float, nargs=2, metavar="LO HI",
              help="The light's strength over that from everywhere, .2 to 100.  "
              "[default: 3.83 3.83; 1 12 if varied]")  # fmt: skip
@click.option("--distance", type=float, nargs=2, metavar="LO HI",
              help="Camera to the head's centre, 300 to 20,000 mm.  "
              "[default: the head fills 90 %; 750 1300 if varied]")  # fmt: skip
@click.option("--field-of-view", type=float, nargs=2, metavar="LO HI",
              help="Degrees, 2 to 60; without --distance the head keeps its size.  "
              "[default: 20 20; 8 45 if varied]")  # fmt: skip
@click.option("--vary", multiple=True, metavar="NAME",
              help="A further factor: light_elevation, distance ...; as often as you like.")  # fmt: skip
@click.option("--background", default="black", show_default=True, metavar="WORD",
              help="A colour (gray, '#336699'), random, or a folder of pictures.")  # fmt: skip
@click.option("--keep-head-size", is_flag=True, help="Sample head size too; it mimics the camera's distance.")
@click.option(
    "--hair", default="natural", show_default=True, metavar="natural|none", help="none: bare heads, as the paper's."
)
@click.option(
    "--shadows/--no-shadows", default=True, show_default=True, help="Whether faces cast shadows on themselves."
)
@click.option("--truth", default="", metavar="LAYERS", help=TRUTH_HELP)
@click.option("--model", "model_path", type=click.Path(path_type=Path), metavar="PATH", help=MODEL_HELP)
@click.option("--meshes", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Objects instead of faces: 40 meshes or more, OBJ, PLY, GLB (docs/meshes.md).")  # fmt: skip
@click.option("--up", metavar="y|z", help="Which axis of --meshes points up.  [default: y]")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
def render(
    batches: int,
    out: Path,
    workers: int | None,
    cluster: str,
    model_path: Path | None,
    meshes: Path | None,
    up: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Render a data set: batches of 20 faces in which only azimuth, elevation, light azimuth or identity varies.

    Makes training, test, i.i.d. and sweep splits. Stopped at any time, the same command goes on from the last whole
    shard. Other options with LO HI are nuisances, drawn anew for each batch, or fixed if LO = HI; --vary makes one a
    factor.

    \b
    Example:
      dcign render --batches 12000 --out faces
      dcign render --batches 400 --channels 3 --truth depth,normals,landmarks
      dcign render --batches 1500 --size 64 --vary light_elevation --distance 800 1100 --background random
      dcign render --batches 1500 --size 64 --model model2019_face12.h5 --out basel
      dcign render --batches 1500 --size 64 --meshes chairs --out chairs-64
      dcign render --batches 50000 --out s3://bucket/faces --cluster tcp://login1:8786
    """
    from dcign.errors import DataError, ModelError, RenderError
    from dcign.render.gl import devices
    from dcign.render.plan.configuration import RenderConfiguration
    from dcign.render.produce.cluster import ClusterWarning
    from dcign.render.produce.folder import check_folder
    from dcign.render.produce.production import render_dataset
    from dcign.storage.paths import store_errors

    with _one_sentence(RenderError, DataError, ModelError), _warnings_said(ClusterWarning):
        _check_workers(workers)
        if cluster and workers is not None:
            raise RenderError("--workers and --cluster were given; a cluster has as many workers as it has: give one.")
        configuration, backdrops = RenderConfiguration.from_options(
            batches=batches, model_path=model_path, meshes=meshes, up=up, **options
        )
        # Before the folder is made: it may be no model.
        subject, sha256 = _subject(model_path) if meshes is None else _objects(meshes, up or "y", configuration, out)
        if dry_run:
            with store_errors(out):
                check_folder(out, configuration)
            _print_plan(configuration, out)
            return
        with (
            _batch_progress(f"rendering {out}") as progress,
            _going_on(f"Stopped. Whole shards are kept in {out}: run the same command again to go on."),
        ):
            made = render_dataset(
                out,
                configuration,
                subject,
                worker_count=workers or devices.worker_count(_cores()),
                cluster=cluster,
                progress=progress,
                source_sha256=sha256,
                backdrops=backdrops,
            )
    click.echo(f"{out}: {made.made:,} batches made, {made.kept:,} were there. Look at {out / 'preview.png'}.")
    kinds = len(configuration.kinds)
    if batches < kinds:
        click.echo(f"Next: dcign inspect {out}. To train on it takes {kinds} batches or more, one of each kind.")
    else:
        click.echo(f"Next: dcign inspect {out}, or dcign train {out}")


@dcign.command()
@click.argument("path", type=PLACE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--sheet", type=click.Path(path_type=Path), metavar="PNG", help="Write a contact sheet, a row a batch.")
@click.option(
    "--truth", default="", metavar="LAYERS", help="Show these layers on the sheet, e.g. depth,landmarks, or all."
)
@click.option("--verify", is_flag=True, help="Test the promise batch by batch: labels, and pixels drawn again.")
@click.option("--quick", is_flag=True, help="Test labels and statistics alone: no drawing, no OpenGL.")
@click.option("--workers", type=int, default=None, metavar="N", help="To check with.  [default: one a core, or a GPU]")
def inspect(
    path: Path, as_json: bool, sheet: Path | None, truth: str, verify: bool, quick: bool, workers: int | None
) -> None:
    """Say what a shard or a data set folder holds, and test that it is what it says.

    With --verify or --quick, exits with code 1 if anything is wrong and names the batch.

    \b
    Example:
      dcign inspect faces --verify
      dcign inspect faces/train/shard-00000.h5 --sheet sheet.png
      dcign inspect faces --sheet truth.png --truth depth,normals,landmarks
      dcign inspect s3://bucket/faces
    """
    from dcign.data.dataset.contact_sheet import write_sheet
    from dcign.data.dataset.summary import summarise, table
    from dcign.errors import DataError

    with _one_sentence(DataError):
        _check_workers(workers)
        summary = summarise(path)
        if truth and sheet is None:
            raise click.ClickException("--truth says what a contact sheet shows; name one to write: give --sheet PNG.")
        if sheet is not None:
            _refuse_overwriting(sheet, "--sheet")
            write_sheet(path, sheet, truth=[name for each in truth.split(",") if (name := each.strip())])
    findings = _verify(path, pixels=not quick, workers=workers) if verify or quick else None
    if as_json:
        checked = {} if findings is None else {"verified": not findings, "findings": [str(each) for each in findings]}
        click.echo(json.dumps(summary | checked, indent=1))
    else:
        _console(sys.stdout).print(table(summary))
        for line in _said_briefly(findings or []):
            click.echo(f"WRONG  {line}")
    if findings is not None and not as_json:
        count = f"{len(findings)} finding{'s' if len(findings) > 1 else ''}."
        click.echo(count if findings else "Verified: nothing wrong was found.")
    if findings or summary.get("unreadable"):
        sys.exit(1)


@dcign.command()
@click.argument("faces", type=PLACE, required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder.  [default: runs/RECIPE]")
@click.option(
    "--recipe",
    metavar="NAME",
    help="swap, paper, released, vae, beta-vae, ada-gvae; see docs/training.md.  [default: swap]",
)
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE",
              help="Change an ingredient of the recipe, e.g. mirror=false; as often as you like.")  # fmt: skip
@click.option("--pretrain", type=int, metavar="N", help="Clamp nothing in the first N steps.  [default: the recipe's]")
@click.option("--ratio", metavar="A:B:C:D", help="How often each kind of batch is drawn, identity last, e.g. 1:1:1:1.")
@click.option("--steps", type=int, metavar="N", help="Gradient steps.  [default: the recipe's]")
@click.option("--seed", type=int, help="Of weights, batches and noise.  [default: 0]")
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1 ...  [default: a GPU if there is one]")
@click.option("--threads", type=int, metavar="N", help="CPU threads.  [default: one a core]")
@click.option(
    "--data-in", metavar="PLACE", help="memory, or disk: read ahead while training.  [default: memory if it fits]"
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out; options not given stay as they were.")
def train(
    faces: Path | None,
    out: Path | None,
    resume: bool,
    **options: Any,
) -> None:
    """Train a network on a data set folder (default: faces), then evaluate it on people that it never saw.

    Leaves weights, logs, evaluation.json, report.html and pictures in the run's folder. Stopped at any time, the same
    command with --resume goes on from there.

    \b
    Example:
      dcign train faces --recipe swap --steps 4000 --out runs/first
      dcign train faces --recipe swap --set mirror=false --set reference=mean
    """
    from dcign.errors import DataError, TrainingError, TrainingInterrupted
    from dcign.run.configuration import TrainConfiguration
    from dcign.train import training
    from dcign.train.distributed import this_process

    with _one_sentence(TrainingError, DataError), _warnings_said():
        configuration = TrainConfiguration.from_options(faces, out, resume=resume, **options)
        out = Path(configuration.out)
        with _going_on(f"Stopped before the first step: run the same command again, with --resume if {out} is there."):
            try:
                with _step_progress(configuration.recipe.name) as progress:
                    training.train(configuration, progress, resume)
            except TrainingInterrupted as stopped:
                click.echo(f"\n{stopped}", err=True)
                sys.exit(INTERRUPTED)
        if not this_process().first:
            return
        with _going_on(f"Stopped. The trained network is kept in {out}: dcign evaluate {out} goes on."):
            _evaluate_run(out, None, configuration.device, configuration.threads)


def _evaluate_run(out: Path, data: Path | None, device: str, threads: int, against: Path | None = None) -> None:
    from dcign.evaluate.evaluation import evaluate
    from dcign.publish.card import write_card
    from dcign.report import evaluation_table, refuse_report, write_report
    from dcign.trained.trained_run import TrainedRun

    run, other = TrainedRun.open(out, device), None if against is None else TrainedRun.open(against, device)
    refuse_report(run, data, other)
    with _stage_progress("evaluating") as progress:
        evaluation = evaluate(run, data, threads, progress)
    with _stage_progress("drawing") as progress:
        files = [*write_report(run, data, other, threads, progress), write_card(run)]
    click.echo(evaluation_table([evaluation.report]))
    click.echo(f"{out}: " + ", ".join(["evaluation.json", *(file.name for file in files)]))
    click.echo(f"Look at {files[0]}.")


@dcign.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=PLACE, metavar="FACES", help="The data set, if it has moved.")
@click.option("--against", type=click.Path(path_type=Path), metavar="RUN",
              help="Another run, an entangled one say, to show beside this one.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda, cuda:1 ...")
@click.option("--threads", type=int, default=0, metavar="N", help="CPU threads.  [default: one a core]")
def evaluate(run: Path, data: Path | None, against: Path | None, device: str, threads: int) -> None:
    """Evaluate a trained network on people that it never saw: evaluation.json, and a report to look at.

    The report is one HTML file that needs nothing else: report.html in the run's folder, beside its pictures as PNGs.
    `dcign train` ends with the same.

    \b
    Example:
      dcign evaluate runs/swap --against runs/vae
    """
    from dcign.errors import DataError, TrainingError

    stopped = f"Stopped. What was in {run} is as it was, or is whole: run the same command again."
    with _one_sentence(TrainingError, DataError), _going_on(stopped):
        _evaluate_run(run, data, device, threads, against)


@dcign.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="HTML|PNG",
              help="Write a page too, with pictures; or the picture of what each infers.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--data", type=PLACE, metavar="FACES", help="The data set, if it has moved.")
@click.option("--any-data", is_flag=True, help="Compare runs of different data sets all the same.")
@click.option("--threads", type=int, default=0, metavar="N", help="CPU threads for --out.  [default: one a core]")
def compare(
    runs: tuple[Path, ...], out: Path | None, as_json: bool, data: Path | None, any_data: bool, threads: int
) -> None:
    """Show evaluated runs side by side, grouped by recipe: over seeds the mean and half the range.

    With --out, one HTML file that needs nothing else, with what each run infers against the truth; or a PNG of that
    alone, a column a recipe.

    \b
    Example:
      dcign compare runs/swap-* runs/vae-* --out compare.html
    """
    from dcign import report
    from dcign.errors import DataError, TrainingError

    with _one_sentence(TrainingError, DataError), _going_on("Stopped. Nothing was written."):
        comparison = report.compare(runs, any_data)
        if out is not None:
            report.refuse_comparison_file(out)
            _refuse_overwriting(out)
            with _stage_progress("comparing") as progress:
                report.write_comparison(comparison, out, data, thread_count=threads, progress=progress)
    click.echo(report.comparison_json(comparison) if as_json else report.comparison_table(comparison))
    if out is not None and not as_json:
        click.echo(f"Look at {out}.")


@dcign.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("faces", type=PLACE)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="NPZ", help="File to write.")
@click.option("--split", "splits", multiple=True, metavar="NAME", help="Only this split; may be given again.")
@click.option("--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda, cuda:1 ...")
@click.option("--threads", type=int, default=0, metavar="N", help="CPU threads.  [default: one a core]")
def encode(run: Path, faces: Path, out: Path, splits: tuple[str, ...], device: str, threads: int) -> None:
    """Write the codes and labels of every image of a data set, from which any figure can be computed again.

    A .npz, a row an image: mu, logvar, factors, split, batch, varies, identity_index; and factor_names, factor_units.

    \b
    Example:
      dcign encode runs/swap faces --split iid --out z.npz
    """
    from dcign.errors import DataError, TrainingError
    from dcign.infer.encode import encode_dataset, refuse_encoding_file, save_encoding
    from dcign.trained.trained_run import TrainedRun

    with _one_sentence(TrainingError, DataError), _going_on("Stopped. Nothing was written."):
        refuse_encoding_file(out)
        with _stage_progress(f"encoding {faces}") as progress:
            encoding = encode_dataset(TrainedRun.open(run, device), faces, splits, threads, progress)
        save_encoding(encoding, out)
    click.echo(f"{out}: {len(encoding.mu):,} images, {encoding.mu.shape[1]} latents.")


class _FactorsCommand(click.Command):
    """A command whose options are a run's factors: a dash too few is refused, and not read as `-h` among letters."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, unless a word that is no option's value has one dash and several letters."""
        for before, word in pairwise(["", *args]):
            if re.match("-[A-Za-z][A-Za-z]", word) and not before.startswith("--"):
                raise click.UsageError(f"found {word}: wanted -{word}, with two dashes.", ctx)
        return super().parse_args(ctx, args)


@dcign.command(
    cls=_FactorsCommand,
    context_settings={"ignore_unknown_options": True},  # the factors' names are the run's: no option is known before
    options_metavar="[--FACTOR VALUES]... [OPTIONS]",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="RUN PICTURE")
@click.option("--out", type=click.Path(path_type=Path), metavar="PNG|GIF", help="File to write; .gif moves.")
@click.option("--grid", is_flag=True, help="Combine two factors' values: the first down the rows, the second along.")
@click.option("--beside", is_flag=True, help="Put what the network sees, and what comes back of it, before them.")
@click.option("--scale", type=int, default=1, show_default=True, metavar="N", help="Times that pictures are enlarged.")
@click.option("--fps", type=float, default=10, show_default=True, metavar="N", help="Frames a second of a .gif.")
@click.option("--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda, cuda:1 ...")
@click.option("--threads", "thread_count", type=int, default=0, metavar="N", help="CPU threads.  [default: one a core]")
def edit(
    words: tuple[str, ...],
    out: Path | None,
    grid: bool,
    beside: bool,
    scale: int,
    fps: float,
    device: str,
    thread_count: int,
) -> None:
    """Say at what angles a picture was taken, and render it again at others.

    RUN is a run's folder or an exported one; PICTURE any image, of which the middle square is taken. Each factor of the
    run is an option, in the data set's units (`_` as `-`). Several values, as -60,0,60, or -60:60:9 for 9 from end to
    end, make a strip, or the frames of a .gif; several factors move together. What is not named stays as it was read.

    \b
    Example:
      dcign edit runs/swap photo.png
      dcign edit runs/swap photo.png --azimuth 30 --light-azimuth -60 --out new.png
      dcign edit runs/swap photo.png --azimuth -60:60:25,60:-60:25 --scale 4 --out turning.gif
    """
    from dcign.device import threads
    from dcign.errors import DataError, TrainingError
    from dcign.infer.edit import arranged, parse_values, told, usual_decibels, warning
    from dcign.infer.edit import edit as edit_picture
    from dcign.infer.read_picture import fitted, open_picture
    from dcign.infer.write_pictures import refuse_strip_file, save_strip
    from dcign.trained.trained_run import TrainedRun

    with _one_sentence(TrainingError, DataError), _going_on("Stopped. Nothing was written."):
        (run, picture), asked = _factor_options(words)
        if out is None and (asked or grid or beside):
            raise TrainingError("nowhere to write the picture: give --out NEW.png, or NEW.gif")
        if out is not None:
            refuse_strip_file(out, scale, fps)
        opened = TrainedRun.open(run, device)
        codec, calibrations = opened.codec, opened.calibrations
        names = {fit.factor.replace("_", "-"): fit.factor for fit in calibrations}
        for name in asked:
            if name not in names:
                wanted = ", ".join(f"--{each}" for each in names)
                raise TrainingError(f"there is no option --{name}: this run's factors are {wanted}; see also --help")
        values = {names[name]: parse_values(text) for name, text in asked.items()}
        columns, spread = arranged(values, grid)
        image = fitted(open_picture(picture), codec.description.size, codec.description.channels)
        with threads(thread_count):
            edited = edit_picture(codec, calibrations, image, spread)
        click.echo(f"{picture}: {told(edited.read, codec.description.units)}.")
        if caution := warning(edited.psnr_db, edited.flat_psnr_db, usual_decibels(opened)):
            click.echo(caution, err=True)
        if out is not None:
            stills = [image / 255, edited.reconstruction] if beside else None
            save_strip(out, edited.pictures, columns, stills, scale, fps)
            click.echo(f"{out}: {len(edited.pictures)} picture{'s' if len(edited.pictures) > 1 else ''}.")


def _factor_options(words: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Sort words into RUN and PICTURE, and factors' options with their values, those given again joined."""
    left: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            left.append(word)
            continue
        name, given, text = word.removeprefix("--").partition("=")
        text = text if given else next(rest, "")
        options[name] = f"{options[name]},{text}" if name in options else text
    if len(left) != 2:
        raise click.UsageError(f"found {' '.join(left) or 'neither'}: wanted RUN and PICTURE, a folder and a file.")
    return left, options


@dcign.command()
@click.argument("folder", type=PLACE)
@click.option("--to", metavar="FORMAT", help="A run: onnx, hub.  [default: onnx]  "
              "A data set: png, npz, 3dshapes, webdataset.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH",
              help="Folder to write into.  [default: RUN/FORMAT; or ./FACES-FORMAT]")  # fmt: skip
@click.option("--split", "splits", multiple=True, metavar="NAME",
              help="Of a data set only this split; may be given again.")  # fmt: skip
def export(folder: Path, to: str | None, out: Path | None, splits: tuple[str, ...]) -> None:
    """Write a trained network, or a data set, in the formats of others.

    A run: onnx is encoder.onnx and decoder.onnx, checked in ONNX Runtime. The encoder takes images (N, C, S, S), 0 to
    1, and returns mu and logvar (N, Z); the decoder takes a code (N, Z) and returns images. Needs the packages of
    `pip install 'dcign[onnx]'`. hub is weights, configuration, calibration, evaluation and a model card, read by
    DCIGN.from_pretrained(FOLDER) and by `dcign edit`.

    A data set: png is SPLIT/BATCH/IMAGE.png and SPLIT/labels.csv; npz is SPLIT.npz with dSprites' keys; 3dshapes is
    SPLIT.h5 with 3D Shapes' images and labels; webdataset is SPLIT-000000.tar and so on, of KEY.png and KEY.json.
    docs/shard.md says what is in each.

    \b
    Example:
      dcign export runs/swap --to onnx --out swap-onnx
      dcign export runs/swap --to hub --out swap-hub
      dcign export faces --to npz --split iid --out faces-npz
    """
    from dcign.data.dataset.manifest import NAME
    from dcign.data.export.dataset import FORMATS
    from dcign.errors import DataError
    from dcign.storage.paths import store_errors

    with _one_sentence(DataError), store_errors(folder):
        data_set = (folder / NAME).exists()
    if data_set:
        with _one_sentence(DataError), _going_on("Stopped. Nothing was written."):
            _export_dataset(folder, to, out, splits)
        return

    from dcign.errors import TrainingError
    from dcign.publish.onnx import FORMATS as RUN_FORMATS
    from dcign.publish.onnx import export_run
    from dcign.trained.trained_run import TrainedRun

    with _one_sentence(TrainingError, DataError), _going_on("Stopped. Run the same command again."):
        if to in FORMATS or splits:
            asked = f"--to {to}" if to in FORMATS else "--split"
            raise TrainingError(
                f"{folder} has no {NAME}, and {asked} is for data sets: finish one with `dcign render`; a run goes "
                f"--to {', '.join(RUN_FORMATS)}, whole"
            )
        to = to or "onnx"
        files = export_run(TrainedRun.open(folder), out or folder / to, to)
    checked = "Checked against torch: " if to == "onnx" else ""
    click.echo(checked + ", ".join(str(file) for file in files))


def _export_dataset(folder: Path, to: str | None, out: Path | None, splits: tuple[str, ...]) -> None:
    from dcign.data.export.dataset import FORMATS, export_dataset
    from dcign.errors import DataError

    if to is None:
        raise DataError(f"{folder} is a data set, which has no default format: choose --to {', '.join(FORMATS)}.")
    out = out or Path(f"{folder.resolve().name}-{to}")
    with _batch_progress(f"exporting {folder}") as progress:
        count = export_dataset(folder, out, to, splits, progress=progress)
    click.echo(f"{out}: {count:,} images.")


@dcign.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Which person; the first one of a gallery.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .glb, .obj, .ply or .png file.")
@click.option("--gallery", type=int, metavar="N", help="A .png of N people, seeds from --seed on.")
@click.option("--modes", is_flag=True, help="A .png of what sex, age, cuts and the first modes do.")
@click.option("--turnaround", is_flag=True, help="A .png of one person from five sides under three lights.")
@click.option(
    "--size", type=int, metavar="PIXELS", help="Side of each picture in a .png.  [default: 512; gallery 256; modes 192]"
)
@click.option("--keep-head-size", is_flag=True, help="Sample head size too.")
@click.option("--hair", default="natural", show_default=True, metavar="natural|none", help="none: bare heads.")
@click.option("--model", "model_path", type=click.Path(path_type=Path), metavar="PATH", help=MODEL_HELP)
def face(
    seed: int,
    out: Path,
    gallery: int | None,
    modes: bool,
    turnaround: bool,
    size: int | None,
    keep_head_size: bool,
    hair: str,
    model_path: Path | None,
) -> None:
    """Write one person: a mesh with colours, or a picture from three sides; or a picture of many.

    \b
    Example:
      dcign face --seed 7 --out face.glb
      dcign face --gallery 64 --out people.png
      dcign face --seed 7 --model flame2023_Open.pkl --out flame.png
    """
    from dcign.errors import DataError, ModelError, RenderError
    from dcign.facegen.files.mesh_file import EXTENSIONS
    from dcign.render.plan.configuration import has_hair
    from dcign.render.produce.portrait import check_gallery

    sheets = {"--gallery": gallery is not None, "--modes": modes, "--turnaround": turnaround}
    asked = [option for option, given in sheets.items() if given]
    with _one_sentence(ModelError, RenderError, DataError):
        if len(asked) > 1:
            raise RenderError(f"{' and '.join(asked)} asked for together; each is a picture of its own: give one.")
        if gallery is not None:
            check_gallery(gallery)
        if not 0 <= seed < 2**63 - (gallery or 0):
            raise ModelError(f"seed {seed} is out of bounds; give --seed from 0 to 2^63 - {1 + (gallery or 0)}.")
        accepted = (".png",) if asked else (*EXTENSIONS, ".png")
        if out.suffix.lower() not in accepted:
            raise ModelError(f"{out} is no name for this; give --out NAME{', NAME'.join(accepted)}.")
        _refuse_overwriting(out)
        options = {"keep_size": keep_head_size, "hair": has_hair(hair)}
        model = _model(model_path)
        sheet = asked[0] if asked else ""
        click.echo(_write_face(out, model, seed, sheet, gallery or 0, size, options))


@dcign.command()
@click.option("--quick", is_flag=True, help="Measure no rendering.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def doctor(quick: bool, as_json: bool) -> None:
    """Look whether all that dcign needs is here and fast, and say how to mend what is not.

    Python, packages, OpenGL through EGL, images a second, cores, memory, disk, and what training would run on. Exits
    with code 1 if anything needed is missing.

    \b
    Example:
      dcign doctor
      dcign doctor --quick --json
    """
    from dcign.data.doctor import MISSING, check_machine
    from dcign.doctor import check_training
    from dcign.render.doctor import check_rendering

    checks = []
    with _going_on("Stopped. Nothing was changed."):
        for check in chain(
            check_machine(_cores(), Path.cwd()), check_rendering(_cores(), quick=quick), check_training()
        ):
            checks.append(check)
            if not as_json:
                click.echo(f"{check.verdict:8}{check.name:23} {check.found}")
                if check.mend:
                    click.echo(f"{'':32}{check.mend}")
    lacking = [check.name for check in checks if check.needed and check.verdict == MISSING]
    if as_json:
        click.echo(json.dumps({"good": not lacking, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        click.echo(f"Missing: {', '.join(lacking)}." if lacking else "All that is needed is here.")
    sys.exit(1 if lacking else 0)


def _write_face(
    out: Path,
    model: MorphableModel,
    seed: int,
    sheet: str,
    people: int,
    size: int | None,
    options: dict[str, bool],
) -> str:
    """Write what `dcign face` was asked for, and say what it was."""
    import numpy as np

    from dcign.facegen.files.mesh_file import export_face
    from dcign.facegen.model.population import sample_person
    from dcign.render.produce import portrait

    if sheet == "--modes":
        portrait.save_modes(out, model, size=portrait.MODES_SIZE if size is None else size)
        return f"{out}: what the explicit variables and the first modes of shape and colour do."
    if sheet == "--gallery":
        seeds = range(seed, seed + people)
        portrait.save_gallery(out, model, seeds, size=portrait.GALLERY_SIZE if size is None else size, **options)
        return f"{out}: people {seed} to {seed + people - 1}."
    person = sample_person(model, np.random.default_rng(seed), **options)
    model = model if options["hair"] else model.without_hair()
    portrait_size = portrait.PORTRAIT_SIZE if size is None else size
    if sheet == "--turnaround":
        portrait.save_turnaround(out, model, person, size=portrait_size)
    elif out.suffix.lower() == ".png":
        portrait.save_portrait(out, model, person, size=portrait_size)
    else:
        export_face(out, model, person)
    return f"{out}: person {seed}, {model.vertices:,} vertices."


def _verify(path: Path, *, pixels: bool, workers: int | None) -> list[Any]:
    """Labels and statistics, and if asked for, the pixels too, whatever the first check found."""
    from dcign.data.check.labels import check_dataset, check_shard
    from dcign.data.dataset.reader import FaceDataset
    from dcign.errors import DataError
    from dcign.storage.paths import store_errors

    with _one_sentence(DataError), store_errors(path), _going_on("Stopped. Nothing was changed."):
        if path.is_dir():
            dataset = FaceDataset(path)
            with _batch_progress(f"checking {path.name}") as progress:
                findings = check_dataset(dataset, workers=workers or _cores(), progress=progress)
            shards = [path / entry.file for entries in dataset.splits.values() for entry in entries]
        else:
            findings, shards = check_shard(path), [path]
    return findings + (_verify_pixels(path, shards, workers) if pixels else [])


def _said_briefly(findings: list[Any]) -> Iterator[str]:  # Any: Finding, imported where needed
    """As lines; of those that say the same of many places, the first few, and how many more there are."""
    alike = Counter(finding.what for finding in findings)
    said: Counter[str] = Counter()
    for finding in findings:
        said[finding.what] += 1
        if said[finding.what] <= NAMED_ALIKE:
            yield str(finding)
        elif said[finding.what] == alike[finding.what]:
            yield f"in {alike[finding.what] - NAMED_ALIKE:,} places more: {finding.what}"


def _verify_pixels(path: Path, shards: list[Path], workers: int | None) -> list[Any]:
    from dcign.errors import DataError, ModelError, RenderError
    from dcign.render.gl import devices
    from dcign.render.produce.redraw import verify_pixels
    from dcign.storage.paths import store_errors

    with (
        _one_sentence(DataError, ModelError, RenderError),
        store_errors(path),
        _batch_progress(f"drawing {path.name} again") as progress,
        _going_on("Stopped. Nothing was changed."),
    ):
        return verify_pixels(shards, worker_count=workers or devices.worker_count(_cores()), progress=progress)


def _model(path: Path | None = None) -> MorphableModel:
    """The model in a file, or the procedural one, with a bar for the one time that it is converted or built."""
    from dcign.facegen.build import procedural_model
    from dcign.facegen.loaders.loading import load_model

    if path is not None:
        with _stage_progress(f"reading {path.name}") as progress:
            return load_model(path, progress)
    with _stage_progress("building the face model (once)") as progress:
        return procedural_model(progress)


def _subject(model_path: Path | None) -> tuple[Callable[[], Any], str]:
    """A face model when it is needed, read now if it is the user's; and the hash of its file."""
    if model_path is None:
        return _model, ""
    model = _model(model_path)
    return lambda: model, model.source_sha256


def _objects(meshes: Path, up: str, configuration: Any, out: Path) -> tuple[Callable[[], Any], str]:
    """The meshes of a folder when they are needed, read now unless `out` holds them already; and the folder's hash."""
    from dcign.facegen.objects.folder import mesh_folder, pack
    from dcign.render.plan.objects import FEWEST, triangles_for
    from dcign.render.produce.folder import MODEL
    from dcign.storage.paths import store_errors

    folder = mesh_folder(meshes, fewest=FEWEST, up=up)

    def packed() -> Any:  # Collection
        with _stage_progress(f"reading {meshes}") as progress:
            return pack(folder, triangles_for(configuration.size), progress)

    with store_errors(out):
        begun = (out / MODEL).exists()
    if begun:
        return packed, folder.sha256
    collection = packed()
    return lambda: collection, folder.sha256


def _print_plan(configuration: Any, out: Path) -> None:  # Any: RenderConfiguration, imported where needed
    from dcign.data.schema import MASK
    from dcign.data.shard.truth_layers import bytes_a_pixel

    size, channels = configuration.size, configuration.channels
    click.echo(f"{out} would hold {size} x {size} images, {'gray' if channels == 1 else 'colour'}, as these batches:")
    for split, count in configuration.splits.batches().items():
        truth = {*configuration.truth} | (set() if split == "train" else {MASK})
        pixels, layers = (20 * count * size**2 * each / 1e6 for each in (channels, bytes_a_pixel(truth)))
        beside = f" and {layers:,.1f} of truth" if layers else ""
        click.echo(f"  {split:6}{count:8,} batches {20 * count:10,} images {pixels:10,.1f} MB of pixels{beside}")
    for factor in configuration.factors:
        allowed = configuration.ranges[factor.name]
        click.echo(f"  {factor.name:14} {allowed.low:g} to {allowed.high:g} {factor.plural}")
    for name, allowed in configuration.nuisances.items():
        click.echo(f"  {name:14} {allowed.low:g} to {allowed.high:g}, a value a batch (iid: an image)")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise click.ClickException(f"{workers} workers asked for; at least 1 is wanted: give --workers 1 or more.")


def _refuse_overwriting(path: Path, option: str = "--out") -> None:
    if path.exists():
        raise click.ClickException(f"{path} is there already; wanted a new file: remove it or choose another {option}.")


def _console(stream: TextIO) -> Any:  # Any: rich's Console
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH)


@contextmanager
def _one_sentence(*kinds: type[Exception]) -> Iterator[None]:
    """Show these errors as their one sentence and exit with code 1."""
    try:
        yield
    except kinds as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _warnings_said(*others: type[Warning]) -> Iterator[None]:
    """Show the warning of a folder that cannot be locked, and others of ours, as their sentence, the rest as ever."""
    from dcign.storage.lock import UnlockedWarning

    kinds: tuple[type[Warning], ...] = (UnlockedWarning, *others)
    with warnings.catch_warnings():
        show = warnings.showwarning

        def said(message: Any, category: type[Warning], *where: Any) -> None:
            if issubclass(category, kinds):
                click.echo(f"Warning: {message}", err=True)
            else:
                show(message, category, *where)

        for kind in kinds:
            warnings.simplefilter("always", kind)
        warnings.showwarning = said  # type: ignore[assignment]  # it hands on whatever it was given
        yield


@contextmanager
def _going_on(sentence: str) -> Iterator[None]:
    """On Ctrl-C say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{sentence}", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def _batch_progress(title: str) -> Iterator[Callable[..., None]]:
    """A bar of images, for callbacks (batches done, batches to do) or (batches done,)."""
    with _bar(title, "{task.completed:,.0f} images") as update:
        began = 0.0

        def progress(done: int, total: int | None = None) -> None:
            nonlocal began
            began = began or time.monotonic()  # what was prepared before the first report is not drawing
            rate = BATCH_SIZE * done / max(time.monotonic() - began, 1e-3)
            update(BATCH_SIZE * done, total and BATCH_SIZE * total, f"{rate:,.0f} images/s")

        yield progress


@contextmanager
def _step_progress(title: str) -> Iterator[Callable[[Any], None]]:
    """A bar of steps, with losses and images/s, for callbacks of dcign.train.loop.TrainingProgress."""
    with _bar(title, "{task.completed:,.0f}/{task.total:,.0f}") as update:

        def progress(now: Any) -> None:  # dcign.train.loop.TrainingProgress
            short = {"reconstruction": "rec", "divergence": "kl", "invariance": "inv"}
            losses = " ".join(f"{short.get(name, name)} {value:.3g}" for name, value in now.losses.items())
            update(now.step, now.steps, f"{losses}, {now.images_per_second:,.0f} images/s")

        yield progress


@contextmanager
def _stage_progress(title: str) -> Iterator[Callable[[str, float], None]]:
    """A bar for callbacks (name of the stage, fraction done)."""
    with _bar(title, "{task.percentage:.0f} %") as update:
        yield lambda stage, fraction: update(fraction, 1.0, stage)


@contextmanager
def _bar(title: str, count: str) -> Iterator[Callable[[float, float | None, str], None]]:
    """A bar on stderr with time left, shown once something is reported: (done, to do, what else to say)."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    words = [TextColumn(text) for text in (count, "{task.fields[say]}")]
    times = [TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()]
    with Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=12), *words, *times, console=_console(sys.stderr)
    ) as bar:
        task = bar.add_task(title, total=None, say="", visible=False)
        yield lambda done, total, say: bar.update(task, completed=done, total=total, say=say, visible=True)


if __name__ == "__main__":
    main()
