"""Compute where the strands of a haircut lie: combed over the skull, then hanging outside of ears, jaw and neck.

All arrays describe the left half, x >= 0: C = COLUMNS + 1 strands by R = RINGS points, S = SCALP_RINGS of them on the
scalp; mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

from dcign.arrays import Bool, Float64, Int64
from dcign.facegen.hair.grid import AZIMUTHS, COLUMNS, COLUMNS_PER_LOCK, RINGS, SCALP_RINGS
from dcign.facegen.haircuts import HAIR_EDGE_HEIGHT, HANGING_EDGE_HEIGHT, Cut
from dcign.facegen.primitives import curve, ramp
from dcign.facegen.sculpture.head import bare_head_distance, head_distance
from dcign.facegen.template.mesh import CENTRE, project, unit

CROWN = np.array([0.0, 108.0, -48.0])  # near the hair whorl
PARTING_FRONT = np.array([0.0, 91.0, 71.0])
KNOT = np.array([0.0, 84.0, -80.0])
KNOT_AXIS = np.array([0.0, 0.55, -0.83])
KNOT_RADIUS = 27.0
KNOT_RINGS = 3
# Position of each scalp ring along a strand, from the crown (0) to the hairline (1).
STATIONS = np.array([0.06, 0.17, 0.30, 0.44, 0.58, 0.72, 0.85, 0.95, 1.0])
FALLING_STATIONS = np.array([0.06, 0.17, 0.29, 0.41, 0.53, 0.65, 0.77, 0.89, 1.0])  # for hair that hangs below it
SUNK = 1.8  # mm under the skin, where cut hair ends: the visible edge is the painted hairline
CLEARANCE = 6.0  # mm between the head and hanging hair
NEAREST = 3.0  # mm: least distance between the head and hanging hair
LEAST_HAIR = 3.4  # mm over the skull at the centre of a quad of hair
EAR = np.array([72.0, -10.0, -14.0])
LEAN = 0.22  # mm: largest inward slope of hair per mm of fall
FRINGE_RINGS = 3  # number of hanging rings of the fringe
FRINGE_TO = 44.0  # degrees of azimuth from the front
AXIS_Z = -12.0  # mm: z of the vertical axis in whose cylindrical coordinates hanging hair is computed
FRONT_DEPTH = 72.0  # mm from that axis: depth of the front half of the hanging outline
HIDDEN = np.array([0.0, 20.0, -5.0])  # the centre of the head


@dataclass(frozen=True, eq=False)
class Drape:
    """One cut: positions (C, R, 3) of the strands of the left half; poles (2, 3); openness (C, R), 1 unshaded."""

    positions: Float64
    poles: Float64
    openness: Float64


def drape(cut: Cut, length: float = 0.0, volume: float = 0.0) -> Drape:
    """Compute the cut at a length and a volume, in standard deviations from its mean."""
    strands = _Strands(cut, length, volume)
    positions = np.zeros((COLUMNS + 1, RINGS, 3))
    positions[:, :SCALP_RINGS] = strands.on_the_scalp()
    if cut.bun:
        positions[:, :KNOT_RINGS] = _knot(length)
    if strands.hanging.any():
        strands.hang(positions)
    strands.tuck(positions)
    if cut.fringe is not None:
        strands.cut_fringe(positions)
    if cut.parted:  # slightly across the midline: otherwise the parting is a slit
        positions[:, 0, 0] = -0.5
    positions[[0, -1], :, 0] = 0.0
    return Drape(positions, _poles(positions, cut, length), strands.openness())


@cache
def rim_points(hangs: bool = False) -> Float64:
    """Return where each strand meets the edge of the hair on the skull, or leaves the skull (C, 3)."""
    azimuth, height = np.radians(AZIMUTHS), (HANGING_EDGE_HEIGHT if hangs else HAIR_EDGE_HEIGHT)(AZIMUTHS)
    flat = np.full(len(azimuth), 80.0)
    for _ in range(6):
        directions = np.stack([flat * np.sin(azimuth), height - CENTRE[1], flat * np.cos(azimuth)], 1)
        points = on_skull(directions)
        flat = np.hypot(points[:, 0], points[:, 2])
    return points


def on_skull(directions: Float64) -> Float64:
    """Return the points (..., 3) of the bare skull, without ears, in directions (..., 3) from the mesh's CENTRE."""
    flat = unit(directions.reshape(-1, 3))
    points = CENTRE + project(bare_head_distance, flat)[:, None] * flat
    return np.asarray(points.reshape(directions.shape))


