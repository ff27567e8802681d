"""Workers of a dask.distributed cluster, which run the same tasks as processes of this machine.

The scheduler gives the task of a worker that died to another one. A worker draws one shard at a time, in the one thread
that owns its OpenGL context: start one worker per core or GPU, with one thread each.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no stubs

from dcign.data.damage import first_line
from dcign.errors import DataError, DcignWarning, RenderError
from dcign.machine import keep_freed_memory
from dcign.render.produce.worker_pool import ENVIRONMENT, WorkerPool, gigabytes, needed_memory

Task = TypeVar("Task")
Result = TypeVar("Result")

CONNECT_SECONDS = 15
LOOK_SECONDS = 3
KILLED_FOR_MEMORY = "worker-restart-memory"  # the topic of dask's events
PAUSED_FROM = 0.8  # of its limit: from there on dask gives a worker no further task
AGAIN = "run the same command again, which keeps complete shards"


class ClusterWarning(DcignWarning):
    """The cluster lacks something, but the work goes on."""


@contextmanager
def dask_workers(address: str, memory: float = 0.0) -> Iterator[WorkerPool]:
    """The present and future workers of a running scheduler, tcp://HOST:PORT.

    memory: bytes that a worker needs for a task, for the error of workers that were killed for it.

    Warns with ClusterWarning while there are no workers, and about workers with several threads.

    Raises RenderError if there is no scheduler, if it is lost, or if its workers keep dying or have another dcign.
    """
    client = _connect(address)
    from distributed import KilledWorker

    try:
        threaded = sum(threads > 1 for threads in client.nthreads().values())
        if threaded:
            _warn(
                f"{threaded} of the workers of {address} have several threads and draw with one: start one worker per "
                "core, `dask worker ADDRESS --nworkers CORES --nthreads 1`."
            )
        executor = client.get_executor(pure=False)
        yield WorkerPool(functools.partial(executor.submit, _run_there, _version()), _Watch(client, address))
    except CancelledError:
        raise RenderError(
            f"expected the scheduler at {address} to stay, found the connection lost: when it is back, {AGAIN}."
        ) from None
    except ImportError as error:
        raise RenderError(
            f"expected this version of dcign on every worker of {address}, found one without it or without a package "
            f"it needs ({error}): install it there."
        ) from None
    except KilledWorker as error:
        raise _killed_workers(client, address, error, memory) from None
    finally:
        client.close()  # tasks that have not started never start; those that have complete their shards


def _killed_workers(client: Any, address: str, error: Any, memory: float) -> RenderError:  # distributed has no types
    """Return the error of workers that died at one task. Dask records which it killed for their memory."""
    events = client.get_events(KILLED_FOR_MEMORY)
    largest = max((event["rss"] for _, event in events), default=0)
    if not largest:
        return RenderError(
            f"expected workers of {address} to finish a shard, found several dead at the same one "
            f"({first_line(error)}), most likely out of memory: give each worker {needed_memory(memory)}, and {AGAIN}."
        )
    limit = error.last_worker.memory_limit
    return RenderError(
        f"expected workers of {address} with memory for a shard, found several killed at the same one because they "
        f"exceeded their limit of {gigabytes(limit)}: start workers with --memory-limit "
        f"{gigabytes(max(memory, largest) / PAUSED_FROM).replace(' ', '')}, and {AGAIN}."
    )


def check_scheduler(address: str) -> None:
    """Raise RenderError if no scheduler answers there. Called before a folder is begun for its workers."""
    _connect(address).close()


def _connect(address: str) -> Any:  # distributed has no types
    try:
        import distributed
    except ImportError:
        raise RenderError(
            "expected dask.distributed for --cluster, found it not installed: `pip install 'dcign[cluster]'`."
        ) from None
    for name in ("distributed", "tornado", "asyncio"):  # they log pages about what a RenderError says in a sentence
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except Exception as error:  # a wrong address raises many kinds of errors
        reason = first_line(error)
    # The failed client closes itself when it is garbage-collected. If another client starts at that moment, both wait
    # for ever, so collect it now.
    gc.collect()
    raise RenderError(
        f"expected a running dask scheduler, tcp://HOST:PORT, found no answer at {address!r} ({reason}): start one "
        "with `dask scheduler`, whose first lines give the address."
    )


class _Watch:
    """Warns when the cluster has no workers, and again after it had some. Asks at most every few seconds.

    Returns 0 batches: workers of a cluster report complete shards only.
    """

    def __init__(self, client: Any, address: str) -> None:  # distributed has no types
        self._client, self._address, self._warned = client, address, False
        self._next_look = 0.0  # of time.monotonic

    def __call__(self) -> int:
        if time.monotonic() < self._next_look:  # the scheduler's answer lists every worker
            return 0
        self._next_look = time.monotonic() + LOOK_SECONDS
        alone = not self._client.scheduler_info().get("workers")
        if alone and not self._warned:
            _warn(f"{self._address} has no workers: waiting for some; start them with `dask worker {self._address}`.")
        self._warned = alone
        return 0


def _run_there(version: str, work: Callable[[Task], Result], task: Task) -> Result:
    """In a worker of the cluster: run a task in the one thread that draws.

    Raises RenderError and DataError with the machine's name in front.
    """
    host = socket.gethostname()
    if version != _version():
        raise RenderError(
            f"expected dcign {version} on every worker, found {_version()} on {host}: install the same version "
            "everywhere."
        )
    try:
        with _STARTING:
            thread = _drawing_thread()
        return thread.submit(work, task).result()
    except (RenderError, DataError) as error:
        raise type(error)(f"on {host}: {error}") from None


_STARTING = threading.Lock()  # a worker with several threads starts several tasks at once


@functools.cache
def _drawing_thread() -> ThreadPoolExecutor:
    """The thread that owns this process's OpenGL contexts. BLAS gets one thread too: with two it rounds differently."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    threadpool_limits(1)
    keep_freed_memory()
    return ThreadPoolExecutor(1, "drawing")


def _version() -> str:
    return metadata.version("dcign")


def _warn(sentence: str) -> None:
    warnings.warn(sentence, ClusterWarning, stacklevel=2)
