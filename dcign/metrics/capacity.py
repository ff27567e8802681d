"""Explicitness and size of DCI-ES (Eastwood et al. 2023): how complex a probe has to be to read the factors.

Probes of rising capacity are fitted to each factor. Explicitness is 1 less the area between the curve of their losses
and the lowest loss, over the area of a straight line from the loss of a constant to 0. It is 1 if the simplest probe is
as good as the most complex one, and 0 for a straight line.

The probes are linear in the latents and in M random Fourier features of them (Rahimi and Recht 2007), with
M = 16 (2^x - 1) for capacities x = 0 .. 6: from none to 1,008. The authors also use random features, beside networks
and forests; with these, each probe is one ridge regression, or for classes one linear discriminant analysis, so all of
them take about a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from dcign.arrays import Floating
from dcign.metrics.circular import as_vectors
from dcign.metrics.tables import ANGLE, CLASS, Types, standardised, train_and_test, types_of

CAPACITIES = tuple(range(7))
FIRST = 16  # random features of capacity 1
RIDGE = 1e-4  # of the mean square of an input, which is about 1
WIDTH = 0.5  # squared width of the kernel per latent that varies: scikit-learn's gamma="scale"


@dataclass(frozen=True, eq=False)
class LossCapacity:
    """Losses of probes on unseen rows: capacities (P,) ascending; size is the number of factors over that of latents.

    errors (M, P, F): squared errors, or 1 for a wrong class; constant_errors (M, F): those of the best constant.
    """

    capacities: tuple[int, ...]
    errors: Floating
    constant_errors: Floating
    size: float

    @property
    def losses(self) -> Floating:
        """Each probe's loss over that of a constant, at most 1, and never above that of a simpler probe: (P, F)."""
        return self._losses(self.errors, self.constant_errors)

    @property
    def informativeness(self) -> float:
        """The share of each factor that the best probe predicts, the mean over factors: 0..1."""
        return float(1 - self.losses[-1].mean())

    @property
    def explicitness(self) -> float:
        """The mean over factors; at most 1, and below 0 for curves that fall late."""
        return self.scores_of(self.errors, self.constant_errors)

    def scores_of(self, errors: Floating, constant_errors: Floating) -> float:
        """Return the explicitness on some rows, such as those that a bootstrap draws."""
        curves = self._losses(errors, constant_errors).T
        return float(np.mean([curve_explicitness(self.capacities, curve) for curve in curves]))

    @staticmethod
    def _losses(errors: Floating, constant_errors: Floating) -> Floating:
        constant = constant_errors.sum(axis=0)
        losses = np.minimum(errors.sum(axis=0) / np.where(constant > 0, constant, np.inf), 1)
        lowest: Floating = np.minimum.accumulate(losses, axis=0)
        return lowest


def loss_capacity(
    train_latents: ArrayLike,
    train_factors: ArrayLike,
    test_latents: ArrayLike,
    test_factors: ArrayLike,
    rng: np.random.Generator,
    types: Types | None = None,
) -> LossCapacity:
    """Fit probes of rising capacity: (N, Z), (N, F) fitted on, (M, Z), (M, F) measured on.

    Losses of classes are error rates, those of numbers squared errors, and those of angles the squared errors of cosine
    and sine. types (F,): number, class or angle; None: classes if the tables are of an integer type, else numbers. rng
    draws the random features, which are the same for all factors.
    """
    codes, truth, held, held_truth = train_and_test(train_latents, train_factors, test_latents, test_factors)
    inputs, asked = (features for features in _features(standardised(codes), standardised(held, codes), rng))
    sizes = [1 + codes.shape[1] + FIRST * (2**capacity - 1) for capacity in CAPACITIES]
    gram = inputs.T @ inputs
    losses = {CLASS: _class_errors, ANGLE: _angle_errors}
    found = [
        losses.get(each, _squared_errors)(gram, inputs, known, asked, wanted, sizes)
        for each, known, wanted in zip(types_of(truth, held_truth, types=types), truth.T, held_truth.T, strict=True)
    ]
    errors, constant = (np.stack(part, axis=-1) for part in zip(*found, strict=True))
    return LossCapacity(CAPACITIES, errors, constant, truth.shape[1] / codes.shape[1])


