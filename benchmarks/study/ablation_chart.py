"""The chart of the ablation: one row per removed ingredient of `swap`, one panel per metric.

    python -m benchmarks.study.ablation_chart OUT [--to docs/images/ablation.png]

OUT is the folder of `python -m benchmarks.study ablation`. Each seed is one dot.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.errors import BenchmarkError, one_sentence
from benchmarks.study.tables import Report, reports_of, value_of
from benchmarks.study.trainings import ABLATIONS, ablation_folder
from dcign.figures.chart import INK, OTHER, PALE, RULE, RUN, as_png, chart_style
from dcign.run.json_files import write_result

COMPLETE = "all of them"  # the row of the complete recipe


@dataclass(frozen=True)
class Panel:
    """A metric of evaluation.json. Metrics of factors show the worst factor."""

    title: str
    path: str
    of_factors: bool
    more_is_better: bool
    tolerance: float  # the difference between seeds: a smaller loss does not count
    ticks: tuple[float, ...]
    scale: str = "linear"  # of the axis, as matplotlib names it

    def values(self, reports: list[Report]) -> list[float]:
        """Return the metric of each seed that has it."""
        worst = min if self.more_is_better else max
        found = []
        for report in reports:
            factors = report["factors"] if self.of_factors else ("",)
            values = [value for factor in factors if (value := value_of(report, self.path, factor)) is not None]
            found += [worst(values)] if values else []
        return found

    def is_worse(self, value: float, complete: float) -> bool:
        """Return whether a value is worse than the complete recipe's by more than the difference between seeds."""
        loss = complete - value if self.more_is_better else value - complete
        return loss > self.tolerance


PANELS = (
    Panel("R², worst factor", "r2", True, True, 0.01, (0.1, 0.5, 0.8, 0.95), "logit"),
    Panel("leak from samples,\nworst factor", "leakage_r2", True, False, 0.05, (0, 0.5, 1)),
    Panel("leak from alive means,\nworst factor", "leakage_active_r2", True, False, 0.1, (0, 0.25, 0.5, 0.75, 1)),
    Panel("swap / reconstruction,\nworst factor", "swap_ratio", True, False, 0.03, (1, 1.5, 3, 6, 12, 24), "log"),
    Panel("head, dB", "reconstruction.psnr_head_db", False, True, 0.1, tuple(range(18, 30, 2))),
)


@one_sentence()
def main() -> None:
    """Read the evaluations, draw the chart and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder of the studies")
    parser.add_argument("--to", type=Path, default=Path("docs/images/ablation.png"), help="the PNG [%(default)s]")
    given = parser.parse_args()
    write_result(given.to, as_png(ablation_figure(given.out)))
    print(given.to)


def ablation_figure(out: Path) -> Figure:
    """Draw the evaluations of the ablation. Raises BenchmarkError unless the complete recipe and another are there."""
    rows = {name: reports_of(out / "ablation", ablation_folder(options)) for name, options in ABLATIONS.items()}
    rows = {name: reports for name, reports in rows.items() if reports}
    if len(rows) < 2 or COMPLETE not in rows:
        raise BenchmarkError(
            f"expected evaluations of `swap` complete and without an ingredient, found too few in {out}: "
            f"run python -m benchmarks.study ablation FACES {out}."
        )
    names = [COMPLETE, *(name for name in rows if name != COMPLETE)]
    panels = [panel for panel in PANELS if panel.values(rows[COMPLETE])]  # without masks the head is not measured
    with chart_style():
        figure = Figure(figsize=(12.5, 0.27 * len(names) + 1.3), layout="constrained")
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, axes in zip(panels, grid, strict=True):
            complete = statistics.fmean(panel.values(rows[COMPLETE]))
            axes.axvline(complete, color=RULE, linewidth=1)
            for height, name in enumerate(names):
                values = panel.values(rows[name])
                colours = [OTHER if panel.is_worse(value, complete) else RUN for value in values]
                if values:
                    axes.hlines(height, complete, statistics.fmean(values), color=RULE, linewidth=1)
                axes.scatter(values, [height] * len(values), s=22, c=colours, zorder=3)
            axes.set_xscale(panel.scale)
            least, most = axes.get_xlim()
            axes.set_xticks([tick for tick in panel.ticks if least <= tick <= most])
            axes.set_xticks([], minor=True)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))
            axes.set_title(panel.title, loc="left", fontsize=10)
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="y", length=0, labelcolor=INK)
        grid[0].set_yticks(range(len(names)), [_label(name) for name in names])
        grid[0].set_ylim(len(names) - 0.4, -0.6)
        figure.supxlabel(
            "orange: worse than the complete recipe by more than the difference between seeds", color=PALE, fontsize=9
        )
    return figure


def _label(name: str) -> str:
    """Return the label of a row. A name with a colon says what replaces the ingredient."""
    return name if name == COMPLETE or ":" in name else f"without {name}"


if __name__ == "__main__":
    main()
