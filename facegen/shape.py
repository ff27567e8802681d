"""The shape of the population: fields and modes, conditioned on published measurements, as independent N(0, 1) modes.

Notation: B (3V, K) holds every field and mode, one standard deviation each; J (M, K) is what they do to the
measurements. A prior coefficient vector w ~ N(0, I) gives the measurements the covariance S0 = J J^T. The posterior

    cov(w) = G S G^T + (I - G J)(I - G J)^T,   G = J^T S0^-1

gives them the published covariance S and changes nothing that the measurements do not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facegen.broad_fields import BROAD_FIELDS
from facegen.fields import FIELDS, displacement
from facegen.geometry import Geometry
from facegen.hair_fields import long_hair, quiff
from facegen.landmarks import locate_landmarks
from facegen.measurements import MEASUREMENTS, measure, measurement_slopes, published_covariance
from facegen.mesh import Template
from facegen.modes import gaussian_process_modes
from facegen.primitives import Array, ramp
from facegen.regions import Regions

MEAN_HAIR = 9.0  # mm, thickness of the mean head's hair on top
MEAN_LONG_HAIR = 2.0  # standard deviations: few go below none
MEAN_QUIFF = 0.7  # standard deviations: hair stands up over the forehead
EYE_CORE = 9.0  # mm from the pupil: the part of the eye whose mean movement the whole eyeball follows

# What +1 standard deviation of sex, towards men, does to the other fields, in their standard deviations: half the
# differences between the sexes in ANSUR II and 3D Facial Norms, and the classical traits of form.
SEX = {
    "size": 0.9, "face_height": 0.45, "jaw_width": 0.9, "brow_ridge": 1.0, "glabella": 0.6,
    "brow_height": -0.8, "brow_arch": -0.5, "brow_thickness": 0.7, "chin_width": 0.7,
    "chin_height": 0.5, "nose_protrusion": 0.3, "nose_width": 0.5, "nose_length": 0.4, "neck": 1.2,
    "forehead_slope": 0.6, "forehead_bulge": -0.5, "cheek_fat": -0.35, "cheek_bone": -0.2,
    "upper_lip": -0.5, "lower_lip": -0.4, "lid_opening": -0.5, "eye_size": -0.4, "jaw_angle": -0.5,
    "eye_depth": -0.4, "ear_size": 0.5, "temple": -0.2, "bridge_height": 0.3, "hump": 0.4,
    "hair_volume": -0.6, "hair_top": -0.4, "hair_sides": -0.5, "receding_temples": 0.6,
    "long_hair": -1.5, "upper_lip_length": 0.5, "hairline": 0.3,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """mean (V, 3) mm; basis (V, 3, K) mm, column 0 head size; sex (K,) the unit direction from women to men."""

    mean: Array
    basis: Array
    sex: Array
    landmarks: dict[str, int]


def shape_model(template: Template, regions: Regions, modes: int) -> ShapeModel:
    """Mean and basis of the population's shapes, conditioned on the published measurements."""
    prior, reach, sex_field = _prior(template.vertices, regions)
    prior = _with_rigid_eyes(prior, template.vertices, regions)
    landmarks = locate_landmarks(template.vertices)
    hairy = template.vertices + MEAN_HAIR * regions.hair_volume[:, None] * regions.normals
    geometry = Geometry(template.vertices, regions)
    hairy += MEAN_LONG_HAIR * long_hair(geometry) + MEAN_QUIFF * quiff(geometry)
    mean = _mean_on_target(hairy, prior, reach, landmarks)
    mean = (mean + mean[template.mirror] * (-1, 1, 1)) / 2
    posterior = _posterior_root(measurement_slopes(mean, prior, landmarks))
    basis = _independent_modes(mean, prior.reshape(mean.size, -1), posterior, modes)
    sex = _direction(basis, sex_field)
    return ShapeModel(mean, basis.reshape(*mean.shape, modes), sex, landmarks)


def head_weight(vertices: Array) -> Array:
    """1 on the head, fading to 0 down the neck (V,): what counts as size."""
    return 1 - ramp(-vertices[:, 1] - 0.35 * vertices[:, 2], 70, 110)


def centroid_size_slope(mean: Array) -> Array:
    """Gradient (V, 3) of the head's centroid size at the mean, per mm."""
    weight = head_weight(mean)[:, None]
    offset = (mean - (weight * mean).sum(0) / weight.sum()) * weight
    return np.asarray(offset / np.sqrt((offset**2 / np.maximum(weight, 1e-9)).sum()))


