"""Whether a shard or a data set is what it says: its labels, its statistics, and its pixels rendered again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.check.findings import Finding
from dcign.data.dataset.reader import FaceDataset
from dcign.render.produce.redraw import verify_pixels
from dcign.storage.paths import store_errors

LISTED_ALIKE = 5  # findings with the same text that get a line each; the others are counted


def verify(
    path: Path,
    *,
    pixels: bool,
    label_workers: int,
    pixel_workers: int,
    bar: Callable[[str], AbstractContextManager[Callable[..., Any]]],
) -> list[Finding]:
    """Check labels and statistics; if `pixels`, then render the pixels again, whatever was found before.

    bar: shows a title while batches are checked; returns the callback that counts them.

    Raises DataError if the shard or the data set cannot be read.
    """
    with store_errors(path):
        if path.is_dir():
            dataset = FaceDataset(path)
            with bar(f"checking {path.name}") as progress:
                findings = check_dataset(dataset, workers=label_workers, progress=progress)
            shards = [path / entry.file for entries in dataset.splits.values() for entry in entries]
        else:
            findings, shards = check_shard(path), [path]
        if pixels:
            with bar(f"rendering {path.name} again") as progress:
                findings = findings + verify_pixels(shards, worker_count=pixel_workers, progress=progress)
    return findings


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
