"""The shape of the population: a mean head and independent modes, with the published measurements of both sexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float64
from dcign.facegen.model.population import AGE_DEVIATION, SEX_SIDE, SEX_WITHIN_SIDE
from dcign.facegen.primitives import ramp
from dcign.facegen.sculpture.eyes import IRIS_RADIUS
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.shape.age_fields import AGE, AGE_CHANGES, AGE_FIELDS
from dcign.facegen.shape.broad_fields import BROAD_FIELDS
from dcign.facegen.shape.covariance import Variation, conditioned, independent_modes, nearest_covariance
from dcign.facegen.shape.geometry import Geometry
from dcign.facegen.shape.girths import Chains, lay, length_bias, length_slopes, lengths
from dcign.facegen.shape.local_fields import FIELDS, displacement
from dcign.facegen.shape.measured_fields import (
    EXPRESSION,
    FORM,
    FORM_REACH,
    FORM_SPREAD,
    MEASURED_FIELDS,
    MEASURED_SPREAD,
)
from dcign.facegen.shape.measurements import COURSES, MEASUREMENTS, NAMES, correlation, published
from dcign.facegen.shape.modes import gaussian_process_modes
from dcign.facegen.template.mesh import Template
from dcign.facegen.template.regions import Regions, head_weight

SLACK = 0.002  # of a mean: where tables contradict each other, a head need not bend to fit both
NECK_WEIGHT = 0.3  # a head's variation counts most when modes are ranked
EYE_CORE = 9.0  # mm from the pupil: the part of the eye whose mean movement the whole eyeball follows

# What +1 standard deviation of sex, towards men, does to the other fields, in their standard deviations: the classical
# traits of form that no table has. What tables have is corrected to the published differences.
SEX = {
    "size": 0.75, "head_breadth": 0.2, "face_width": 0.5, "face_height": 0.3, "jaw_width": 0.4,
    "lower_face_breadth": 0.3, "brow_ridge": 1.4, "glabella": 1.0, "brow_height": -0.9, "brow_arch": -0.6,
    "brow_thickness": 0.3, "forehead_slope": 0.9, "forehead_bulge": -0.8, "temple": -0.3, "eye_depth": -0.6,
    "eye_size": -0.3, "lid_opening": -0.6, "cheek_fat": -0.5, "cheek_bone": -0.3, "jaw_angle": -0.8,
    "chin_width": 0.9, "chin_height": 0.4, "chin_point": 0.4, "nose_width": 0.7, "nose_protrusion": 0.3,
    "bridge_height": 0.4, "hump": 0.5, "tip_turn": -0.4, "upper_lip_length": 0.5, "lip_protrusion": -0.4,
    "corner_up": -0.3, "ear_size": 0.4, "ear_flare": 0.45, "neck": 1.9, "adams_apple": 1.0,
    "receding_temples": 0.6, "hairline": 0.3,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """mean (V, 3) mm; basis (V, 3, K) mm, column 0 head size; how its coefficients vary with sex and age."""

    mean: Float64
    basis: Float64
    variation: Variation

    def spread(self) -> dict[str, NDArray[Any]]:
        """What population.py draws people with; by name, so that the model's file can hold it."""
        return {
            "sex_shape": self.variation.sex,
            "age_shape": self.variation.age / (AGE_DEVIATION / 10),
            "women_shape": np.linalg.cholesky(self.variation.women),
            "men_shape": np.linalg.cholesky(self.variation.men),
        }


def shape_model(template: Template, regions: Regions, landmarks: dict[str, int], modes: int) -> ShapeModel:
    """Mean and basis of the population's shapes, conditioned on the published measurements."""
    names, prior, reach = prior_modes(template.vertices, regions)
    reach = reach * _symmetric(prior, template)
    calm = template.vertices + prior @ _weights(EXPRESSION, names, prior.shape[2])
    mean = _mean_on_target(template, calm, prior, reach, landmarks)
    chains = _chains(template, mean, landmarks)
    slopes = length_slopes(chains, mean, prior)
    gain = _broad_gain(slopes, reach)
    flat = prior.reshape(mean.size, -1)
    size = centroid_size_slope(mean).ravel()
    weight = np.repeat(NECK_WEIGHT + (1 - NECK_WEIGHT) * head_weight(mean), 3)
    weights, variation = independent_modes(
        _variation(names, slopes, gain), slopes, flat.T @ size, flat.T @ (flat * weight[:, None]), modes
    )
    basis = flat @ weights
    signs = _signs(basis, mean)
    basis = (basis * signs).reshape(*mean.shape, modes)
    # The mean counted on spans that sway as in the prior.
    more = length_bias(chains, mean, basis) - length_bias(chains, mean, prior)
    mean = _symmetrised(mean - prior @ (gain @ more), template)
    return ShapeModel(mean, basis, variation.with_signs(signs))


def _variation(names: list[str], slopes: Float64, gain: Float64) -> Variation:
    """How the weights of the fields and modes vary, given what they do to the measurements, slopes (M, K)."""
    count = slopes.shape[1]
    changes = np.array([AGE_CHANGES.get(name, 0.0) for name in NAMES])
    differences = np.array([m.difference for m in MEASUREMENTS]) / SEX_SIDE
    sex, age = (
        weights + gain @ (change - slopes @ weights)
        for weights, change in ((_weights(SEX, names, count), differences), (_weights(AGE, names, count), changes))
    )
    # Sex and age vary within each sex too: the rest has to vary less by that.
    explained = np.stack([SEX_WITHIN_SIDE * differences, AGE_DEVIATION / 10 * changes])
    prior = slopes @ slopes.T
    alike, known = correlation(prior)
    women, men = (
        conditioned(slopes, nearest_covariance(alike * np.outer(d, d) - explained.T @ explained, known, prior))
        for _, d in (published("women"), published("men"))
    )
    return Variation(sex, AGE_DEVIATION / 10 * age, women, men)


