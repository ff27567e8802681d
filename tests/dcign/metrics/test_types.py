"""Factors of classes and angles: no metric takes them for numbers, and metrics of numbers stay as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.metrics import (
    classes,
    dci_continuous,
    infomec,
    loss_capacity,
    modularity,
    mutual_information,
    mutual_information_disentanglement,
    mutual_information_gap,
)
from dcign.metrics.predictors import dci, sap
from dcign.metrics.tables import factor_types

GOLDENS = Path(__file__).parents[2] / "goldens"
ROWS, COUNT = 400, 4
MIXED = ("class", "number", "angle")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def table(order: tuple[int, ...] = (0, 1, 2, 3), turned: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a code of one latent per class, one of a number, two of an angle, and one of noise; and the factors."""
    draws = rng()
    named, number = draws.integers(COUNT, size=ROWS), draws.uniform(-1, 1, ROWS)
    angle = draws.uniform(-180, 180, ROWS)
    code = [
        np.eye(COUNT)[named],
        number[:, None],
        np.cos(np.radians(angle))[:, None],
        np.sin(np.radians(angle))[:, None],
    ]
    code.append(draws.normal(size=(ROWS, 1)))
    latents = np.concatenate(code, axis=1) + 0.02 * draws.normal(size=(ROWS, COUNT + 4))
    shown = (angle + turned + 180) % 360 - 180
    return latents, np.stack([np.array(order)[named], number, shown], axis=1)


def halves(latents: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, ...]:
    return latents[::2], factors[::2], latents[1::2], factors[1::2]


BLOCKS = [[0, 1, 2, 3], [4], [5, 6], [7]]
SCORES: dict[str, Callable[..., object]] = {
    "infoe": lambda z, f, types: infomec(z, f, rng(), types=types).explicitness,
    "infom of blocks": lambda z, f, types: infomec(z, f, rng(), BLOCKS, types=types).modularity,
    "explicitness": lambda z, f, types: loss_capacity(*halves(z, f), rng(), types).explicitness,
    "informativeness": lambda z, f, types: loss_capacity(*halves(z, f), rng(), types).informativeness,
    "dci": lambda z, f, types: dci_continuous(*halves(z, f), rng(), BLOCKS, types).disentanglement,
    "mig": lambda z, f, types: mutual_information_gap(z, f, BLOCKS, types=types),
    "modularity": lambda z, f, types: modularity(z, f, BLOCKS, types=types),
    "med": lambda z, f, types: mutual_information_disentanglement(z, f, BLOCKS, types=types),
}


@pytest.mark.parametrize("score", SCORES)
def test_the_order_of_classes_does_not_matter(score):
    measured = SCORES[score]
    first, second = (measured(*table(order), MIXED) for order in ((0, 1, 2, 3), (2, 0, 3, 1)))
    assert first == pytest.approx(second, abs=0.01)


def test_a_code_that_tells_class_number_and_angle_is_perfect_and_as_numbers_it_is_not():
    latents, factors = table()
    for name in ("infoe", "informativeness", "dci"):
        assert SCORES[name](latents, factors, MIXED) > 0.93, name
    assert SCORES["infoe"](*table((2, 0, 3, 1)), ("number",) * 3) < 0.95
    assert (
        SCORES["informativeness"](latents, factors, ("class", "number", "number")) < 0.93
    )  # 180 and -180 are far apart


def test_a_block_has_all_information_about_its_class_and_its_angle():
    latents, factors = table((2, 0, 3, 1))
    found = mutual_information(latents, factors, BLOCKS, MIXED)
    assert found[0, 0] == pytest.approx(np.log(COUNT), abs=0.02)
    assert found[2, 2] > 0.8 * np.log(20)
    assert found[2, 2] > mutual_information(latents, factors, None, MIXED)[5:7, 2].max() + 0.3
    assert mutual_information(latents, factors, BLOCKS, ("class", "number", "number"))[2, 2] < found[2, 2]


def test_an_angle_is_told_as_well_wherever_its_zero_is():
    for name in ("infoe", "informativeness", "dci"):
        first, second = (SCORES[name](*table(turned=turned), MIXED) for turned in (0.0, 100.0))
        assert first == pytest.approx(second, abs=0.02), name


def test_numbers_score_the_same_with_and_without_their_type_to_the_last_digit():
    latents, factors = table()
    for name, measured in SCORES.items():
        assert measured(latents, factors, None) == measured(latents, factors, ("number",) * 3), name


def test_classes_as_real_numbers_score_what_the_authors_code_gives_for_integers():
    arrays, wanted = (
        np.load(GOLDENS / "disentanglement_lib.npz"),
        json.loads((GOLDENS / "disentanglement_lib.json").read_text()),
    )
    name = next(iter(wanted))
    latents, factors = arrays[f"{name}/latents"], arrays[f"{name}/factors"]
    named = classes(factors.astype(np.float32), [[0, 99]] * 3, ("class",) * 3)
    np.testing.assert_array_equal(named, factors)
    train = slice(0, 2000)
    real = factors[train].astype(np.float32)
    assert mutual_information_gap(latents[train], real, types=("class",) * 3) == pytest.approx(
        wanted[name]["mig"], abs=1e-9
    )
    halved = latents[train], named[train], latents[2000:], named[2000:]
    assert sap(*halved) == pytest.approx(wanted[name]["sap"], abs=2e-3)
    trees = [latents[:300], named[:300], latents[300:500], named[300:500]]
    by_value = dci_continuous(trees[0], trees[1] * 1.0, trees[2], trees[3] * 1.0, rng(), types=("class",) * 3)
    np.testing.assert_array_equal(by_value.importances, dci(*trees, rng()).importances)


def test_more_classes_than_bins_stay_apart():
    values = np.arange(100.0)[:, None] // 4  # 25 classes
    assert len(np.unique(classes(values, types=("class",)))) == 25
    assert len(np.unique(classes(values))) == 20


def test_types_are_told_from_flags_and_others_are_refused():
    assert factor_types([False, True, False], [0, 0, 3]) == ("number", "angle", "class")
    with pytest.raises(
        TrainingError, match="expected one of number, class, angle for each of 3 factors, found class, size"
    ):
        infomec(*table(), rng(), types=("class", "size", "angle"))
