"""What makes tests quick: networks on one thread, and evaluations without good trees and true intervals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dcign.arrays import Floating, Int64


@contextmanager
def one_thread() -> Iterator[None]:
    """Let networks compute on one thread where nobody says on how many: test processes have one core each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcign.device.available_cores", lambda: 1)
        yield


@contextmanager
def quick_evaluations() -> Iterator[None]:
    """Grow 3 trees instead of 100; draw 5 samples for an interval instead of 50, and 500 groups instead of 10,000."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcign.metrics.boosting.STAGES", 3)
        patch.setattr("dcign.metrics.predictors._fit_classifier", _three_trees)
        patch.setattr("dcign.evaluate.disentanglement.ROUNDS", 5)
        patch.setattr("dcign.metrics.interventions.FITTED", 500)
        patch.setattr("dcign.metrics.interventions.SCORED", 500)
        yield


def _three_trees(codes: Floating, truth: Int64, rng: object) -> object:
    from sklearn.ensemble import GradientBoostingClassifier  # slow to import for tests without evaluations

    return GradientBoostingClassifier(n_estimators=3, random_state=0).fit(codes, truth)
