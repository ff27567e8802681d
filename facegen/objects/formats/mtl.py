"""Read the materials of OBJ files (MTL): the diffuse colour, and the diffuse texture with its options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.objects.formats.text import utf8, without_comment

# How many values the options of a texture take at most; those of three may be fewer.
OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2,
    "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1, "-colorspace": 1,
}  # fmt: skip
BLACK = (0.0, 0.0, 0.0)
DIFFUSE = ("map_kd", "map_ka")  # the first that a material has; some programs write only the ambient one


@dataclass(frozen=True)
class Material:
    """colour: sRGB 0..1, or None; picture: the name of its texture, or None; folder: where the material's file is.

    unread: the words of a colour that is not read, or nothing. The texture is at uv * scale + offset; clamp: whether
    its edge continues outside.
    """

    colour: tuple[float, float, float] | None = None
    picture: str | None = None
    folder: Path | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False
    unread: str = ""

    def moved(self, uv: Float64) -> Float64:
        """Return where coordinates uv (..., 2) are in the texture."""
        return np.asarray(uv * self.scale + self.offset)


def read_materials(path: Path) -> dict[str, Material]:
    """Read the materials of a file by name. A name that occurs twice is the first of the two."""
    materials: dict[str, Material] = {}
    name, maps, emitted = "", {}, {}  # type: str, dict[str, Material], dict[str, tuple[float, float, float] | None]
    known = False
    for line in utf8(path.read_bytes()).decode("utf-8", "surrogateescape").splitlines():
        word, rest = (*without_comment(line).split(None, 1), "", "")[:2]
        word, rest = word.lower(), rest.strip()
        if word == "newmtl":
            name, known, maps = rest, rest in materials, {}
            materials.setdefault(name, Material())
        elif known or name not in materials:
            continue
        elif word == "kd":
            colour = _colour(rest)
            materials[name] = replace(materials[name], colour=colour, unread="" if colour else f"Kd {rest}")
        elif word == "ke":
            emitted[name] = _colour(rest)
        elif word in DIFFUSE and rest:
            maps[word] = _texture(rest)
            chosen = maps[next(each for each in DIFFUSE if each in maps)]
            kept = materials[name]
            materials[name] = replace(chosen, colour=kept.colour, unread=kept.unread, folder=path.parent)
    for name, material in materials.items():
        if material.colour == BLACK and material.picture is None and emitted.get(name):  # lamps and screens
            materials[name] = replace(material, colour=emitted[name])
    return materials


def _colour(text: str) -> tuple[float, float, float] | None:
    """Return a colour "r g b", or "r" for a gray; None for a spectrum, CIE XYZ or what is no colour."""
    try:
        values = [float(word) for word in text.split("#")[0].split()]
    except ValueError:
        return None
    if not values or not np.isfinite(values).all():
        return None
    red, green, blue = values[:3] if len(values) >= 3 else values[:1] * 3
    return (red, green, blue)


def _texture(text: str) -> Material:
    """Read "[options] name [options]": the name may contain spaces."""
    words = list(re.finditer(r"\S+", text))
    found, first = _options(Material(), [word[0] for word in words])
    end = len(text)
    for place in range(first + 1, len(words)):
        behind = [word[0] for word in words[place:]]
        changed, read = _options(found, behind)
        if read == len(behind):
            found, end = changed, words[place].start()
            break
    return replace(found, picture=text[words[first].start() : end].strip() if first < len(words) else "")


def _options(found: Material, words: Sequence[str]) -> tuple[Material, int]:
    """Apply the options that words begin with. Returns how many words they are."""
    place = 0
    while place < len(words) and words[place].lower() in OPTIONS:
        option = words[place].lower()
        most = OPTIONS[option]
        values = list(words[place + 1 : place + 1 + most])
        if most == 3:
            values = values[: next((at for at, word in enumerate(values) if not _is_number(word)), most)]
        place += 1 + len(values)
        if option == "-s" and values:
            found = replace(found, scale=_pair(values, 1.0))
        elif option == "-o" and values:
            found = replace(found, offset=_pair(values, 0.0))
        elif option == "-clamp":
            found = replace(found, clamp=[value.lower() for value in values] == ["on"])
    return found, place


def _pair(values: list[str], otherwise: float) -> tuple[float, float]:
    return float(values[0]), float(values[1]) if len(values) > 1 else otherwise


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
