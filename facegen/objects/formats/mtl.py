"""Read the materials of OBJ files (MTL): the diffuse colour, and the diffuse texture with its options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dcign.arrays import Float64
from dcign.facegen.objects.formats.text import utf8

# How many values the options of a texture take at most; those of three may be fewer.
OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2,
    "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1, "-colorspace": 1,
}  # fmt: skip
DIFFUSE = ("map_kd", "map_ka")  # the first that a material has; some programs write only the ambient one


@dataclass(frozen=True)
class Material:
    """colour: sRGB 0..1, or None; picture: the name of its texture, or None; folder: where the material's file is.

    The texture is at uv * scale + offset; clamp: whether its edge continues outside.
    """

    colour: tuple[float, float, float] | None = None
    picture: str | None = None
    folder: Path | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False

    def moved(self, uv: Float64) -> Float64:
        """Return where coordinates uv (..., 2) are in the texture."""
        return np.asarray(uv * self.scale + self.offset)


def read_materials(path: Path) -> dict[str, Material]:
    """Read the materials of a file by name. A name that occurs twice is the first of the two."""
    materials: dict[str, Material] = {}
    name, maps = "", {}  # type: str, dict[str, Material]
    known = False
    for line in utf8(path.read_bytes()).decode("utf-8", "surrogateescape").splitlines():
        word, _, rest = line.strip().partition(" ") if " " in line.strip() else line.strip().partition("\t")
        word, rest = word.lower(), rest.strip()
        if word == "newmtl":
            name, known, maps = rest, rest in materials, {}
            materials.setdefault(name, Material())
        elif known or name not in materials:
            continue
        elif word == "kd":
            materials[name] = replace(materials[name], colour=_colour(rest))
        elif word in DIFFUSE and rest:
            maps[word] = _texture(rest)
            chosen = maps[next(each for each in DIFFUSE if each in maps)]
            materials[name] = replace(chosen, colour=materials[name].colour, folder=path.parent)
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
    """Read "[options] name": the name may contain spaces, the options come before it."""
    words = text.split(" ")
    found = Material()
    while words and words[0].lower() in OPTIONS:
        option = words.pop(0).lower()
        values: list[str] = []
        while words and len(values) < OPTIONS[option] and (OPTIONS[option] != 3 or _is_number(words[0])):
            values.append(words.pop(0))
        if option == "-s" and values:
            found = replace(found, scale=_pair(values, 1.0))
        elif option == "-o" and values:
            found = replace(found, offset=_pair(values, 0.0))
        elif option == "-clamp":
            found = replace(found, clamp=values == ["on"])
    return replace(found, picture=" ".join(words).strip())


def _pair(values: list[str], otherwise: float) -> tuple[float, float]:
    return float(values[0]), float(values[1]) if len(values) > 1 else otherwise


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False
