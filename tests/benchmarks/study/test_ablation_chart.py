"""The chart of the ablation: it is drawn from evaluations alone, with one dot per seed."""

import json

import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from benchmarks.errors import BenchmarkError
from benchmarks.study.ablation_chart import PANELS, ablation_figure
from benchmarks.study.trainings import ablation_folder
from dcign.figures.chart import OTHER, RUN


def evaluation(seed, elevation=0.98, leak=0.0, decibels=28.0):
    """What the chart reads of an evaluation.json."""
    good = {"latent": 0, "r2": 0.99, "leakage_r2": 0.0, "leakage_active_r2": 0.0, "swap_ratio": 1.1}
    factors = {"azimuth": good, "elevation": {**good, "latent": 1, "r2": elevation, "leakage_active_r2": leak}}
    return {
        "seed": seed,
        "factors": factors,
        "latents": {"kl_nats": [3.0, 3.0]},
        "reconstruction": {"psnr_head_db": decibels},
    }


@pytest.fixture
def ablation(tmp_path):
    """Write evaluations by the options of their runs."""

    def write(found):
        for (options, seed), report in found.items():
            folder = tmp_path / "ablation" / f"{ablation_folder(options)}-{seed}"
            folder.mkdir(parents=True)
            (folder / "evaluation.json").write_text(json.dumps(report))
        return tmp_path

    return write


def dots(axes):
    """Place and colour of every dot of a panel, by row."""
    rows = {}
    for drawn in axes.collections:
        if isinstance(drawn, PathCollection):
            for (x, y), colour in zip(drawn.get_offsets(), drawn.get_facecolors(), strict=True):
                rows.setdefault(round(y), []).append((round(float(x), 3), to_hex(colour)))
    return rows


def test_every_seed_is_a_dot_and_what_loses_more_than_seeds_differ_is_orange(ablation):
    out = ablation(
        {
            ("", 0): evaluation(0, 0.98),
            ("", 1): evaluation(1, 0.984),
            ("--set mirror=false", 0): evaluation(0, 0.9, leak=0.3, decibels=29.0),
            ("--set detail=0", 0): evaluation(0, 0.979),
        }
    )
    figure = ablation_figure(out)
    panels = figure.axes
    assert [words.get_text() for words in panels[0].get_yticklabels()] == [
        "all of them", "without mirror-equivariant network", "without fine structure counts more",
    ]  # fmt: skip
    worst, _, leak, swap, head = map(dots, panels)
    assert worst == {0: [(0.98, RUN), (0.984, RUN)], 1: [(0.9, OTHER)], 2: [(0.979, RUN)]}
    assert leak[1] == [(0.3, OTHER)]
    assert swap[1] == [(1.1, RUN)]
    assert head[1] == [(29.0, RUN)]  # sharper is no loss
    assert len(panels) == len(PANELS)


def test_what_was_not_measured_has_no_panel_and_no_dot(ablation):
    out = ablation({("", 0): evaluation(0, decibels=None), ("--set detail=0", 0): evaluation(0, leak=None)})
    panels = ablation_figure(out).axes
    assert len(panels) == len(PANELS) - 1
    assert dots(panels[2])[1] == [(0.0, RUN)]  # of azimuth, the one that was measured


@pytest.mark.parametrize("options", [[], [""], ["--set detail=0", "--set mirror=false"]])
def test_without_the_whole_recipe_or_anything_beside_it_there_is_no_chart(ablation, options):
    out = ablation({(each, 0): evaluation(0) for each in options})
    with pytest.raises(
        BenchmarkError, match="expected evaluations of `swap` complete and without an ingredient, found too few"
    ):
        ablation_figure(out)
