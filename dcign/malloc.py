"""What the C library does with memory that is free again."""

from __future__ import annotations

import ctypes

# Of glibc's mallopt, see malloc.h: what of the heap is kept when it is free, and from what size on memory is no heap's.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
KEPT, LARGEST_OF_HEAP = 2**31 - 1, 2**25


def keep_freed_memory() -> bool:
    """Keep what one step frees for the next, where the C library can be told so; returns whether it was.

    By itself glibc gives it back, and takes it again one page fault at a time: a tenth of a small training step's time,
    a sixth of drawing's, and a quarter of it in dask's workers, whom dask tells to give back all they can.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    return bool(tell(TRIM_THRESHOLD, KEPT) and tell(MMAP_THRESHOLD, LARGEST_OF_HEAP))
