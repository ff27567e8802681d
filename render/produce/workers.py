"""Worker processes: each owns one OpenGL context and makes whole pieces of work, so that no pixels cross processes.

They are this machine's, or a cluster's (dcign.render.produce.cluster): one function hands out the work to either. Those
of this machine are spawned, never forked (OpenGL, HDF5 and BLAS do not survive a fork), ignore Ctrl-C, and stop between
two batches when the parent says so.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeVar

from dcign.errors import RenderError
from dcign.malloc import keep_freed_memory
from dcign.render.gl import devices
from dcign.render.plan.backdrops import read_backdrops
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.subject import read_subject
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.cluster import dask_workers
from dcign.render.produce.worker_pool import ENVIRONMENT, WorkerPool
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import local_copy

# Batches done so far, as they are done.
Progress = Callable[[int], None]

Task = TypeVar("Task")
Result = TypeVar("Result")

POLL_SECONDS = 0.1
IN_HAND = 5_000  # tasks handed out at once: a cluster's scheduler keeps them all in memory


class Stopped(Exception):
    """Raised inside a worker that was told to stop."""


_open_renderers: dict[
    tuple[Path, str, RenderConfiguration], BatchRenderer
] = {}  # this process's one batch_renderer, once there is one


def open_renderer(model_file: Path, model_sha256: str, configuration: RenderConfiguration) -> BatchRenderer:
    """Return this process's renderer, which stays open until another one is asked for; on its own GPU if there is one.

    model_sha256 is the hash of the expected file: the folder can have been remade since the last task.

    Raises RenderError if the file has another hash.
    """
    wanted = model_file, model_sha256, configuration
    if wanted not in _open_renderers:
        while _open_renderers:  # a cluster's worker lives for many data sets: it keeps the memory of one
            _open_renderers.popitem()[1].close()
        _open_renderers[wanted] = _opened(*wanted)
    return _open_renderers[wanted]


def _opened(model_file: Path, model_sha256: str, configuration: RenderConfiguration) -> BatchRenderer:
    devices.claim_gpu()
    file = local_copy(model_file)
    if file_sha256(file) != model_sha256:
        raise RenderError(
            f"{model_file} is another model here than where the work was given out; wanted one folder that all see, "
            "and that nobody changes meanwhile: run the same command again."
        )
    backdrops, background = None, configuration.background
    if background is not None and background.pictures is not None:
        backdrops = read_backdrops(model_file.parent, background)
    return BatchRenderer(read_subject(file), configuration, backdrops=backdrops)


def batch_done() -> None:
    """Report one more batch to the parent.

    Raises Stopped if the parent wants no more.
    """
    line = _line()
    if line is not None:
        line[0].put(1)
        if line[1].is_set():
            raise Stopped


def run_tasks(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int, progress: Progress, *, cluster: str = ""
) -> Iterator[tuple[Task, Result]]:
    """Do every task in some worker and yield each result as it is done, in no particular order.

    workers: processes of this machine; cluster: the address of a dask scheduler whose workers do it instead, who report
    no batches to `progress`.

    On any exception here or there, KeyboardInterrupt included, what has not begun is not begun, and processes of this
    machine stop at their next batch.

    Raises what a worker raised, and RenderError if one died, or if the cluster cannot be reached.
    """
    with dask_workers(cluster) if cluster else local_workers(workers) as pool:
        yield from _collect(functools.partial(pool.submit, work), tasks, pool.reported, progress)


@contextmanager
def local_workers(count: int) -> Iterator[WorkerPool]:
    """Processes of this machine; they start with the first tasks, and end here."""
    context = multiprocessing.get_context("spawn")
    done: Queue[int] = context.Queue()
    stop = context.Event()
    with _environment(ENVIRONMENT), ProcessPoolExecutor(count, context, _start, (done, stop)) as pool:
        try:
            yield WorkerPool(pool.submit, functools.partial(_drain, done))
        except BrokenProcessPool:
            raise RenderError(
                "a worker process died, most likely for want of memory; what it had finished is kept: run the same "
                "command again, with fewer --workers if it happens again."
            ) from None
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _collect(
    submit: Callable[[Task], Future[Result]], tasks: Iterable[Task], reported: Callable[[], int], progress: Progress
) -> Iterator[tuple[Task, Result]]:
    waiting = iter(tasks)
    pending: dict[Future[Result], Task] = {}
    finished: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()

    def hand_out(most: int) -> None:
        with _interrupt_held_back():
            for task in itertools.islice(waiting, most):
                future = submit(task)
                pending[future] = task
                future.add_done_callback(finished.put)

    count = 0
    hand_out(IN_HAND)
    while pending:
        future = _next(finished)
        count += reported()
        progress(count)
        if future is not None:
            hand_out(1)
            yield pending.pop(future), future.result()
    progress(count + reported())


def _next(finished: queue.SimpleQueue[Future[Result]]) -> Future[Result] | None:
    try:
        return finished.get(timeout=POLL_SECONDS)
    except queue.Empty:
        return None


def _drain(done: Queue[int]) -> int:
    count = 0
    while True:
        try:
            count += done.get_nowait()
        except queue.Empty:
            return count


_lines: list[tuple[Queue[int], Event]] = []  # set once in a worker, before its first task


def _line() -> tuple[Queue[int], Event] | None:
    return _lines[0] if _lines else None


def _start(done: Queue[int], stop: Event) -> None:
    """In a worker, first: leave Ctrl-C to the parent, end when it ends, and remember how to reach it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_freed_memory()
    done.cancel_join_thread()
    _lines.append((done, stop))


def _end_with_parent() -> None:
    """A parent that is killed says nothing; its worker must not go on writing into the folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C, not even before their first line: they inherit what is blocked here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes started meanwhile; what the user has set stays."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
