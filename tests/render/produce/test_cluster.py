"""A cluster makes what one machine makes: dask workers, some of whom die, and all that can be wrong with them."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import distributed
import numpy as np
import pytest

from benchmarks.faults.dask_cluster import Cluster
from dcign.errors import DataError, RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.gl.context import Renderer
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce import cluster, workers
from dcign.render.produce.production import make_shard, render_dataset, shard_tasks
from tests.support.data_sets import digests, make

pytestmark = pytest.mark.filterwarnings(
    "ignore::dcign.render.produce.cluster.ClusterWarning"
)  # workers may be slow to come
# Five shards, of which the first has 50 batches.
SEVERAL = RenderConfiguration(Splits(train=60, test=1, iid=1, sweep_levels=(1, 1, 1)), size=16, seed=1)
TINY = RenderConfiguration(Splits(train=4, test=1, iid=1, sweep_levels=(1, 1, 1)), size=16, seed=2)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    started.start_workers(2)
    yield started
    started.close()


def render(folder: Path, model: MorphableModel, address: str, configuration: RenderConfiguration = SEVERAL) -> int:
    told: list[int] = []
    render_dataset(
        folder, configuration, lambda: model, worker_count=1, cluster=address,
        progress=lambda made, wanted: told.append(made),
    )  # fmt: skip
    assert told == sorted(told)
    return told[-1]


def when(come: Callable[[], object], then: Callable[[], object]) -> threading.Thread:
    def wait() -> None:
        deadline = time.monotonic() + 60
        while not come() and time.monotonic() < deadline:
            time.sleep(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "faces"
    make(folder, model, SEVERAL)
    return folder


def test_a_cluster_of_which_a_worker_dies_makes_the_same_bytes(
    running: Cluster, undisturbed: Path, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    victim = running.workers[0]
    killing = when(lambda: list(folder.glob("train/.*.part")), lambda: os.kill(victim.pid, signal.SIGKILL))
    assert render(folder, model, running.address) == sum(SEVERAL.splits.batches().values())
    killing.join()
    assert victim.wait() == -signal.SIGKILL
    assert digests(folder) == digests(undisturbed)


def test_what_a_worker_refuses_comes_back_with_its_machine(
    running: Cluster, model: MorphableModel, tmp_path: Path
) -> None:
    task = replace(shard_tasks(tmp_path, "", TINY)[0], renderer=Renderer("a", "another card", "9"))
    with pytest.raises(
        RenderError, match=rf"on {socket.gethostname()}: .*expected .*model.npz, found no such file on this worker"
    ):
        list(workers.run_tasks(make_shard, [task], 1, lambda count: None, cluster=running.address))


def test_it_waits_for_workers_and_says_so_and_a_lost_scheduler_is_a_sentence(
    model: MorphableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, alone, said = tmp_path / "faces", Cluster(tmp_path), []

    def hire_then(sentence: str) -> None:
        said.append(sentence)
        alone.start_workers(1)

    monkeypatch.setattr(cluster, "_warn", hire_then)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 5)
    losing = when(lambda: list(folder.glob("*/*.h5")), alone.scheduler.kill)
    try:
        with pytest.raises(RenderError, match="found the connection lost: when it is back, run the same command again"):
            render(folder, model, alone.address)
    finally:
        losing.join()
        alone.close()
    told = f"{alone.address} has no workers: waiting for some; start them with `dask worker {alone.address}`."
    assert said[0] == told
    assert list(folder.glob("*/*.h5"))


def hog(task: int) -> int:
    held = np.ones(task, np.uint8)
    time.sleep(60)
    return int(held[0])


def test_a_worker_killed_for_its_memory_is_a_sentence_with_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    small = Cluster(tmp_path)
    try:
        small.start_workers(1, memory_limit="400MB")
        wanted = r"exceeded their limit of 0\.4 GB: start workers with --memory-limit 3\.8GB, and run the same command"
        with pytest.raises(RenderError, match=wanted):
            list(workers.run_tasks(hog, [10**9], 1, lambda count: None, cluster=small.address, memory=3e9))
    finally:
        small.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "ftp://127.0.0.1:9"])
def test_no_scheduler_is_a_sentence_and_the_folder_stays_free(
    address: str, model: MorphableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(RenderError, match=f"found no answer at '{address}'"):
        render(tmp_path / "faces", model, address, TINY)
    assert not list(tmp_path.iterdir())
    # None is left to close itself while another one starts, which hangs.
    assert not [one for one in gc.get_objects() if type(one) is distributed.Client and one.status != "closed"]


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RenderError, match=r"pip install 'dcign\[cluster\]'"), cluster.dask_workers("tcp://here:1"):
        pass


def test_another_version_on_a_worker_is_refused() -> None:
    with pytest.raises(RenderError, match=r"expected dcign 0\.0\.9 on every worker, found"):
        cluster._run_there("0.0.9", str, 1)


def test_a_second_renderer_in_a_folder_is_refused_and_its_shards_made_again(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def two_cards(work: object, tasks: list[object], **how: object) -> Iterator[tuple[object, object]]:
        for number, task in enumerate(tasks):
            shard = make_shard(task)  # type: ignore[arg-type]
            yield task, replace(shard, renderer=Renderer("", "another card", "9")) if number else shard

    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    for file in ("dataset.json", "iid/shard-00000.h5", "test/shard-00000.h5"):
        (folder / file).unlink()
    with monkeypatch.context() as changed:
        changed.setattr(workers, "run_tasks", two_cards)
        with pytest.raises(RenderError, match=r"expected the renderer that drew .*, found another card \(9\)"):
            make(folder, model, small_configuration)
    make(folder, model, small_configuration)
    assert digests(folder) == digests(small_faces)


def test_half_written_files_of_dead_workers_are_removed(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    (folder / "train" / ".shard-00000.h5.0a1b2c3d.part").write_bytes(b"half")
    make(folder, model, small_configuration)
    assert digests(folder) == digests(small_faces)


def test_a_disk_s_refusal_on_a_worker_is_a_data_error() -> None:
    def refuse(task: object) -> None:
        raise DataError("shard.h5 could not be written: the disk is full.")

    with pytest.raises(DataError, match=rf"on {socket.gethostname()}: shard.h5 could not"):
        cluster._run_there(cluster._version(), refuse, None)


def test_a_scheduler_is_not_asked_about_its_workers_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Client:
        def scheduler_info(self) -> dict[str, object]:
            asked.append(1)
            return {"workers": {"one": {}}}

    watch = cluster._Watch(Client(), "tcp://here:1")
    assert [watch() for _ in range(100)] == [0] * 100
    assert len(asked) == 1
    monkeypatch.setattr(watch, "_next_look", 0.0)
    watch()
    assert len(asked) == 2


def test_two_tasks_that_begin_at_once_share_one_drawing_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "threadpool_limits", lambda limit: time.sleep(0.3))
    cluster._drawing_thread.cache_clear()
    with ThreadPoolExecutor(2) as tasks:
        drawn_in = tasks.map(lambda task: cluster._run_there(cluster._version(), who, task), (1, 2))
    assert len(set(drawn_in)) == 1
    cluster._drawing_thread.cache_clear()


def who(task: object) -> int:
    return threading.get_ident()


def test_a_relative_folder_is_the_same_one_for_workers_elsewhere(
    running: Cluster, model: MorphableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    render(Path("faces"), model, running.address, TINY)
    assert (tmp_path / "faces" / "dataset.json").exists()
