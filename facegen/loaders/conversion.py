"""From what a file says to a morphable model in this project's conventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.arrays import Float32, Float64, Int32, IntP
from dcign.errors import ModelError
from dcign.facegen.levels.decimation import coarser_levels, mirror_of
from dcign.facegen.loaders.content import PARTS, Content
from dcign.facegen.loaders.plain_skin import plain_skin
from dcign.facegen.model.albedo import LinearAlbedo
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel

HEIGHTS = (120.0, 800.0)  # mm: from a face without forehead to a bust
STILL = 1e-4  # mm: a mode that moves nothing further is of what is not drawn
HEAD_DEPTH = 140.0  # mm from nose to the back of the head; what is shallower is a face alone
MIDLINE = 12.0  # mm: half width of the strip in which a profile is looked for
CHIN_BELOW_NOSE, CHIN_BEHIND_NOSE = (35.0, 115.0), 42.0  # mm: where the underside of the chin can be


def to_model(content: Content, file: str, sha256: str) -> MorphableModel:
    """The model; file and sha256: what it was read from.

    Raises ModelError if what the file says is no head.
    """
    kept, triangles = _drawn(content)
    mean = content.mean[kept] * np.float32(content.millimetres)
    _check_size(content.name, file, mean)
    basis = content.basis[kept]
    basis *= np.float32(content.millimetres)
    moving = np.abs(basis).max((0, 1)) > STILL
    if not moving.any():
        raise ModelError(f"{file} has no mode that moves a vertex; expected a morphable model: download it again.")
    parts = np.zeros(len(mean), np.uint8) if content.parts is None else content.parts[kept]
    colour_mean, colour_basis = content.colour_mean, content.colour_basis
    if colour_mean is None or colour_basis is None:
        colour_mean, colour_basis = plain_skin(parts)
    else:
        colour_mean, colour_basis = colour_mean[kept], colour_basis[kept]
    position = {int(vertex): index for index, vertex in enumerate(kept)}
    landmarks = {name: position[vertex] for name, vertex in content.landmarks.items() if vertex in position}
    model = MorphableModel(
        name=content.name,
        licence=content.licence,
        mean=mean,
        shape_basis=_exact_in_half(basis if moving.all() else basis[:, :, moving]),
        albedo=LinearAlbedo(colour_mean.astype(np.float32), _exact_in_half(colour_basis)),
        triangles=_outward(mean, triangles),
        mirror=np.arange(len(mean), dtype=np.int32),
        parts=parts,
        part_names=PARTS,
        landmarks=dict(sorted((_profile_landmarks(mean) | landmarks).items())),  # as a file has them
        source=f"{file}: {content.deviations}",
        source_sha256=sha256,
    )
    return _centred(model)


def _drawn(content: Content) -> tuple[IntP, Int32]:
    """The vertices (v,) of triangles that are drawn, and those triangles (T, 3) among them."""
    triangles = content.triangles
    if content.drawn is not None:
        triangles = triangles[content.drawn[triangles].all(1)]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    if not len(triangles):
        raise ModelError(f"the {content.name} has no triangles to draw; expected a head: download it again.")
    kept, places = np.unique(triangles, return_inverse=True)
    return kept, places.reshape(-1, 3).astype(np.int32)


def _check_size(name: str, file: str, mean: Float32) -> None:
    height = float(np.ptp(mean[:, 1]))
    if not HEIGHTS[0] <= height <= HEIGHTS[1]:
        raise ModelError(
            f"{file} read as {name} is {height:,.4g} mm high; expected a head of {HEIGHTS[0]:.0f} to {HEIGHTS[1]:.0f} "
            "mm: give the file in its makers' units."
        )


def _outward(mean: Float32, triangles: Int32) -> Int32:
    """Triangles turned over, all together, if most of the surface faces inwards."""
    # The volume of cones from a point behind everything: also right for a face that is open at the back.
    middle = np.array([0.0, 0.5, 0.5]) * mean.min(0) + np.array([0.0, 0.5, 0.5]) * mean.max(0)
    eye = np.array([mean[:, 0].mean(), middle[1], mean[:, 2].min()])
    a, b, c = (mean[triangles[:, corner]] - eye for corner in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return np.ascontiguousarray(triangles if volume > 0 else triangles[:, ::-1])


def _profile_landmarks(mean: Float32) -> dict[str, int]:
    """Underside of the chin and back of the head, by which `head_sphere` leaves neck and shoulders out.

    Found in the profile: a mesh that is no deeper than a face, or has no chin where one belongs, gets none.
    """
    strip = np.flatnonzero(np.abs(mean[:, 0] - _midline(mean)) < MIDLINE)
    if len(strip) == 0:
        return {}
    profile = mean[strip].astype(np.float64)
    nose = profile[_nose(profile)]
    behind = np.flatnonzero(profile[:, 1] > nose[1] - CHIN_BELOW_NOSE[0])
    back = behind[np.argmin(profile[behind, 2])]
    below, away = nose[1] - profile[:, 1], nose[2] - profile[:, 2]
    chin = np.flatnonzero((below > CHIN_BELOW_NOSE[0]) & (below < CHIN_BELOW_NOSE[1]) & (away < CHIN_BEHIND_NOSE))
    if nose[2] - profile[back, 2] < HEAD_DEPTH or len(chin) == 0:
        return {}
    return {"menton": int(strip[chin[np.argmin(profile[chin, 1])]]), "opisthocranion": int(strip[back])}


def _nose(profile: Float64) -> int:
    """Its tip: the foremost point of the profile in the upper two thirds, as a chest may be further forward."""
    low, high = profile[:, 1].min(), profile[:, 1].max()
    upper = np.flatnonzero(profile[:, 1] > low + (high - low) / 3)
    return int(upper[np.argmax(profile[upper, 2])])


def _midline(mean: Float32) -> float:
    return float(mean[:, 0].min() + mean[:, 0].max()) / 2


def _centred(model: MorphableModel) -> MorphableModel:
    """The model with the middle of its head at the origin, its mirror list if it has one then, and coarser levels."""
    centre, _ = head_sphere(model)
    centre[0] = _midline(model.mean)
    mean = (model.mean - centre).astype(np.float32)
    levels = coarser_levels(mean, model.triangles, model.landmarks)
    return replace(model, mean=mean, mirror=mirror_of(mean), levels=levels)


def _exact_in_half(basis: Float32) -> Float32:
    """Rounded to what float16 holds, by a thousandth at most: half the file, and loading loses nothing."""
    return basis.astype(np.float16).astype(np.float32)
