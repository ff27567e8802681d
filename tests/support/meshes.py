"""What tests of mesh files ask of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dcign.facegen.objects.reading import read_mesh, soup_of
from dcign.facegen.objects.soup import Soup


def soup_in(path: Path, most: int = 5000) -> Soup:
    """Read a file as one triangle soup."""
    return soup_of(read_mesh(path), most)


def area_of(path: Path) -> float:
    """Return the area of all triangles of a file."""
    soup = soup_in(path)
    a, b, c = np.moveaxis(soup.points[soup.triangles], 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2


def colours_in(path: Path) -> list[tuple[int, ...]]:
    """Return the different colours of a file, in order."""
    found = np.unique(soup_in(path).colours.reshape(-1, 3), axis=0)
    return [tuple(colour) for colour in found.tolist()]
