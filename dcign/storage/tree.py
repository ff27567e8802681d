"""What a folder of this machine holds at any depth, behind links to folders, too."""

from __future__ import annotations

import os
from pathlib import Path


def entries_below(folder: Path) -> list[Path]:
    """Return everything below a folder that is no folder itself, sorted: files, pipes, links to nothing.

    Links to folders are followed, which `Path.rglob` does not do. Each folder is read once, under its own name if it is
    inside, so that links in a circle end. Raises OSError if a folder cannot be read.
    """
    found: list[Path] = []
    read: set[str] = set()
    starts = [folder]  # and the links to folders, which are followed when all else has been read
    for start in starts:
        for place, folders, others in os.walk(start, onerror=_fail):
            if (real := os.path.realpath(place)) in read:
                folders.clear()
                continue
            read.add(real)
            folders.sort()
            found += [Path(place, name) for name in others]
            starts += [link for name in folders if (link := Path(place, name)).is_symlink()]
    return sorted(found)


def _fail(error: OSError) -> None:
    """Raise what `os.walk` would ignore."""
    raise error
