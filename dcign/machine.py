"""This machine: its cores, and the memory that its C library keeps."""

from __future__ import annotations

import os

# Parameters of glibc's mallopt (malloc.h): how much free heap is kept, and from what size on memory is mapped instead.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT_BYTES, LARGEST_ON_HEAP = 2**31 - 1, 2**25


def keep_freed_memory() -> bool:
    """Keep freed memory in the process, where the C library supports that. Returns whether it does.

    By default glibc returns it to the system and gets it back one page fault at a time. That takes a tenth of the time
    of a small training step, a sixth of rendering, and a quarter of rendering in dask's workers, which dask sets to
    return all memory they can.
    """
    import ctypes  # not for every command's help

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES) and mallopt(MMAP_THRESHOLD, LARGEST_ON_HEAP))


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
