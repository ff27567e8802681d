"""compare.html: several runs side by side on one page that needs nothing else; or as one picture, compare.png."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dcign import __version__
from dcign.device import refuse_threads, threads
from dcign.errors import TrainingError
from dcign.figures.chart import OTHER, RUN, as_png
from dcign.figures.dial import Reading
from dcign.figures.held import encode_sweeps, sweeps_work
from dcign.figures.inferred import InferredRow, dials_figure, thumbnail
from dcign.figures.spread import Panel, spread_figure
from dcign.inputs.source import LabelledBatches
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.report.comparison import (
    FACTOR_COLUMNS,
    LEGEND,
    RUN_COLUMNS,
    Comparison,
    RecipeGroup,
    Spread,
    half_range,
)
from dcign.report.inline import chart, environment
from dcign.report.terms import NOTHING, Term, value_of, written
from dcign.storage.atomic import write_atomic
from dcign.trained.trained_run import TrainedRun

SUFFIXES = (".html", ".png")

# What is drawn as dots: of each factor, and of the whole code.
DRAWN_OF_FACTORS = ("r2", "mae_degrees", "leakage_r2", "leakage_active_r2", "swap_ratio")
DRAWN_OF_RUNS = ("metrics.latents.mig.value", "metrics.latents.dci_disentanglement.value")


def write_comparison(
    comparison: Comparison,
    path: Path,
    data: str | Path | None = None,
    device: str = "cpu",
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> None:
    """Draw a comparison, with what runs infer on the sweep split, which is read from each run's data set.

    path: a page of all (.html), or one picture of what the first seed of each recipe infers (.png); data: the data
    set's folder if it has moved.

    Raises TrainingError if a run cannot be read, DataError if the file cannot be written.
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


def _picture(comparison: Comparison, runs: Sequence[TrainedRun], read: Sequence[tuple[Reading, ...]]) -> bytes:
    """Draw a column a recipe; runs and what they read are of each recipe's first seed."""
    columns = [
        InferredRow(group.name, readings, _colour(run))
        for group, run, readings in zip(comparison.groups, runs, read, strict=True)
    ]
    return as_png(dials_figure(columns, runs[0].factors, runs[0].units))


def _page(comparison: Comparison, runs: Sequence[TrainedRun], read: Sequence[tuple[Reading, ...]]) -> bytes:
    """Draw everything of all runs; runs and what they read are in the comparison's order."""
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
    """Raise TrainingError unless a comparison can be written there."""
    if path.suffix.lower() not in SUFFIXES:
        raise TrainingError(
            f"{path} is no name for a comparison: wanted NAME.html for a page, or NAME.png for a picture"
        )
    if not path.parent.is_dir():
        raise TrainingError(f"there is no folder {path.parent} to write {path.name} into: make it, or choose another")


def _thumbnails(run: TrainedRun, readings: Sequence[Reading]) -> list[tuple[Figure, str]]:
    """Return small figures, one a factor, with R^2 on the sweep."""
    return [(thumbnail(each, _colour(run)), written(each.r2, ".3f")) for each in readings]


def _colour(run: TrainedRun) -> str:
    return RUN if run.configuration.recipe.assigned else OTHER


def _readings(
    runs: Sequence[TrainedRun], data: str | Path | None, progress: StageProgress
) -> list[tuple[Reading, ...]]:
    """Return what each run reads on its sweeps, one reading a factor."""
    sweeps: dict[str, LabelledBatches] = {}  # by the hash of the data set
    for run in runs:
        sha256 = run.description.data_sha256
        if sha256 not in sweeps:
            source = run.data(data)
            source.refuse_missing(("sweep",))
            sweeps[sha256] = source.labelled("sweep")
    meter = PartProgress(
        progress,
        {f"drawing {run.folder}": sweeps_work(sweeps[run.description.data_sha256]) for run in runs},
    )
    read = []
    for run in runs:
        held = encode_sweeps(run, sweeps[run.description.data_sha256], meter, f"drawing {run.folder}")
        read.append(held.readings(held.dials))
    return read


def _dots(comparison: Comparison, factors: Sequence[str]) -> Figure:
    panels = []
    for term in (term for term in FACTOR_COLUMNS if term.key in DRAWN_OF_FACTORS):
        for factor, words in zip(comparison.factors, factors, strict=True):
            panels.append(Panel(f"{term.name}: {words}", _values(comparison, (term.key,), factor)))
    for term in (term for term in RUN_COLUMNS if term.key in DRAWN_OF_RUNS):
        panels.append(Panel(term.name, _values(comparison, (term.key,))))
    return spread_figure([group.name for group in comparison.groups], panels, columns=len(factors))


def _values(comparison: Comparison, keys: tuple[str, ...], factor: str = "") -> tuple[tuple[float, ...], ...]:
    found = []
    for group in comparison.groups:
        tables = [run.report["factors"][factor] if factor else run.report for run in group.runs]
        values = [value_of(table, key) for table in tables for key in keys]
        found.append(tuple(value for value in values if value is not None))
    return tuple(found)


def _tables(comparison: Comparison, factors: Sequence[str]) -> list[tuple[str, list[tuple[Term, list[Any]]]]]:
    """Return titles with lines: a term, and for each recipe its figure, half its range, and whether it is the best."""
    tables = []
    for factor, words in zip(comparison.factors, factors, strict=True):
        tables.append((words, _lines(comparison.groups, FACTOR_COLUMNS, factor)))
    return [*tables, ("the whole code", _lines(comparison.groups, RUN_COLUMNS))]


def _lines(groups: Sequence[RecipeGroup], terms: Sequence[Term], factor: str = "") -> list[tuple[Term, list[Any]]]:
    lines = []
    for term in terms:
        spreads = [group.of_factor(factor, term.key) if factor else group.of_run(term.key) for group in groups]
        if any(spreads):
            best = _best([spread for spread in spreads if spread], term)
            cells = [(*_cell(spread, term), spread is not None and spread.mean == best) for spread in spreads]
            lines.append((term, cells))
    return lines


def _best(spreads: Sequence[Spread], term: Term) -> float | None:
    if not term.better or len(spreads) < 2:
        return None
    return (max if term.better == "more" else min)(spread.mean for spread in spreads)


def _cell(spread: Spread | None, term: Term) -> tuple[str, str]:
    return written(spread.mean, term.form) if spread else NOTHING, half_range(spread, term.form)
