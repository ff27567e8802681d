"""Curves: how much the other latents change as one factor moves, and the losses of training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dcign.figures.chart import INK, PALE, RULE, RUN, SERIES, chart_style
from dcign.run.log import FILE
from dcign.trained.evaluation_file import value_of

# The keys of log.jsonl that are drawn, and their titles.
LOSSES = {
    "loss": "loss",
    "reconstruction": "reconstruction, nats per image",
    "divergence": "KL divergence, nats per image",
    "invariance": "pull to the group's mean",
}
FAR = 10  # ratio of maximum to minimum from which an axis is logarithmic


def invariance_figure(
    reports: Sequence[tuple[str, Mapping[str, Any]]],
    factors: Sequence[str],
    units: Sequence[str],  # JSON
) -> Figure | None:
    """Draw the invariance curves of each run, one panel per factor. None if no evaluation has any."""
    keys = list(reports[0][1]["factors"])
    with chart_style():
        figure = Figure(figsize=(3.5 * len(keys), 2.7), layout="constrained")
        grid = figure.subplots(1, len(keys), squeeze=False, sharey=True)[0]
        drawn = 0
        for column, (axes, key) in enumerate(zip(grid, keys, strict=True)):
            for (name, report), colour in zip(reports, SERIES, strict=False):
                curve = report["factors"].get(key, {}).get("invariance_curve") or {}
                line = [curve.get(name) for name in ("levels", "cosine")]
                if not _is_curve(line):
                    continue
                drawn += 1
                axes.plot(*line, color=colour, linewidth=1.6, label=name)
                if value_of(curve, "others") is not None:
                    axes.axhline(curve["others"], color=colour, linewidth=1, linestyle=":")
                band = [curve.get(name) for name in ("levels", "cosine_low", "cosine_high")]
                if _is_curve(band):
                    axes.fill_between(*band, color=colour, alpha=0.18, linewidth=0)
            axes.axhline(1, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
            axes.grid(color=RULE, linewidth=0.4, alpha=0.5)
            axes.set_xlabel(f"{factors[column]} ({units[column].strip()})" if units[column] else factors[column])
            if column == 0:
                axes.set_ylabel("cosine to the code at rest")
                if len(reports) > 1 and drawn:
                    axes.legend(frameon=False, labelcolor=INK)
    return figure if drawn else None


def training_figure(folder: Path) -> Figure | None:
    """Draw the losses that log.jsonl recorded. None if it has none."""
    lines = _log_lines(folder)
    named = {key: title for key, title in LOSSES.items() if any(value_of(line, key) is not None for line in lines)}
    if not named:
        return None
    with chart_style():
        figure = Figure(figsize=(2.75 * max(len(named), 3), 2.5), layout="constrained")
        grid = figure.subplots(1, len(named), squeeze=False)[0]
        for axes, (key, title) in zip(grid, named.items(), strict=True):
            points = [(line["step"], line[key]) for line in lines if value_of(line, key) is not None]
            axes.plot(*zip(*points, strict=True), color=RUN, linewidth=1.2)
            values = sorted(value for _, value in points)
            if values[0] > 0 and values[-1] > FAR * values[0]:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:g}")
            axes.grid(color=RULE, linewidth=0.4, alpha=0.5)
            axes.set_title(title, loc="left", fontsize=9.5)
            axes.set_xlabel("step")
    return figure


def _log_lines(folder: Path) -> list[dict[str, Any]]:  # JSON
    """Return the log's complete lines. The last line of an interrupted run may be incomplete."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    lines = []
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if value_of(found, "step") is not None:
            lines.append(found)
    return lines


def _is_curve(columns: Sequence[Any]) -> bool:  # JSON
    """Whether these are columns of numbers with the same length."""
    if not all(isinstance(column, list) and column for column in columns) or len({*map(len, columns)}) > 1:
        return False
    return all(isinstance(value, int | float) for column in columns for value in column)
