"""Convert the content of a model file to a morphable model in this project's conventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.arrays import Float32, Float64, Int32, IntP, UInt8
from dcign.errors import ModelError
from dcign.facegen.colour import lab_to_linear, linear_to_srgb
from dcign.facegen.levels.decimation import coarser_levels, mirror_of
from dcign.facegen.loaders.array_file import ADVICE
from dcign.facegen.loaders.content import PARTS, Content
from dcign.facegen.loaders.proportions import check_proportions
from dcign.facegen.model.albedo import LinearAlbedo, round_to_float16
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel

STILL = 1e-4  # mm: a mode that moves all drawn vertices by less belongs to parts that are not drawn
HEAD_DEPTH = 140.0  # mm from the nose to the back of the head; a shallower mesh is a face alone
MIDLINE = 12.0  # mm: half the width of the strip that is searched for a profile
CHIN_BELOW_NOSE, CHIN_BEHIND_NOSE = (35.0, 115.0), 42.0  # mm: where the underside of the chin can be
# Colours of models that have none. CIELAB of each of PARTS; skin: about the mean of published tables (docs/face.md).
TONES = {"skin": (57.0, 12.0, 16.0), "sclera": (84.0, 2.0, 3.0), "iris": (24.0, 7.0, 11.0), "mouth": (32.0, 18.0, 10.0)}
# One standard deviation of skin: groups differ in lightness and slightly in yellow; people in one group in redness.
LIGHTNESS, REDNESS = (7.0, -0.8, -0.8), (0.0, 2.6, 0.6)


def to_model(content: Content, file: str, sha256: str) -> MorphableModel:
    """Convert content that was read from a file with this SHA-256. Raise ModelError if it is not a head."""
    kept, triangles = _drawn(content)
    mean = content.mean[kept] * np.float32(content.millimetres)
    basis = content.basis[kept]
    basis *= np.float32(content.millimetres)
    moving = np.abs(basis).max((0, 1)) > STILL
    if not moving.any():
        raise ModelError(f"expected a morphable model in {file}, found no mode that moves a vertex: {ADVICE}")
    position = {int(vertex): index for index, vertex in enumerate(kept)}
    landmarks = {name: position[vertex] for name, vertex in content.landmarks.items() if vertex in position}
    check_proportions(mean, basis, content.millimetres, landmarks, f"{file}, read as {content.name}")
    parts = np.zeros(len(mean), np.uint8) if content.parts is None else content.parts[kept]
    colour_mean, colour_basis = content.colour_mean, content.colour_basis
    if colour_mean is None or colour_basis is None:
        colour_mean, colour_basis = _plain_skin(parts)
    else:
        colour_mean, colour_basis = colour_mean[kept], colour_basis[kept]
    model = MorphableModel(
        name=content.name,
        licence=content.licence,
        mean=mean,
        shape_basis=round_to_float16(basis if moving.all() else basis[:, :, moving]),
        albedo=LinearAlbedo(colour_mean.astype(np.float32), round_to_float16(colour_basis)),
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
    """Return the vertices (v,) of the triangles that are drawn, and those triangles (T, 3) as indices into them."""
    triangles = content.triangles
    if content.drawn is not None:
        triangles = triangles[content.drawn[triangles].all(1)]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    if not len(triangles):
        raise ModelError(f"expected a head in the {content.name}, found no triangles to draw: {ADVICE}")
    kept, numbers = np.unique(triangles, return_inverse=True)
    return kept, numbers.reshape(-1, 3).astype(np.int32)


def _plain_skin(parts: UInt8) -> tuple[Float32, Float32]:
    """Return plain colours of vertices (V,), indices into PARTS: mean (V, 3) and basis (V, 3, 2), sRGB 0..1."""
    mean = np.stack([_srgb(TONES[name]) for name in PARTS])[parts]
    skin = np.array(TONES["skin"])
    step = np.stack([_srgb(skin + mode) - _srgb(skin - mode) for mode in np.array([LIGHTNESS, REDNESS])], 1) / 2
    basis = np.where((parts == PARTS.index("skin"))[:, None, None], step, 0.0)
    return mean.astype(np.float32), basis.astype(np.float32)


def _srgb(lab: Float64 | tuple[float, float, float]) -> Float64:
    return linear_to_srgb(lab_to_linear(np.asarray(lab, np.float64)))


def _outward(mean: Float32, triangles: Int32) -> Int32:
    """Return the triangles, all flipped if most of the surface faces inwards."""
    # The volume of cones from a point behind the mesh is right for a face that is open at the back, too.
    middle = np.array([0.0, 0.5, 0.5]) * mean.min(0) + np.array([0.0, 0.5, 0.5]) * mean.max(0)
    eye = np.array([mean[:, 0].mean(), middle[1], mean[:, 2].min()])
    a, b, c = (mean[triangles[:, corner]] - eye for corner in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return np.ascontiguousarray(triangles if volume > 0 else triangles[:, ::-1])


def _profile_landmarks(mean: Float32) -> dict[str, int]:
    """Return the underside of the chin and the back of the head, which tell `head_sphere` where the neck begins.

    They are found in the profile. A mesh that is no deeper than a face, or has no chin where one belongs, gets none.
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
    """Return the tip of the nose: the foremost point of the upper two thirds, as a chest may be further forward."""
    low, high = profile[:, 1].min(), profile[:, 1].max()
    upper = np.flatnonzero(profile[:, 1] > low + (high - low) / 3)
    return int(upper[np.argmax(profile[upper, 2])])


def _midline(mean: Float32) -> float:
    return float(mean[:, 0].min() + mean[:, 0].max()) / 2


def _centred(model: MorphableModel) -> MorphableModel:
    """Return the model with its head's centre at the origin, with coarser levels, and with its mirror if symmetric."""
    centre, _ = head_sphere(model)
    centre[0] = _midline(model.mean)
    mean = (model.mean - centre).astype(np.float32)
    moved = replace(model, mean=mean, mirror=mirror_of(mean))
    return replace(moved, levels=coarser_levels(moved))
