"""Check a shard's labels: finite, in range, and constant in a batch unless they are what varies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, Str
from dcign.data.schema import (
    ALL,
    ATTRIBUTE_LIMITS,
    IDENTITY,
    IDENTITY_ATTRIBUTES,
    IDENTITY_INDEX,
    LANDMARK_COLUMNS,
    LARGEST_COEFFICIENT,
    RENDERED,
    WHOLE_ATTRIBUTES,
)
from dcign.data.shard.columns import LANDMARKS_PATH
from dcign.data.shard.findings import Fault, faults_at
from dcign.data.shard.reader import Shard
from dcign.data.shard.traits import constant, repeated, trait_faults

VARIES_IN_SPLIT = {"iid": ALL, "sweep": IDENTITY, "mix": IDENTITY}
# Landmarks beyond this are damaged, px or mm. With the nearest camera and the narrowest lens the side of a head is 17
# widths of the picture away, and no camera is farther than 20,000 mm.
LARGEST_LANDMARK = 1e5


def value_faults(shard: Shard) -> Iterator[Fault]:
    """Yield single values that are not finite or that nothing can have: of labels, people, numbers and landmarks.

    Attributes of people may be unknown, that is, NaN.
    """
    labels = shard.labels
    for name, values in (labels | shard.nuisances).items():
        yield from _bound_faults(name, values, *shard.header.ranges.get(name, (-np.inf, np.inf)))
    for name in (factor.name for factor in shard.header.factors if factor.classes):
        whole = np.isclose(labels[name], np.rint(labels[name]), 0, 0, equal_nan=True)
        yield from faults_at(np.asarray(~whole.all(axis=1)), f"{name} is no index of a class")
    for path, each in shard.coefficients.items():
        if path == IDENTITY_ATTRIBUTES:
            yield from _attribute_faults(shard.header.attributes, each)
        else:
            yield from _bound_faults(path.replace("/", " "), each, -LARGEST_COEFFICIENT, LARGEST_COEFFICIENT)
    yield from faults_at(np.asarray((shard.identity_index < 0).any(axis=1)), "identity index is below 0")
    yield from _number_faults(shard)
    yield from _landmark_faults(shard)


def label_faults(shard: Shard) -> Iterator[Fault]:
    """Yield what is wrong with what varies, and with what may not.

    In version 2, labels that happen to be equal where everything may vary are no fault.
    """
    rendered = shard.header.version == RENDERED
    varies = np.array(shard.varies)
    split = shard.header.split
    for factor in shard.header.factors:
        name, values = factor.name, shard.labels[factor.name]
        free = np.isin(varies, [name, ALL, *([IDENTITY] if factor.of_identity else [])])
        yield from _constancy_faults(name, values, varies, free)
        if not (factor.of_identity and split == "sweep"):  # in its own sweep it is the same in all
            promised = free if rendered else varies == name
            yield from faults_at(promised & constant(values), f"{name} is the same in all its images")
        if factor.of_identity and name in shard.header.attributes and shard.identity_attributes is not None:
            known = shard.identity_attributes[..., shard.header.attributes.index(name)]
            yield from faults_at((values != known).any(axis=1), f"{name} is not that of identity/attributes")
    for name, values in shard.nuisances.items():
        yield from _constancy_faults(f"nuisance {name}", values, varies, varies == ALL)
    wanted = VARIES_IN_SPLIT.get(split)
    if wanted:
        yield from faults_at(np.asarray(varies != wanted), f"does not vary {wanted}, as all batches of this split do")


def identity_faults(shard: Shard) -> Iterator[Fault]:
    """Yield batches with several people although the pose or the light varies, or with one person twice."""
    varies = np.array(shard.varies)
    several = np.isin(varies, [IDENTITY, ALL])
    one_each = (varies == IDENTITY) & (shard.header.split != "mix")
    if shard.header.split == "sweep":
        others = (shard.identity_index != shard.identity_index[:1]).any(axis=1)
        yield from faults_at(others, "has other identities than the sweep's first batch")
    for path, values in ({IDENTITY_INDEX: shard.identity_index} | shard.coefficients).items():
        name = path.replace("/", " ")
        if path not in shard.header.varies_with:
            apart = np.isin(varies, shard.header.parts) if path == IDENTITY_INDEX else np.zeros(len(varies), bool)
            yield from _constancy_faults(name, values, varies, several | apart)
            yield from faults_at(apart & repeated(values), f"two of its images have the same {name}")
        yield from faults_at(one_each & repeated(values), f"two of its images have the same {name}")
        if path == IDENTITY_ATTRIBUTES:
            yield from _finite_faults(name, values)
    yield from trait_faults(shard)


def _attribute_faults(names: tuple[str, ...], values: Float32) -> Iterator[Fault]:
    """Yield attributes (B, 20, A) of the procedural model that no person has; other attributes may have any value."""
    limits = ATTRIBUTE_LIMITS if names[: len(ATTRIBUTE_LIMITS)] == (*ATTRIBUTE_LIMITS,) else {}
    lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)  # without NaN: unknown
    for index, name in enumerate(names):
        low, high = limits.get(name, (-np.inf, np.inf))
        known = ~np.isnan(lowest[:, index])
        pair = np.stack([lowest[:, index], highest[:, index]], axis=1)
        yield from _bound_faults(f"identity attribute {name}", np.where(known[:, None], pair, max(low, 0)), low, high)
        if limits and name in WHOLE_ATTRIBUTES:
            column = values[..., index]
            part = (column != np.rint(column)) & ~np.isnan(column)
            yield from faults_at(part.any(axis=1), f"identity attribute {name} is no whole number")


def _number_faults(shard: Shard) -> Iterator[Fault]:
    """Yield batches whose number is below 0 or does not follow the others'."""
    numbers = shard.numbers
    firsts = numbers - np.arange(len(numbers))
    middle = (len(numbers) - 1) // 2
    first = np.sort(firsts)[middle]  # of most rows, so that one wrong number does not accuse the others
    yield from faults_at(firsts != first, "has a number that does not follow the row before")
    yield from faults_at((numbers < 0) & (firsts == first), "has a number below 0")