def outwards(points: Float64) -> Float64:
    """Return unit normals (..., 3) of the bare head, smoothed over a few mm: hair bridges small hollows."""
    flat = points.reshape(-1, 3)
    step = 6.0 * np.eye(3)
    slope = np.stack([bare_head_distance(flat + axis) - bare_head_distance(flat - axis) for axis in step], 1)
    return unit(slope).reshape(points.shape)


@cache
def _combed(parted: bool, bun: bool, falls: bool) -> tuple[Float64, Float64, Float64]:
    """Comb strands over the skull: points (C, S, 3), normals (C, S, 3), and distance from the edge (C, S), mm."""
    root = np.tile(CROWN, (COLUMNS + 1, 1))
    if parted:
        back = np.clip((AZIMUTHS - 44) / (110 - 44), 0, 1)[:, None]
        root = PARTING_FRONT * (1 - back) + CROWN * back
    if bun:
        root = np.tile(KNOT, (COLUMNS + 1, 1))
    root[:, 0] = 0.8 * np.sin(np.radians(AZIMUTHS))
    start, end = unit(root - CENTRE), unit(rim_points(falls) - CENTRE)
    stations = STATIONS * (STATIONS[0] < STATIONS) if parted else STATIONS  # both sides meet at the parting
    if bun:
        stations[:] = np.concatenate([np.zeros(KNOT_RINGS), np.linspace(0.2, 1, SCALP_RINGS - KNOT_RINGS) ** 0.9])
    angle = np.arccos(np.clip((start * end).sum(1), -1, 1))[:, None]
    ahead, behind = np.sin(stations * angle) / np.sin(angle), np.sin((1 - stations) * angle) / np.sin(angle)
    points = on_skull(behind[..., None] * start[:, None] + ahead[..., None] * end[:, None])
    steps = np.linalg.norm(np.diff(points, axis=1), axis=2)
    to_edge = np.concatenate([np.cumsum(steps[:, ::-1], 1)[:, ::-1], np.zeros((COLUMNS + 1, 1))], 1)
    return points, outwards(points), to_edge


