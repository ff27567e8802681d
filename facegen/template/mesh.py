"""The sculpture as a mesh: rays from one point from which all skin is visible, and blue-noise vertices on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Int64
from dcign.facegen.primitives import SignedDistance
from dcign.facegen.sculpture.hairline import hairline_height
from dcign.facegen.template.feature_rows import feature_rows
from dcign.facegen.template.relaxation import relax
from dcign.facegen.template.spacing import slide_freedom, vertex_spacing
from dcign.facegen.template.triangulation import flip_edges, triangulate

# Low behind the nose: from here nostrils, the underside of the chin and the front of the ears are visible. From the
# height of the eyes, lip and nose would hide each other.
CENTRE = np.array([0.0, -18.0, 0.0])
HAIRLINE_ROWS = (-1.6, 1.6)  # mm inside the hairline: one row on skin and one on hair keep the line sharp
MARCH_STEPS = 36
ON_SKIN = 0.1  # mm: the largest distance of a point that counts as on the skin
SAME_FOLD = 0.8  # mm: the largest distance between two points of the same fold along a ray
FREE_STEPS, ROW_STEPS = 12, 3  # of sliding: first without the feature rows, then with those of the ears
EAR_BEYOND = 60.0  # mm from the midline
FARTHEST, NEAREST = 280.0, 25.0  # mm from the centre: where rays start and where they stop

MIDLINE, NO_ROW = -1, -2


@dataclass(frozen=True, eq=False)
class Template:
    """The sculpture's mesh.

    vertices: (V, 3) mm
    directions: (V, 3) unit vectors from the centre
    triangles: (T, 3)
    mirror: (V,) the vertex across the midline
    row: (V,) the feature row of a vertex, MIDLINE or NO_ROW
    """

    vertices: Float64
    directions: Float64
    triangles: Int64
    mirror: Int64
    row: Int64


def sculpture_mesh(distance: SignedDistance, seed: int = 0) -> Template:
    """Return a mesh of the surface distance = 0: symmetric, closed, and as dense as spacing.py says."""
    directions, row, known = _candidates(distance)
    radius = project(distance, directions)
    # A row keeps its own radius, a little inside the outermost skin, unless another fold of skin lies in front of it.
    radius = np.where(np.abs(known - radius) < SAME_FOLD, known, radius)
    vertices = CENTRE + radius[:, None] * directions
    kept = scatter(vertices, vertex_spacing(vertices), row, np.random.default_rng(seed))
    middle = kept[row[kept] == MIDLINE]
    left = _off_midline(directions, middle, kept[row[kept] != MIDLINE])
    return _relaxed(_mirrored(vertices, directions, row, middle, left), distance)


def _relaxed(template: Template, distance: SignedDistance) -> Template:
    """Slide vertices along the skin where rays meet it at a grazing angle; feature rows move little."""
    freedom, on_ear = slide_freedom(template.vertices), np.abs(template.vertices[:, 0]) > EAR_BEYOND
    vertices = template.vertices
    for free, steps in ((freedom * (template.row == NO_ROW), FREE_STEPS), (0.5 * freedom * on_ear, ROW_STEPS)):
        vertices = relax(vertices, template.triangles, template.mirror, free, distance, steps)
    left = template.triangles[template.vertices[template.triangles].sum(1)[:, 0] > 0]
    left = flip_edges(left, vertices, template.directions)
    triangles = np.concatenate([left, template.mirror[left][:, ::-1]])
    return replace(template, vertices=vertices, triangles=triangles)


def _mirrored(vertices: Float64, directions: Float64, row: Int64, middle: Int64, left: Int64) -> Template:
    """Return the template of chosen candidates: first the midline's vertices, then the left half's and the right's."""
    chosen = np.concatenate([middle, left, left])
    flip = np.ones((len(chosen), 1)) * (1, 1, 1)
    flip[len(middle) + len(left) :, 0] = -1
    mirror = np.arange(len(chosen))
    mirror[len(middle) :] = np.roll(mirror[len(middle) :], len(left))
    directions, vertices = directions[chosen] * flip, vertices[chosen] * flip
    triangles = triangulate(vertices, directions, mirror)
    return Template(vertices, directions, triangles, mirror, row[chosen])


def _off_midline(directions: Float64, middle: Int64, left: Int64) -> Int64:
    """Return those of `left` that lie in no circle around an edge of the midline, where they would break the edge."""
    profile = directions[middle]
    profile = profile[np.argsort(np.arctan2(profile[:, 1], profile[:, 2]))]
    centres = unit(profile + np.roll(profile, -1, 0))
    radii = np.linalg.norm(centres - profile, axis=1)
    away, nearest = cKDTree(centres).query(directions[left], k=4)
    return np.asarray(left[(away > 1.02 * radii[nearest]).all(1)])


