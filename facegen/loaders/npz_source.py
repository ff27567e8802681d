"""Arrays of an .npz file, whose sizes are read from their headers before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.facegen.loaders.source import Source


class NpzSource(Source):
    """Arrays of an open .npz file."""

    def __init__(self, path: Path, kind: str, archive: zipfile.ZipFile) -> None:
        super().__init__(path, kind)
        self._archive = archive
        self._members = set(archive.namelist())

    def shape(self, key: str) -> tuple[int, ...] | None:
        """The shape in an array's header, None if there is no such array."""
        if f"{key}.npy" not in self._members:
            return None
        with self._archive.open(f"{key}.npy") as stream:
            return _header_shape(stream)

    def raw(self, key: str) -> NDArray[Any]:
        """An array. Raises ValueError for one that holds pickled objects."""
        with self._archive.open(f"{key}.npy") as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)

    def names(self, key: str) -> list[str]:
        """An array of text."""
        if self.shape(key) is None:
            self.numbers(key)  # says that it is missing
        return [str(name) for name in self.raw(key).ravel()]


def _header_shape(stream: Any) -> tuple[int, ...]:  # Any: what zipfile opens
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return tuple(read(stream)[0])
