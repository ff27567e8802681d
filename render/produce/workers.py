"""Worker processes: each owns one OpenGL context and runs whole tasks, so pixels are never sent between processes.

`run_tasks` submits the tasks to processes of this machine or to a cluster (dcign.render.produce.cluster). Processes of
this machine are spawned, never forked (OpenGL, HDF5 and BLAS do not survive a fork) and ignore stop signals. When the
parent asks them to stop, they finish a shard that takes at most a few seconds more, and leave a longer one.
"""

from __future__ import annotations

import functools
import itertools
import math
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeVar

from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.machine import keep_freed_memory
from dcign.render.gl import devices
from dcign.render.plan.backdrops import read_backdrops
from dcign.render.plan.choice import read_folder_crowd
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.objects import read_subject
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.cluster import dask_workers
from dcign.render.produce.worker_pool import ENVIRONMENT, WorkerPool, needed_memory
from dcign.stop_signals import ignore_stop_signals, stop_signals_blocked
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import local_copy

# Called with the number of batches done so far.
Progress = Callable[[int], None]

Task = TypeVar("Task")
Result = TypeVar("Result")

POLL_SECONDS = 0.1
LAST_SECONDS = 5.0  # within which a worker that is asked to stop may finish its shard: less than docker and SLURM wait
MOST_SUBMITTED = 5_000  # tasks at once: a cluster's scheduler keeps them all in memory

_open_renderers: dict[tuple[Path, str, RenderConfiguration], BatchRenderer] = {}  # of this process: one at most
_parent: list[tuple[Queue[int], Event]] = []  # in a local worker: the queue for progress, the request to stop


class Stopped(Exception):
    """Raised inside a worker when the parent has asked it to stop."""


def open_renderer(model_file: Path, model_sha256: str, configuration: RenderConfiguration) -> BatchRenderer:
    """Return this process's renderer, on its own GPU if there is one. It stays open until another one is asked for.

    model_sha256: hash of the expected file, because the folder may have been rendered again since the last task.

    Raises RenderError if the file has another hash, and Stopped if the parent has asked this worker to stop.
    """
    _stop_if_asked()
    key = model_file, model_sha256, configuration
    if key not in _open_renderers:
        while _open_renderers:  # a cluster's worker serves many data sets: keep only one renderer
            _open_renderers.popitem()[1].close()
        devices.claim_gpu()
        file = local_copy(model_file)
        if file_sha256(file) != model_sha256:
            raise RenderError(
                f"expected the model.npz that the task names, found another one at {model_file}: let every machine see "
                "one folder that nothing else changes, and run the same command again."
            )
        background = configuration.background
        backdrops = read_backdrops(model_file.parent, background) if background and background.pictures else None
        subject, people = read_subject(file), configuration.people
        crowd = None
        if people is not None and people.crowd and isinstance(subject, MorphableModel):
            crowd = read_folder_crowd(model_file.parent, people, subject)
        _open_renderers[key] = BatchRenderer(subject, configuration, backdrops=backdrops, crowd=crowd)
    return _open_renderers[key]


def batch_done(rest: float = math.inf) -> None:
    """Report one more batch to the parent. rest: seconds that the task still needs.

    Raises Stopped if the parent has asked this worker to stop, unless the task ends within LAST_SECONDS.
    """
    for done, _ in _parent:
        done.put(1)
    if rest > LAST_SECONDS:
        _stop_if_asked()


def run_tasks(
    work: Callable[[Task], Result],
    tasks: Iterable[Task],
    workers: int,
    progress: Progress,
    *,
    cluster: str = "",
    memory: float = 0.0,
) -> Iterator[tuple[Task, Result]]:
    """Run every task in some worker and yield each result when it is done, in no particular order.

    workers: number of processes on this machine; cluster: address of a dask scheduler whose workers run the tasks
    instead, and report no batches to `progress`; memory: bytes that one worker needs, 0 if that is not known.

    On any exception, KeyboardInterrupt included, no further task starts, and processes of this machine stop within
    seconds.

    Raises what a worker raised, and RenderError if one died or the cluster cannot be reached.
    """
    with dask_workers(cluster, memory) if cluster else local_workers(workers, memory) as pool:
        waiting = iter(tasks)
        pending: dict[Future[Result], Task] = {}
        finished: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()

        def submit(most: int) -> None:
            with stop_signals_blocked():
                for task in itertools.islice(waiting, most):
                    future = pool.submit(work, task)
                    pending[future] = task
                    future.add_done_callback(finished.put)

        count = 0
        submit(MOST_SUBMITTED)
        while pending:
            future = None
            with suppress(queue.Empty):
                future = finished.get(timeout=POLL_SECONDS)
            count += pool.reported()
            progress(count)
            if future is not None:
                submit(1)
                yield pending.pop(future), future.result()
        progress(count + pool.reported())


@contextmanager
def local_workers(count: int, memory: float = 0.0) -> Iterator[WorkerPool]:
    """Yield a pool of processes of this machine; they start with the first tasks and end with the context."""
    context = multiprocessing.get_context("spawn")
    _start_tracker()
    done: Queue[int] = context.Queue()
    stop = context.Event()
    others = multiprocessing.active_children()
    with _environment(ENVIRONMENT), ProcessPoolExecutor(count, context, _start_worker, (done, stop)) as pool:
        try:
            yield WorkerPool(pool.submit, functools.partial(_drain, done))
        except BrokenProcessPool:
            for worker in multiprocessing.active_children():
                if worker not in others:
                    worker.kill()  # the pool sends TERM, which workers ignore, and waits for them
            raise RenderError(
                "expected every worker process to finish, found one dead, most likely out of memory: run the same "
                f"command again, which keeps what is complete. Each worker needs {needed_memory(memory)}: give fewer "
                "--workers if it happens again."
            ) from None
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _start_tracker() -> None:
    """Start the process that removes semaphores after a kill, so that stop signals do not reach it, and without words.

    Its warning of "leaked semaphores" would only tell that this process was killed.
    """
    given = os.environ.get("PYTHONWARNINGS")
    silent = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = f"{given},{silent}" if given else silent
    try:
        with stop_signals_blocked():
            resource_tracker.ensure_running()
    finally:
        if given is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = given


def _stop_if_asked() -> None:
    if any(stop.is_set() for _, stop in _parent):
        raise Stopped


def _drain(done: Queue[int]) -> int:
    """Return the sum of all numbers in the queue, and empty it."""
    count = 0
    with suppress(queue.Empty):
        while True:
            count += done.get_nowait()
    return count


def _start_worker(done: Queue[int], stop: Event) -> None:
    """In a new worker: leave stop signals to the parent, end when the parent ends, and remember how to reach it."""
    ignore_stop_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_freed_memory()
    done.cancel_join_thread()
    _parent.append((done, stop))


def _end_with_parent() -> None:
    """End this worker as soon as its parent is dead. A killed parent sends no message, but the writing must stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes started meanwhile, except those that the user has set."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
