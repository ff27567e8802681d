"""The table that papers print of a data set: a row per recipe, the mean and the spread over seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.shared_sets.sets import SUPERVISION

Json = Mapping[str, Any]
# Heading -> where evaluation.json has it. Latents of a circular factor, and all intrinsic ones, count as one.
COLUMNS = {
    "FactorVAE": ("metrics", "blocks", "factor_vae", "value"),
    "DCI": ("dci", "classes", "blocks"),
    "MIG": ("metrics", "blocks", "mig", "value"),
    "InfoM": ("metrics", "blocks", "infom", "value"),
    "InfoE": ("metrics", "latents", "infoe", "value"),
    "InfoC": ("metrics", "blocks", "infoc", "value"),
}
NONE = "-"  # not measured


def markdown_table(title: str, runs: Mapping[str, Sequence[Path]]) -> str:
    """Return the table of one data set. runs: recipe -> folders of its evaluated runs."""
    headings = ["recipe", "told, besides images", *COLUMNS, "seeds"]
    rows = [_row(recipe, [_evaluation(run) for run in folders]) for recipe, folders in runs.items() if folders]
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join([f"## {title}", "", *("| " + " | ".join(cells) + " |" for cells in lines), ""])


def _row(recipe: str, reports: Sequence[Json]) -> list[str]:
    cells = [_cell([_found(report, path) for report in reports]) for path in COLUMNS.values()]
    return [recipe, SUPERVISION.get(recipe, "see docs/training.md"), *cells, str(len(reports))]


def _cell(values: Sequence[float | None]) -> str:
    """Return the mean, and with two seeds or more the standard deviation."""
    known = [value for value in values if value is not None]
    if not known:
        return NONE
    spread = f" +- {stdev(known):.3f}" if len(known) > 1 else ""
    return f"{mean(known):.3f}{spread}"


def _found(report: Json, path: Sequence[str]) -> float | None:
    """Return a figure of an evaluation; None where it was not measured."""
    found: Any = report  # JSON
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return None if found is None else float(found)


def _evaluation(run: Path) -> Json:
    report: Json = json.loads((run / "evaluation.json").read_text())
    return report
