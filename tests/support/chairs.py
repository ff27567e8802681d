"""Procedural chairs: seats, backs, legs and arms of many proportions, as mesh files of several formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from PIL import Image

KINDS = ("obj", "ply", "glb")


def write_chairs(folder: Path, count: int) -> Path:
    """Write `count` different chairs to a new folder: solids, thin sheets and textured ones; gray and coloured."""
    folder.mkdir(parents=True)
    for number in range(count):
        chair(number).export(folder / f"chair-{number:02d}.{KINDS[number % len(KINDS)]}")
    return folder


def chair(number: int) -> Any:  # trimesh.Trimesh
    """Make chair `number`, +y up, back at -z. Seat and back of every third are single sheets, wound at random."""
    rng = np.random.default_rng(number)
    width, depth, seat, back = rng.uniform((0.4, 0.4, 0.35, 0.3), (0.7, 0.6, 0.55, 0.8))
    leg, slab = rng.uniform((0.02, 0.03), (0.06, 0.09))
    parts = [_box((leg, seat, leg), (x * (width - leg) / 2, seat / 2, z * (depth - leg) / 2))
             for x in (-1, 1) for z in (-1, 1)]  # fmt: skip
    if number % 3 == 1:
        parts += [_sheet(width, depth, seat, back, rng)]
    else:
        parts += [_box((width, slab, depth), (0, seat, 0))]
        parts += [_box((width, back, slab), (0, seat + back / 2, -depth / 2))]
    if number % 4 == 0:
        parts += [_box((leg, leg, depth), (x * width / 2, seat + 0.25, 0)) for x in (-1, 1)]
    mesh = trimesh.util.concatenate(parts)
    if number % 6 == 5:
        across = np.array([[170, 110, 60], [120, 70, 30]], np.uint8)
        stripes = np.repeat(np.tile(across, (4, 1))[None], 8, axis=0)
        mesh.visual = trimesh.visual.TextureVisuals(uv=2 * mesh.vertices[:, :2], image=Image.fromarray(stripes))
    elif number % 2:
        mesh.visual.vertex_colors = [*rng.integers(60, 250, 3), 255]
    return mesh


def _box(extents: tuple[float, ...], at: tuple[float, ...]) -> Any:
    return trimesh.creation.box(extents, trimesh.transformations.translation_matrix(at))


def _sheet(width: float, depth: float, seat: float, back: float, rng: np.random.Generator) -> Any:
    """Make seat and back from one bent sheet without thickness, its triangles wound at random."""
    angle = np.linspace(0, np.pi / 2, 9)
    bend = 0.15 * np.stack([1 - np.sin(angle), 1 - np.cos(angle)], axis=1)  # up and along, from the back to the seat
    profile = np.concatenate([[(back, 0)], bend, [(0, depth)]])
    points = [(x * width / 2, seat + up, along - depth / 2) for x in (-1, 1) for up, along in profile]
    n = len(profile)
    triangles = [t for i in range(n - 1) for t in ((i, i + 1, n + i), (i + 1, n + i + 1, n + i))]
    wound = [t[::-1] if rng.random() < 0.5 else t for t in triangles]
    return trimesh.Trimesh(np.array(points), np.array(wound), process=False)
