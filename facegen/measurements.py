"""Published measurements of faces, which the sampled population reproduces: means, deviations, correlations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facegen.primitives import Array


@dataclass(frozen=True)
class Group:
    """Mean and standard deviation in one sex, mm."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Measurement:
    """A straight distance between two landmarks of the mesh, mm, in men and in women."""

    name: str
    start: str
    end: str
    men: Group
    women: Group
    source: str

    @property
    def mean(self) -> float:
        """Mean over both sexes, in equal numbers."""
        return (self.men.mean + self.women.mean) / 2

    @property
    def within(self) -> float:
        """Deviation within a sex."""
        return float(np.sqrt((self.men.deviation**2 + self.women.deviation**2) / 2))

    @property
    def deviation(self) -> float:
        """Deviation over both sexes: within them and between them."""
        return float(np.hypot(self.within, (self.men.mean - self.women.mean) / 2))


ANSUR = "ANSUR II 2012: 4082 men, 1986 women"
NORMS = "Weinberg et al. 2016: 3D Facial Norms, age 25"

MEASUREMENTS = (
    Measurement("bizygomatic", "zygion_left", "zygion_right", Group(142.6, 6.2), Group(133.8, 5.6), ANSUR),
    Measurement("head breadth", "euryon_left", "euryon_right", Group(154.3, 5.5), Group(147.8, 5.2), ANSUR),
    Measurement("menton-sellion", "sellion", "menton", Group(122.6, 6.7), Group(113.1, 6.1), ANSUR),
    Measurement("interpupillary", "pupil_left", "pupil_right", Group(64.0, 3.4), Group(61.7, 3.6), ANSUR),
    Measurement("head length", "glabella", "opisthocranion", Group(199.5, 7.0), Group(189.8, 7.4), ANSUR),
    Measurement("mandibular width", "gonion_left", "gonion_right", Group(103.7, 7.1), Group(97.0, 6.5), NORMS),
    Measurement("nose width", "alare_left", "alare_right", Group(35.9, 2.6), Group(32.7, 2.3), NORMS),
    Measurement("nose protrusion", "subnasale", "pronasale", Group(20.9, 2.0), Group(20.0, 1.8), NORMS),
    Measurement("nose height", "nasion", "subnasale", Group(56.7, 3.9), Group(54.5, 3.6), NORMS),
    Measurement("mouth width", "cheilion_left", "cheilion_right", Group(50.1, 3.8), Group(47.9, 3.5), NORMS),
    Measurement("ear length", "ear_top_left", "ear_bottom_left", Group(64.2, 4.5), Group(59.4, 3.9), ANSUR),
    Measurement("inner canthal", "endocanthion_left", "endocanthion_right", Group(32.7, 2.9), Group(31.5, 2.7), NORMS),
    Measurement("outer canthal", "exocanthion_left", "exocanthion_right", Group(88.9, 4.1), Group(85.6, 3.8), NORMS),
)  # fmt: skip

# Within-sex correlations of the first five, ANSUR II, in their order.
CORRELATIONS = np.array(
    [
        [1.00, 0.64, 0.20, 0.45, 0.18],
        [0.64, 1.00, 0.17, 0.30, 0.19],
        [0.20, 0.17, 1.00, 0.18, 0.31],
        [0.45, 0.30, 0.18, 1.00, 0.29],
        [0.18, 0.19, 0.31, 0.29, 1.00],
    ]
)


def measure(vertices: Array, landmarks: Mapping[str, int]) -> Array:
    """All measurements of faces (..., V, 3) -> (..., M), mm."""
    spans = _spans(vertices, landmarks)
    return np.asarray(np.linalg.norm(spans, axis=-1))


def measurement_slopes(vertices: Array, modes: Array, landmarks: Mapping[str, int]) -> Array:
    """How much each mode (V, 3, K) changes each measurement of the face (V, 3), to first order: (M, K)."""
    spans = _spans(vertices, landmarks)
    directions = spans / np.linalg.norm(spans, axis=-1, keepdims=True)
    starts, ends = _ends(landmarks)
    return np.asarray(np.einsum("mc,mck->mk", directions, modes[starts] - modes[ends]))


def published_covariance(prior: Array) -> Array:
    """The measurements' covariance (M, M): published deviations and, where published, correlations.

    Correlations that nobody published are taken from the prior covariance (M, M).
    """
    deviations = np.sqrt(np.diag(prior))
    correlation = prior / np.outer(deviations, deviations)
    known = MEASUREMENTS[: len(CORRELATIONS)]
    within = np.array([m.within for m in known])
    between = np.array([(m.men.mean - m.women.mean) / 2 for m in known])
    pooled = CORRELATIONS * np.outer(within, within) + np.outer(between, between)
    spread = np.sqrt(np.diag(pooled))
    correlation[: len(known), : len(known)] = pooled / np.outer(spread, spread)
    wanted = np.array([m.deviation for m in MEASUREMENTS])
    return np.asarray(_positive(correlation) * np.outer(wanted, wanted))


def _positive(correlation: Array) -> Array:
    """The correlation matrix (M, M) with negative eigenvalues, which mixing sources can give, removed."""
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    repaired = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return np.asarray(repaired / np.outer(scale, scale))


def _spans(vertices: Array, landmarks: Mapping[str, int]) -> Array:
    starts, ends = _ends(landmarks)
    return np.asarray(vertices[..., starts, :] - vertices[..., ends, :])


def _ends(landmarks: Mapping[str, int]) -> tuple[list[int], list[int]]:
    return [landmarks[m.start] for m in MEASUREMENTS], [landmarks[m.end] for m in MEASUREMENTS]
