"""Check what batches promise of people: which of their coefficients may differ, and who gives what in a mix batch.

The attribute `varies_with` says of each column of coefficients which traits move it: "hair", or "shape,age,sex". In a
batch that varies a trait, only the columns that it moves may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Bool, Float32, UInt8
from dcign.data.shard.findings import Fault, faults_at
from dcign.data.shard.reader import Shard

MIX = "mix"


def trait_faults(shard: Shard) -> Iterator[Fault]:
    """Yield batches that vary more of their people than they say, or not even that."""
    varies = np.array(shard.varies)
    mixed = shard.header.split == MIX
    for path, columns in shard.header.varies_with.items():
        values = shard.coefficients[path]
        for moved_by in dict.fromkeys(columns):
            traits = moved_by.split(",")
            free = np.isin(varies, ["all", *traits])
            if not mixed or {*traits} & {*shard.header.traits}:
                free |= varies == "identity"
            own = values[..., np.array(columns) == moved_by]
            name = path.replace("/", " ")
            for row in np.flatnonzero(~free & ~constant(own)):
                yield int(row), f"{name} ({moved_by}) differs between its images; only {varies[row]} may"
    for part in shard.header.parts:
        if (varies == part).any():
            yield from faults_at(
                (varies == part) & repeated(shard.trait(part)), f"two of its images have the same {part}"
            )
    if mixed:
        yield from _mix_faults(shard)
    elif shard.identity_source is not None:
        yield from faults_at(np.ones(len(shard), bool), "has sources, which only batches of mix have")


def _mix_faults(shard: Shard) -> Iterator[Fault]:
    """Yield batches of mix whose images are not of those whom their sources name."""
    source = shard.identity_source
    if source is None:
        yield from faults_at(np.ones(len(shard), bool), "lacks identity/source, which batches of mix have")
        return
    outside = (source >= source.shape[1]).any(axis=(1, 2))
    yield from faults_at(outside, f"has a source outside its images 0 to {source.shape[1] - 1}")
    yield from faults_at(repeated(source), "two of its images are of the same sources")
    known = np.where(outside[:, None, None], 0, source)
    for column, trait in enumerate(shard.header.traits):
        from_whom = known[..., column]
        whole = np.take_along_axis(known, from_whom[..., None].astype(np.intp), axis=1) == from_whom[..., None]
        yield from faults_at(~whole.all(axis=(1, 2)), f"takes {trait} from an image that is itself mixed")
        yield from faults_at(~_as_given(shard.trait(trait), from_whom), f"{trait} is not that of its source")


def _as_given(values: Float32, source: UInt8) -> Bool:
    """Return whether values (B, 20, K) are those of the images (B, 20) that give them: (B,)."""
    given = np.take_along_axis(values, source[..., None].astype(np.intp), axis=1)
    return np.asarray((values == given).all(axis=(1, 2)))


def constant(values: NDArray[Any]) -> Bool:
    """Return whether all 20 are exactly equal, or NaN: unknown. (B, 20, ...) -> (B,)"""
    same = values == values[:, :1]
    if values.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(values[:, :1])
    return np.asarray(same.reshape(len(values), -1).all(axis=1))


def repeated(values: NDArray[Any]) -> Bool:
    """Return whether two of 20 are exactly equal. (B, 20, K) -> (B,)"""
    return np.array([len(np.unique(batch, axis=0)) < len(batch) for batch in values], bool)
