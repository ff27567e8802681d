"""The covariance of heads within each sex, and independent modes of it.

Notation: w (K,) are the weights of the fields and modes, in standard deviations; J (M, K) is the derivative of the
measurements by w. A prior w ~ N(0, I) gives the measurements the covariance S0 = J J^T. The posterior

    cov(w) = G S G^T + (I - G J)(I - G J)^T,   G = J^T S0^-1

gives them the published covariance S and changes nothing on which the measurements do not depend. In the population

    w = sex * d + decades * a + residual,   cov(residual) by sex, so that S holds within each sex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dcign.arrays import Bool, Float64

LEAST, MOST = 0.1, 3.6  # of the prior variance
ROUNDS = 400


@dataclass(frozen=True, eq=False)
class Variation:
    """Statistics of the weights: sex (K,) and age (K,) per unit of each; covariances (K, K) within women and men."""

    sex: Float64
    age: Float64
    women: Float64
    men: Float64

    @property
    def total(self) -> Float64:
        """Covariance (K, K) over the population: sex and age have unit variance."""
        return np.outer(self.sex, self.sex) + np.outer(self.age, self.age) + (self.women + self.men) / 2

    def with_signs(self, signs: Float64) -> Variation:
        """Change the signs of some weights; signs (K,) are 1 or -1."""
        both = np.outer(signs, signs)
        return Variation(signs * self.sex, signs * self.age, both * self.women, both * self.men)


def conditioned(slopes: Float64, wanted: Float64) -> Float64:
    """Return the posterior covariance (K, K) of the weights for slopes J (M, K) and a target covariance S (M, M)."""
    gain = np.linalg.solve(slopes @ slopes.T, slopes).T
    unseen = np.eye(slopes.shape[1]) - gain @ slopes
    return np.asarray(gain @ wanted @ gain.T + unseen @ unseen.T)


def nearest_covariance(wanted: Float64, fixed: Bool, prior: Float64) -> Float64:
    """Return a covariance (M, M) near the wanted one, equal to it where fixed, and compatible with the prior (M, M).

    Different sources may contradict each other and anatomy. Therefore the variance of no combination of measurements
    may exceed MOST times, or fall below LEAST times, its prior variance. We project alternately (Dykstra 1983) onto
    both constraints, in coordinates where the prior is the identity.
    """
    root = np.linalg.cholesky(prior)
    inverse = np.linalg.inv(root)
    row, column = np.nonzero(np.triu(fixed))
    # The least change of entry (i, j) alone is the symmetric part of root[i] root[j]^T. Inner products of these:
    products = (prior[np.ix_(row, row)] * prior[np.ix_(column, column)]) / 2
    products += (prior[np.ix_(row, column)] * prior[np.ix_(column, row)]) / 2
    current = inverse @ wanted @ inverse.T
    correction = np.zeros_like(current)
    for _ in range(ROUNDS):
        values, vectors = np.linalg.eigh(current - correction)
        possible = (vectors * np.clip(values, LEAST, MOST)) @ vectors.T
        correction += possible - current
        missing = wanted[row, column] - np.einsum("ki,ij,kj->k", root[row], possible, root[column])
        step = np.einsum("k,ki,kj->ij", np.linalg.solve(products, missing), root[row], root[column])
        current = possible + (step + step.T) / 2
    values, vectors = np.linalg.eigh(current)  # fixed entries matter more than a small violation of the limits
    covariance = root @ (vectors * np.maximum(values, LEAST / 4)) @ vectors.T @ root.T
    rescale = np.sqrt(np.diag(wanted) / np.diag(covariance))
    return np.asarray(covariance * np.outer(rescale, rescale))


def independent_modes(
    variation: Variation, slopes: Float64, size: Float64, gram: Float64, count: int
) -> tuple[Float64, Variation]:
    """Return weights (K, count) of uncorrelated modes with unit variance, and the variation in terms of them.

    The first mode is the regression on `size` (K,). Together the modes span the slopes (M, K), sex and age, and the
    directions of largest variance in the metric gram (K, K). After the first they are principal components.
    """
    values, vectors = np.linalg.eigh(variation.total)
    root, inverse = vectors * np.sqrt(values), (vectors / np.sqrt(values)).T
    white = root.T @ gram @ root
    kept = np.concatenate(
        [root.T @ size[:, None], root.T @ slopes.T, inverse @ np.stack([variation.sex, variation.age], 1)], 1
    )
    kept, _ = np.linalg.qr(kept / np.linalg.norm(kept, axis=0))
    others = np.eye(len(white)) - kept @ kept.T
    most = np.linalg.eigh(others @ white @ others)[1][:, ::-1][:, : count - kept.shape[1]]
    after_size = np.concatenate([kept[:, 1:], most], 1)
    turned = np.linalg.eigh(after_size.T @ white @ after_size)[1][:, ::-1]
    chosen = np.concatenate([kept[:, :1], after_size @ turned], 1)
    into = chosen.T @ inverse
    women, men = (into @ part @ into.T for part in (variation.women, variation.men))
    return root @ chosen, Variation(into @ variation.sex, into @ variation.age, women, men)