class _Strands:
    """The strands of one cut at one length and volume."""

    def __init__(self, cut: Cut, length: float, volume: float) -> None:
        self.cut, self.length, self.volume = cut, length, volume
        self.skull, self.normals, self.to_edge = _combed(cut.parted, cut.bun, cut.hangs is not None and cut.hangs < 90)
        self.hanging: Bool = (np.inf if cut.hangs is None else cut.hangs) <= AZIMUTHS
        self.locks = _locks(cut)
        self.edge = first = int(np.argmax(self.hanging)) if self.hanging.any() else COLUMNS
        # 0 at the front edge of the hanging hair, 1 at the midline of the back.
        self.behind = np.clip((np.arange(COLUMNS + 1) - first) / max(COLUMNS - first, 1), 0, 1)

    def on_the_scalp(self) -> Float64:
        """Return the scalp rings (C, S, 3)."""
        thickness = self._thickness()
        grown = thickness + np.maximum(self.locks[:, :SCALP_RINGS] * self._rise(), -0.3 * np.abs(thickness))
        for _ in range(3):
            grown += _sagging(self.skull + grown[..., None] * self.normals, thickness)
        return np.asarray(self.skull + grown[..., None] * self.normals)

    def hang(self, positions: Float64) -> None:
        """Hang the strands outside of ears, jaw and neck, like a curtain."""
        which = np.flatnonzero(self.hanging)
        behind = self.behind[which]
        rim = self.skull[which, -1, 1]
        tips = self.cut.tips[0] + (self.cut.tips[1] - self.cut.tips[0]) * behind - self.cut.tip_slope * self.length
        tips = tips + 1.2 * np.clip(self.locks[which, -2], -2, 2)
        fallen = (np.arange(1, RINGS - SCALP_RINGS) / (RINGS - SCALP_RINGS - 1)) ** 1.3
        heights = np.concatenate([positions[which, :SCALP_RINGS, 1], rim[:, None] + (tips - rim)[:, None] * fallen], 1)
        start = np.degrees(
            np.arctan2(np.abs(positions[which, :SCALP_RINGS, 0]), positions[which, :SCALP_RINGS, 2] - AXIS_Z)
        )
        edge = curve(self.cut.edge)(heights)
        spread = (start[:, -1:] - start[0, -1]) / (180 - start[0, -1])
        wanted = edge + (180 - edge) * spread
        # Strands turn gradually from their angle on the skull to their angle below it.
        start = np.concatenate([start, np.repeat(start[:, -1:], len(fallen), 1)], 1)
        turned = ramp(np.arange(RINGS - 1.0), 3, SCALP_RINGS + 1.5) * ramp(-heights, -62, -15)
        angle = start + turned * (wanted - start)
        radius = self._radius(which, angle, heights, positions)
        positions[which, :-1] = _around_axis(radius, np.radians(angle), heights)
        positions[which, -1] = positions[which, -2] * (0.45, 1, 0.45) + (0, 14, -12)

    def tuck(self, positions: Float64) -> None:
        """Hide in the head the rings of strands that do not hang."""
        which = np.flatnonzero(~self.hanging)
        if not self.hanging.any():
            deeper = np.linspace(0.3, 0.9, RINGS - SCALP_RINGS)[:, None]
            rim = positions[:, SCALP_RINGS - 1 : SCALP_RINGS]
            positions[:, SCALP_RINGS:] = rim + deeper * (HIDDEN - rim)
            return
        across = (which / self.edge)[:, None]
        edge = positions[self.edge]
        # Behind the face, so that the pocket between hair and neck is deep and dark.
        positions[which, SCALP_RINGS:, 0] = 0.52 * across * edge[SCALP_RINGS:, 0]
        positions[which, SCALP_RINGS:, 1] = edge[SCALP_RINGS:, 1]
        positions[which, SCALP_RINGS:, 2] = AXIS_Z - 0.2 * (edge[SCALP_RINGS:, 2] - AXIS_Z)

    def cut_fringe(self, positions: Float64) -> None:
        """Let the front strands fall over the forehead."""
        which = np.flatnonzero(AZIMUTHS < FRINGE_TO)
        rim = positions[which, SCALP_RINGS - 1]
        assert self.cut.fringe is not None
        tips = self.cut.fringe - 8 * (which / which[-1]) ** 3 - 4 * self.length
        tips = tips + 0.8 * np.clip(self.locks[which, -2], -1.5, 1.5)
        if not self.hanging.any():  # shorter towards the temples, where the fringe meets the hairline
            tips = tips + (rim[:, 1] - tips) * ramp(which / which[-1], 0.55, 1.1)
        fallen = np.arange(1, FRINGE_RINGS + 1) / FRINGE_RINGS
        heights = rim[:, 1:2] + (tips - rim[:, 1])[:, None] * fallen
        angle = np.degrees(np.arctan2(rim[:, 0], rim[:, 2] - AXIS_Z))[:, None] + 0 * heights
        away = 6.5 + 1.5 * (1 + 0.5 * self.volume) * (1 - fallen) + 0.8 * np.clip(self.locks[which, 9:12], -3, 3)
        radius = head_radius(angle, heights) + away
        shown = slice(SCALP_RINGS, SCALP_RINGS + FRINGE_RINGS)
        positions[which, shown] = _around_axis(radius, np.radians(angle), heights)

    def openness(self) -> Float64:
        """Return how much light reaches each point (C, R), 0..1: less in partings, between locks and under hair."""
        light = np.ones((COLUMNS + 1, RINGS))
        light *= 1 + 0.2 * np.clip(self.locks / (self.cut.lumps + self.cut.curl + 0.1), -2.5, 1)
        light[:, 0] *= 0.75 if self.cut.parted else 0.92
        if self.cut.bun:
            light[:, KNOT_RINGS - 1] *= 0.6
        if self.hanging.any():
            light[self.edge, SCALP_RINGS:] *= 0.7
        light[:, -1] = 0.25
        light[~self.hanging, SCALP_RINGS:] = 0.15
        light[~self.hanging, SCALP_RINGS] = 0.8  # just under the skin: a dark rim would look like the edge of a cap
        if self.cut.fringe is not None:
            light[AZIMUTHS < FRINGE_TO, SCALP_RINGS : SCALP_RINGS + FRINGE_RINGS] = 0.95
        return np.clip(light, 0, 1)

    def _thickness(self) -> Float64:
        """Return the thickness of the hair over the skull (C, S), mm."""
        cut, height = self.cut, self.skull[..., 1]
        azimuth = AZIMUTHS[:, None]
        low = cut.sides + (cut.back - cut.sides) * ramp(azimuth, 100, 140)
        low = low + (cut.top - low) * (1 - ramp(azimuth, 38, 62))
        full = low + (cut.top - low) * ramp(height, 30, 88)
        full = full + cut.front * np.exp(-(((self.to_edge - 22) / 26) ** 2)) * (1 - ramp(azimuth, 30, 62))
        full = full * (1 + cut.bulk * self.volume) * (1 + cut.growth * self.length)
        if cut.hangs is None:  # thin around the ears, which stay visible
            free = ramp(np.linalg.norm(self.skull - EAR, axis=-1), 18, 60)
            full = np.minimum(full, 5.0) + np.maximum(full - 5.0, 0) * free
        if not cut.crown:
            full = full * ramp(azimuth, 55, 75) * (1 - ramp(height, 35, 75)) - 4.0 * ramp(height, 40, 70)
        if cut.parted:  # flat along the face; the parting is a shallow groove
            full = full * (0.6 + 0.4 * ramp(self.behind[:, None], -0.02, 0.3))
            full = full * (0.8 + 0.2 * ramp(FALLING_STATIONS, 0, 0.3))
        return np.asarray(-SUNK + (full + SUNK) * self._rise())

    def _rise(self) -> Float64:
        """Return the rise of the hair (C, S) from 0 at its edge to 1."""
        # Hair rises slowly from neck and forehead: a steep edge would look like a cap.
        gentle = 1 + ramp(AZIMUTHS, 108, 140) + 1.5 * (1 - ramp(AZIMUTHS, 44, 72))
        rim = self.cut.rim * (1 + 0.15 * self.volume) * gentle
        if self.cut.parted:  # it starts just inside the hairline and must cover the scalp there
            rim = np.minimum(rim, 10.0)
        inwards = np.clip(self.to_edge / rim[:, None], 0, 1)
        rounded = np.sqrt(1 - (1 - inwards) ** 2)
        smooth = ramp(inwards, 0, 1)
        thick = ramp(np.array(self.cut.sides), 6, 20)
        thick = thick * ramp(AZIMUTHS, 50, 80)[:, None]  # no step where hair is swept up from forehead and temples
        rise = smooth + thick * (rounded - smooth)
        rise[self.hanging] = 1.0
        if self.cut.fringe is not None:
            rise[AZIMUTHS < FRINGE_TO] = 0.6 + 0.4 * ramp(self.to_edge[AZIMUTHS < FRINGE_TO], 0, 50)
        return np.asarray(rise)

    def _radius(self, which: Int64, angle: Float64, heights: Float64, positions: Float64) -> Float64:
        """Return the distance (n, R - 1), mm, of hanging strands from the axis."""
        cut = self.cut
        turn = np.radians(angle)
        across = curve(cut.width)(heights) * (1 + 0.05 * self.volume)
        depth = np.where(angle < 90, FRONT_DEPTH, (curve(cut.depth)(heights) + AXIS_Z) * (1 + 0.05 * self.volume))
        outline = (np.abs(np.sin(turn) / across) ** 2.4 + np.abs(np.cos(turn) / depth) ** 2.4) ** (-1 / 2.4)
        clear = head_radius(angle, heights, ears=cut.over_ears) + CLEARANCE
        full = ramp(self.behind[which], -0.08, 0.3)[:, None]
        wanted = np.maximum(clear, clear + full * (outline - clear))
        scalp = np.hypot(positions[which, :SCALP_RINGS, 0], positions[which, :SCALP_RINGS, 2] - AXIS_Z)
        low = ramp(-heights[:, :SCALP_RINGS], -60, -25)
        # Waves run down the strands, with a phase per strand and growing amplitude.
        phase = heights / 11.0 + 2.5 * np.sin(which[:, None] / 8)
        waves = cut.wave * ramp(-heights, -30, 60) * np.sin(phase)
        radius = wanted + np.maximum(self.locks[which, :-1] + waves, NEAREST - CLEARANCE)
        radius[:, :SCALP_RINGS] = scalp + low * np.maximum(radius[:, :SCALP_RINGS] - scalp, 0)
        for ring in range(SCALP_RINGS - 2, radius.shape[1]):
            fallen = np.maximum(heights[:, ring - 1] - heights[:, ring], 0)
            radius[:, ring] = np.maximum(radius[:, ring], radius[:, ring - 1] - LEAN * fallen)
        return _pushed_out(_gentle(radius), np.radians(angle), heights, cut.over_ears)


