"""Several evaluated runs side by side, grouped by recipe: the mean and the range over seeds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcign.errors import TrainingError
from dcign.run import configuration as run_configuration
from dcign.trained.evaluation_file import NOTHING, formatted, half_width, read_evaluation, value_of
from dcign.trained.marks import SIGNS, chance_of, mark_of
from dcign.trained.shipped import network_folder
from dcign.trained.terms import COMPARED_TERMS, RUN_TERMS, Metric, TraitTable, part_terms, trait_tables
from dcign.trained.trained_run import TrainedRun

FORMAT = "dcign-comparison"
FORMAT_VERSION = 1
WIDTH = 110  # columns of a terminal; a wider table continues below
CELL = 13
LEGEND = "mean over seeds ± half the range from minimum to maximum; docs/metrics.md defines each metric"
MARKS = "chance: shuffled labels, an untrained network; ? no better than chance, ! worse than copying, = saturated"


@dataclass(frozen=True)
class Spread:
    """A metric over seeds."""

    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, eq=False)
class EvaluatedFolder:
    """A run's folder, its evaluation, and the settings of its configuration, if it has one."""

    folder: Path
    evaluation: dict[str, Any]  # JSON
    settings: dict[str, str]

    @property
    def key(self) -> tuple[str, str, int, str]:
        """Recipe, network, steps and data, by which runs are grouped before their settings are compared."""
        report = self.evaluation
        return report["recipe"], report["network"], report["steps"], report["data_sha256"]


