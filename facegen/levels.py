"""Levels of detail: coarser triangulations of some of the template's vertices: one identity space for all."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from facegen.mesh import MIDLINE, Int, Template, mirrored, off_midline
from facegen.model import Level
from facegen.spacing import vertex_spacing

# (how much further apart the vertices are, of each feature row keep every n-th vertex)
COARSER = ((1.63, 2), (2.6, 3))


def coarser_level(template: Template, stretch: float, every: int, landmarks: dict[str, int], seed: int = 0) -> Level:
    """Vertices `stretch` times as far apart, every n-th of the feature rows, and the landmarks."""
    half = np.flatnonzero(template.directions[:, 0] > -1e-9)
    kept = half[_thinned(template, half, stretch, every, landmarks, np.random.default_rng(seed))]
    middle = kept[template.row[kept] == MIDLINE]
    left = off_midline(template.directions, middle, kept[template.row[kept] != MIDLINE])
    coarse = mirrored(template.vertices, template.directions, template.row, template.place, middle, left)
    vertices = np.concatenate([middle, left, template.mirror[left]])
    return Level(vertices.astype(np.int32), coarse.triangles.astype(np.int32), coarse.mirror.astype(np.int32))


def _thinned(
    template: Template,
    half: Int,
    stretch: float,
    every: int,
    landmarks: dict[str, int],
    rng: np.random.Generator,
) -> Int:
    """Which of the half's vertices stay: landmarks, the midline thinned, the rows thinned, blue noise."""
    vertices, row, place = template.vertices[half], template.row[half], template.place[half]
    spacing = stretch * vertex_spacing(vertices)
    # The midline must stay a chain of edges (see triangulation.py): dense, and nothing else close to it.
    clear = vertices[:, 0] > 0.45 * spacing
    fixed = np.isin(half, list(landmarks.values())) | ((row >= 0) & (place % every == 0) & clear)
    midline, free = row == MIDLINE, row != MIDLINE
    reach = spacing * np.select([midline, fixed], [0.7, 0.5], 0.8)
    alive = fixed | midline | (free & (row < 0) & clear)
    tree = cKDTree(vertices)
    order = [np.flatnonzero(fixed & midline), np.flatnonzero(midline & ~fixed), np.flatnonzero(fixed & free)]
    kept = []
    for index in np.concatenate([*order, rng.permutation(np.flatnonzero(free & ~fixed))]):
        if not alive[index]:
            continue
        kept.append(index)
        close = np.array(tree.query_ball_point(vertices[index], reach[index]))
        removable = ~fixed[close] & (midline[close] if midline[index] else free[close]) | (free[close] & ~fixed[close])
        alive[close[removable]] = False
        alive[index] = False
    return np.array(kept)
