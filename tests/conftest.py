"""What many tests share: the face model, built once, and one small rendered data set."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from dcign.render.produce.worker_pool import ENVIRONMENT

# One thread per process, as in a worker: threads of several test processes would wait for each other. This stands
# before numpy is imported, and the processes that tests start inherit it.
os.environ.update(ENVIRONMENT)

import pytest

from dcign.facegen.build import procedural_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.machine import keep_freed_memory
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range
from tests.support.data_sets import draw
from tests.support.drawing import in_this_process
from tests.support.quick import one_thread, quick_evaluations

# A process of pytest-xdist ignores Ctrl-C, and what it starts would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup makes processes ignore HUP, which tests send.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

TESTS = Path(__file__).parent
# The files that take longest, the longest first: processes that run them side by side then end at about the same time.
LONGEST = (
    "dcign/evaluate/test_evaluation.py",
    "cli/test_commands.py",
    "dcign/evaluate/test_circle.py",
    "docs/test_commands_of_pages.py",
    "docs/test_training_commands_of_pages.py",
    "dcign/metrics/test_goldens.py",
    "benchmarks/faults/test_faults.py",
    "docs/test_notebooks.py",
    "dcign/explore/test_browser.py",
    "render/produce/test_production.py",
    "render/produce/test_cluster.py",
    "dcign/train/test_training.py",
    "test_wheel.py",
    "dcign/metrics/test_laws.py",
    "docs/test_rendering_commands_of_pages.py",
    "docs/test_examples.py",
    "cli/test_further_factors.py",
    "benchmarks/evaluate/test_artificial_codes.py",
    "dcign/publish/test_onnx.py",
    "render/produce/test_chosen_people.py",
    "dcign/train/test_resuming.py",
    "docs/test_contributing.py",
)
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    if missing := [path for path in ranks if not path.is_file()]:
        raise pytest.UsageError(
            f"expected the files of LONGEST in tests/, found no {missing[0].name}: correct the list."
        )
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session", autouse=True)
def economical_process() -> Iterator[None]:
    """Keep freed memory, as all long commands do, and let networks compute on one thread."""
    keep_freed_memory()
    with one_thread():
        yield


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
    return draw(tmp_path_factory.mktemp("small") / "faces", model, SMALL)


@pytest.fixture(scope="session")
def people_faces(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel) -> Path:
    """A whole data set folder of 33 batches at 32 px that vary every trait of people. Read only."""
    return draw(tmp_path_factory.mktemp("people") / "faces", model, PEOPLE)


@pytest.fixture(scope="module", name="quick_evaluations")
def quick_evaluations_of_a_module() -> Iterator[None]:
    """Let all evaluations of a module be quick."""
    with quick_evaluations():
        yield


@pytest.fixture(scope="module")
def drawn_here() -> Iterator[None]:
    """Let a module's tests draw data sets, and verify them, without starting worker processes."""
    with in_this_process():
        yield


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for one test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DCIGN_CACHE", str(folder))
    return folder
