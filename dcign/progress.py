"""The progress of work in several stages, as one fraction that never decreases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

StageProgress = Callable[[str, float], None]  # the stage, and the fraction 0..1 of all the work that is done
FractionProgress = Callable[[float], None]  # the fraction of one part


def no_stage_progress(stage: str, fraction: float) -> None:
    """Report nothing."""


def no_fraction_progress(fraction: float) -> None:
    """Report nothing of a part."""


class PartProgress:
    """Reports the overall progress of parts that run one after another. Their work is given in one unit."""

    def __init__(self, report: StageProgress, work: Mapping[str, float]) -> None:
        self._report = report
        self._work = dict(work)
        self._total = sum(self._work.values()) or 1.0
        self._done = 0.0

    def part(self, name: str, share: float = 1.0) -> FractionProgress:
        """Start a part, or a share of one. Returns the function that takes the fraction of that share."""
        stage, begun, work = name, self._done, self._work[name] * share
        self._done += work

        def update(fraction: float) -> None:
            self._report(stage, min(1.0, (begun + work * fraction) / self._total))

        update(0.0)
        return update
