"""What local and cluster workers share: the interface to submit tasks, and the environment of a worker process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# One thread per worker and one worker per core: 20 small pictures do not split well over threads. With 0 llvmpipe
# threads the drawing thread rasterises itself, which saves handing the work over.
ENVIRONMENT = {
    "LP_NUM_THREADS": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def gigabytes(count: float) -> str:
    """Return the text of a number of bytes."""
    return f"{count / 1e9:.1f} GB"


def needed_memory(count: float) -> str:
    """Return how an error names the memory that a worker needs, of so many bytes; 0 if that is not known."""
    return f"at least {gigabytes(count)}" if count else "more memory"


@dataclass(frozen=True)
class WorkerPool:
    """Running workers.

    submit(work, task) schedules one task; reported() returns the number of batches reported since the previous call.
    """

    submit: Callable[[Callable[[Any], Any], Any], Future[Any]]  # Any: one pool runs tasks of any kind
    reported: Callable[[], int]
