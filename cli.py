"""The command line: parse, call, print. Heavy imports happen inside the command that needs them."""

from __future__ import annotations

from dcign.stop_signals import exit_code, note_stop_signals, stop_signals

if __name__ == "__main__":  # as dcign.start does: no signal may find Python's own handlers during the imports
    note_stop_signals()

import json
import sys
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

try:
    import click
except ModuleNotFoundError:
    sys.exit("dcign: expected the package click, found none: run `pip install -e .` in the folder of dcign.")

from dcign.errors import TrainingError
from dcign.machine import available_cores
from dcign.run.kept import kept_sentence
from dcign.terminal.echo import echo
from dcign.terminal.options import (
    COUNT,
    DATA,
    HAIR,
    HAIRCUTS,
    KEEP_HEAD_SIZE,
    MODEL,
    NO_FILE_WRITTEN,
    NOT_NEGATIVE,
    PATH,
    PATH_OR_URL,
    SEED,
    SPLIT,
    Commands,
    FactorCommand,
    PeopleCommand,
    interruptible,
    interval,
    on_device,
    refuse_beside,
    refuse_overwriting,
)
from dcign.terminal.progress import batch_progress, console, stage_progress, step_progress

DATASET_FORMATS = ("png", "npz", "3dshapes", "webdataset")
RUN_FORMATS = ("onnx", "hub")
RECIPES = (
    "swap",
    "swap-1",
    "paper",
    "released",
    "vae",
    "beta-vae",
    "ada-gvae",
)  # the registry, whose import would slow --help
TRUTH_HELP = "Truth beside the images: mask,depth,normals,albedo,parts,visibility,specular,landmarks, or all."


def main() -> None:
    """Entry point of the `dcign` console script."""
    with stop_signals() as handler:
        try:
            handler.raise_noted()
            sys.exit(dcign(prog_name="dcign", standalone_mode=False) or 0)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt) as stopped:  # before the command had begun anything
            click.echo("\nStopped before anything was begun: run the same command again.", err=True)
            sys.exit(exit_code(stopped.__cause__ or stopped))
        finally:
            handler.end()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="dcign", message="%(prog)s %(version)s")
def dcign() -> None:
    """Make face data sets in which one thing varies at a time, and train networks whose first latents are
    the factors that varied.

    \b
    Example:
      dcign render --batches 1500 --size 64
      dcign inspect faces
      dcign train faces
    """


@dcign.command(cls=PeopleCommand, short_help="Render a data set of faces or meshes.")
@click.option("--batches", type=COUNT, required=True, metavar="N",
              help="Training batches of 20 images. The splits test, iid and sweep add 298 or more.")  # fmt: skip
@click.option("--out", type=PATH_OR_URL, default="faces", show_default=True,
              help="Folder to make, or s3://BUCKET/FOLDER.")  # fmt: skip
@click.option("--size", type=click.IntRange(16, 1024), default=150, show_default=True, metavar="PIXELS",
              help="Side of an image, 16 to 1024.")  # fmt: skip
@click.option("--channels", type=click.Choice(["1", "3"]), default="1", show_default=True,
              help="1 gray, 3 colour.")  # fmt: skip
@SEED
@click.option("--workers", type=COUNT, metavar="N",
              help="Processes.  [default: one per GPU, or one per core without a GPU]")  # fmt: skip
@click.option("--cluster", default="", metavar="TCP://HOST:PORT",
              help="A dask scheduler whose workers render (docs/scale.md).  [default: this machine]")  # fmt: skip
@interval("--azimuth", -180, 180, "How far the head turns, degrees.", (-86, 86))
@interval("--elevation", -90, 90, "How far the camera rises, degrees.", (-23, 23))
@interval("--light-azimuth", -180, 180, "Where the light comes from, degrees.", (-80, 80))
@interval("--light-elevation", -85, 85, "How high the light stands, degrees.  [default: 20 20; -30 70 if varied]")
@interval("--light-to-ambient", 0.2, 100, "Strength of the light over the ambient light.  "
           "[default: 3.83 3.83; 1 12 if varied]")  # fmt: skip
@interval("--distance", 300, 20_000, "Camera to the head's centre, mm.  "
           "[default: the head fills 90 % of the height; 750 1300 if varied]")  # fmt: skip
