"""The commands `dcign train` and `dcign evaluate`: a training ends with an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dcign.errors import TrainingError
from dcign.run.kept import kept_sentence
from dcign.terminal.echo import echo
from dcign.terminal.options import (
    COUNT,
    DATA,
    NO_FILE_WRITTEN,
    NOT_NEGATIVE,
    PATH,
    PATH_OR_URL,
    interruptible,
    on_device,
)
from dcign.terminal.progress import stage_progress, step_progress

RECIPES = (
    "swap",
    "swap-1",
    "wild",
    "paper",
    "released",
    "vae",
    "beta-vae",
    "ada-gvae",
)  # the registry, whose import would slow --help


@click.command(short_help="Train a network and evaluate it.")
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
    from dcign.infer.edit import example_option
    from dcign.publish.card import write_card
    from dcign.report import evaluation_table, refuse_report, write_report
    from dcign.storage.lock import folder_lock
    from dcign.trained.shipped import refuse_shipped
    from dcign.trained.trained_run import TrainedRun

    with interruptible(stopped):
        run, other = TrainedRun.open(out, device), None if against is None else TrainedRun.open(against, device)
        refuse_shipped(run.folder)
        refuse_report(run, data, other)
        with folder_lock(run.folder):
            with stage_progress("evaluating") as progress:
                evaluation = evaluate(run, data, threads, progress)
            with stage_progress("drawing") as progress:
                files = [*write_report(run, data, other, threads, progress), write_card(run)]
    echo(evaluation_table([evaluation.report]))
    echo(f"{out}: " + ", ".join(["evaluation.json", *(file.name for file in files)]))
    echo(f"Look at {files[0]}.")
    option = example_option(run.calibrations[0])
    echo(f"Next: dcign edit {out} PICTURE {option} --out new.png, or dcign compare RUN RUN")


@click.command(short_help="Evaluate a run on unseen people, write a report.")
@click.argument("run", type=PATH)
@DATA
@click.option("--against", type=PATH, metavar="RUN",
              help="Another run, an entangled one for example, to show beside this one.")  # fmt: skip
@click.option("--photos", type=PATH, metavar="FOLDER",
              help="Read these photographs instead, whose factors --labels knows.")  # fmt: skip
@click.option("--labels", type=PATH, metavar="CSV",
              help="With --photos: the columns file and factors; also eyes or box (docs/photographs.md).")  # fmt: skip
@click.option("--detect", is_flag=True, help="With --photos: find faces without eyes or box by a detector.")
@click.option("--out", type=PATH, metavar="FOLDER", help="With --photos: where to write.  [default: the run's folder]")
@on_device("cpu")
def evaluate(
    run: Path,
    data: Path | None,
    against: Path | None,
    photos: Path | None,
    labels: Path | None,
    detect: bool,
    out: Path | None,
    device: str,
    threads: int,
) -> None:
    """Evaluate a trained network on people outside the training data. Writes evaluation.json and report.html.

    report.html is one self-contained file in the run's folder, beside its pictures as PNGs.
    `dcign train` ends with the same.

    With --photos and --labels, writes photos.json and photos.png instead: how well the factors of photographs are read,
    as framed, and under six other framings: 10 % larger or smaller, or moved by 5 % of the width.

    \b
    Example:
      dcign evaluate runs/swap --against runs/vae
      dcign evaluate wild --photos photos --labels photos/labels.csv --out measured
    """
    if photos is not None or labels is not None:
        if photos is None or labels is None:
            raise click.UsageError("expected both --photos FOLDER and --labels CSV, found one: give the other.")
        if data is not None or against is not None:
            option = "--against" if data is None else "--data"
            raise click.UsageError(f"expected {option} without --photos, found both: leave one out.")
        _evaluate_photographs(run, photos, labels, detect, out, device, threads)
        return
    if detect or out is not None:
        raise click.UsageError("expected --photos FOLDER with --detect and --out, found none: give it, or leave them.")
    stopped = f"Stopped. Every file in {run} is complete, old or new: run the same command again."
    _evaluate_run(run, data, device, threads, stopped, against)


def _evaluate_photographs(
    run: Path, photos: Path, labels: Path, detect: bool, out: Path | None, device: str, threads: int
) -> None:
    from dcign.figures.chart import as_png
    from dcign.figures.photographs import photograph_figure
    from dcign.photographs.labels import read_photographs
    from dcign.photographs.measurement import FILE, measure_photographs, photograph_table
    from dcign.storage.atomic import write_atomic
    from dcign.trained.shipped import is_shipped
    from dcign.trained.trained_run import TrainedRun

    with interruptible(NO_FILE_WRITTEN):
        trained = TrainedRun.open(run, device)
        if out is None and is_shipped(trained.folder):
            raise TrainingError(f"expected --out FOLDER with {run}, a network of the package, found none: give it.")
        out = out or run
        described = trained.description
        classes = {fit.factor: fit.classes for fit in trained.calibrations}
        found = read_photographs(photos, labels, described.factors, classes)
        with stage_progress("reading photographs") as progress:
            measured = measure_photographs(trained, found, detect, threads, progress)
        write_atomic(out / FILE, measured.as_json())
        circular = [fit.circular for fit in trained.calibrations]
        figure = photograph_figure(trained.factors, described.units, measured.labels, measured.read, circular)
        write_atomic(out / "photos.png", as_png(figure))
    echo(photograph_table(measured.report))
    echo(f"{out}: {FILE}, photos.png")
