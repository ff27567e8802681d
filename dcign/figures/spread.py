"""A metric of several recipes as dots, one per seed, with a bar at the mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from dcign.figures.chart import INK, RULE, SERIES, chart_style

WIDTH, ROW = 3.4, 0.27  # inches: a panel's width, and a recipe's height in it


@dataclass(frozen=True)
class Panel:
    """A panel's title, and for each recipe the values of its seeds."""

    title: str
    values: tuple[tuple[float, ...], ...]


def spread_figure(names: Sequence[str], panels: Sequence[Panel], columns: int = 4) -> Figure:
    """Draw the panels in rows; each lists the recipes from top to bottom."""
    count = -(-len(panels) // columns)
    with chart_style():
        figure = Figure(
            figsize=(WIDTH * columns + 1, count * (ROW * len(names) + 0.75)), layout="constrained"
        )  # fmt: skip
        grid = figure.subplots(count, columns, squeeze=False, sharey=True).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            for row, values in enumerate(panel.values):
                colour = SERIES[row % len(SERIES)]
                axes.plot(values, [row] * len(values), "o", color=colour, markersize=4.5, alpha=0.75)
                if values:
                    axes.plot(sum(values) / len(values), row, "|", color=INK, markersize=11)
            axes.set_title(panel.title, loc="left", fontsize=9.5)
            axes.grid(color=RULE, linewidth=0.4, alpha=0.5)
            axes.set_axisbelow(True)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        grid[0].set_yticks(range(len(names)), names)
        grid[0].set_ylim(len(names) - 0.5, -0.5)
    return figure
