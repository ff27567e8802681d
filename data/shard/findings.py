"""What a check found: one sentence about one batch or one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Bool
from dcign.errors import DataError

LISTED_ALIKE = 5  # findings with the same text that get a line each; the others are counted

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


def brief_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield a line per finding; of those with the same text, the first few, and then how many more there are."""
    alike = Counter(finding.what for finding in findings)
    listed: Counter[str] = Counter()
    for finding in findings:
        listed[finding.what] += 1
        if listed[finding.what] <= LISTED_ALIKE:
            yield str(finding)
        elif listed[finding.what] == alike[finding.what]:
            yield f"in {alike[finding.what] - LISTED_ALIKE:,} more batches or images: {finding.what}"


def faults_at(faulty: Bool, what: str) -> Iterator[Fault]:
    """Yield the same fault for each row that is True in `faulty` (B,)."""
    for row in np.flatnonzero(faulty):
        yield int(row), what


def without_name(error: DataError, path: Path) -> str:
    """Return an error's sentence without the file's name at its start, which a finding adds."""
    return str(error).removeprefix(f"{path} ")
