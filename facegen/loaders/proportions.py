"""Check the size and the axes of a model that was read from a file: each published format has one of each.

The landmarks of this project's mean face are moved and scaled until they lie on the mesh (iterative closest points,
Besl and McKay 1992). Their scale is the size of the face, whatever its crop. In a turned model they fit better after a
turn. Published heads (ICT-FaceKit, FLAME) and random people of ours fit within 1 to 2.2 mm, and upside down not within
3.3 mm; their sizes are 0.98 to 1.15 of our mean face.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from scipy.spatial import cKDTree

from dcign.arrays import Float32, Float64
from dcign.errors import ModelError
from dcign.facegen.sculpture.landmarks import LANDMARKS

HEIGHTS = (120.0, 800.0)  # mm: from a face without forehead to a bust
SIZES = (0.78, 1.33)  # of a mean face, relative to ours
PUPIL_DISTANCES = (54.0, 72.0)  # mm, of a mean face; Dodgson 2004: 63 mm is the mean of adults
MODE_SIZES = (1.0, 25.0)  # mm, root mean square of what all modes together do to a vertex; ICT-FaceKit has 6.8
UNITS = {"micrometre": 0.001, "millimetre": 1.0, "centimetre": 10.0, "inch": 25.4, "decimetre": 100.0, "metre": 1000.0}
UNIT_TOLERANCE = 1.25
NO_FACE = 11.0  # mm: landmarks that lie further from a mesh lie on no face
GOOD = 2.5  # mm: landmarks that lie nearer fit better than after any turn
TURNED = 1.4  # how much better they fit after a turn if the model is turned

EAR_CANALS = 0.0  # mm: their z, where the face ends
NOT_ON_FACES = ("eyeball", "pupil", "neck_front", "ear_front", "otobasion_inferius")  # or not on all of them
_LEFT = [place for name, place in LANDMARKS.items() if name not in NOT_ON_FACES and place[2] > EAR_CANALS]
FACE = np.array([*_LEFT, *((-x, y, z) for x, y, z in _LEFT if x > 0)])  # (n, 3) mm: our landmarks on both sides
NOSE, FACE_WIDTH = np.array(LANDMARKS["pronasale"]), 2 * LANDMARKS["zygion"][0]
WIDTHS = (0.45, 0.65, 0.85, 1.1)  # of the face, relative to the mesh, which may have shoulders: first guesses
ITERATIONS, KEPT = 30, 0.85  # of the fit; the share of landmarks that it follows, because meshes are cropped
AXES = (("-x", "+x"), ("-y", "+y"), ("-z", "+z"))
PUBLISHED = "give the file as its publisher does, in its units and axes."


def check_proportions(mean: Float32, basis: Float32, unit: float, landmarks: dict[str, int], what: str) -> None:
    """Raise ModelError unless a mean (V, 3) mm is a face of usual size that looks ahead, and its modes are faces, too.

    basis (V, 3, K) mm; unit: mm per unit of the file; landmarks: name -> vertex; what: the file and its format
    """
    height = float(np.ptp(mean[:, 1]))
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ModelError(
            f"expected a head of {HEIGHTS[0]:.0f} to {HEIGHTS[1]:.0f} mm in {what}, found one {height:,.4g} mm high: "
            "give the file in its publisher's units."
        )
    size = _checked_size(mean.astype(np.float64), what)
    if not SIZES[0] <= size <= SIZES[1]:
        seems = [name for name, length in UNITS.items() if _is_about(size * length, unit)]
        guess = f"the unit seems to be the {seems[0]}; " if seems else ""
        raise ModelError(
            f"expected a face of usual size in {what}, found one {size:.2g} times as large as usual: {guess}{PUBLISHED}"
        )
    _check_pupils(mean, landmarks, what)
    moved = float(np.linalg.norm(basis)) / np.sqrt(len(mean))
    if not MODE_SIZES[0] <= moved <= MODE_SIZES[1]:
        found = f"{moved:,.0f}" if moved > 10 else f"{moved:.2g}"
        raise ModelError(
            f"expected modes that move vertices by {MODE_SIZES[0]:g} to {MODE_SIZES[1]:g} mm in {what}, found "
            f"{found} mm: mean and modes have different units; {PUBLISHED}"
        )


def _is_about(one: float, other: float) -> bool:
    return bool(abs(np.log(one / other)) < np.log(UNIT_TOLERANCE))


def _check_pupils(mean: Float32, landmarks: dict[str, int], what: str) -> None:
    if not {"pupil_left", "pupil_right"} <= landmarks.keys():
        return
    apart = mean[landmarks["pupil_left"]] - mean[landmarks["pupil_right"]]
    distance = float(np.linalg.norm(apart))
    if apart[0] < 0:
        raise ModelError(f"expected the left eye at +x in {what}, found it at -x: {PUBLISHED}")
    if not PUPIL_DISTANCES[0] <= distance <= PUPIL_DISTANCES[1]:
        raise ModelError(
            f"expected pupils {PUPIL_DISTANCES[0]:.0f} to {PUPIL_DISTANCES[1]:.0f} mm apart in {what}, found "
            f"{distance:.3g} mm: {PUBLISHED}"
        )


def _checked_size(mean: Float64, what: str) -> float:
    """Return the size of a face (V, 3) relative to ours. Raise ModelError if it is turned, or no face at all."""
    away, size = _fit(mean)
    if away <= GOOD:
        return size
    best, turn = min(((_fit(mean @ turn.T)[0], turn) for turn in _turns()), key=lambda found: found[0])
    if away > TURNED * best and best < NO_FACE:
        up, forward = (_axis(turn.T @ np.array(axis)) for axis in ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
        raise ModelError(
            f"expected a face with +y up and +z out of the nose in {what}, found {up} up and {forward} out of "
            f"the nose: {PUBLISHED}"
        )
    if away > NO_FACE:
        raise ModelError(f"expected a face in {what}, found another shape: {PUBLISHED}")
    return size


def _axis(direction: Float64) -> str:
    """Return the name of an axis, such as "-z", of a unit vector (3,) along it."""
    axis = int(np.argmax(np.abs(direction)))
    return AXES[axis][int(direction[axis] > 0)]


def _turns() -> Iterator[Float64]:
    """Yield the 24 rotations (3, 3) that map axes to axes. A mirror image of a face fits as well as the face."""
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0:
                yield turn


def _fit(points: Float64) -> tuple[float, float]:
    """Fit our landmarks to a mesh (V, 3): how far from it they lie, mm on our face, and their scale."""
    tree = cKDTree(points)
    low, high = points.min(0), points.max(0)
    upper = points[points[:, 1] > low[1] + (high[1] - low[1]) / 3]  # a chest may be further forward than the nose
    nose = upper[np.argmax(upper[:, 2])]
    return min(_closest_points(tree, nose, share * (high[0] - low[0]) / FACE_WIDTH) for share in WIDTHS)


def _closest_points(tree: cKDTree, nose: Float64, scale: float) -> tuple[float, float]:
    """Fit from one first guess, with the tips of the noses (3,) on each other: distance, mm on our face, and scale."""
    shift = nose - scale * NOSE
    for _ in range(ITERATIONS):
        away, nearest = (np.asarray(part) for part in tree.query(scale * FACE + shift))
        followed = away <= np.quantile(away, KEPT)
        ours, theirs = FACE[followed], tree.data[nearest[followed]]
        ours_centred = ours - ours.mean(0)
        scale = float((ours_centred * theirs).sum() / (ours_centred**2).sum())
        if scale <= 0:
            return np.inf, scale
        shift = theirs.mean(0) - scale * ours.mean(0)
    nearest_first = np.sort(np.asarray(tree.query(scale * FACE + shift)[0]))[: int(KEPT * len(FACE))]
    return float(np.sqrt((nearest_first**2).mean()) / scale), scale
