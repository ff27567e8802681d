"""The chart of photographs with known factors: what was read against the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from dcign.arrays import Float64
from dcign.figures.chart import PALE, RUN, chart_style
from dcign.metrics.circular import near


def photograph_figure(
    factors: Sequence[str], units: Sequence[str], labels: Float64, read: Float64, circular: Sequence[bool]
) -> Figure:
    """Draw one panel per factor that has labels: labels, read (N, F), NaN where there is no label.

    circular (F,): whether values are angles, which are drawn within half a turn of their label.
    """
    held = [number for number in range(len(factors)) if np.isfinite(labels[:, number]).any()]
    with chart_style():
        figure = Figure(figsize=(3.4 * len(held), 3.2), layout="constrained")
        for axes, number in zip(figure.subplots(1, len(held), squeeze=False)[0], held, strict=True):
            known = np.isfinite(labels[:, number])
            truth, values = labels[known, number], read[known, number]
            values = near(values, truth) if circular[number] else values
            ends = [min(truth.min(), values.min()), max(truth.max(), values.max())]
            axes.plot(ends, ends, color=PALE, linestyle="--", linewidth=1)
            axes.plot(truth, values, "o", color=RUN, markersize=4, alpha=0.6, markeredgewidth=0)
            axes.set_title(factors[number])
            axes.set_xlabel(f"label ({units[number]})")
            axes.set_ylabel("read from the photograph")
    return figure