def _landmark_faults(shard: Shard) -> Iterator[Fault]:
    landmarks = shard.landmarks
    if landmarks is None:
        return
    lowest, highest = _extremes(landmarks)
    for row in np.flatnonzero(~((lowest >= -LARGEST_LANDMARK) & (highest <= LARGEST_LANDMARK))):
        image, landmark, column = np.argwhere(~(np.abs(landmarks[row]) <= LARGEST_LANDMARK))[0]
        place = f"{LANDMARK_COLUMNS[column]} of landmark {landmark} in image {image}"
        value = landmarks[row, image, landmark, column]
        yield int(row), f"{LANDMARKS_PATH} has {value:g} as {place}, outside +-{LARGEST_LANDMARK:g}"


def _bound_faults(name: str, values: Float32, low: float, high: float) -> Iterator[Fault]:
    """Yield batches of (B, 20, ...) in which a value is not finite or outside of low to high."""
    lowest, highest = _extremes(values)
    inside = (lowest >= np.float32(low)) & (highest <= np.float32(high))  # labels are rounded, so the bounds are, too
    finite = np.isfinite(lowest) & np.isfinite(highest)
    for row in np.flatnonzero(~(inside & finite)):
        if finite[row]:
            yield int(row), f"{name} runs from {lowest[row]:.7g} to {highest[row]:.7g}, outside {low:g} to {high:g}"
        else:
            yield int(row), f"{name} is not a finite number in every image"


def _extremes(values: Float32) -> tuple[Float32, Float32]:
    """Return the lowest and the highest of each batch's values (B, ...), NaN if any is NaN: two of (B,)."""
    flat = values.reshape(len(values), -1)
    return flat.min(axis=1), flat.max(axis=1)


def _constancy_faults(name: str, values: NDArray[Any], varies: Str, free: Bool) -> Iterator[Fault]:
    """Yield batches in which `values` (B, 20, ...) differ between images although they are not free to."""
    for row in np.flatnonzero(~free & ~constant(values)):
        yield int(row), f"{name} differs between its images; only {varies[row]} may"


def _finite_faults(name: str, values: NDArray[Any]) -> Iterator[Fault]:
    """Yield batches in which a NaN or an infinity is among `values` (B, 20, ...)."""
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    yield from faults_at(~finite, f"{name} is not a finite number in every image")