def _sagging(points: Float64, thickness: Float64) -> Float64:
    """Return how far (C, S), mm, to lift scalp rings so that the skull stays under the flat quads between locks."""
    thinnest = _of_quads(thickness).min(0)
    gap = bare_head_distance(_of_quads(points).mean(0).reshape(-1, 3)).reshape(thinnest.shape)
    lacking = np.maximum(np.minimum(0.6 * thinnest, LEAST_HAIR) - gap, 0) * (thinnest > 1)
    lift = np.zeros(points.shape[:2])
    for column in range(COLUMNS_PER_LOCK + 1):  # each quad lifts its corners and the columns between them
        for ring in range(2):
            part = lift[
                column : column + COLUMNS_PER_LOCK * (len(lacking) - 1) + 1 : COLUMNS_PER_LOCK,
                ring : ring + lacking.shape[1],
            ]
            np.maximum(part, lacking, out=part)
    return lift


def _of_quads(values: Float64) -> Float64:
    """Return values (C, S, ...) at the four corners of the quads between locks: (4, locks, S - 1, ...)."""
    even = values[::COLUMNS_PER_LOCK]
    return np.stack([even[:-1, :-1], even[1:, :-1], even[:-1, 1:], even[1:, 1:]])


def _gentle(along: Float64) -> Float64:
    """Smooth values (n, R - 1) along strands: hair bends gently from the skull into its fall."""
    along = along.copy()
    for _ in range(4):
        middle = along[:, 3:-1]
        along[:, 3:-1] = middle + (along[:, 2:-2] + along[:, 4:] - 2 * middle) / 4
    return along


