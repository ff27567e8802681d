"""Workers of a cluster: dask.distributed's, who do the same tasks as processes of this machine would.

The scheduler gives the task of a worker that died to another one. A worker draws one shard at a time, in one thread, to
which its OpenGL context belongs: a worker a core, or a GPU, with one thread each, is what suits.
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

from dcign.errors import DataError, RenderError
from dcign.malloc import keep_freed_memory
from dcign.render.produce.worker_pool import ENVIRONMENT, WorkerPool

Task = TypeVar("Task")
Result = TypeVar("Result")

CONNECT_SECONDS = 15
LOOK_SECONDS = 3
KEPT = "whole shards are kept: run the same command again"


class ClusterWarning(UserWarning):
    """The cluster is not as it should be, and the work goes on all the same."""


@contextmanager
def dask_workers(address: str) -> Iterator[WorkerPool]:
    """The workers of a running scheduler, tcp://HOST:PORT, present and future ones.

    Warns with ClusterWarning while there are none, and of those with several threads.

    Raises RenderError if there is no scheduler, it is lost, its workers keep dying or they have another dcign.
    """
    client = _connected(address)
    try:
        crowded = sum(threads > 1 for threads in client.nthreads().values())
        if crowded:
            _warn(
                f"{crowded} of the workers of {address} have several threads and draw with one: start a worker a core, "
                "`dask worker ADDRESS --nworkers CORES --nthreads 1`."
            )
        executor = client.get_executor(pure=False)
        yield WorkerPool(functools.partial(executor.submit, _done_there, _version()), _Watch(client, address))
    except CancelledError:
        raise RenderError(f"the scheduler at {address} was lost; {KEPT} when it is there again.") from None
    except ImportError as error:
        raise RenderError(
            f"a worker of {address} lacks dcign or a package that it needs ({error}); wanted this version of dcign on "
            "every worker: install it there."
        ) from None
    except _killed() as error:
        raise RenderError(
            f"workers of {address} died, one after another, at one shard ({_first_line(error)}), most likely for want "
            f"of memory; {KEPT}, with fewer workers a machine."
        ) from None
    finally:
        client.close()  # what has not begun is not begun; what has is finished, whole, and stays


def check_scheduler(address: str) -> None:
    """Raise RenderError if no scheduler answers there: before a folder is begun for its workers."""
    _connected(address).close()


def _connected(address: str) -> Any:  # distributed has no types
    try:
        import distributed
    except ImportError:
        raise RenderError(
            "--cluster needs dask.distributed, which is not here: `pip install 'dcign[cluster]'`."
        ) from None
    for name in ("distributed", "tornado"):  # what they say in pages, is said here in a sentence
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except Exception as error:  # an address can be wrong in many ways, each with an error of its own
        said = _first_line(error)
    # What is left of the client closes itself when it is collected, and if that is while another one starts, both wait
    # for ever: it is collected now.
    gc.collect()
    raise RenderError(
        f"no dask scheduler answers at {address!r} ({said}); wanted tcp://HOST:PORT of one that runs: start it with "
        "`dask scheduler`, whose first lines give the address."
    )


class _Watch:
    """Asked at every turn, asks every few seconds: warns when there are no workers, and again after there were some."""

    def __init__(self, client: Any, address: str) -> None:  # distributed has no types
        self._client, self._address, self._told = client, address, False
        self._next_look = 0.0  # of time.monotonic

    def __call__(self) -> int:
        """No batches: workers of a cluster report whole shards."""
        if time.monotonic() < self._next_look:  # the answer is about every worker there is
            return 0
        self._next_look = time.monotonic() + LOOK_SECONDS
        alone = not self._client.scheduler_info().get("workers")
        if alone and not self._told:
            _warn(f"{self._address} has no workers: waiting for some; start them with `dask worker {self._address}`.")
        self._told = alone
        return 0


def _done_there(version: str, work: Callable[[Task], Result], task: Task) -> Result:
    """In a worker of the cluster: do a task, in the one thread that draws.

    Raises RenderError and DataError with the machine's name in front.
    """
    if version != _version():
        raise RenderError(
            f"a worker on {socket.gethostname()} has dcign {_version()} where {version} asked; wanted one version: "
            "install the same on every machine."
        )
    try:
        with _STARTING:
            thread = _drawing_thread()
        return thread.submit(work, task).result()
    except (RenderError, DataError) as error:
        raise type(error)(f"on {socket.gethostname()}: {error}") from None


_STARTING = threading.Lock()  # a worker of several threads begins with several tasks at once


@functools.cache
def _drawing_thread() -> ThreadPoolExecutor:
    """The thread that OpenGL contexts of this process belong to; BLAS has one too, for with two it rounds otherwise."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    threadpool_limits(1)
    keep_freed_memory()
    return ThreadPoolExecutor(1, "drawing")


def _version() -> str:
    return metadata.version("dcign")


def _killed() -> type[Exception]:
    from distributed import KilledWorker

    killed: type[Exception] = KilledWorker
    return killed


def _warn(sentence: str) -> None:
    warnings.warn(sentence, ClusterWarning, stacklevel=2)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
