"""The codes of many people: what a standard deviation of a latent is, and which latents the network uses.

Latents are not N(0, 1) over people: training pulls the posterior means of a person's pictures together, and shrinks all
of them. So every step that the page takes in a code is measured against the codes of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dcign.arrays import Bool, Float32, Floating
from dcign.infer.write_pictures import as_bytes
from dcign.trained.codec import Codec

DRAWN = 240  # people, where there are no pictures of any
CYCLES = 3
LEAST_SIGNAL = 0.05  # share of the variance of a used latent that is the mean's, and not the posterior's


@dataclass(frozen=True, eq=False)
class PeopleCodes:
    """Posterior means mu and log variances logvar (N, Z) of pictures of different people at different factors."""

    mu: Floating
    logvar: Floating

    @classmethod
    def read(cls, path: Path) -> PeopleCodes:
        """Read the file of a network of the package."""
        with np.load(path, allow_pickle=False) as found:
            return cls(found["mu"].astype(np.float32), found["logvar"].astype(np.float32))

    @classmethod
    def without_pictures(cls, codec: Codec) -> PeopleCodes:
        """Return the codes of invented people: drawn from the prior, then decoded and encoded several times.

        Each cycle brings the codes nearer to those of people, which are less spread out than the prior.
        """
        mu = np.random.default_rng(0).normal(size=(DRAWN, codec.layout.size)).astype(np.float32)
        logvar = np.zeros_like(mu)
        for _ in range(CYCLES):
            mu, logvar = codec.encode(as_bytes(codec.decode(mu)))
        return cls(mu, logvar)

    @cached_property
    def mean(self) -> Floating:
        """The mean code (Z,)."""
        return np.asarray(self.mu.mean(axis=0))

    @cached_property
    def spread(self) -> Floating:
        """The standard deviation of each latent over people (Z,)."""
        return np.asarray(self.mu.std(axis=0))

    @cached_property
    def used(self) -> Bool:
        """Which latents say something about a picture (Z,)."""
        signal = self.mu.astype(np.float64).var(axis=0)
        noise = np.exp(self.logvar.astype(np.float64)).mean(axis=0)
        return np.asarray(signal > LEAST_SIGNAL * (signal + noise))

    def root(self, latents: Sequence[int]) -> Floating:
        """Return the symmetric square root of the covariance of a block's latents: (d, d)."""
        covariance = np.cov(self.mu[:, list(latents)].T.astype(np.float64)).reshape(2 * [len(latents)])
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(vectors * np.sqrt(values.clip(0)) @ vectors.T)

    def drawn(self, count: int, blocks: Sequence[Sequence[int]], rng: np.random.Generator) -> Float32:
        """Return codes (N, Z) of invented people, with independent blocks. The first is the mean person."""
        codes = np.tile(self.mean, (count, 1))
        for latents in blocks:
            steps = rng.normal(size=(count - 1, len(latents))) @ self.root(latents)
            codes[1:, list(latents)] += steps
        return codes.astype(np.float32)
