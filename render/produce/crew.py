"""What every kind of worker offers: a way to hand out tasks, and the environment in which a worker draws."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# One thread a worker, workers = cores: 20 small pictures do not share a core's work well. Rasterising in the
# drawing thread itself (0 of llvmpipe's own) saves the hand-over.
ENVIRONMENT = {
    "LP_NUM_THREADS": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Crew:
    """Workers that were hired.

    submit(work, task) hands out a task; reported() is the number of batches reported since it was asked last.
    """

    submit: Callable[[Callable[[Any], Any], Any], Future[Any]]  # Any: one crew does tasks of any kind
    reported: Callable[[], int]