@interval("--field-of-view", 2, 60, "Degrees; without --distance the head keeps its size.  "
           "[default: 20 20; 8 45 if varied]")  # fmt: skip
@click.option("--vary", multiple=True, metavar="NAME",
              help="A further factor: light_elevation, light_to_ambient, distance, field_of_view, age or sex; or a "
              "part of people: shape, skin or hair (docs/traits.md). May be given several times.")  # fmt: skip
@click.option("--background", default="black", show_default=True, metavar="NAME",
              help="A colour (gray, '#336699'), random, or a folder of pictures.")  # fmt: skip
@click.option("--correlate", multiple=True, metavar="A,B=R",
              help="Draw two factors with correlation R, for example azimuth,light_azimuth=0.8. May be given several "
              "times.")  # fmt: skip
@interval("--age", 18, 80, "Only people of this age, years; with --vary age its range.  [default: 18 to 80]")
@interval("--sex", -3, 3, "Only women, men, or LO HI in standard deviations, below 0 women; with --vary sex its "
          "range.")  # fmt: skip
@click.option("--people", type=PATH, metavar="FILE.json",
              help="The people of this file instead of random ones: 80 or more (docs/face.md).")  # fmt: skip
@KEEP_HEAD_SIZE
@HAIRCUTS
@click.option("--shadows/--no-shadows", default=True, show_default=True,
              help="Whether faces cast shadows on themselves.")  # fmt: skip
@click.option("--truth", default="", metavar="LAYERS", help=TRUTH_HELP)
@MODEL
@click.option("--meshes", type=PATH, metavar="FOLDER",
              help="Objects instead of faces: 40 meshes or more, OBJ, PLY, GLB (docs/meshes.md).")  # fmt: skip
