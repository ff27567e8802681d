"""Where models that take long to make are kept, and how a file gets there whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from facegen.model import ModelError

CACHE_VARIABLE = "DCIGN_CACHE"  # the one environment variable read here: a folder to cache in


def cache_folder() -> Path:
    """The folder; it may not be there yet."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("dcign"))


def write_cached(path: Path, content: bytes) -> None:
    """Write aside, then rename: two processes may build at once, and neither sees half a file.

    Raises ModelError if the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".building-") as folder:
            aside = Path(folder) / path.name
            aside.write_bytes(content)
            aside.replace(path)
    except OSError as error:
        raise ModelError(
            f"The face model cannot be cached in {path.parent} ({error.strerror}): set {CACHE_VARIABLE} to a "
            "folder that can be written."
        ) from None
