"""Counter-based seeding: every batch, person and nuisance has its own generator, keyed by its numbers."""

from __future__ import annotations

import numpy as np

BATCH_STREAM, PERSON_STREAM, NUISANCE_STREAM, DEAL_STREAM, OBJECT_STREAM, TRAIT_STREAM, MIX_STREAM = range(7)


def generator(*key: int) -> np.random.Generator:
    """Return the generator of a key: the seed of the data set, one of the streams, and numbers."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
