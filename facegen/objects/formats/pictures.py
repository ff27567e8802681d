"""Find and read the pictures that a mesh file names, as other people's programs wrote the names.

Names come with the separators of Windows, with percent escapes, in another letter case, or with the folders of the
machine that wrote them. ShapeNetCore keeps pictures in ../images.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
import warnings
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from PIL import Image

from dcign.arrays import UInt8
from dcign.printable import printable

TEXELS = 256  # of the longer side of a texture after averaging: finer detail would alias between vertices
# Where a picture is looked for that is not where its name says, relative to the mesh file.
FOLDERS = ("", "images", "textures", "texture", "../images", "../textures", "../texture")
MOST_PIXELS = 2**27  # of a picture: 16,384 x 8,192. Larger ones are bombs or need too much memory


class Pictures:
    """The pictures of one mesh file. Each is read once; `missing` names those that cannot be.

    unread: the file's colours that are not read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[str, Path | None], UInt8 | None] = {}
        self.missing: list[str] = []
        self.unread: list[str] = []

    def named(self, name: str, near: Path | None = None) -> UInt8 | None:
        """Return the picture (H, W, 3) of a name, or None if it is missing or cannot be read.

        near: a folder that comes before that of the mesh.
        """
        key = (name, near)
        if key not in self._read:
            path = (find_file(name, near) if near else None) or find_file(name, self._folder)
            self._read[key] = self.decoded(path.read_bytes(), name) if path else self.lost(name)
        return self._read[key]

    def decoded(self, content: bytes, name: str) -> UInt8 | None:
        """Return the picture (H, W, 3) of a file's content, or None if it cannot be read."""
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
                warnings.simplefilter("ignore")  # about metadata, and sizes that are checked here
                if image.width * image.height > MOST_PIXELS:
                    return self.lost(f"{name} (too large)")
                return _small(image)
        except Exception:  # each decoder of PIL fails in its own way
            return self.lost(f"{name} (cannot be read as a picture)")

    def lost(self, name: str) -> UInt8 | None:
        """Note that a file is missing. Returns None, its picture."""
        _note(name, self.missing)
        return None

    def unread_colour(self, name: str) -> None:
        """Note that a colour is not read."""
        _note(name, self.unread)


def _note(name: str, noted: list[str]) -> None:
    shown = printable(name)[:120]
    if shown not in noted:
        noted.append(shown)


def _small(image: Image.Image) -> UInt8:
    """Return a picture with at most TEXELS texels on its longer side, each the mean of what it covers."""
    if image.mode.startswith("I"):  # 16 bits, of which PIL would keep the wrong eight
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    image = image.convert("RGB")
    image.thumbnail((TEXELS, TEXELS), resample=Image.Resampling.BOX)
    return np.asarray(image)


def find_file(name: str, folder: Path) -> Path | None:
    """Return the file that a mesh file in `folder` means by a name, or None."""
    without_comment = re.split(r"\s#", name, maxsplit=1)[0]
    for candidate in dict.fromkeys((name, unquote(name), without_comment)):
        parts = [part for part in re.split(r"[\\/]+", candidate.strip().strip('"')) if part]
        for path in ([candidate], parts, *([*place.split("/"), *parts[-1:]] for place in FOLDERS)):
            found = _match(folder, [part for part in path if part not in ("", ".")])
            if found is not None:
                return found
    return None


def _match(folder: Path, parts: list[str]) -> Path | None:
    """Return the file at a path of parts below `folder`, in any letter case and Unicode form, or None."""
    path = folder
    for part in parts:
        exact = path / part
        try:
            if not os.path.lexists(exact):
                alike = sorted(entry for entry in path.iterdir() if _plain(entry.name) == _plain(part))
                if not alike:
                    return None
                exact = alike[0]
        except (OSError, ValueError):  # no folder, one that cannot be read, or a name that cannot be
            return None
        path = exact
    return path if parts and path.is_file() else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
