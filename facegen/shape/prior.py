"""The shape model of the population: a mean head and independent modes that reproduce published measurements."""

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
from dcign.facegen.shape import field_weights
from dcign.facegen.shape.broad_fields import BROAD_FIELDS, Geometry
from dcign.facegen.shape.covariance import Variation, conditioned, independent_modes, nearest_covariance
from dcign.facegen.shape.girths import Chains, lay, length_bias, length_slopes, lengths
from dcign.facegen.shape.local_fields import LOCAL_FIELDS, displacements
from dcign.facegen.shape.measurements import COURSES, MEASUREMENTS, NAMES, correlation, published
from dcign.facegen.shape.modes import gaussian_process_modes
from dcign.facegen.template.mesh import Template
from dcign.facegen.template.regions import Regions, head_weight

SLACK = 0.002  # tolerance, as a share of the mean: contradicting tables must not distort the head
NECK_WEIGHT = 0.3  # weight of the neck, relative to the head, when modes are ranked by their variance
EYE_CORE = 9.0  # mm from the pupil: the eyeball follows the mean movement of this part


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """mean (V, 3) mm; basis (V, 3, K) mm, column 0 head size; variation of the coefficients with sex and age."""

    mean: Float64
    basis: Float64
    variation: Variation

    def spread(self) -> dict[str, NDArray[Any]]:
        """Return the arrays from which population.py draws people, by name as in the model file."""
        return {
            "sex_shape": self.variation.sex,
            "age_shape": self.variation.age / (AGE_DEVIATION / 10),
            "women_shape": np.linalg.cholesky(self.variation.women),
            "men_shape": np.linalg.cholesky(self.variation.men),
        }


def shape_model(template: Template, regions: Regions, landmarks: dict[str, int], modes: int) -> ShapeModel:
    """Compute mean and basis of the population's shapes, conditioned on the published measurements."""
    names, prior, reach = prior_modes(template.vertices, regions)
    reach = reach * _symmetric(prior, template)
    calm = template.vertices + prior @ _weights(field_weights.EXPRESSION, names, prior.shape[2])
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
    # The mean was computed with the length bias of the prior: correct it for that of the basis.
    more = length_bias(chains, mean, basis) - length_bias(chains, mean, prior)
    mean = _symmetrised(mean - prior @ (gain @ more), template)
    return ShapeModel(mean, basis, variation.with_signs(signs))


def _variation(names: list[str], slopes: Float64, gain: Float64) -> Variation:
    """Return the variation of the weights of fields and modes, given the slopes (M, K) of the measurements."""
    count = slopes.shape[1]
    changes = np.array([field_weights.AGE_CHANGES.get(name, 0.0) for name in NAMES])
    differences = np.array([m.difference for m in MEASUREMENTS]) / SEX_SIDE
    sex, age = (
        weights + gain @ (change - slopes @ weights)
        for weights, change in (
            (_weights(field_weights.SEX, names, count), differences),
            (_weights(field_weights.AGE, names, count), changes),
        )
    )
    # Sex and age vary within each sex, too: their share is subtracted from the published covariance.
    explained = np.stack([SEX_WITHIN_SIDE * differences, AGE_DEVIATION / 10 * changes])
    prior = slopes @ slopes.T
    alike, known = correlation(prior)
    women, men = (
        conditioned(slopes, nearest_covariance(alike * np.outer(d, d) - explained.T @ explained, known, prior))
        for _, d in (published("women"), published("men"))
    )
    return Variation(sex, AGE_DEVIATION / 10 * age, women, men)


def centroid_size_slope(mean: Float64) -> Float64:
    """Return the gradient (V, 3) of the head's centroid size at the mean, per mm."""
    weight = head_weight(mean)[:, None]
    offset = (mean - (weight * mean).sum(0) / weight.sum()) * weight
    return np.asarray(offset / np.sqrt((offset**2 / np.maximum(weight, 1e-9)).sum()))


