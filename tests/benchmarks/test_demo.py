"""The demo fits its time: larger on faster machines, never larger than asked."""

from __future__ import annotations

import pytest

from benchmarks.demo.plan import BATCHES, STEPS, Speed, fitted

SLOW = Speed(150, 0.05, on_gpu=False)


@pytest.mark.parametrize("speed", [SLOW, Speed(400, 0.04, on_gpu=False), Speed(500, 0.025, on_gpu=False)])
@pytest.mark.parametrize("minutes", [9, 15])
def test_a_planned_demo_fits_into_the_time(speed: Speed, minutes: float) -> None:
    plan = fitted(speed, minutes)
    assert 0.8 * 60 * minutes < plan.seconds <= 60 * minutes
    assert BATCHES[0] <= plan.batches <= BATCHES[1]
    assert STEPS[0] <= plan.steps <= STEPS[1]


def test_a_faster_machine_gets_a_larger_demo() -> None:
    plans = [fitted(Speed(150 * factor, 0.05 / factor, on_gpu=False), 9) for factor in (1, 2, 4)]
    assert plans[0].steps < plans[1].steps < plans[2].steps
    assert plans[0].batches < plans[1].batches < plans[2].batches


def test_the_slowest_machine_gets_the_smallest_demo_and_is_told_its_time() -> None:
    plan = fitted(Speed(40, 0.4, on_gpu=False), 9)
    assert (plan.batches, plan.steps) == (BATCHES[0], STEPS[0])
    assert plan.seconds > 9 * 60


def test_a_gpu_does_not_shorten_what_runs_beside_it() -> None:
    assert fitted(Speed(2000, 0.004, on_gpu=True), 9).seconds > 90
    assert fitted(Speed(2000, 0.004, on_gpu=True), 9).steps == STEPS[1]


def test_what_is_asked_for_stays() -> None:
    plan = fitted(SLOW, 9, batches=500, steps=2000)
    assert (plan.batches, plan.steps) == (500, 2000)
    assert fitted(SLOW, 9, batches=500, steps=4000).seconds > plan.seconds