def centroid_size_slope(mean: Float64) -> Float64:
    """Gradient (V, 3) of the head's centroid size at the mean, per mm."""
    weight = head_weight(mean)[:, None]
    offset = (mean - (weight * mean).sum(0) / weight.sum()) * weight
    return np.asarray(offset / np.sqrt((offset**2 / np.maximum(weight, 1e-9)).sum()))


def prior_modes(vertices: Float64, regions: Regions) -> tuple[list[str], Float64, Float64]:
    """Names of the fields, every field and mode (V, 3, K), and how much each may move the mean (K,)."""
    geometry = Geometry(vertices, regions)
    named = {field.__name__: field(geometry) for field in BROAD_FIELDS}
    named |= {field.name: displacement(field, vertices, regions) for field in (*FIELDS, *AGE_FIELDS, *MEASURED_FIELDS)}
    for name, factor in (*MEASURED_SPREAD.items(), *FORM_SPREAD.items()):
        named[name] = named[name] * factor
    fields = np.stack([*named.values()], 2)
    smooth, scales = gaussian_process_modes(vertices)
    # The mean is corrected with broad modes: fine ones would ring about the landmarks.
    named_reach = [FORM_REACH if name in FORM else 1.0 for name in named]
    reach = np.concatenate([named_reach, np.select([scales > 60, scales > 30], [1.0, 0.5], 0.05)])
    return [*named], _with_rigid_eyes(np.concatenate([fields, smooth], 2), vertices, regions), reach


def _with_rigid_eyes(modes: Float64, vertices: Float64, regions: Regions) -> Float64:
    """Irises move as a whole and stay round; the white of the eye may slide along the ball, to stay with the lids."""
    modes, ball = modes.copy(), np.array(LANDMARKS["eyeball"])
    for left in (True, False):
        side = (vertices[:, 0] > 0) == left
        core = regions.eye * side * (regions.iris_radius < EYE_CORE)
        whole = np.tensordot(core, modes, 1) / core.sum()
        weight = (regions.eye * side)[:, None, None]
        eye = weight[:, 0, 0] > 0
        outward = vertices[eye] - ball * (1 if left else -1, 1, 1)
        outward /= np.linalg.norm(outward, axis=1)[:, None]
        own = modes[eye] - whole
        sliding = own - outward[:, :, None] * (outward[:, :, None] * own).sum(1)[:, None]
        white = ramp(regions.iris_radius[eye], IRIS_RADIUS + 0.3, EYE_CORE)[:, None, None]
        modes[eye] = whole + (1 - weight[eye]) * own + weight[eye] * white * sliding
    return modes


def _symmetrised(vertices: Float64, template: Template) -> Float64:
    """Exactly symmetric vertices (V, 3) from such that are but for rounding."""
    return np.asarray((vertices + vertices[template.mirror] * (-1, 1, 1)) / 2)


def _symmetric(modes: Float64, template: Template) -> Float64:
    """1 where a mode (V, 3, K) moves both sides alike, else 0 (K,): an average face is symmetric."""
    across = modes[template.mirror] * np.array([-1, 1, 1])[:, None]
    return np.asarray(np.abs(across - modes).max((0, 1)) < 1e-6 * np.abs(modes).max(), float)


def _mean_on_target(
    template: Template, start: Float64, modes: Float64, reach: Float64, landmarks: dict[str, int]
) -> Float64:
    """The symmetric head (V, 3) with the published mean measurements that is nearest to `start` (V, 3), in modes."""
    wanted = np.array([m.mean for m in MEASUREMENTS])
    mean, weights = start, np.zeros(modes.shape[2])
    for _ in range(5):
        chains = _chains(template, mean, landmarks)
        slopes = length_slopes(chains, mean, modes)
        # Spans that sway are longer on average: those of the mean head are shorter.
        missing = wanted - lengths(chains, mean) - length_bias(chains, mean, modes)
        weights = _broad_gain(slopes, reach) @ (missing + slopes @ weights)
        mean = start + modes @ weights
    return _symmetrised(mean, template)


def _chains(template: Template, mean: Float64, landmarks: dict[str, int]) -> Chains:
    return lay(COURSES, mean, template.triangles, landmarks)


def _broad_gain(slopes: Float64, reach: Float64) -> Float64:
    """Weights (K, M) that change one measurement by about 1 mm each, in modes as far as they reach."""
    allowed = SLACK * np.array([m.mean for m in MEASUREMENTS])
    return np.asarray(
        reach[:, None] ** 2 * slopes.T @ np.linalg.inv((slopes * reach**2) @ slopes.T + np.diag(allowed**2))
    )


def _weights(table: dict[str, float], names: list[str], count: int) -> Float64:
    """The table, which counts in fields before FORM_SPREAD, as weights (K,) of the fields, which come first."""
    weights = np.zeros(count)
    for name, weight in table.items():
        weights[names.index(name)] = weight / FORM_SPREAD.get(name, 1.0)
    return weights


def _signs(basis: Float64, mean: Float64) -> Float64:
    """Eigenvectors come with either sign: head size grows, and other columns' largest entry on the left is > 0."""
    left = np.repeat(mean[:, 0] >= 0, 3)
    largest = np.argmax(np.abs(basis * left[:, None]), 0)
    signs = np.sign(basis[largest, np.arange(basis.shape[1])])
    signs[0] = np.sign(centroid_size_slope(mean).ravel() @ basis[:, 0])
    return np.asarray(signs)
