"""Check people: an index always means the same face, and nobody in an evaluation split is in train."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.data.schema import RENDERED
from dcign.data.shard.findings import Fault, Finding
from dcign.data.shard.reader import Shard
from dcign.storage.paths import to_path

EVALUATION_SPLITS = ("test", "iid", "sweep", "mix")
MOST_NAMED = 3  # people of a split who are in train, too: this many get a line each; the others are counted

BatchName = tuple[str, int]  # a shard's name, a batch's number


@dataclass
class People:
    """The people of a split so far.

    digests: index -> digest of the coefficients; indices: the inverse; batches: index -> first batch, count of batches.
    """

    digests: dict[int, bytes] = field(default_factory=dict)
    indices: dict[bytes, int] = field(default_factory=dict)
    batches: dict[int, tuple[BatchName, int]] = field(default_factory=dict)

    def add(self, shard: Shard, name: str) -> Iterator[Fault]:
        """Add a shard's people; yield rows where an index has new coefficients, or known coefficients a new index.

        Version 2 allows the same identities in several splits, and the data card says how many: nothing is added.
        """
        if shard.header.version != RENDERED:
            return
        for number, batch in zip(shard.numbers.tolist(), shard.identity_index, strict=True):
            where = (name, number)  # one object per batch, to save memory
            for person in np.unique(batch).tolist():
                first, count = self.batches.get(person, (where, 0))
                self.batches[person] = (first, count + 1)
        values: list[NDArray[Any]] = [*_lasting(shard)] or [shard.identity_index[..., None]]
        for row, batch in enumerate(shard.identity_index):
            for image, person in enumerate(batch.tolist()):
                digest = _digest([each[row, image] for each in values])
                known = self.indices.setdefault(digest, person)
                if self.digests.setdefault(person, digest) != digest:
                    yield row, f"image {image} is of identity {person}, which has other coefficients elsewhere"
                    break
                if known != person:
                    yield row, f"image {image} is of identity {person}, which has the coefficients of identity {known}"
                    break


def _lasting(shard: Shard) -> Iterator[NDArray[Any]]:
    """Yield the coefficients (B, 20, K) that a person keeps: those that no factor moves, such as age."""
    scalars = {factor.name for factor in shard.header.factors if factor.of_identity}
    for path, values in shard.coefficients.items():
        columns = shard.header.varies_with.get(path, ("",) * values.shape[-1])
        yield values[..., [not scalars & {*moved_by.split(",")} for moved_by in columns]]


def people_in_train(folder: Path, people: dict[str, People]) -> Iterator[Finding]:
    """Yield people of an evaluation split who are in train, too. people: split -> its people."""
    train = people.get("train", People())
    for split in EVALUATION_SPLITS:
        own = people.get(split, People())
        twins = {own.indices[face]: train.indices[face] for face in own.indices.keys() & train.indices.keys()}
        twins |= {person: person for person in own.batches.keys() & train.batches.keys()}
        for person in sorted(twins)[:MOST_NAMED]:
            (shard, number), _ = own.batches[person]
            where = _where(folder, *train.batches[twins[person]])
            alias = "" if twins[person] == person else f", as identity {twins[person]}"
            yield Finding(shard, number, f"identity {person} is in {where}, too{alias}")
        if len(twins) > MOST_NAMED:
            more = f"{len(twins) - MOST_NAMED} more of its identities are in train, too"
            yield Finding(str(folder / split), None, more)


def _digest(values: list[NDArray[Any]]) -> bytes:
    """Return a digest so short that a million of them fit into memory."""
    return hashlib.blake2b(b"".join(value.tobytes() for value in values), digest_size=16).digest()


def _where(folder: Path, first: BatchName, count: int) -> str:
    """Return the text that names the first of `count` batches and says how many others there are."""
    shard, number = first
    others = f" (and {count - 1} more)" if count > 1 else ""
    return f"{to_path(shard).relative_to(folder).as_posix()}, batch {number}{others}"
