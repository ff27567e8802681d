"""Data sets drawn in the process of a test: the same bytes, without the start of a worker process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from dcign.render.produce import workers
from dcign.render.produce.worker_pool import WorkerPool


@contextmanager
def in_this_process() -> Iterator[None]:
    """Let `render_dataset` draw here: a worker would import everything and open a GL context anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "local_workers", _this_process)
        yield


@contextmanager
def _this_process(count: int, memory: float = 0.0) -> Iterator[WorkerPool]:
    try:
        with threadpool_limits(limits=1):  # as in a worker: more threads would round sums differently
            yield WorkerPool(_done_at_once, lambda: 0)
    finally:
        while workers._open_renderers:
            workers._open_renderers.popitem()[1].close()


def _done_at_once(work: Callable[[Any], Any], task: Any) -> Future[Any]:  # Any: as in WorkerPool
    future: Future[Any] = Future()
    try:
        future.set_result(work(task))
    except Exception as error:
        future.set_exception(error)
    return future
