"""What many tests share: the face model, built once, and one small rendered data set."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcign.arrays import Floating, Int64
from dcign.facegen.build import procedural_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range
from dcign.render.produce.production import render_dataset

# A process of pytest-xdist ignores Ctrl-C, and what it starts would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup makes processes ignore HUP, which tests send.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

SMALL = RenderConfiguration(Splits(train=8, test=4, iid=2, sweep_levels=(3, 2, 2)), size=32, seed=3)
PEOPLE = RenderConfiguration(
    Splits(train=9, test=9, iid=1, sweep_levels=(2, 2, 2, 3, 3), mix=2),
    size=32,
    channels=3,
    seed=4,
    age=Range(18.0, 80.0),
    sex=Range(-2.0, 2.0),
    vary=("age", "sex", "shape", "skin", "hair"),
)


@pytest.fixture(scope="session")
def model() -> MorphableModel:
    """The procedural model; cached for the user, so that only the first run of all builds it."""
    return procedural_model()


@pytest.fixture(scope="session")
def small_configuration() -> RenderConfiguration:
    """What `small_faces` was rendered with."""
    return SMALL


@pytest.fixture(scope="session")
def small_faces(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel) -> Path:
    """A whole data set folder of 21 batches at 32 px. Read only: copy it to change it."""
    folder = tmp_path_factory.mktemp("small") / "faces"
    render_dataset(folder, SMALL, lambda: model, worker_count=1, progress=lambda made, wanted: None)
    return folder


@pytest.fixture(scope="session")
def people_faces(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel) -> Path:
    """A whole data set folder of 33 batches at 32 px that vary every trait of people. Read only."""
    folder = tmp_path_factory.mktemp("people") / "faces"
    render_dataset(folder, PEOPLE, lambda: model, worker_count=1, progress=lambda made, wanted: None)
    return folder


@pytest.fixture(scope="module")
def quick_evaluations() -> Iterator[None]:
    """Grow 3 trees instead of 100, and draw 5 samples for an interval instead of 50.

    For modules whose tests evaluate, and need no good trees and no true intervals.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcign.metrics.boosting.STAGES", 3)
        patch.setattr("dcign.metrics.predictors._fit_classifier", _three_trees)
        patch.setattr("dcign.evaluate.disentanglement.ROUNDS", 5)
        yield


def _three_trees(codes: Floating, truth: Int64, rng: object) -> object:
    from sklearn.ensemble import GradientBoostingClassifier  # slow to import for tests without evaluations

    return GradientBoostingClassifier(n_estimators=3, random_state=0).fit(codes, truth)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for one test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DCIGN_CACHE", str(folder))
    return folder