@dataclass(frozen=True, eq=False)
class RecipeGroup:
    """Runs that differ only in their seeds."""

    name: str
    runs: tuple[EvaluatedFolder, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in order."""
        return tuple(run.evaluation["seed"] for run in self.runs)

    def values(self, key: str, factor: str = "") -> list[float]:
        """Return a metric of one factor, or of the whole run, for each seed that has it."""
        tables = (run.evaluation["factors"].get(factor, {}) if factor else run.evaluation for run in self.runs)
        return [value for table in tables if (value := value_of(table, key)) is not None]

    def chance(self, term: Metric, factor: str = "") -> Spread | None:
        """Return what chance gives for a metric, over the seeds, or None if no run has it."""
        found = [each for run in self.runs if (each := chance_of(run.evaluation, term, factor)) is not None]
        return Spread(sum(found) / len(found), min(found), max(found), len(found)) if found else None

    def mark(self, term: Metric, factor: str = "") -> str:
        """Return the mark of a metric in the first run that has one, or ""."""
        return next(filter(None, (mark_of(run.evaluation, term, factor) for run in self.runs)), "")

    def spread(self, key: str, factor: str = "") -> Spread | None:
        """Return a metric of one factor, or of the whole run, over the seeds, or None if no run has it."""
        found = self.values(key, factor)
        return Spread(sum(found) / len(found), min(found), max(found), len(found)) if found else None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Groups of runs, in the order in which their recipes were first named, and the data set's factors."""

    groups: tuple[RecipeGroup, ...]
    factors: tuple[str, ...]

    @property
    def runs(self) -> tuple[EvaluatedFolder, ...]:
        """All runs, group by group."""
        return tuple(run for group in self.groups for run in group.runs)

    @property
    def run_terms(self) -> tuple[Metric, ...]:
        """The metrics of a whole run, with those of the parts that any run names."""
        return (*RUN_TERMS, *part_terms(run.evaluation for run in self.runs))

    @property
    def trait_tables(self) -> tuple[TraitTable, ...]:
        """The figures of each trait of people that any run names."""
        return trait_tables(run.evaluation for run in self.runs)


def compare(folders: Sequence[str | Path], any_data: bool = False) -> Comparison:
    """Read and group evaluated runs, or networks of the package; a folder that is named twice counts once.

    Raises TrainingError if one cannot be read, if data sets differ (unless any_data), or if two runs have the same seed
    and configuration.
    """
    once = {folder.resolve(): folder for folder in map(network_folder, reversed(folders))}
    runs = [_read(folder) for folder in reversed(once.values())]
    if not runs:
        raise TrainingError("expected the folders of one or more evaluated runs, found none: name them.")
    first = runs[0]
    for run in runs[1:]:
        if run.evaluation["data_sha256"] != first.evaluation["data_sha256"] and not any_data:
            raise TrainingError(
                f"expected runs of one data set, found other data in {run.folder} than in {first.folder}: their "
                "metrics are not comparable; give --any-data to compare them anyway."
            )
        if tuple(run.evaluation["factors"]) != tuple(first.evaluation["factors"]):
            raise TrainingError(
                f"expected runs with the same factors, found others in {run.folder}: leave that run out."
            )
    return Comparison(tuple(_grouped(runs)), tuple(first.evaluation["factors"]))


def comparison_table(comparison: Comparison) -> str:
    """Return plain tables, one per factor, per trait of people and for the whole code, with a line per recipe."""
    titles = [table.title for table in comparison.trait_tables]
    width = max(map(len, [*map(_title, comparison.groups), *titles])) + 2
    lines = []
    for factor in comparison.factors:
        lines += _block(factor, comparison, COMPARED_TERMS, width, factor)
    for table in comparison.trait_tables:
        lines += _block(table.title, comparison, table.terms, width)
    lines += _block("whole code", comparison, comparison.run_terms, width)
    return "\n".join([*lines, MARKS, LEGEND])


def comparison_json(comparison: Comparison) -> str:
    """Return every metric over the seeds of each recipe as JSON, with the folders of the runs."""
    groups = []
    for group in comparison.groups:
        first = group.runs[0].evaluation
        groups.append(
            {
                "name": group.name,
                "recipe": first["recipe"],
                "network": first["network"],
                "steps": first["steps"],
                "settings": group.runs[0].settings,
                "data_sha256": first["data_sha256"],
                "seeds": list(group.seeds),
                "runs": [str(run.folder) for run in group.runs],
                "factors": {factor: _json(group, COMPARED_TERMS, factor) for factor in comparison.factors},
                "figures": _json(group, comparison.run_terms),
            }
            | _traits_json(group, comparison.trait_tables)
        )
    return json.dumps({"format": FORMAT, "version": FORMAT_VERSION, "groups": groups}, indent=2)


def cell(spread: Spread | None, form: str, none: str = NOTHING) -> tuple[str, str]:
    """Format a mean over seeds, and half the range from minimum to maximum if there are several seeds."""
    if spread is None:
        return none, ""
    return formatted(spread.mean, form), half_width(spread.low, spread.high, form) if spread.runs > 1 else ""


def _read(folder: Path) -> EvaluatedFolder:
    if not run_configuration.holds_run(folder):  # only its evaluation.json was kept, or it was never trained
        return EvaluatedFolder(folder, read_evaluation(folder), {})
    run = TrainedRun.open(folder)
    settings = run_configuration.settings_of(run.configuration, len(run.description.kinds))
    return EvaluatedFolder(folder, run.evaluation, settings)


def _grouped(runs: Sequence[EvaluatedFolder]) -> list[RecipeGroup]:
    members: dict[Any, list[EvaluatedFolder]] = {}
    for run in runs:
        found = members.setdefault((run.key, tuple(run.settings.items())), [])
        for other in found:
            if other.evaluation["seed"] == run.evaluation["seed"]:
                raise TrainingError(
                    f"expected runs that differ in their seeds, found seed {run.evaluation['seed']} in {other.folder} "
                    f"and in {run.folder}: name one of them."
                )
        found.append(run)
    groups = [tuple(sorted(found, key=lambda run: run.evaluation["seed"])) for found in members.values()]
    firsts = [group[0] for group in groups]
    return [RecipeGroup(_name(group[0], firsts), group) for group in groups]


def _name(run: EvaluatedFolder, runs: Sequence[EvaluatedFolder]) -> str:
    """Name a group after its first run, with what distinguishes it from the other groups."""
    recipe, network, steps, data = run.key
    several = [other for other in runs if other.key[0] == recipe]
    name = recipe
    if len({other.key for other in several}) > 1:
        name += f", {network}, {steps:,} steps"
        if len({other.key[3] for other in runs}) > 1:
            name += f", data {data[:6]}"
    same = [other.settings for other in several if other.key == run.key]
    if len(same) > 1 and not run.settings:
        name += ", settings not known"
    for field, word in run.settings.items():
        if any(other.get(field, word) != word for other in same):
            name += f", {field}={word}"
    return name


def _title(group: RecipeGroup) -> str:
    return f"{group.name} x{len(group.runs)}"


def _block(title: str, comparison: Comparison, terms: Sequence[Metric], width: int, factor: str = "") -> list[str]:
    """Return the lines of one table, without columns that no run has; wide tables continue below."""
    rows = [[group.spread(term.key, factor) for term in terms] for group in comparison.groups]
    kept = [column for column in range(len(terms)) if any(row[column] for row in rows)]
    lines: list[str] = []
    fitting = max(1, (WIDTH - width) // CELL)
    for first in range(0, len(kept), fitting):
        some = kept[first : first + fitting]
        lines.append(title.ljust(width) + "".join(terms[column].heading.rjust(CELL) for column in some))
        for group, row in zip(comparison.groups, rows, strict=True):
            cells = [
                "".join(cell(row[column], terms[column].form, "-")) + SIGNS.get(group.mark(terms[column], factor), "")
                for column in some
            ]
            chances = ["".join(cell(group.chance(terms[column], factor), terms[column].form, "")) for column in some]
            lines.append(_title(group).ljust(width) + "".join(text.rjust(CELL) for text in cells))
            if any(chances):
                lines.append("  chance".ljust(width) + "".join(text.rjust(CELL) for text in chances))
        lines.append("")
    return lines


def _traits_json(group: RecipeGroup, tables: Sequence[TraitTable]) -> dict[str, dict[str, Any]]:  # JSON
    """Return the figures of traits by the keys of evaluation.json; there are none where no run has any."""
    found: dict[str, dict[str, Any]] = {}  # JSON
    for table in tables:
        figures = _json(group, table.terms)
        start = len(f"{table.key}.{table.name}.")
        found.setdefault(table.key, {})[table.name] = {key[start:]: figure for key, figure in figures.items()}
    return found


def _json(group: RecipeGroup, terms: Sequence[Metric], factor: str = "") -> dict[str, Any]:  # JSON
    """Return mean, low, high and number of runs of each metric, what chance gives, and the mark if there is one."""
    found: dict[str, Any] = {}  # JSON
    for term in terms:
        spread, chance, mark = group.spread(term.key, factor), group.chance(term, factor), group.mark(term, factor)
        beside = ({"chance": chance.mean} if chance else {}) | ({"mark": mark} if mark else {})
        found[term.key] = spread and dataclasses.asdict(spread) | beside
    return found
