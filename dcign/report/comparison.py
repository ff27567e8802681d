"""Several evaluated runs side by side: grouped by recipe, over seeds the mean and the range."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcign.errors import TrainingError
from dcign.report.terms import (
    DCI_TERMS,
    IDENTITY_TERM,
    LEAKAGE_TERMS,
    METRIC_TERMS,
    PICTURE_TERMS,
    READING_TERMS,
    RERENDER_TERMS,
    STILL_TERMS,
    Term,
    value_of,
    written,
)
from dcign.run import configuration as run_configuration
from dcign.trained.evaluation_file import read_evaluation
from dcign.trained.trained_run import TrainedRun

FORMAT = "dcign-comparison"
FORMAT_VERSION = 1
WIDTH = 110  # columns of a terminal; a table that is wider goes on below
CELL = 13
LEGEND = "mean over seeds ± half the range from least to most; what each figure means is in docs/training.md"

# Of each factor; by the other latents' keys as in evaluation.json.
FACTOR_COLUMNS = (*READING_TERMS[1:], *LEAKAGE_TERMS, PICTURE_TERMS[0], *STILL_TERMS, *RERENDER_TERMS)
# Of the whole run, by keys from the top of evaluation.json.
RUN_COLUMNS = (
    *(Term(each.heading, f"metrics.latents.{each.key}.value", each.form, each.name, each.meaning, "more")
      for each in METRIC_TERMS),
    *DCI_TERMS,
    IDENTITY_TERM,
    Term("head dB", "reconstruction.psnr_head_db", ".1f", "reconstruction, head, dB",
         "PSNR over the head of the test split's pictures", "more"),
    Term("frame dB", "reconstruction.psnr_frame_db", ".1f", "reconstruction, frame, dB",
         "PSNR over their whole frame", "more"),
    Term("alive", "latents.alive", ".0f", "latents alive", "latents with a mean KL above .1 nat"),
    Term("seconds", "seconds", ".0f", "seconds", "of training, all sittings together"),
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """A figure over seeds."""

    mean: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, eq=False)
class EvaluatedFolder:
    """A run's folder, its evaluation.json, and the settings that its configuration.json holds, if there is one."""

    folder: Path
    report: dict[str, Any]  # JSON
    settings: dict[str, str]

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What a run goes by before its settings are asked: recipe, network, steps and data."""
        report = self.report
        return report["recipe"], report["network"], report["steps"], report["data_sha256"]


@dataclass(frozen=True, eq=False)
class RecipeGroup:
    """Runs of one recipe, with the same settings, network and number of steps: they differ in their seeds."""

    name: str
    runs: tuple[EvaluatedFolder, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in order."""
        return tuple(run.report["seed"] for run in self.runs)

    def of_factor(self, factor: str, key: str) -> Spread | None:
        """Return a factor's figure over the seeds, None where no run has it."""
        return _spread([value_of(run.report["factors"].get(factor, {}), key) for run in self.runs])

    def of_run(self, key: str) -> Spread | None:
        """Return a figure of the whole run over the seeds."""
        return _spread([value_of(run.report, key) for run in self.runs])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs grouped, in the order in which their recipes were first named; factors as the data set names them."""

    groups: tuple[RecipeGroup, ...]
    factors: tuple[str, ...]

    @property
    def runs(self) -> tuple[EvaluatedFolder, ...]:
        """Every run, group by group."""
        return tuple(run for group in self.groups for run in group.runs)


def compare(folders: Sequence[str | Path], any_data: bool = False) -> Comparison:
    """Read and group evaluated runs, each folder once.

    Raises TrainingError where one cannot be read, data sets differ, or two runs are of one seed and configuration.
    """
    once = {Path(folder).resolve(): Path(folder) for folder in reversed(folders)}
    runs = [_read(folder) for folder in reversed(once.values())]
    if not runs:
        raise TrainingError("no run was named: wanted the folders of one or more evaluated runs")
    first = runs[0]
    for run in runs[1:]:
        if run.report["data_sha256"] != first.report["data_sha256"] and not any_data:
            raise TrainingError(
                f"{run.folder} was trained on other data than {first.folder}, and figures of two data sets are not "
                "comparable: compare runs of one, or ask for it with --any-data"
            )
        if tuple(run.report["factors"]) != tuple(first.report["factors"]):
            raise TrainingError(f"{run.folder} has other factors than {first.folder}: compare runs of the same")
    return Comparison(tuple(_grouped(runs)), tuple(first.report["factors"]))


def comparison_table(comparison: Comparison) -> str:
    """Return plain tables, one a factor and one of the whole code, a line a recipe."""
    width = max(len(_title(group)) for group in comparison.groups) + 2
    lines = []
    for factor in comparison.factors:
        lines += _block(factor, comparison, FACTOR_COLUMNS, width, factor)
    lines += _block("whole code", comparison, RUN_COLUMNS, width)
    return "\n".join([*lines, LEGEND])


def comparison_json(comparison: Comparison) -> str:
    """Return every figure over the seeds of each recipe, and where it was read."""
    groups = []
    for group in comparison.groups:
        first = group.runs[0].report
        factors = {
            factor: {term.key: _json(group.of_factor(factor, term.key)) for term in FACTOR_COLUMNS}
            for factor in comparison.factors
        }
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
                "factors": factors,
                "figures": {term.key: _json(group.of_run(term.key)) for term in RUN_COLUMNS},
            }
        )
    return json.dumps({"format": FORMAT, "version": FORMAT_VERSION, "groups": groups}, indent=2)


def half_range(spread: Spread | None, form: str) -> str:
    """Write half the range over the seeds, nothing where there is one seed."""
    return f"±{written((spread.high - spread.low) / 2, form)}" if spread and spread.runs > 1 else ""


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
            if other.report["seed"] == run.report["seed"]:
                raise TrainingError(
                    f"{other.folder} and {run.folder} are of one configuration and both of seed {run.report['seed']}, "
                    "which is no spread over seeds: name one of them"
                )
        found.append(run)
    groups = [tuple(sorted(found, key=lambda run: run.report["seed"])) for found in members.values()]
    firsts = [group[0] for group in groups]
    return [RecipeGroup(_name(group[0], firsts), group) for group in groups]


def _name(run: EvaluatedFolder, runs: Sequence[EvaluatedFolder]) -> str:
    """Name a group by its first run, told apart from the other groups' first runs."""
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