def prior_modes(vertices: Float64, regions: Regions) -> tuple[list[str], Float64, Float64]:
    """Return the names of the fields, every field and mode (V, 3, K), and how far each may move the mean (K,)."""
    geometry = Geometry(vertices, regions)
    named = {field.__name__: field(geometry) for field in BROAD_FIELDS}
    named |= displacements(LOCAL_FIELDS, vertices, regions)
    for name, factor in (*field_weights.MEASURED_SPREAD.items(), *field_weights.FORM_SPREAD.items()):
        named[name] = named[name] * factor
    fields = np.stack([*named.values()], 2)
    smooth, scales = gaussian_process_modes(vertices)
    # The mean is corrected with broad modes: fine ones would make waves around the landmarks.
    named_reach = [field_weights.FORM_REACH if name in field_weights.FORM else 1.0 for name in named]
    reach = np.concatenate([named_reach, np.select([scales > 60, scales > 30], [1.0, 0.5], 0.05)])
    return [*named], _with_rigid_eyes(np.concatenate([fields, smooth], 2), vertices, regions), reach


def _with_rigid_eyes(modes: Float64, vertices: Float64, regions: Regions) -> Float64:
    """Move each iris rigidly, so that it stays round; the white of the eye may slide along the ball with the lids."""
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
    """Return vertices (V, 3) that are symmetric up to rounding as exactly symmetric ones."""
    return np.asarray((vertices + vertices[template.mirror] * (-1, 1, 1)) / 2)


def _symmetric(modes: Float64, template: Template) -> Float64:
    """Return 1 where a mode (V, 3, K) is symmetric, else 0 (K,): an average face is symmetric."""
    across = modes[template.mirror] * np.array([-1, 1, 1])[:, None]
    return np.asarray(np.abs(across - modes).max((0, 1)) < 1e-6 * np.abs(modes).max(), float)


def _mean_on_target(
    template: Template, start: Float64, modes: Float64, reach: Float64, landmarks: dict[str, int]
) -> Float64:
    """Return the symmetric head (V, 3) with the published means that is nearest to `start` (V, 3) in modes."""
    wanted = np.array([m.mean for m in MEASUREMENTS])
    mean, weights = start, np.zeros(modes.shape[2])
    for _ in range(5):
        chains = _chains(template, mean, landmarks)
        slopes = length_slopes(chains, mean, modes)
        # Random variation makes segments longer on average, so those of the mean head have to be shorter.
        missing = wanted - lengths(chains, mean) - length_bias(chains, mean, modes)
        weights = _broad_gain(slopes, reach) @ (missing + slopes @ weights)
        mean = start + modes @ weights
    return _symmetrised(mean, template)


def _chains(template: Template, mean: Float64, landmarks: dict[str, int]) -> Chains:
    return lay(COURSES, mean, template.triangles, landmarks)


def _broad_gain(slopes: Float64, reach: Float64) -> Float64:
    """Return weights (K, M) that change one measurement each by about 1 mm, within the reach of each mode (K,)."""
    allowed = SLACK * np.array([m.mean for m in MEASUREMENTS])
    return np.asarray(
        reach[:, None] ** 2 * slopes.T @ np.linalg.inv((slopes * reach**2) @ slopes.T + np.diag(allowed**2))
    )


def _weights(table: dict[str, float], names: list[str], count: int) -> Float64:
    """Convert a table, in deviations before FORM_SPREAD, to weights (K,) of the fields, which are the first modes."""
    weights = np.zeros(count)
    for name, weight in table.items():
        weights[names.index(name)] = weight / field_weights.FORM_SPREAD.get(name, 1.0)
    return weights


def _signs(basis: Float64, mean: Float64) -> Float64:
    """Return the signs (K,) that make head size grow, and the largest entry of other columns on the left positive."""
    left = np.repeat(mean[:, 0] >= 0, 3)
    largest = np.argmax(np.abs(basis * left[:, None]), 0)
    signs = np.sign(basis[largest, np.arange(basis.shape[1])])
    signs[0] = np.sign(centroid_size_slope(mean).ravel() @ basis[:, 0])
    return np.asarray(signs)
