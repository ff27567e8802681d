"""Where models that take long to make are cached, under which key, and how a file gets there whole."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from dcign.errors import ModelError

CACHE_VARIABLE = "DCIGN_CACHE"  # the one environment variable read here: a folder to cache in
PACKAGE = Path(__file__).resolve().parents[1]


def cache_folder() -> Path:
    """The folder; it may not be there yet."""
    return Path(os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("dcign"))


@functools.cache
def code_key(package: Path = PACKAGE) -> str:
    """Hash every Python file of this package, in all its folders: 16 hexadecimal digits.

    A cached model is named by this key, so that a change of any code that could shape a model makes a new file. The
    key covers the whole package rather than a list of files, because a list misses files that move or are added.
    """
    code = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        code.update(source.relative_to(package).as_posix().encode() + b"\0" + source.read_bytes())
    return code.hexdigest()[:16]


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
