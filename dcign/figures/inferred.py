"""Inferred against true factor on the sweeps, one line per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dcign.arrays import Floating
from dcign.figures.chart import INK, PALE, RULE, RUN, bare, chart_style
from dcign.figures.encoded import Reading

SMALLEST_STEP = 5  # of ticks that are symmetric about zero
SIDE = 3.3  # side of a panel, inches
LONGEST_TITLE = 44  # characters per line
LONGEST_SMALL_TITLE = 24  # the same of panels among many
SMALL_SIDE = 1.9  # side of a panel among many, inches


@dataclass(frozen=True, eq=False)
class InferredRun:
    """The readings of one run, one per factor, with a name and a colour."""

    name: str
    readings: tuple[Reading, ...]
    colour: str = RUN
    own: bool = True  # read along the directions that the evaluation measures, not along a baseline's


def inferred_figure(
    rows: Sequence[InferredRun], factors: Sequence[str], units: Sequence[str], side: float = SIDE
) -> Figure:
    """Draw one row per run and one panel per factor.

    factors, units: of the factors that have a sweep; a unit is the text that follows a value.
    """
    with chart_style():
        figure = Figure(figsize=(side * len(factors), (side + 0.35) * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), len(factors), squeeze=False)
        for row, panels in zip(rows, grid, strict=True):
            for factor, axes in enumerate(panels):
                reading = row.readings[factor]
                _plot(axes, reading, units[factor], row.colour)
                axes.set_title(fill(f"{row.name}: {reading.name}", LONGEST_TITLE), fontsize=9.5, loc="left")
                axes.set_xlabel(_labelled(f"true {factors[factor]}", units[factor]))
                if factor == 0:
                    axes.set_ylabel(_labelled("inferred", units[factor]))
    return figure


def comparison_figure(
    columns: Sequence[InferredRun], factors: Sequence[str], units: Sequence[str], side: float = SMALL_SIDE
) -> Figure:
    """Draw one column per run and one row per factor, in small panels, to compare many runs.

    factors: names as readings have them. The panel of a factor that a run has no reading of is empty.
    """
    with chart_style():
        titles = [fill(column.name, LONGEST_SMALL_TITLE) for column in columns]
        height = (side + 0.3) * len(factors) + 0.2 * max(title.count("\n") + 1 for title in titles)
        figure = Figure(figsize=(side * len(columns) + 0.4, height), layout="constrained")
        grid = figure.subplots(len(factors), len(columns), squeeze=False)
        for title, axes in zip(titles, grid[0], strict=True):
            axes.set_title(title, fontsize=9.5)
        for factor, unit, panels in zip(factors, units, grid, strict=True):
            first = True
            for column, axes in zip(columns, panels, strict=True):
                reading = next((each for each in column.readings if each.factor == factor), None)
                if reading is None:
                    axes.set_axis_off()
                    continue
                _lines(axes, reading, column.colour, 0.6)
                score = reading.words("").splitlines()[0]
                axes.text(0.04, 0.97, score, va="top", transform=axes.transAxes, color=INK, fontsize=9)
                axes.tick_params(labelsize=8, labelleft=first)
                axes.set_xlabel(_labelled(f"true {factor.replace('_', ' ')}", unit), fontsize=9)
                if first:
                    axes.set_ylabel(_labelled("inferred", unit))
                first = False
        figure.align_ylabels(grid[:, 0])
    return figure


def thumbnail(reading: Reading, colour: str = RUN, side: float = 1.3) -> Figure:
    """Draw one panel without text."""
    with chart_style():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        _lines(axes, reading, colour, 0.5)
        bare(axes)
    return figure


def single_figure(reading: Reading, factor: str, unit: str, colour: str = RUN, side: float = 3.0) -> Figure:
    """Draw one panel with axis labels."""
    with chart_style():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        _plot(axes, reading, unit, colour)
        axes.set_xlabel(_labelled(f"true {factor}", unit))
        axes.set_ylabel(_labelled("inferred", unit))
    return figure


def _labelled(words: str, unit: str) -> str:
    """Return an axis's label with its unit, if there is one."""
    return f"{words} ({unit.strip()})" if unit.strip() else words


def ticks(levels: Floating, of_classes: bool = False) -> list[float]:
    """Return round numbers within a sweep's levels, symmetric about zero if the levels include it.

    Those of classes are indices.
    """
    low, high = float(np.min(levels)), float(np.max(levels))
    if of_classes:
        whole = MaxNLocator(5, integer=True).tick_values(low, high)
        return [tick for tick in whole if low <= tick <= high and tick == round(tick)]
    most = max(-low, high)
    if low > 0 or high < 0 or most < SMALLEST_STEP:
        return [tick for tick in MaxNLocator(3).tick_values(low, high) if low <= tick <= high]
    step = next((step for step in (SMALLEST_STEP, 10, 20, 40, 60, 90) if most / step < 3), max(most / 2, 1e-9))
    most_steps = int(most // step)
    return [step * count for count in range(-most_steps, most_steps + 1) if low <= step * count <= high]


def _plot(axes: Axes, reading: Reading, unit: str, colour: str) -> None:
    _lines(axes, reading, colour, 0.8)
    axes.text(0.04, 0.97, reading.words(unit), va="top", transform=axes.transAxes, color=INK)


def _lines(axes: Axes, reading: Reading, colour: str, width: float) -> None:
    low, high = float(reading.levels[0]), float(reading.levels[-1])
    axes.plot([low, high], [low, high], color=PALE, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
    axes.plot(reading.levels, reading.inferred, color=colour, linewidth=width, alpha=0.55, zorder=2)
    axes.set_xticks(ticks(reading.levels, reading.of_classes))
    axes.set_yticks(ticks(reading.levels, reading.of_classes))
    margin = 0.06 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(low - margin, high + margin)
    axes.set_aspect("equal")
    axes.grid(color=RULE, linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)
