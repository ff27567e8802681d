"""The regions of the template, soft masks (V,), 0..1, which colour, hair and shape share; and its part labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Float64, UInt8
from dcign.facegen.normals import VertexNormals
from dcign.facegen.primitives import bump, ramp, step
from dcign.facegen.sculpture import eyes
from dcign.facegen.sculpture.features import near
from dcign.facegen.sculpture.hairline import BROW_HALF_HEIGHT, BROW_LINE, inside_hairline
from dcign.facegen.sculpture.head import bare_head_distance, head_distance
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.sculpture.mouth import LOWER_VERMILION, UPPER_VERMILION
from dcign.facegen.sculpture.nose import NOSTRIL
from dcign.facegen.template.mesh import Template

PART_NAMES = ("skin", "neck", "hair", "ear", "brow", "lip", "nostril", "sclera", "iris")


@dataclass(frozen=True, eq=False)
class Regions:
    """Soft masks (V,) of the template, and some coordinates for patterns.

    half: (V, 3) the vertices with |x| in place of x
    normals: (V, 3)
    iris_radius, iris_angle: (V,) mm and radians around the centre of the pupil
    inside_hair: (V,) mm inside the hairline
    openness: (V,) ambient occlusion, 1 in the open and 0 in deep folds
    """

    half: Float64
    normals: Float64
    eye: Float64
    iris_radius: Float64
    iris_angle: Float64
    caruncle: Float64
    upper_lashes: Float64
    lower_lashes: Float64
    brow: Float64
    lip: Float64
    nostril: Float64
    on_ear: Float64
    ear: Float64
    inside_hair: Float64
    openness: Float64


def find_regions(template: Template) -> Regions:
    """Return the regions of the template."""
    vertices = template.vertices
    normals = VertexNormals(template.triangles.astype(np.int32), len(vertices))(vertices[None].astype(np.float32))[0]
    on_ear = step(bare_head_distance(vertices) - 1.2, 0.35)
    return regions_at(vertices, normals.astype(np.float64), on_ear, _openness(vertices, normals))


def regions_at(points: Float64, normals: Float64, on_ear: Float64, openness: Float64) -> Regions:
    """Return the regions at points (S, 3) of the template's surface, such as its vertices or texels.

    normals (S, 3), on_ear (S,) and openness (S,) vary slowly, so that they may be interpolated between vertices.
    """
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    eye = _eye(half)
    x, y, z = half.T
    centre = LANDMARKS["eyeball"]
    dx, dy = x - centre[0], y - centre[1] - eyes.IRIS_RAISED
    upper, lower = _lashes(half, eye)
    return Regions(
        half=half,
        normals=normals,
        eye=eye,
        iris_radius=np.hypot(dx, dy),
        iris_angle=np.arctan2(dy, dx),
        caruncle=bump(half, near("endocanthion", 1.5, 0.5, -1).position(LANDMARKS), (1.8, 1.6, 5)),
        upper_lashes=upper,
        lower_lashes=lower,
        brow=_brow(half),
        lip=_lip(half),
        nostril=_nostril(half),
        on_ear=on_ear,
        ear=on_ear * bump(half, (82, -14, -10), (45, 60, 60)),
        inside_hair=inside_hairline(np.degrees(np.arctan2(x, z)), y),
        openness=openness,
    )


def part_labels(vertices: Float64, regions: Regions) -> UInt8:
    """Return the index into PART_NAMES of each vertex (V,); where parts overlap, the last one below counts.

    Hair is a separate surface, so that no vertex of the template belongs to it.
    """
    inside = {
        "neck": 1 - head_weight(vertices),
        "ear": regions.ear,
        "brow": regions.brow,
        "lip": regions.lip,
        "nostril": regions.nostril,
        "sclera": regions.eye,
        "iris": regions.eye * (regions.iris_radius < eyes.IRIS_RADIUS),
    }
    labels = np.zeros(len(vertices), np.uint8)
    for name, weight in inside.items():
        labels[weight > 0.5] = PART_NAMES.index(name)
    return labels


def head_weight(vertices: Float64) -> Float64:
    """Return weights (V,), 1 on the head and fading to 0 down the neck: how much a vertex counts in the head's size."""
    return 1 - ramp(-vertices[:, 1] - 0.35 * vertices[:, 2], 70, 110)


def _eye(half: Float64) -> Float64:
    x, y, z = half.T
    near_ball = np.linalg.norm(half - LANDMARKS["eyeball"], axis=1) < eyes.EYEBALL_RADIUS + 1.3
    return np.asarray(step(eyes.aperture(x, y) + 0.05, 0.12) * near_ball * (z > 66))


def _lashes(half: Float64, eye: Float64) -> tuple[Float64, Float64]:
    x, y, z = half.T
    close = (z > 60) & (np.abs(x - 31) < 17) & (np.abs(y) < 12)
    above, below = y - eyes.UPPER_MARGIN(x), eyes.LOWER_MARGIN(x) - y
    upper = np.exp(-(((above - 0.3) / 0.9) ** 2)) * step(x - 17.5, 0.7)
    lower = np.exp(-(((below - 0.4) / 0.8) ** 2)) * step(x - 21, 1.0)
    close = close * step(eyes.CORNERS[1] + 0.8 - x, 0.4)
    return upper * close * (1 - eye), lower * close * (1 - eye)


def _brow(half: Float64) -> Float64:
    x, y, z = half.T
    inside = BROW_HALF_HEIGHT(x) - np.abs(y - BROW_LINE(x))
    return step(inside, 0.7) * step(z - 46, 3) * step(x - 8, 1.4) * step(54.5 - x, 1.2)


def _lip(half: Float64) -> Float64:
    x, y, z = half.T
    inside = np.minimum(UPPER_VERMILION(x) - y, y - LOWER_VERMILION(x))
    return np.asarray(step(inside, 0.45) * (x < 27) * step(z - 76, 1))


def _nostril(half: Float64) -> Float64:
    return step(0.9 - np.abs(NOSTRIL.body(half, LANDMARKS)), 0.3) * step(half[:, 1] + 49.5, 0.4)


def _openness(vertices: Float64, normals: Float64) -> Float64:
    """Return ambient occlusion (V,) from the signed distance at points along each normal."""
    shade = np.zeros(len(vertices))
    for reach, weight in ((1.5, 0.9), (3, 0.8), (6, 0.7), (12, 0.45), (22, 0.25)):
        gap = head_distance(vertices + reach * normals)
        shade += weight * np.clip((reach - gap) / reach, 0, 1)
    return np.clip(1 - shade / 2.2, 0, 1)
