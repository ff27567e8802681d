"""The smallest sphere around points, and around the mean head of a model: the camera frames the latter."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from dcign.arrays import Float32, Float64
from dcign.facegen.model.morphable import MorphableModel

MOST_OF_A_HULL = 10_000  # points of which we make a convex hull
DIRECTIONS = 256  # in which we look for the outermost of more points
HIGHEST_HAIR = 40.0  # mm by which hair raises the centre, at most
NAPE_BELOW_OPISTHOCRANION = -95.0  # mm: where the head ends at the back


def head_sphere(model: MorphableModel) -> tuple[Float32, float]:
    """Return centre (3,) and radius, mm, of the smallest sphere around the mean head without its neck.

    The neck is what lies below the plane from the chin's underside to the back of the skull's base. A model without
    these landmarks has no neck. Hair raises the centre until the tops of its cuts are inside. The centre does not move
    forwards or backwards then, because heads turn about it.
    """
    points = model.mean[: model.hair.first if model.hair else None].astype(np.float64)
    if "menton" in model.landmarks and "opisthocranion" in model.landmarks:
        chin, back = (points[model.landmarks[name]] for name in ("menton", "opisthocranion"))
        nape = back + np.array([0, NAPE_BELOW_OPISTHOCRANION, 0])
        floor = nape[1] + (points[:, 2] - nape[2]) * (chin[1] - nape[1]) / (chin[2] - nape[2])
        points = points[points[:, 1] >= floor]
    points = points[ConvexHull(points).vertices]  # the farthest point is always one of them
    centre = _sphere_centre(points)
    if model.hair is not None:  # hanging hair may be cut off by the frame, the top of the hair may not
        worn = model.mean[model.hair.first :] + model.hair.offsets[1:]
        points = np.concatenate([points, [cut[np.argmax(cut[:, 1])] for cut in worn]])
        raised = centre + np.linspace(0, HIGHEST_HAIR, 401)[:, None] * (0, 1, 0)
        radii = [_largest_distance(points, each) for each in raised]
        centre = raised[int(np.argmin(radii))]
    return centre.astype(np.float32), _largest_distance(points, centre)


def smallest_sphere(points: Float64) -> tuple[Float64, float]:
    """Return centre (3,) and radius of the smallest sphere around points (N, 3), which may lie in a plane."""
    if len(points) > MOST_OF_A_HULL:
        return _sphere_of_many(points)
    hull = points[ConvexHull(points, qhull_options="QJ").vertices] if len(points) > 4 else points
    centre = _sphere_centre_fast(hull)
    return centre, _largest_distance(points, centre)


def _sphere_of_many(points: Float64) -> tuple[Float64, float]:
    """Return the smallest sphere around points (N, 3) from those few that determine it.

    On a ball all points are on the hull, so a hull saves nothing. We begin with the outermost points in many directions
    and add what is outside of their sphere, until nothing is.
    """
    height = np.linspace(-1, 1, 2 * DIRECTIONS + 1)[1::2]
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(DIRECTIONS)  # the golden angle spreads the directions evenly
    flat = np.sqrt(1 - height**2)
    chosen = np.unique(
        [np.argmax(points @ way) for way in np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], 1)]
    )
    while True:
        centre = _sphere_centre_fast(points[chosen])
        distances = ((points - centre) ** 2).sum(axis=1)
        outside = np.flatnonzero(distances > distances[chosen].max() * (1 + 1e-9))
        if not len(outside):
            return centre, float(np.sqrt(distances.max()))
        farthest = outside[np.argsort(-distances[outside], kind="stable")[:DIRECTIONS]]
        chosen = np.concatenate([chosen, farthest])


def _sphere_centre(points: Float64) -> Float64:
    """Return the centre (3,) of the smallest sphere around points (N, 3).

    Every camera hangs on its last bit: a change would change all shards.
    """
    centre = points.mean(0)
    # Badoiu and Clarkson 2003: walk towards the farthest point in ever smaller steps.
    for step in range(1, 2000):
        centre += (points[np.argmax(((points - centre) ** 2).sum(1))] - centre) / (step + 1)
    return np.asarray(centre)


def _sphere_centre_fast(points: Float64) -> Float64:
    """Return what `_sphere_centre` does, but for rounding, in a third of the time.

    |p - c|^2 = |p|^2 - 2 p.c + |c|^2, and the last term is the same for all points.
    """
    middle = points.mean(0)
    points = points - middle
    squares, doubled = (points**2).sum(1), 2 * points
    centre = np.zeros(3)
    for step in range(1, 2000):
        centre += (points[(squares - doubled @ centre).argmax()] - centre) / (step + 1)
    return np.asarray(centre + middle)


def _largest_distance(points: Float64, centre: Float64) -> float:
    return float(np.sqrt(((points - centre) ** 2).sum(1).max()))