@click.option("--up", type=click.Choice(["y", "z"]), help="Which axis of --meshes points up.  [default: y]")
@click.option("--dry-run", is_flag=True, help="Print what would be made, and make nothing.")
def render(
    batches: int,
    channels: str,
    out: Path,
    workers: int | None,
    cluster: str,
    model_path: Path | None,
    meshes: Path | None,
    up: str | None,
    people: Path | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Render a data set: batches of 20 faces in which only azimuth, elevation, light azimuth or identity varies.

    Makes the splits train, test, iid and sweep. If it is stopped (Ctrl-C, TERM, HUP), the same command continues after
    the last complete shard. --azimuth, --elevation and --light-azimuth are factors. The other
    options with LO HI are nuisances: one value per batch, or fixed if LO = HI. --vary makes one of them a factor,
    and adds batches that vary one trait of a person. If two or more traits vary, the split mix recombines people.

    \b
    Example:
      dcign render --batches 12000 --out faces
      dcign render --batches 400 --channels 3 --truth depth,normals,landmarks
      dcign render --batches 1500 --size 64 --vary light_elevation --distance 800 1100 --background random
      dcign render --batches 1500 --size 64 --age 18 30 --sex women --hair bob,curls
      dcign render --batches 1500 --size 64 --people crowd.json
      dcign render --batches 1500 --size 64 --correlate azimuth,light_azimuth=0.8
      dcign render --batches 12000 --size 64 --vary age --vary sex --vary shape --vary skin --vary hair
      dcign render --batches 1500 --size 64 --model model2019_face12.h5 --out basel
      dcign render --batches 1500 --size 64 --meshes chairs --out chairs-64
      dcign render --batches 50000 --out s3://bucket/faces --cluster tcp://login1:8786
    """
    from dcign.render.gl import devices
    from dcign.render.plan.configuration import RenderConfiguration
    from dcign.render.plan.size_estimate import plan_lines
    from dcign.render.produce import subjects
    from dcign.render.produce.folder import check_folder
    from dcign.render.produce.production import render_dataset
    from dcign.storage.paths import store_errors

    if cluster and workers is not None:
        raise click.UsageError("expected --workers or --cluster, found both: a cluster has its own workers; give one.")
    configuration, backdrops = RenderConfiguration.from_options(
        batches=batches,
        channels=int(channels),
        model_path=model_path,
        meshes=meshes,
        up=up,
        people=people is not None,
        **options,
    )
    if meshes is None:  # a file that is not a model is refused before the folder is made
        subject, sha256 = subjects.faces(model_path, stage_progress)
    else:
        subject, sha256 = subjects.objects(meshes, up or "y", configuration, out, stage_progress)
    configuration, crowd = subjects.with_crowd(configuration, people, out, subject)
    if dry_run:
        with store_errors(out):
            check_folder(out, configuration)
        echo("\n".join(plan_lines(configuration, out)))
        return
    resumes = f"Stopped. Complete shards are kept in {out}: run the same command again to continue."
    with interruptible(resumes), batch_progress(f"rendering {out}") as progress:
        made = render_dataset(
            out,
            configuration,
            subject,
            worker_count=workers or devices.worker_count(available_cores()),
            cluster=cluster,
            progress=progress,
            source_sha256=sha256,
            backdrops=backdrops,
            crowd=crowd,
        )
    echo(f"{out}: {made.made:,} batches made, {made.kept:,} were there. Look at {out / 'preview.png'}.")
    kinds = len(configuration.kinds)
    if batches < kinds:
        echo(f"Next: dcign inspect {out}. To train on it takes {kinds} batches or more, one of each kind.")
    else:
        echo(f"Next: dcign inspect {out}, or dcign train {out}")


@dcign.command(short_help="Describe a shard or a data set, and check it.")
@click.argument("path", type=PATH_OR_URL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--sheet", type=PATH, metavar="PNG", help="Write a contact sheet, one row per batch.")
@click.option("--truth", default="", metavar="LAYERS",
              help="Show these layers on the sheet, for example depth,landmarks, or all.")  # fmt: skip
@click.option("--verify", is_flag=True,
              help="Check in each batch that only the named factor varies, and render it again.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Check labels and statistics only, without rendering.")
@click.option("--workers", type=COUNT, metavar="N",
              help="Processes for the check.  [default: one per core; for pixels one per GPU, if any]")  # fmt: skip
def inspect(
    path: Path, as_json: bool, sheet: Path | None, truth: str, verify: bool, quick: bool, workers: int | None
) -> None:
    """Print what a shard or a data set folder holds and, with --verify or --quick, check it.

    Always compares each shard with dataset.json, checks that labels are finite and in range, and says what
    `dcign train` would refuse. Exits with code 1 if anything is wrong, and names the shard and the batch.

    \b
    Example:
      dcign inspect faces --verify
      dcign inspect faces/train/shard-00000.h5 --sheet sheet.png
      dcign inspect faces --sheet truth.png --truth depth,normals,landmarks
      dcign inspect s3://bucket/faces
    """
    from dcign.data.dataset.contact_sheet import write_sheet
    from dcign.data.dataset.summary import summarise, table
    from dcign.data.shard.findings import brief_lines
    from dcign.inputs.trainable import training_obstacles
    from dcign.render.produce import verification

    if truth and sheet is None:
        raise click.UsageError("expected a contact sheet for the layers of --truth, found none: give --sheet PNG.")
    summary = summarise(path)
    if summary["kind"] == "data set":
        summary["refused_by_train"] = training_obstacles(summary)
    if sheet is not None:
        refuse_overwriting(sheet, "--sheet")
        write_sheet(path, sheet, truth=[name for each in truth.split(",") if (name := each.strip())])
    findings = None
    if verify or quick:
        with interruptible("Stopped. Nothing was changed."):
            findings = verification.verify(path, pixels=not quick, worker_count=workers, bar=batch_progress)
    if as_json:
        checked = {} if findings is None else {"verified": not findings, "findings": [str(each) for each in findings]}
        echo(json.dumps(summary | checked, indent=1))
    else:
        console(sys.stdout).print(table(summary))
        for line in summary["wrong"] if findings is None else brief_lines(findings):
            echo(f"WRONG  {line}")
        for sentence in summary.get("refused_by_train", ()):
            echo(f"`dcign train` would refuse it: {sentence}")
        if findings is not None:
            count = f"{len(findings)} finding{'s' if len(findings) > 1 else ''}."
            echo(count if findings else "Verified: nothing wrong was found.")
    if findings or summary["unreadable"] or (findings is None and summary["wrong"]):
        sys.exit(1)


@dcign.command(short_help="Train a network and evaluate it.")
@click.argument("faces", type=PATH_OR_URL, required=False)
@click.option("--out", type=PATH, help="The run's folder.  [default: runs/RECIPE]")
@click.option("--recipe", type=click.Choice(RECIPES), help="See docs/training.md.  [default: swap]")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE",
              help="Change a field of the recipe, for example mirror=false (docs/training.md lists them). "
              "May be given several times.")  # fmt: skip
@click.option("--pretrain", type=NOT_NEGATIVE, metavar="N",
              help="Train the first N steps without the clamp.  [default: the recipe's]")  # fmt: skip
@click.option("--ratio", metavar="A:B:C:D",
              help="Shares of the kinds of batches: the factors in the data set's order, parts, identity. "
              "[default: the recipe's]")  # fmt: skip
@click.option("--steps", type=COUNT, metavar="N", help="Gradient steps.  [default: the recipe's]")
@click.option("--seed", type=NOT_NEGATIVE, metavar="N",
              help="Seed of weights, batches and noise.  [default: 0]")  # fmt: skip
@click.option("--refine", type=NOT_NEGATIVE, metavar="N",
              help="Then train a refiner, which sharpens the network's pictures, for N steps. With --resume, also of a "
              "run that has none.  [default: 0]")  # fmt: skip
@on_device(None)
@click.option("--data-in", type=click.Choice(["memory", "disk"]),
              help="Where the training images are kept.  [default: memory if they fit]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the run in --out. Options that are not given stay as they were.")
def train(faces: Path | None, out: Path | None, resume: bool, **options: Any) -> None:
    """Train a network on a data set folder (default: faces), then evaluate it on people outside the training data.

    Writes weights, logs, evaluation.json, report.html and pictures into the run's folder. If it is stopped (Ctrl-C,
    TERM, HUP), the same command with --resume continues.

    \b
    Example:
      dcign train faces --recipe swap --steps 4000 --out runs/first
      dcign train faces --recipe swap --set mirror=false --set reference=mean
      dcign train --resume --out runs/first --refine 10000
    """
    folder = out or Path("runs", options["recipe"] or "swap")
    with interruptible(lambda: kept_sentence(folder)):
        from dcign.evaluate.evaluation import refuse_unevaluable
        from dcign.inputs.source import DataSource
        from dcign.run.configuration import TrainConfiguration
        from dcign.storage.paths import store_errors, to_path
        from dcign.train import training
        from dcign.train.distributed import this_process

        configuration = TrainConfiguration.from_options(faces, out, resume=resume, **options)
        out = folder = Path(configuration.out)
        trained = f"Stopped. The trained network is kept in {out}: the same command with --resume evaluates it."
        with store_errors(to_path(configuration.data)):
            there = to_path(configuration.data).exists()
        if there and this_process().first:
            refuse_unevaluable(DataSource(configuration.data))
        with step_progress() as progress:
            training.train(configuration, progress, resume)
        if this_process().first:
            _evaluate_run(out, None, configuration.device, configuration.threads, trained)


def _evaluate_run(
    out: Path, data: Path | None, device: str, threads: int, stopped: str, against: Path | None = None
) -> None:
    from dcign.evaluate.evaluation import evaluate
    from dcign.publish.card import write_card
    from dcign.report import evaluation_table, refuse_report, write_report
    from dcign.trained.trained_run import TrainedRun

    with interruptible(stopped):
        run, other = TrainedRun.open(out, device), None if against is None else TrainedRun.open(against, device)
        refuse_report(run, data, other)
        with stage_progress("evaluating") as progress:
            evaluation = evaluate(run, data, threads, progress)
        with stage_progress("drawing") as progress:
            files = [*write_report(run, data, other, threads, progress), write_card(run)]
    echo(evaluation_table([evaluation.report]))
    echo(f"{out}: " + ", ".join(["evaluation.json", *(file.name for file in files)]))
    echo(f"Look at {files[0]}.")


@dcign.command(short_help="Evaluate a run on unseen people, write a report.")
@click.argument("run", type=PATH)
@DATA
@click.option("--against", type=PATH, metavar="RUN",
              help="Another run, an entangled one for example, to show beside this one.")  # fmt: skip
@on_device("cpu")
def evaluate(run: Path, data: Path | None, against: Path | None, device: str, threads: int) -> None:
    """Evaluate a trained network on people outside the training data. Writes evaluation.json and report.html.

    report.html is one self-contained file in the run's folder, beside its pictures as PNGs.
    `dcign train` ends with the same.

    \b
    Example:
      dcign evaluate runs/swap --against runs/vae
    """
    stopped = f"Stopped. Every file in {run} is complete, old or new: run the same command again."
    _evaluate_run(run, data, device, threads, stopped, against)


@dcign.command(short_help="Compare evaluated runs, grouped by recipe.")
@click.argument("runs", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, metavar="HTML|PNG",
              help="Write a page with pictures, or the picture of inferred against true factors.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@DATA
@click.option("--any-data", is_flag=True, help="Compare runs of different data sets, too.")
@click.option("--threads", type=NOT_NEGATIVE, default=0, metavar="N",
              help="CPU threads for --out.  [default: one per core]")  # fmt: skip
def compare(
    runs: tuple[Path, ...], out: Path | None, as_json: bool, data: Path | None, any_data: bool, threads: int
) -> None:
    """Show evaluated runs side by side, grouped by recipe: the mean over seeds, and half the range.

    With --out, writes one self-contained HTML file with inferred against true factors; or a PNG of those
    alone, one column per recipe.

    \b
    Example:
      dcign compare runs/swap-* runs/vae-* --out compare.html
    """
    from dcign import report

    with interruptible(NO_FILE_WRITTEN):
        comparison = report.compare(runs, any_data)
        if out is not None:
            report.refuse_comparison_file(out)
            refuse_overwriting(out)
            with stage_progress("comparing") as progress:
                report.write_comparison(comparison, out, data, thread_count=threads, progress=progress)
    echo(report.comparison_json(comparison) if as_json else report.comparison_table(comparison))
    if out is not None and not as_json:
        echo(f"Look at {out}.")


@dcign.command(short_help="Write the codes and labels of a data set (.npz).")
@click.argument("run", type=PATH)
@click.argument("faces", type=PATH_OR_URL)
@click.option("--out", type=PATH, required=True, metavar="NPZ", help="File to write.")
@SPLIT
@on_device("cpu")
def encode(run: Path, faces: Path, out: Path, splits: tuple[str, ...], device: str, threads: int) -> None:
    """Write the codes and labels of every image of a data set, so that you can compute metrics yourself.

    A .npz with one row per image: mu, logvar, factors, split, batch, varies, identity_index; and factor_names,
    factor_units.

    \b
    Example:
      dcign encode runs/swap faces --split iid --out z.npz
    """
    from dcign.infer.encode import encode_dataset, refuse_encoding_file, save_encoding
    from dcign.trained.trained_run import TrainedRun

    with interruptible(NO_FILE_WRITTEN):
        refuse_encoding_file(out)
        with stage_progress(f"encoding {faces}") as progress:
            encoding = encode_dataset(TrainedRun.open(run, device), faces, splits, threads, progress)
        save_encoding(encoding, out)
    echo(f"{out}: {len(encoding.mu):,} images, {encoding.mu.shape[1]} latents.")


@dcign.command(short_help="Compute every metric of codes (.npz) of any model.")
@click.argument("codes", type=PATH)
@click.option("--split", default="", metavar="NAME",
              help="Measure these rows of a file of `dcign encode`.  [default: iid, or all rows]")  # fmt: skip
@click.option("--own", default="", metavar="Z,Z,...",
              help="The latent of each factor, for example 0,1,2.  "
              "[default: the file's, or the one that reads the factor best]")  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave out DCI by classes, which takes most of the time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def metrics(codes: Path, split: str, own: str, quick: bool, as_json: bool) -> None:
    """Compute the metrics of disentanglement of a file of codes, with intervals and what chance gives.

    CODES is a .npz of `dcign encode`, or of any model: latents (N, Z) and factors (N, F), one row per image. Optional:
    factor_names, factor_units, own (F,); blocks (Z,), the number of each latent's block; groups (N,), such as the
    person of each image; split (N,). Factors of an integer type are classes. docs/metrics.md describes each metric.

    \b
    Example:
      dcign metrics z.npz
      dcign metrics z.npz --split iid --own 0,1,2 --json
    """
    from dcign.measure import measure, own_latents, read_code_table
    from dcign.report import measurement_table

    with interruptible("Stopped. Nothing was changed."):
        table = read_code_table(codes)
        with stage_progress(f"measuring {codes}") as progress:
            report = measure(table, split, own_latents(own), not quick, progress)
    echo(json.dumps(report, indent=2) if as_json else measurement_table(report))


@dcign.command(
    cls=FactorCommand,
    options_metavar="[--FACTOR VALUES]... [OPTIONS]",
    short_help="Read a picture's factors, and draw it at others.",
)
@click.argument("run", type=PATH)
@click.argument("picture", type=PATH)
@click.option("--out", type=PATH, metavar="PNG|GIF", help="File to write; a .gif is animated.")
@click.option("--grid", is_flag=True, help="Draw a grid of two factors: the first varies by row, the second by column.")
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
    beside: bool,
    plain: bool,
    scale: int,
    fps: float,
    device: str,
    threads: int,
    **given: tuple[tuple[float, ...], ...] | Path | None,
) -> None:
    """Print at what angles a picture was taken, and render it again at others.

    RUN is a run's folder or an exported one. PICTURE is any image; its middle square is used. Each factor of the run is
    an option, in the data set's units: `dcign edit RUN --help` lists them. Give several values to make a strip, or
    the frames of a .gif: a list (-60,0,60) or FIRST:LAST:COUNT (-60:60:9 is 9 values). If several factors have several
    values, they change together. Factors that you do not set keep the value read from the picture. If the run's data
    set varies parts of people, --hair-from, --skin-from and --shape-from take that part from another picture.

    \b
    Example:
      dcign edit runs/swap photo.png
      dcign edit runs/swap photo.png --azimuth 30 --light-azimuth -60 --out new.png
      dcign edit runs/swap photo.png --azimuth -60:60:25,60:-60:25 --scale 4 --out turning.gif
      dcign edit runs/people photo.png --age 70 --hair-from other.png --out older.png
    """
    from dcign import device as devices
    from dcign.infer import edit as editing
    from dcign.infer.read_picture import fitted, open_picture
    from dcign.infer.write_pictures import refuse_strip_file, save_strip
    from dcign.trained.trained_run import TrainedRun

    asked = {name: tuple(chain(*values)) for name, values in given.items() if isinstance(values, tuple) and values}
    donors = {name.removesuffix("_from"): path for name, path in given.items() if isinstance(path, Path)}
    with interruptible(NO_FILE_WRITTEN):
        if out is None and (asked or donors or grid or beside):
            raise TrainingError("expected a file to write the picture to, found none: give --out NEW.png, or NEW.gif.")
        if out is not None:
            refuse_strip_file(out, scale, fps)
        trained = TrainedRun.open(run, device)
        columns, spread = editing.arranged(asked, grid)
        shape = trained.description.size, trained.description.channels
        image, *others = (fitted(open_picture(path), *shape) for path in (picture, *donors.values()))
        with devices.threads(threads):
            codec = trained.codec if plain else trained.sharp_codec
            blocks = dict(zip(donors, others, strict=True))
            edited = editing.edit(codec, trained.calibrations, image, spread, blocks)
        echo(f"{picture}: {editing.describe(edited.read, trained.description.units)}.")
        if caution := editing.warning(edited.psnr_db, edited.flat_psnr_db, editing.usual_decibels(trained)):
            echo(caution, err=True)
        if out is not None:
            stills = [image / 255, edited.reconstruction] if beside else None
            save_strip(out, edited.pictures, columns, stills, scale, fps)
            echo(f"{out}: {len(edited.pictures)} picture{'s' if len(edited.pictures) > 1 else ''}.")


@dcign.command(short_help="Write a run or a data set in another format.")
@click.argument("folder", type=PATH_OR_URL)
@click.option("--to", type=click.Choice([*RUN_FORMATS, *DATASET_FORMATS]), metavar="FORMAT",
              help=f"Of a run: {', '.join(RUN_FORMATS)}.  [default: onnx]  "
              f"Of a data set: {', '.join(DATASET_FORMATS)}.")  # fmt: skip
@click.option("--out", type=PATH, metavar="PATH",
              help="Folder to write into.  [default: RUN/FORMAT, or ./FACES-FORMAT]")  # fmt: skip
@click.option("--tar-batches", type=COUNT, metavar="N",
              help="Of webdataset: batches of 20 images per tar.  [default: 250]")  # fmt: skip
@SPLIT
def export(folder: Path, to: str | None, out: Path | None, tar_batches: int | None, splits: tuple[str, ...]) -> None:
    """Write a trained network, or a data set, in the formats of other programs.

    A run: onnx is encoder.onnx and decoder.onnx, checked in ONNX Runtime. The encoder takes images (N, C, S, S), 0 to
    1, and returns mu and logvar (N, Z); the decoder takes a code (N, Z) and returns images. Needs the packages of
    `pip install 'dcign[onnx]'`. hub is weights, configuration, calibration, evaluation and a model card, read by
    DCIGN.from_pretrained(FOLDER) and by `dcign edit`.

    A data set: png is SPLIT/BATCH/IMAGE.png, SPLIT/labels.csv and Hugging Face's SPLIT/metadata.csv; npz is SPLIT.npz
    with dSprites' keys; 3dshapes is SPLIT.h5 with 3D Shapes' images and labels; webdataset is SPLIT-000000.tar and so
    on, of KEY.png and KEY.json. All contain the truth layers. docs/shard.md describes each.

    \b
    Example:
      dcign export runs/swap --to onnx --out swap-onnx
      dcign export runs/swap --to hub --out swap-hub
      dcign export faces --to npz --split iid --out faces-npz
      dcign export faces --to webdataset --tar-batches 50
    """
    from dcign.data.dataset.manifest import NAME
    from dcign.storage.paths import store_errors

    with store_errors(folder):
        is_data_set = (folder / NAME).exists()
    if is_data_set:
        from dcign.data.export.dataset import export_dataset

        out = out or Path(f"{folder.resolve().name}-{to}")
        with interruptible(NO_FILE_WRITTEN), batch_progress(f"exporting {folder}") as progress:
            count = export_dataset(folder, out, to, splits, progress=progress, tar_batches=tar_batches)
        echo(f"{out}: {count:,} images.")
        return
    if to in DATASET_FORMATS or splits or tar_batches:
        asked = f"--to {to}" if to in DATASET_FORMATS else "--split" if splits else "--tar-batches"
        raise click.ClickException(
            f"expected {NAME} in {folder}, because {asked} is for data sets, found none: finish the data set with "
            f"`dcign render`; a run is exported --to {', '.join(RUN_FORMATS)}, without these options."
        )
    from dcign.publish.onnx import export_run
    from dcign.trained.trained_run import TrainedRun

    to = to or "onnx"
    with interruptible("Stopped. Run the same command again."):
        files = export_run(TrainedRun.open(folder), out or folder / to, to)
    checked = "Checked against torch: " if to == "onnx" else ""
    echo(checked + ", ".join(str(file) for file in files))


@dcign.command(short_help="Write one person or a gallery as mesh, picture or JSON.")
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
    from dcign.facegen.model.changes import Changes, changed, parse_settings, parse_sex
    from dcign.render.produce import person_file, subjects
    from dcign.render.produce.described import person_of_image

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
    person_file.refuse_person_file(out, sheet, seed, gallery or 0)
    refuse_overwriting(out)
    cut = None if hair in ("natural", "none") else hair
    changes = Changes(None if sex is None else parse_sex(sex), age, cut, parse_settings(settings))
    model = subjects.face_model(model_path, stage_progress)
    if sheet in person_file.OF_THE_MODEL:
        echo(person_file.write_sheet_of_model(out, model, sheet, size))
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


@dcign.command(short_help="Check the installation and say how to repair it.")
@click.option("--quick", is_flag=True, help="Do not measure rendering.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def doctor(quick: bool, as_json: bool) -> None:
    """Check whether everything that dcign needs is installed and fast, and print how to repair what is not.

    Checks Python, packages, OpenGL through EGL, images per second, cores, memory, disk, and the device that training
    would use. Exits with code 1 if anything needed is missing.

    \b
    Example:
      dcign doctor
      dcign doctor --quick --json
    """
    from dcign.data.doctor import MISSING, check_machine
    from dcign.doctor import check_training
    from dcign.render.doctor import check_rendering

    checks, cores = [], available_cores()
    with interruptible("Stopped. Nothing was changed."):
        machine = check_machine(cores, Path.cwd())
        for check in chain(machine, check_rendering(cores, quick=quick), check_training()):
            checks.append(check)
            if not as_json:
                echo(f"{check.verdict:8}{check.name:23} {check.found}")
                if check.mend:
                    echo(f"{'':32}{check.mend}")
    missing = [check.name for check in checks if check.needed and check.verdict == MISSING]
    if as_json:
        echo(json.dumps({"good": not missing, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        echo(f"Missing: {', '.join(missing)}." if missing else "Everything that is needed is here.")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
