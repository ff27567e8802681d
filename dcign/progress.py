"""How far a work of several stages is, as one fraction that never falls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

StageProgress = Callable[[str, float], None]  # the stage, and the fraction 0..1 of the whole that is done
FractionProgress = Callable[[float], None]  # the fraction of one part


def no_stage_progress(stage: str, fraction: float) -> None:
    """Tell nobody."""


def no_fraction_progress(fraction: float) -> None:
    """Tell nobody of a part."""


class PartProgress:
    """Tells how much of the whole is done, for parts that take turns; work is in any unit, one for all parts."""

    def __init__(self, told: StageProgress, work: Mapping[str, float]) -> None:
        self._told = told
        self._work = dict(work)
        self._whole = sum(self._work.values()) or 1.0
        self._done = 0.0

    def part(self, name: str, share: float = 1.0) -> FractionProgress:
        """Begin a part, or a share of one; returns what is to be told that share's own fraction."""
        stage, begun, work = name, self._done, self._work[name] * share
        self._done += work

        def tell(fraction: float) -> None:
            self._told(stage, min(1.0, (begun + work * fraction) / self._whole))

        tell(0.0)
        return tell