def curve_explicitness(capacities: ArrayLike, losses: ArrayLike, constant: float = 1.0) -> float:
    """Return 1 - 2 (area between the curve and its lowest loss) / (range of capacities x loss of a constant).

    capacities (P,) ascending, losses (P,); a loss above that of a simpler probe is replaced by it.
    """
    places = np.asarray(capacities, np.float64)
    lowest = np.minimum.accumulate(np.asarray(losses, np.float64))
    area = np.trapezoid(lowest - lowest[-1], places)
    return float(1 - 2 * area / ((places[-1] - places[0]) * constant))


def _features(codes: Floating, held: Floating, rng: np.random.Generator) -> list[Floating]:
    """Return a one, the latents and the random features of both tables: (N, Z), (M, Z) -> (N, K), (M, K)."""
    varying = max(1, int((codes.std(axis=0) > 0).sum()))
    count = FIRST * (2 ** CAPACITIES[-1] - 1)
    directions = rng.normal(size=(codes.shape[1], count)) / np.sqrt(WIDTH * varying)
    phases = rng.uniform(0, 2 * np.pi, count)
    return [
        np.concatenate([np.ones((len(table), 1)), table, np.sqrt(2) * np.cos(table @ directions + phases)], axis=1)
        for table in (codes, held)
    ]


def _squared_errors(
    gram: Floating,
    inputs: Floating,
    known: NDArray[np.generic],
    asked: Floating,
    wanted: NDArray[np.generic],
    sizes: list[int],
) -> tuple[Floating, Floating]:
    """Return squared errors of ridge regressions on the first inputs, and of the mean: (M, P), (M,)."""
    values, truth = known.astype(np.float64), wanted.astype(np.float64)
    mean, products = values.mean(), inputs.T @ (values - values.mean())
    errors = []
    for size in sizes:
        weights = _solved(gram[:size, :size], products[:size], len(inputs))
        errors.append(np.square(truth - mean - asked[:, :size] @ weights))
    return np.stack(errors, axis=1), np.square(truth - truth.mean())


def _angle_errors(
    gram: Floating,
    inputs: Floating,
    known: NDArray[np.generic],
    asked: Floating,
    wanted: NDArray[np.generic],
    sizes: list[int],
) -> tuple[Floating, Floating]:
    """Return the sums of `_squared_errors` of cosine and sine: (M, P), (M,)."""
    parts = zip(*(as_vectors(angles.astype(np.float64)).T for angles in (known, wanted)), strict=True)
    found = [_squared_errors(gram, inputs, values, asked, truth, sizes) for values, truth in parts]
    errors, constant = (np.sum(part, axis=0) for part in zip(*found, strict=True))
    return errors, constant


def _class_errors(
    gram: Floating,
    inputs: Floating,
    known: NDArray[np.generic],
    asked: Floating,
    wanted: NDArray[np.generic],
    sizes: list[int],
) -> tuple[Floating, Floating]:
    """Return 1 where linear discriminant analysis on the first inputs is wrong, and the most frequent class is."""
    named, member, counts = np.unique(known, return_inverse=True, return_counts=True)
    means = np.eye(len(named))[member].T @ inputs / counts[:, None]  # (C, K)
    within = gram - (means.T * counts) @ means
    errors = []
    for size in sizes:
        weights = _solved(within[1:size, 1:size], means[:, 1:size].T, len(inputs)) * len(inputs)
        offsets = np.log(counts / counts.sum()) - (means[:, 1:size].T * weights).sum(axis=0) / 2
        errors.append(named[(asked[:, 1:size] @ weights + offsets).argmax(axis=1)] != wanted)
    constant = wanted != named[counts.argmax()]
    return np.stack(errors, axis=1).astype(np.float64), constant.astype(np.float64)


def _solved(matrix: Floating, right: Floating, rows: int) -> Floating:
    """Solve (matrix + ridge) x = right: (K, K), (K, ...) -> (K, ...)."""
    solved: Floating = cho_solve(cho_factor(matrix + RIDGE * rows * np.eye(len(matrix))), right)
    return solved
