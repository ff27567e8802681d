"""compare.html, several runs side by side on one self-contained page; or compare.png, one picture of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dcign import __version__
from dcign.device import refuse_threads, threads
from dcign.errors import DataError, TrainingError
from dcign.evaluate.held_out import read_sweep
from dcign.figures.chart import OTHER, RUN, as_png
from dcign.figures.encoded import Reading, count_sweep_images, encode_sweeps
from dcign.figures.inferred import InferredRun, comparison_figure, thumbnail
from dcign.figures.spread import Panel, spread_figure
from dcign.inputs.source import LabelledBatches
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.report.comparison import LEGEND, Comparison, RecipeGroup, cell
from dcign.report.inline import chart, environment
from dcign.storage.atomic import write_atomic
from dcign.trained.evaluation_file import formatted
from dcign.trained.terms import COMPARED_TERMS, RUN_TERMS, Metric
from dcign.trained.trained_run import TrainedRun

SUFFIXES = (".html", ".png")

# The metrics that are drawn as dots: per factor, and of the whole code.
DRAWN_OF_FACTORS = ("r2", "mean_absolute_error", "leakage_r2", "leakage_active_r2", "swap_ratio")
DRAWN_OF_RUNS = ("metrics.latents.mig.value", "metrics.latents.dci_disentanglement.value")


def write_comparison(
    comparison: Comparison,
    path: Path,
    data: str | Path | None = None,
    device: str = "cpu",
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> None:
    """Write a comparison with inferred against true factors on the sweep split of each run's data set.

    path: .html for a page of all runs, or .png for one picture of the first seed of each recipe.
    data: the data set's folder, if it has moved.

    Raises TrainingError if a run cannot be read or the file cannot be written.
    """
    refuse_threads(thread_count)
    refuse_comparison_file(path)
    as_picture = path.suffix.lower() == ".png"
    folders = [group.runs[0] for group in comparison.groups] if as_picture else comparison.runs
    runs = [TrainedRun.open(each.folder, device) for each in folders]
    for run in runs:
        run.refuse_old_evaluation()
    with threads(thread_count):
        read = _readings(runs, data, progress)
    write_atomic(path, _picture(comparison, runs, read) if as_picture else _page(comparison, runs, read))


def has_pictures(comparison: Comparison) -> bool:
    """Return whether the data sets of all runs are where they were, so that a comparison can be drawn."""
    try:
        for each in comparison.runs:
            TrainedRun.open(each.folder).data()
    except (DataError, TrainingError):
        return False
    return True


def _picture(comparison: Comparison, runs: Sequence[TrainedRun], read: Sequence[tuple[Reading, ...]]) -> bytes:
    """Draw one column per recipe, from the readings of its first seed."""
    columns = [
        InferredRun(group.name, readings, _colour(run))
        for group, run, readings in zip(comparison.groups, runs, read, strict=True)
    ]
    held = {reading.factor for readings in read for reading in readings}
    swept = [index for index, name in enumerate(comparison.factors) if name in held]
    if not swept:
        raise TrainingError(
            "expected data with sweeps for a picture of factors, found none: compare into a page, --out NAME.html."
        )
    names, units = ([given[index] for index in swept] for given in (comparison.factors, runs[0].units))
    return as_png(comparison_figure(columns, names, units))


def _page(comparison: Comparison, runs: Sequence[TrainedRun], read: Sequence[tuple[Reading, ...]]) -> bytes:
    """Return the page; runs and readings are in the comparison's order."""
    drawn = map(_thumbnails, runs, read)
    groups = [(group, [(each, next(drawn)) for each in group.runs]) for group in comparison.groups]
    page = environment().get_template("compare.html").render(
        groups=groups,
        factors=runs[0].factors,
        dots=_dots(comparison, runs[0].factors),
        tables=_tables(comparison, runs[0].factors),
        runs=runs,
        legend=LEGEND,
        chart=chart,
        version=__version__,
    )  # fmt: skip
    return page.encode()