def project(distance: SignedDistance, directions: Float64) -> Float64:
    """Return the radius (N,), mm, of the outermost surface point along each unit direction (N, 3) from the centre."""
    radius = np.full(len(directions), FARTHEST)
    active = np.arange(len(directions))
    for _ in range(MARCH_STEPS):
        gap = distance(CENTRE + radius[active, None] * directions[active])
        # Blended distances are a little too large: three quarters of a step never jump through the skin.
        radius[active] -= 0.75 * np.maximum(gap, 0)
        active = active[(gap > 0.05) & (radius[active] > NEAREST)]
        if not len(active):
            break
    low, high = radius - 0.6, radius + 0.4
    for _ in range(6):
        middle = (low + high) / 2
        outside = distance(CENTRE + middle[:, None] * directions) > 0
        high = np.where(outside, middle, high)
        low = np.where(outside, low, middle)
    return (low + high) / 2


def scatter(vertices: Float64, spacing: Float64, row: Int64, rng: np.random.Generator) -> Int64:
    """Return indices of a blue-noise subset, none closer than the spacing; midline and feature rows have priority."""
    is_middle, is_feature = row == MIDLINE, row >= 0
    reach = spacing * np.select([is_middle, is_feature], [0.8, 0.62], 0.86)
    alive = is_middle | is_feature | (vertices[:, 0] > 0.45 * spacing)
    free = ~(is_middle | is_feature)
    tree = cKDTree(vertices)
    others = np.flatnonzero(free)
    order = np.concatenate([np.flatnonzero(is_middle), np.flatnonzero(is_feature), rng.permutation(others)])
    kept = []
    for index in order:
        if not alive[index]:
            continue
        kept.append(index)
        close = np.array(tree.query_ball_point(vertices[index], reach[index]))
        removable = ~is_middle[close] if is_middle[index] else free[close]
        alive[close[removable]] = False
    return np.array(kept)


def _candidates(distance: SignedDistance) -> tuple[Float64, Int64, Float64]:
    """Return directions (N, 3), feature row (N,) and radius (N,) of all candidate vertices.

    The radius is known for feature rows on the skin, and NaN for all other candidates.
    """
    middle = _midline_directions(distance)
    points = feature_rows(distance)
    rows = [unit(row - CENTRE) for row in points]
    rows += [_hairline_directions(distance, inwards) for inwards in HAIRLINE_ROWS]
    grid = _grid_directions()
    numbers = [MIDLINE, *range(len(rows)), NO_ROW]
    parts = [middle, *rows, grid]
    directions, row = np.concatenate(parts), np.repeat(numbers, [len(part) for part in parts])
    radius = np.full(len(directions), np.nan)
    given = np.concatenate(points)
    first = len(middle)
    on_skin = np.abs(distance(given)) < ON_SKIN
    radius[first : first + len(given)][on_skin] = np.linalg.norm(given - CENTRE, axis=1)[on_skin]
    return directions, row, radius


def _midline_directions(distance: SignedDistance) -> Float64:
    """Return directions around the profile, as far apart as the spacing there."""
    angle = np.radians(np.linspace(-89.9, 269.9, 4000))
    directions = np.stack([0 * angle, np.sin(angle), np.cos(angle)], 1)
    points = CENTRE + project(distance, directions)[:, None] * directions
    spacing = 0.9 * vertex_spacing(points)
    kept = [0]
    for index in range(1, len(points)):
        if np.linalg.norm(points[index] - points[kept[-1]]) >= spacing[index]:
            kept.append(index)
    return directions[kept]


def _hairline_directions(distance: SignedDistance, inwards: float) -> Float64:
    """Return directions of points `inwards` mm inside the hairline; it is given in heights, so iterate."""
    azimuth = np.concatenate([np.arange(2, 72, 1.6), np.arange(97, 112, 1.2), np.arange(112, 177, 3.0)])
    height = hairline_height(azimuth, inwards) - CENTRE[1]
    sine, cosine = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
    flat = np.full(len(azimuth), 80.0)
    for _ in range(5):
        directions = unit(np.stack([flat * sine, height, flat * cosine], 1))
        flat = np.hypot(*(project(distance, directions)[:, None] * directions)[:, [0, 2]].T)
    return directions


def _grid_directions(columns: int = 250, rows: int = 470) -> Float64:
    """Return a grid over the left half of all directions, densest around the face."""
    across = (np.arange(columns) + 0.5) / columns
    azimuth = np.pi * (0.45 * across + 0.55 * across**3)
    up = np.linspace(-1, 1, rows)
    elevation = np.radians(np.interp(up, [-1, -0.85, 0.35, 1], [-86, -48, 38, 89.5]))
    azimuth, elevation = (part.ravel() for part in np.meshgrid(azimuth, elevation))
    flat = np.cos(elevation)
    return np.stack([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat], 1)


def unit(vectors: Float64) -> Float64:
    """Scale vectors (..., 3) to length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
