"""Check a shard's labels: finite, in range, and constant in a batch unless they are what varies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, Str
from dcign.data.schema import IDENTITY_ATTRIBUTES, IDENTITY_INDEX, PERSON_PARTS
from dcign.data.shard.findings import Fault, faults_at
from dcign.data.shard.reader import Shard
from dcign.data.shard.traits import constant, repeated, trait_faults

VARIES_IN_SPLIT = {"iid": "all", "sweep": "identity", "mix": "identity"}


def value_faults(shard: Shard) -> Iterator[Fault]:
    """Yield factors, nuisances and coefficients that are not finite, and factors and nuisances out of their range.

    Attributes of people may be unknown, that is, NaN.
    """
    yield from _value_faults(shard, shard.labels | shard.nuisances)
    for path, each in shard.coefficients.items():
        if path != IDENTITY_ATTRIBUTES:
            yield from _finite_faults(path.replace("/", " "), each)


def label_faults(shard: Shard) -> Iterator[Fault]:
    """Yield what is wrong with factors, nuisances, and what varies."""
    varies = np.array(shard.varies)
    labels, nuisances, split = shard.labels, shard.nuisances, shard.header.split
    for factor in shard.header.factors:
        name, values = factor.name, labels[factor.name]
        free = np.isin(varies, [name, "all", *(["identity"] if factor.of_identity else [])])
        yield from _constancy_faults(name, values, varies, free)
        if not (factor.of_identity and split == "sweep"):  # in its own sweep it is the same in all
            yield from faults_at(free & constant(values), f"{name} is the same in all its images")
        if factor.of_identity and name in shard.header.attributes and shard.identity_attributes is not None:
            known = shard.identity_attributes[..., shard.header.attributes.index(name)]
            yield from faults_at((values != known).any(axis=1), f"{name} is not that of identity/attributes")
    for name, values in nuisances.items():
        yield from _constancy_faults(f"nuisance {name}", values, varies, varies == "all")
    yield from _value_faults(shard, labels | nuisances)
    wanted = VARIES_IN_SPLIT.get(split)
    if wanted:
        yield from faults_at(np.asarray(varies != wanted), f"does not vary {wanted}, as all batches of this split do")
    steps = shard.numbers - shard.numbers[0] - np.arange(len(shard))
    yield from faults_at(steps != 0, "has a number that does not follow the row before")


def identity_faults(shard: Shard) -> Iterator[Fault]:
    """Yield batches with several people although the pose or the light varies, or with one person twice."""
    varies = np.array(shard.varies)
    several = np.isin(varies, ["identity", "all"])
    one_each = (varies == "identity") & (shard.header.split != "mix")
    if shard.header.split == "sweep":
        others = (shard.identity_index != shard.identity_index[:1]).any(axis=1)
        yield from faults_at(others, "has other identities than the sweep's first batch")
    for path, values in ({IDENTITY_INDEX: shard.identity_index} | shard.coefficients).items():
        name = path.replace("/", " ")
        if path not in shard.header.varies_with:
            apart = np.isin(varies, PERSON_PARTS) if path == IDENTITY_INDEX else np.zeros(len(varies), bool)
            yield from _constancy_faults(name, values, varies, several | apart)
            yield from faults_at(apart & repeated(values), f"two of its images have the same {name}")
        yield from faults_at(one_each & repeated(values), f"two of its images have the same {name}")
        yield from _finite_faults(name, values)
    yield from trait_faults(shard)


def _value_faults(shard: Shard, labels: dict[str, Float32]) -> Iterator[Fault]:
    for name, values in labels.items():
        yield from _finite_faults(name, values)
        yield from _range_faults(name, values, *shard.header.ranges.get(name, (-np.inf, np.inf)))


def _range_faults(name: str, values: Float32, low: float, high: float) -> Iterator[Fault]:
    outside = (values < np.float32(low)) | (values > np.float32(high))  # labels are rounded, so the bounds are, too
    for row in np.flatnonzero(outside.any(axis=1)):
        lowest, highest = values[row].min(), values[row].max()
        yield int(row), f"{name} runs from {lowest:.3f} to {highest:.3f}, outside {low:g} to {high:g}"


def _constancy_faults(name: str, values: NDArray[Any], varies: Str, free: Bool) -> Iterator[Fault]:
    """Yield batches in which `values` (B, 20, ...) differ between images although they are not free to."""
    for row in np.flatnonzero(~free & ~constant(values)):
        yield int(row), f"{name} differs between its images; only {varies[row]} may"


def _finite_faults(name: str, values: NDArray[Any]) -> Iterator[Fault]:
    """Yield batches in which a NaN or an infinity is among `values` (B, 20, ...)."""
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    yield from faults_at(~finite, f"{name} is not a finite number in every image")
