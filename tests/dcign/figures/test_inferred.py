"""Charts of inferred against true factors: readings stand under the name of their factor."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dcign.figures.encoded import Reading
from dcign.figures.inferred import InferredRun, comparison_figure, ticks


def reading(factor: str) -> Reading:
    levels = np.linspace(-30, 30, 5)
    return Reading("latent 0", levels, levels[:, None] + np.zeros((5, 2)), factor=factor)


def test_a_run_s_readings_are_drawn_by_the_names_of_their_factors_and_what_it_lacks_is_empty() -> None:
    columns = [InferredRun("one", (reading("tilt_up"),)), InferredRun("two", (reading("across"), reading("tilt_up")))]
    for order in (columns, columns[::-1]):
        figure = comparison_figure(order, ["across", "tilt_up"], ["", "°"])
        panels = np.array(figure.axes).reshape(2, 2)
        shown = {
            (run.name, axes.get_xlabel()) for row in panels for run, axes in zip(order, row, strict=True) if axes.lines
        }
        assert shown == {("two", "true across"), ("one", "true tilt up (°)"), ("two", "true tilt up (°)")}
        assert sorted(axes.axison for axes in figure.axes) == [False, True, True, True]
        assert [axes.get_title() for axes in panels[0]] == [run.name for run in order]


def test_long_titles_are_broken_so_that_they_do_not_overlap() -> None:
    names = [f"swap, patch, 20,000 steps, data 65848{digit}, detail=0.5" for digit in range(3)]
    figure = comparison_figure([InferredRun(name, (reading("across"),)) for name in names], ["across"], [""])
    figure.draw_without_rendering()
    spans = [axes.title.get_window_extent().intervalx for axes in figure.axes]
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_ticks_of_classes_are_indices() -> None:
    assert ticks(np.arange(2), of_classes=True) == [0, 1]
    assert ticks(np.arange(3), of_classes=True) == [0, 1, 2]
    assert all(tick == round(tick) for tick in ticks(np.arange(40), of_classes=True))
