"""Inferred against true factor for every person of the sweeps: a line each, the diagonal beneath."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dcign.arrays import Floating
from dcign.figures.chart import INK, PALE, RULE, RUN, bare, chart_style
from dcign.figures.dial import Reading

SIDE = 3.3  # inches of a panel
DIAL_SIDE = 1.9  # of one among many


@dataclass(frozen=True, eq=False)
class InferredRow:
    """A row of panels: what several dials read, one a factor, in a colour of the palette."""

    name: str
    readings: tuple[Reading, ...]
    colour: str = RUN
    own: bool = True  # what the run's evaluation is of, not a baseline


def inferred_figure(
    rows: Sequence[InferredRow], factors: Sequence[str], units: Sequence[str], side: float = SIDE
) -> Figure:
    """Draw a row a run, a panel a factor; factors are words, units as they stand behind a number."""
    with chart_style():
        figure = Figure(figsize=(side * len(factors), (side + 0.35) * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), len(factors), squeeze=False)
        for row, panels in zip(rows, grid, strict=True):
            for place, axes in enumerate(panels):
                reading = row.readings[place]
                _plot(axes, reading, units[place], row.colour)
                axes.set_title(f"{row.name}: {reading.name}", fontsize=9.5, loc="left")
                axes.set_xlabel(f"true {factors[place]} ({units[place].strip()})")
                if place == 0:
                    axes.set_ylabel(f"inferred ({units[place].strip()})")
    return figure


def dials_figure(
    columns: Sequence[InferredRow], factors: Sequence[str], units: Sequence[str], side: float = DIAL_SIDE
) -> Figure:
    """Draw a column a run, a row a factor, small and with few words: runs are to be told apart at a glance."""
    with chart_style():
        figure = Figure(figsize=(side * len(columns) + 0.4, (side + 0.3) * len(factors) + 0.2), layout="constrained")
        grid = figure.subplots(len(factors), len(columns), squeeze=False)
        for place, panels in enumerate(grid):
            for column, axes in zip(columns, panels, strict=True):
                reading = column.readings[place]
                _lines(axes, reading, column.colour, 0.6)
                axes.text(0.04, 0.97, f"R² {reading.r2:.3f}", va="top", transform=axes.transAxes, color=INK, fontsize=9)
                axes.set_xticks(ticks(reading.levels))
                axes.set_yticks(ticks(reading.levels))
                axes.tick_params(labelsize=8, labelleft=column is columns[0])
                if place == 0:
                    axes.set_title(column.name)
            unit = units[place].strip()
            panels[0].set_ylabel(f"inferred ({unit})")
            for axes in panels:
                axes.set_xlabel(f"true {factors[place]} ({unit})", fontsize=9)
        figure.align_ylabels(grid[:, 0])
    return figure


def thumbnail(reading: Reading, colour: str = RUN, side: float = 1.3) -> Figure:
    """Draw one panel alone, without words."""
    with chart_style():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        _lines(axes, reading, colour, 0.5)
        bare(axes)
    return figure


def dial_figure(reading: Reading, factor: str, unit: str, colour: str = RUN, side: float = 3.0) -> Figure:
    """Draw one panel alone, with its axes named."""
    with chart_style():
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        _plot(axes, reading, unit, colour)
        axes.set_xlabel(f"true {factor} ({unit.strip()})")
        axes.set_ylabel(f"inferred ({unit.strip()})")
    return figure


def ticks(levels: Floating) -> list[float]:
    """Return round numbers within a sweep's levels, about zero if it is among them."""
    low, high = float(np.min(levels)), float(np.max(levels))
    if low > 0 or high < 0:
        return [tick for tick in MaxNLocator(3).tick_values(low, high) if low <= tick <= high]
    most = max(-low, high)
    step = next((step for step in (5, 10, 20, 40, 60, 90) if most / step < 3), max(most / 2, 1e-9))
    count = int(most // step)
    return [step * place for place in range(-count, count + 1) if low <= step * place <= high]


def _plot(axes: Axes, reading: Reading, unit: str, colour: str) -> None:
    _lines(axes, reading, colour, 0.8)
    words = f"R² {reading.r2:.3f}\nmean error {reading.error:.1f}{unit}"
    axes.text(0.04, 0.97, words, va="top", transform=axes.transAxes, color=INK)
    axes.set_xticks(ticks(reading.levels))
    axes.set_yticks(ticks(reading.levels))


def _lines(axes: Axes, reading: Reading, colour: str, width: float) -> None:
    low, high = float(reading.levels[0]), float(reading.levels[-1])
    axes.plot([low, high], [low, high], color=PALE, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
    axes.plot(reading.levels, reading.inferred, color=colour, linewidth=width, alpha=0.55, zorder=2)
    margin = 0.06 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(low - margin, high + margin)
    axes.set_aspect("equal")
    axes.grid(color=RULE, linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)