def refuse_comparison_file(path: Path) -> None:
    """Raise TrainingError unless a comparison can be written to this path."""
    if path.suffix.lower() not in SUFFIXES:
        raise TrainingError(
            f"expected NAME.html for a page or NAME.png for a picture, found {path}: choose another --out."
        )
    if not path.parent.is_dir():
        raise TrainingError(
            f"expected the folder {path.parent} for {path.name}, found none: make it, or choose another --out."
        )


def _thumbnails(run: TrainedRun, readings: Sequence[Reading]) -> list[tuple[Figure, str]]:
    """Return small charts, one per factor that has a sweep, each with the factor's name and its score."""
    return [
        (thumbnail(each, _colour(run)), f"{name} {formatted(each.score, '.3f')}")
        for name, each in _named(run, readings)
    ]


def _named(run: TrainedRun, readings: Sequence[Reading]) -> list[tuple[str, Reading]]:
    """Return readings with the names of their factors."""
    names = dict(zip(run.description.factors, run.factors, strict=True))
    return [(names[each.factor], each) for each in readings]


def _colour(run: TrainedRun) -> str:
    return RUN if run.configuration.recipe.assigned else OTHER


def _readings(
    runs: Sequence[TrainedRun], data: str | Path | None, progress: StageProgress
) -> list[tuple[Reading, ...]]:
    """Return the readings of each run on its sweeps, one per factor."""
    sweeps: dict[str, LabelledBatches] = {}  # by the hash of the data set
    for run in runs:
        sha256 = run.description.data_sha256
        if sha256 not in sweeps:
            sweeps[sha256] = read_sweep(run.data(data))
    meter = PartProgress(
        progress,
        {f"drawing {run.folder}": count_sweep_images(sweeps[run.description.data_sha256]) for run in runs},
    )
    read = []
    for run in runs:
        encoded = encode_sweeps(run, sweeps[run.description.data_sha256], meter, f"drawing {run.folder}")
        read.append(encoded.readings(encoded.directions))
    return read


def _dots(comparison: Comparison, factors: Sequence[str]) -> Figure:
    drawn = [
        (term, factor, f"{term.name}: {words}")
        for term in COMPARED_TERMS
        if term.key in DRAWN_OF_FACTORS
        for factor, words in zip(comparison.factors, factors, strict=True)
    ]
    drawn += [(term, "", term.name) for term in RUN_TERMS if term.key in DRAWN_OF_RUNS]
    panels = [
        Panel(title, tuple(tuple(group.values(term.key, factor)) for group in comparison.groups))
        for term, factor, title in drawn
    ]
    return spread_figure([group.name for group in comparison.groups], panels, columns=len(factors))


def _tables(comparison: Comparison, factors: Sequence[str]) -> list[tuple[str, list[tuple[Metric, list[Any]]]]]:
    """Return titles with lines: a metric, and for each recipe its mean, half its range, and whether it is the best."""
    tables = [
        (words, _lines(comparison.groups, COMPARED_TERMS, factor))
        for factor, words in zip(comparison.factors, factors, strict=True)
    ]
    tables += [(table.title, _lines(comparison.groups, table.terms)) for table in comparison.trait_tables]
    return [*tables, ("the whole code", _lines(comparison.groups, comparison.run_terms))]


def _cell(group: RecipeGroup, term: Metric, factor: str) -> tuple[str, str]:
    """Return the mean over seeds and, in small type, half the range, what chance gives, and the mark."""
    text, half = cell(group.spread(term.key, factor), term.form)
    chance, mark = group.chance(term, factor), group.mark(term, factor)
    beside = ", ".join(filter(None, (f"chance {formatted(chance.mean, term.form)}" if chance else "", mark)))
    return text, " ".join(filter(None, (half, beside)))


def _lines(groups: Sequence[RecipeGroup], terms: Sequence[Metric], factor: str = "") -> list[tuple[Metric, list[Any]]]:
    lines = []
    for term in terms:
        spreads = [group.spread(term.key, factor) for group in groups]
        means = [spread.mean for spread in spreads if spread]
        if means:
            best = (max if term.better == "more" else min)(means) if term.better and len(means) > 1 else None
            cells = [
                (*_cell(group, term, factor), spread is not None and spread.mean == best)
                for group, spread in zip(groups, spreads, strict=True)
            ]
            lines.append((term, cells))
    return lines
