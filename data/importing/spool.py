"""Images of a source in a temporary file, decoded and scaled once, from which batches are read in any order.

Sources are read from front to back, because archives and compressed chunks cannot be read otherwise; a batch takes
images from everywhere. The file has no name, so that nothing is left when the process ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from dcign.arrays import Int64, UInt8
from dcign.data.sources.pictures import resized, with_channels
from dcign.data.sources.source import Source
from dcign.errors import DataError
from dcign.storage.atomic import write_errors

Progress = Callable[[int, int], None]  # images so far, images to do


class Spool:
    """Images (n, S, S, C) of some rows of a source."""

    def __init__(self, file: int, rows: Int64, shape: tuple[int, int, int]) -> None:
        """file: descriptor of a file that has the images of these rows (ascending), one after another."""
        self._file, self._rows, self._shape = file, rows, shape

    def images(self, rows: Int64) -> UInt8:
        """Return the images of these rows, in this order."""
        size = prod(self._shape)
        found = np.empty((len(rows), size), np.uint8)
        for place, where in enumerate(np.searchsorted(self._rows, rows).tolist()):
            found[place] = np.frombuffer(os.pread(self._file, size, where * size), np.uint8)
        return found.reshape(-1, *self._shape)


@contextmanager
def spooled(
    source: Source, rows: Int64, shape: tuple[int, int, int], folder: Path, progress: Progress
) -> Iterator[Spool]:
    """Decode, cut, scale and recolour the images of these rows (ascending) into a temporary file in a folder.

    shape (S, S, C): what the images become. Raises DataError if an image is damaged or the disk is full.
    """
    needed, free = len(rows) * prod(shape), shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"expected {needed / 1e9:.1f} GB of free disk in {folder} for images that wait to be written, found "
            f"{free / 1e9:.1f} GB: free some, or choose a smaller --size."
        )
    with _nameless_file(folder) as file:
        done = 0
        for block in source.images(rows):
            fitted = np.stack([resized(image, shape[0]) for image in block])
            with write_errors(folder):
                file.write(with_channels(fitted, shape[2]).tobytes())
            done += len(block)
            progress(done, len(rows))
        with write_errors(folder):
            file.flush()
        if done != len(rows):
            raise DataError(f"{source.path} gave {done:,} images; expected {len(rows):,}: check the source.")
        yield Spool(file.fileno(), rows, shape)


def _nameless_file(folder: Path) -> IO[bytes]:
    with write_errors(folder):
        return tempfile.TemporaryFile(dir=folder)