def _block(title: str, comparison: Comparison, terms: Sequence[Term], width: int, factor: str = "") -> list[str]:
    """Lay out one table, without the columns that no run has; what is too wide for a terminal goes on below."""
    rows = [
        [group.of_factor(factor, term.key) if factor else group.of_run(term.key) for term in terms]
        for group in comparison.groups
    ]
    kept = [place for place in range(len(terms)) if any(row[place] for row in rows)]
    lines: list[str] = []
    fitting = max(1, (WIDTH - width) // CELL)
    for first in range(0, len(kept), fitting):
        some = kept[first : first + fitting]
        lines.append(title.ljust(width) + "".join(terms[place].heading.rjust(CELL) for place in some))
        for group, row in zip(comparison.groups, rows, strict=True):
            cells = (_cell(row[place], terms[place].form).rjust(CELL) for place in some)
            lines.append(_title(group).ljust(width) + "".join(cells))
        lines.append("")
    return lines


def _cell(spread: Spread | None, form: str) -> str:
    return written(spread.mean if spread else None, form, "-") + half_range(spread, form)


def _spread(values: Sequence[float | None]) -> Spread | None:
    found = [value for value in values if value is not None]
    return Spread(sum(found) / len(found), min(found), max(found), len(found)) if found else None


def _json(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else dataclasses.asdict(spread)