def _prior(vertices: Array, regions: Regions) -> tuple[Array, Array, Array]:
    """Every field and mode (V, 3, K), how much each may move the mean (K,), and the sex field (3V,)."""
    geometry = Geometry(vertices, regions)
    named = {field.__name__: field(geometry) for field in BROAD_FIELDS}
    named |= {field.name: displacement(field, vertices, regions) for field in FIELDS}
    sex = np.sum([weight * named[name] for name, weight in SEX.items()], axis=0)
    fields = np.stack([*named.values(), sex], 2)
    smooth, scales = gaussian_process_modes(vertices)
    # The mean is corrected with broad modes: fine ones would ring about the landmarks.
    reach = np.concatenate([np.ones(fields.shape[2]), np.select([scales > 60, scales > 30], [1.0, 0.5], 0.05)])
    return np.concatenate([fields, smooth], 2), reach, sex.ravel()


def _with_rigid_eyes(modes: Array, vertices: Array, regions: Regions) -> Array:
    """Eyeballs move as a whole, so that irises stay round."""
    modes = modes.copy()
    for left in (True, False):
        side = (vertices[:, 0] > 0) == left
        core = regions.eye * side * (regions.iris_radius < EYE_CORE)
        whole = np.tensordot(core, modes, 1) / core.sum()
        weight = (regions.eye * side)[:, None, None]
        eye = weight[:, 0, 0] > 0
        modes[eye] = modes[eye] * (1 - weight[eye]) + whole * weight[eye]
    return modes


def _mean_on_target(vertices: Array, modes: Array, reach: Array, landmarks: Mapping[str, int]) -> Array:
    """The face (V, 3) with the published mean measurements that is nearest to the sculpture, in modes."""
    wanted = np.array([m.mean for m in MEASUREMENTS])
    mean = vertices
    for _ in range(4):
        slopes = measurement_slopes(mean, modes, landmarks)
        missing = wanted - measure(mean, landmarks)
        step = reach**2 * (slopes.T @ np.linalg.solve((slopes * reach**2) @ slopes.T, missing))
        mean = mean + modes @ step
    return mean


def _posterior_root(slopes: Array) -> Array:
    """A (K, K) with A A^T the posterior covariance of the coefficients (the formula at the top)."""
    prior = slopes @ slopes.T
    gain = np.linalg.solve(prior, slopes).T
    unseen = np.eye(slopes.shape[1]) - gain @ slopes
    covariance = gain @ published_covariance(prior) @ gain.T + unseen @ unseen.T
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _independent_modes(mean: Array, prior: Array, posterior: Array, count: int) -> Array:
    """Head size, then the principal components of what is left: (3V, count) columns times their deviation."""
    size = posterior.T @ (prior.T @ centroid_size_slope(mean).ravel())
    size /= np.linalg.norm(size)
    weight = np.repeat(0.3 + 0.7 * head_weight(mean), 3)
    gram = posterior.T @ (prior.T @ (prior * weight[:, None])) @ posterior
    without_size = np.eye(len(size)) - np.outer(size, size)
    _, vectors = np.linalg.eigh(without_size @ gram @ without_size)
    chosen = np.concatenate([size[:, None], vectors[:, ::-1][:, : count - 1]], 1)
    return _with_fixed_signs(prior @ (posterior @ chosen), mean)


def _with_fixed_signs(basis: Array, mean: Array) -> Array:
    """Eigenvectors come with either sign: head size grows, and other columns' largest entry on the left is > 0."""
    left = np.repeat(mean[:, 0] >= 0, 3)
    largest = np.argmax(np.abs(basis * left[:, None]), 0)
    signs = np.sign(basis[largest, np.arange(basis.shape[1])])
    signs[0] = np.sign(centroid_size_slope(mean).ravel() @ basis[:, 0])
    return np.asarray(basis * signs)


def _direction(basis: Array, field: Array) -> Array:
    """The unit coefficient vector (K,) that comes nearest to the field (3V,), size left out."""
    coefficients = np.linalg.lstsq(basis, field, rcond=None)[0]
    coefficients[0] = 0
    return np.asarray(coefficients / np.linalg.norm(coefficients))
