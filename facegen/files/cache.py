"""The cache of models that take long to make: its folder, its keys and how files are written to it."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

import platformdirs

from dcign.errors import DataError, ModelError
from dcign.storage.atomic import write_atomic

CACHE_VARIABLE = "DCIGN_CACHE"  # an environment variable: the folder to cache in
PACKAGE = Path(__file__).resolve().parents[1]


def cache_folder() -> Path:
    """Return the folder of the cache, which may not exist yet."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("dcign"))


@functools.cache
def code_key(package: Path = PACKAGE) -> str:
    """Hash every Python file of this package, in all its folders: 16 hexadecimal digits.

    The key is part of a cached model's name, so that any change of code that could change a model makes a new file. It
    covers the whole package rather than a list of files, because a list misses files that move or are added.
    """
    code = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        code.update(source.relative_to(package).as_posix().encode() + b"\0" + source.read_bytes())
    return code.hexdigest()[:16]


def write_cached(path: Path, content: bytes) -> None:
    """Write a file atomically. Two processes may build the same model at once.

    Raises ModelError if the folder cannot be written.
    """
    try:
        write_atomic(path, content)
    except DataError as error:
        reason = str(error).removesuffix(".")
        raise ModelError(f"{reason}, or set {CACHE_VARIABLE} to another folder for cached models.") from None
