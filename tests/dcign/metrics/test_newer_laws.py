"""Laws of InfoMEC, MED and the explicitness of DCI-ES, on codes whose quality is known."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.metrics import classes, infomec, loss_capacity, mutual_information_disentanglement
from dcign.metrics.capacity import curve_explicitness
from dcign.metrics.infomec import concentration

ROWS = 1500


def rng(seed=0):
    return np.random.default_rng(seed)


def angles(rows=ROWS, seed=0):
    return rng(seed).uniform(-80, 80, (rows, 3))


def noise(columns, rows=ROWS, seed=1):
    return rng(seed).normal(size=(rows, columns))


def halves(latents, factors):
    return latents[:1000], factors[:1000], latents[1000:], factors[1000:]


def test_noise_latents_of_any_variance_change_no_score_of_infomec():
    factors = angles()
    alone = infomec(factors, factors, rng())
    beside = infomec(np.hstack([factors, 50 * noise(25)]), factors, rng())
    assert beside.active.tolist() == [True] * 3 + [False] * 25
    for name in ("modularity", "compactness", "explicitness"):
        assert getattr(alone, name) == pytest.approx(getattr(beside, name), abs=1e-6)
        assert getattr(alone, name) > 0.99


def test_a_duplicate_lowers_compactness_and_not_modularity_unless_it_is_in_the_block():
    factors = angles()
    twice = np.hstack([factors, -3 * factors[:, :1]])
    found, paired = infomec(twice, factors, rng()), infomec(twice, factors, rng(), [[0, 3], [1], [2]])
    assert found.modularity > 0.99 > 0.85 > found.compactness
    assert paired.compactness > 0.99 < paired.modularity


def test_a_latent_of_two_factors_lowers_modularity_and_not_compactness():
    factors = angles()
    mixed = np.stack([factors[:, 0] + factors[:, 1], factors[:, 2]], axis=1)
    found = infomec(mixed, factors, rng())
    assert found.modularity < 0.8
    assert found.compactness > 0.95


def test_infomec_does_not_depend_on_order_sign_and_units_unless_a_least_range_is_asked_for():
    factors = angles()
    latents = np.hstack([factors + noise(3), noise(2)])
    other = latents[:, [4, 2, 0, 1, 3]] * np.array([7, -0.001, 1, 30, 1])
    first, second = infomec(latents, factors, rng()), infomec(other, factors, rng())
    for name in ("modularity", "explicitness", "compactness"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9)
    assert second.active.sum() == 3
    assert infomec(other, factors, rng(), least_range=1 / 20).active.sum() == 1
    narrow = infomec(other, factors, rng(), [[3], [0, 1, 2, 4]], least_range=1 / 20)
    assert narrow.active.tolist() == [True, False]


@pytest.mark.parametrize("digits", [2.0**-5, 2.0**-8, 2.0**-24])
def test_latents_of_few_digits_tell_no_more_than_the_entropy(digits):
    factors = rng().integers(0, 4, (ROWS, 3))
    tight = factors + 0.05 * noise(3)
    found = infomec(np.round(tight / digits) * digits, factors, rng()).information
    assert found.diagonal() == pytest.approx(1, abs=1e-3)
    assert found[~np.eye(3, dtype=bool)].max() < 0.01


def test_real_factors_and_their_classes_have_the_same_information_but_are_predicted_by_other_models():
    factors = angles()
    latents = factors + 10 * noise(3)
    real, named = infomec(latents, factors, rng()), infomec(latents, classes(factors), rng())
    assert real.modularity == named.modularity
    assert real.explicitness == pytest.approx(1 - 100 / (100 + 160**2 / 12), abs=0.01)
    assert 0.4 < named.explicitness < 0.7


def test_a_linear_model_does_not_explain_more_the_more_latents_there_are():
    factors = angles(300)
    assert infomec(noise(100, 300), factors, rng()).explicitness < 0.02
    assert infomec(noise(30, 300), classes(factors), rng()).explicitness < 0.02


def test_concentration_is_what_its_formula_says():
    shares = np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.0]])
    assert concentration(shares) == pytest.approx(((0.8 + 0.5) / 2 - 1 / 3) / (1 - 1 / 3))
    assert concentration(np.array([[1.0, 0], [0, 0]])) == pytest.approx(0.5)
    assert concentration(np.ones((4, 1))) == 1
    assert concentration(np.zeros((3, 3))) == concentration(np.ones((0, 3))) == 0


def test_rows_that_are_drawn_again_change_the_scores_a_little():
    latents, factors = angles() + 20 * noise(3), angles()
    found = infomec(latents, factors, rng())
    rows = rng(5).integers(ROWS, size=ROWS)
    drawn = found.scores_of(found.terms[rows], found.losses[rows], found.null_losses[rows])
    assert drawn == pytest.approx((found.modularity, found.explicitness, found.compactness), abs=0.05)
    assert drawn[1] != found.explicitness


def test_med_counts_the_bias_of_noise_latents_and_top_k_leaves_most_of_it_out():
    factors = angles()
    code = np.hstack([factors, noise(25)])
    alone, beside = (mutual_information_disentanglement(table, factors) for table in (factors, code))
    assert alone > 0.65 > 0.4 > beside
    assert mutual_information_disentanglement(code, factors, top=1) == pytest.approx(alone, abs=0.02)


def test_linear_codes_are_fully_explicit_however_they_are_turned_and_scaled():
    factors = angles()
    turned = np.hstack([factors, 30 * noise(25)]) @ np.linalg.qr(noise(28, 28))[0]
    found = loss_capacity(*halves(turned * np.geomspace(1, 1000, 28), factors), rng())
    assert found.explicitness > 0.99 < found.informativeness
    assert found.size == 3 / 28


def test_a_code_that_takes_a_complex_probe_is_less_explicit_and_still_informative():
    factors = angles()
    wound = np.hstack([np.sin(factors / 26), np.cos(factors / 26)])
    found, straight = (loss_capacity(*halves(table, factors), rng()) for table in (wound, factors))
    assert found.explicitness < 0.95 < straight.explicitness
    assert found.informativeness > 0.85
    assert (np.diff(found.losses, axis=0) <= 0).all()
    assert found.losses[0].mean() > 2 * found.losses[-1].mean()


def test_classes_in_order_along_a_line_are_explicit():
    factors = rng().integers(7, size=(ROWS, 3))
    code = np.hstack([factors + 0.1 * noise(3), noise(4)])
    found = loss_capacity(*halves(code, factors), rng())
    assert found.explicitness > 0.98 < found.informativeness
    rings = np.stack([np.cos(factors[:, 0] * np.pi), factors[:, 0] % 2 * 1.0], axis=1)
    assert loss_capacity(*halves(rings + 0.1 * noise(2), factors[:, :1]), rng()).informativeness < 0.5


def test_nothing_to_read_is_fully_explicit_so_informativeness_belongs_beside_it():
    found = loss_capacity(*halves(noise(5), angles()), rng())
    assert found.explicitness > 0.98
    assert found.informativeness < 0.02


def test_explicitness_of_a_straight_curve_is_nought_and_of_a_late_one_negative():
    assert curve_explicitness([0, 1, 2], [1.0, 0.5, 0.0]) == pytest.approx(0)
    assert curve_explicitness([0, 1, 2], [1.0, 1.0, 0.0]) == pytest.approx(-0.5)
    assert curve_explicitness([0, 1, 2], [1.0, 0.2, 0.9]) == curve_explicitness([0, 1, 2], [1.0, 0.2, 0.2])


def test_a_constant_code_scores_nothing():
    factors = angles()
    found = infomec(np.ones((ROWS, 4)), factors, rng())
    assert (found.modularity, found.explicitness, found.compactness) == (0, pytest.approx(0, abs=0.01), 0)
    assert loss_capacity(*halves(np.ones((ROWS, 4)), factors), rng()).informativeness == pytest.approx(0, abs=0.01)
    assert mutual_information_disentanglement(np.ones((ROWS, 4)), factors) == pytest.approx(0, abs=1e-6)


def test_blocks_that_are_no_partition_are_refused():
    with pytest.raises(TrainingError, match="expected blocks that hold each of the 3 latents once"):
        infomec(noise(3), angles(), rng(), [[0], [1]])
