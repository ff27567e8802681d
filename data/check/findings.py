"""What a check found: one sentence about one batch or one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Bool
from dcign.errors import DataError

Fault = tuple[int, str]  # row in the shard, what is wrong with it


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: in which shard, in which batch (None: the whole file), and what."""

    shard: str
    batch: int | None
    what: str

    def __str__(self) -> str:
        where = self.shard if self.batch is None else f"{self.shard}, batch {self.batch}"
        return f"{where}: {self.what}"


def faults_at(faulty: Bool, what: str) -> Iterator[Fault]:
    """Yield the same fault for each row that is True in `faulty` (B,)."""
    for row in np.flatnonzero(faulty):
        yield int(row), what


def without_name(error: DataError, path: Path) -> str:
    """Return an error's sentence without the file's name at its start, which a finding adds."""
    return str(error).removeprefix(f"{path} ")