def _pushed_out(radius: Float64, turn: Float64, heights: Float64, ears: bool) -> Float64:
    """Increase radii to at least NEAREST from the skin: the table of radii is coarse at ears and jaw."""
    radius = radius.copy()
    for _ in range(3):
        gap = head_distance(_around_axis(radius, turn, heights).reshape(-1, 3), ears).reshape(radius.shape)
        radius += np.maximum(NEAREST - gap, 0)
    return radius


def head_radius(angle: Float64, heights: Float64, ears: bool = True) -> Float64:
    """Return the distance of the outermost skin from the axis at angles (...), degrees, and heights (...), mm."""
    angles, levels, radii = _head_radii(ears)
    row = np.interp(angle.ravel(), angles, np.arange(len(angles)))
    column = np.interp(heights.ravel(), levels, np.arange(len(levels)))
    return np.asarray(map_coordinates(radii, np.stack([row, column]), order=1).reshape(heights.shape))


@cache
def _head_radii(ears: bool) -> tuple[Float64, Float64, Float64]:
    """Tabulate head_radius by marching inwards to the first skin: angles (A,), heights (Y,), radii (A, Y)."""
    angles, levels = np.arange(0.0, 181.0, 3.0), np.arange(-256.0, 121.0, 4.0)
    turn, y = (part.ravel() for part in np.meshgrid(np.radians(angles), levels, indexing="ij"))
    radius = np.full(len(y), 150.0)
    active = np.arange(len(y))
    for _ in range(30):
        gap = head_distance(_around_axis(radius[active], turn[active], y[active]), ears)
        radius[active] -= 0.75 * np.maximum(gap, 0)
        active = active[(gap > 0.1) & (radius[active] > 0)]
        if not len(active):
            break
    return angles, levels, np.maximum(radius, 0).reshape(len(angles), len(levels))


def _around_axis(radius: Float64, turn: Float64, heights: Float64) -> Float64:
    """Return points (..., 3) at a distance from the vertical axis, at angles in radians and heights (...)."""
    return np.stack([radius * np.sin(turn), heights, radius * np.cos(turn) + AXIS_Z], -1)


def _knot(length: float) -> Float64:
    """Return the rings (C, KNOT_RINGS, 3) of a knot of hair behind the crown."""
    radius = KNOT_RADIUS * (1 + 0.12 * length)
    centre = on_skull((KNOT - CENTRE)[None])[0] + 0.8 * radius * KNOT_AXIS
    # The direction in which each strand leaves the knot: forward over the crown, to the side, down the back.
    turn = np.radians(AZIMUTHS)
    forward = np.array([0.0, -KNOT_AXIS[2], KNOT_AXIS[1]])
    away = np.sin(turn)[:, None] * np.array([1.0, 0, 0]) + np.cos(turn)[:, None] * forward
    rings = [centre + radius * (np.cos(a) * KNOT_AXIS + np.sin(a) * away) for a in np.radians((40, 82, 122))]
    return np.stack(rings, 1)


def _poles(positions: Float64, cut: Cut, length: float) -> Float64:
    """Return the vertices (2, 3) that close the surface at the crown and at the bottom."""
    rings = (positions[:, 0] * (0, 1, 1)).mean(0)
    if cut.bun:
        rings = rings + 0.3 * KNOT_RADIUS * (1 + 0.12 * length) * KNOT_AXIS
    bottom = (positions[:, -1] * (0, 1, 1)).mean(0)
    if cut.hangs is not None:
        bottom = np.array([0, bottom[1] + 10, AXIS_Z - 10])
    return np.stack([rings, bottom])


@cache
def _locks(cut: Cut) -> Float64:
    """Return the offset (C, R), mm, of each point from the smooth shape of its cut: locks along strands, and curls."""
    rng = np.random.default_rng(crc32(cut.name.encode()))
    coarse = (COLUMNS // COLUMNS_PER_LOCK + 1, RINGS)
    wander = np.cumsum(rng.standard_normal(coarse), 1)  # locks begin and end along the strands
    noise = np.clip(rng.standard_normal((len(wander), 1)) + 0.3 * wander, -1.8, 1.8)
    # The columns between locks round them off and lie in the gaps.
    position = np.arange(COLUMNS + 1) / COLUMNS_PER_LOCK
    gaps = 1.1 * np.sin(np.pi * position) ** 2
    noise = map_coordinates(noise, np.meshgrid(position, np.arange(RINGS), indexing="ij"), order=1) - gaps[:, None]
    # As broad as they are long: the distance between rings is that of six columns.
    curls = 2.8 * gaussian_filter1d(rng.standard_normal((COLUMNS + 1, RINGS)), 2.2, axis=0, mode="mirror")
    curls = np.clip(curls, -1.5, 1.5)
    locks = 0.6 * cut.lumps * noise
    locks[[0, -1]] *= 0.4
    locks = locks + cut.curl * curls
    locks[:, :2] *= (0.25, 0.6)  # strands meet at the crown, where locks of full depth would be clefts
    return np.asarray(locks)
