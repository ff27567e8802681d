"""Laws of the disentanglement metrics, on codes whose quality is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from dcign.errors import TrainingError
from dcign.metrics import (
    beta_vae_score,
    blocks_around,
    bootstrap,
    classes,
    dci,
    explicitness,
    factor_vae_score,
    infomec,
    interventional_robustness,
    invariance_ratio,
    linear_leakage,
    modularity,
    mutual_information,
    mutual_information_disentanglement,
    mutual_information_gap,
    nonlinear_leakage,
    read_monotone_latent,
    sap,
    sap_continuous,
)
from dcign.metrics.information import modularity_of
from tests.support.known_codes import ROWS, both, rng, world


def remembered(measure):
    """Return what measures the same tables only once: several metrics are parts of one result."""
    found = {}

    def measured(*tables):
        key = tuple(table.tobytes() for table in tables)
        if key not in found:
            found[key] = measure(*tables)
        return found[key]

    return measured


trees = remembered(lambda z, f: dci(*both(z[:600], f[:600]), rng()))
terms = remembered(lambda z, f: infomec(z, f, rng()))
METRICS = {
    "mig": mutual_information_gap,
    "modularity": modularity,
    "sap": lambda z, f: sap(*both(z, f)),
    "sap_continuous": sap_continuous,
    "dci_disentanglement": lambda z, f: trees(z, f).disentanglement,
    "dci_completeness": lambda z, f: trees(z, f).completeness,
    "explicitness": lambda z, f: explicitness(*both(z, f)),
    "factor_vae": lambda z, f: factor_vae_score(z, f, rng()),
    "beta_vae": lambda z, f: beta_vae_score(z, f, rng()),
    "irs": interventional_robustness,
    "infom": lambda z, f: terms(z, f).modularity,
    "infoe": lambda z, f: terms(z, f).explicitness,
    "infoc": lambda z, f: terms(z, f).compactness,
    "med": mutual_information_disentanglement,
}
# the least score of a perfect code, and the most of noise; a perfect code's IRS and SAP can be well below 1
PERFECT = dict.fromkeys(METRICS, 0.95) | {"sap": 0.3, "irs": 0.7, "modularity": 0.6, "explicitness": 0.9, "med": 0.8}
NOISE = dict.fromkeys(METRICS, 0.05) | {
    "explicitness": 0.55, "factor_vae": 0.45, "beta_vae": 0.45, "irs": 0.45, "modularity": 0.85,
}  # fmt: skip


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param, METRICS[request.param]


def test_a_perfect_code_scores_high_and_noise_as_chance_does(metric):
    name, score = metric
    assert PERFECT[name] < score(*world()) <= 1
    assert score(*world("noise")) < NOISE[name]


def test_a_rotated_code_scores_lower_unless_all_latents_are_read_together(metric):
    name, score = metric
    perfect, rotated = score(*world()), score(*world("rotated"))
    if name in ("explicitness", "infoe"):
        assert rotated == pytest.approx(perfect, abs=0.02)
    elif name == "modularity":
        latents, factors = (table[:, :3] for table in world())
        assert score(latents @ np.linalg.qr(rng().normal(size=(3, 3)))[0], factors) < score(latents, factors) - 0.05
    elif name in ("factor_vae", "beta_vae"):  # lenient, as is known of them
        assert rotated <= perfect + 0.02
    else:
        assert rotated < perfect - 0.15


def test_order_sign_and_units_of_the_latents_do_not_matter(metric):
    name, score = metric
    latents, factors = world("rotated", seed=1)
    other = latents[:, [3, 1, 4, 0, 2]] * np.array([1, -1, 1, -1, -1]) * 8 + 16
    allowed = 0.03 if name in ("dci_disentanglement", "dci_completeness", "factor_vae", "beta_vae", "sap") else 0.01
    assert score(other, factors) == pytest.approx(score(latents, factors), abs=allowed)


def test_order_and_names_of_the_factors_do_not_matter(metric):
    name, score = metric
    latents, factors = world("rotated", seed=2)
    other = 7 - factors[:, [2, 0, 1]]
    allowed = 0.03 if name in ("dci_disentanglement", "dci_completeness", "factor_vae", "beta_vae", "sap") else 1e-6
    assert score(latents, other) == pytest.approx(score(latents, factors), abs=allowed)


def test_real_factors_are_cut_into_twenty_bins_of_their_range():
    angles = rng().uniform(-80, 80, (400, 2))
    cut = classes(angles, [[-80, 80], [-40, 40]])
    assert (cut.min(), cut.max()) == (0, 19)
    np.testing.assert_array_equal(cut[:, 0], np.floor((angles[:, 0] + 80) / 8))
    assert (cut[angles[:, 1] > 40, 1] == 19).all()
    latents = rng(1).normal(size=(400, 3)) + angles[:, :1]
    ends = np.array([angles.min(axis=0), angles.max(axis=0)]).T
    assert mutual_information_gap(latents, angles) == mutual_information_gap(latents, classes(angles, ends))


def test_information_is_scikit_learns_on_histogram_bins():
    latents, factors = world("rotated")
    found = mutual_information(latents, factors)
    edges = np.histogram(latents[:, 2], 20)[1][:-1]
    assert found[2, 1] == pytest.approx(mutual_info_score(factors[:, 1], np.digitize(latents[:, 2], edges)), abs=1e-12)


def test_a_latent_without_information_has_no_modularity():
    latents, factors = world()
    assert modularity(latents[:, :3], factors) > 0.95
    dead = np.concatenate([latents[:, :3], np.zeros((ROWS, 1))], axis=1)
    assert modularity(dead, factors) == pytest.approx(modularity(latents[:, :3], factors) * 3 / 4)


def test_modularity_is_what_its_formula_says():
    assert modularity_of(np.array([[2.0, 1, 0], [0, 3, 0]])) == pytest.approx((1 - 1 / (4 * 2) + 1) / 2)


def test_a_factor_in_two_latents_has_no_gap_unless_they_are_one_block():
    latents, factors = world()
    twice = np.concatenate([latents, latents[:, :1] ** 3], axis=1)
    alone, paired = [[z] for z in range(6)], [[0, 5], [1], [2], [3], [4]]
    assert mutual_information_gap(twice, factors, alone) < 0.75 < 0.95 < mutual_information_gap(twice, factors, paired)
    assert sap(*both(twice, factors), alone) < sap(*both(twice, factors), paired) - 0.05
    found = dci(*both(twice[:600], factors[:600]), rng())
    assert found.completeness < found.grouped(paired).completeness - 0.05


def test_rotation_within_a_block_does_not_matter():
    latents, factors = world()
    turned = latents.copy()
    turned[:, :2] = latents[:, :2] @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    paired = [[0, 1], [2], [3], [4]]
    straight, round_ = (mutual_information(codes, factors, paired)[0, :2] for codes in (latents, turned))
    np.testing.assert_allclose(round_, straight, atol=0.02)
    assert (mutual_information(turned, factors)[:2, :2].max(axis=0) < straight - 0.3).all()


def test_blocks_are_each_latent_once():
    latents, factors = world()
    assert blocks_around([2, 0, 2], 5) == [[0], [2], [1, 3, 4]]
    for wrong in ([[0, 1]], [[0, 1], [1, 2, 3, 4]], [[0, 1, 2, 3, 4, 5]]):
        with pytest.raises(TrainingError, match=r"expected blocks that hold each of the 5 latents once, found"):
            modularity(latents, factors, wrong)


def test_a_latent_without_variance_has_no_vote():
    latents, factors = world()
    dead = np.concatenate([latents[:, :3], np.zeros((ROWS, 1)), 1e-9 * rng().normal(size=(ROWS, 1))], axis=1)
    assert factor_vae_score(dead, factors, rng(), dead=0.05) == 1
    assert factor_vae_score(np.zeros((ROWS, 2)), factors, rng()) == 0
    assert interventional_robustness(np.zeros((ROWS, 2)), factors) == 0


def test_robustness_is_what_its_formula_says():
    latents, factors = world("rotated")
    latents, factors = latents[:200], factors[:200]
    best, weights = [], []
    for code in latents.T:
        largest = np.abs(code - code.mean()).max()
        scores = []
        for factor in factors.T:
            inside = [code[factor == value] for value in np.unique(factor)]
            moved = np.mean([np.quantile(np.abs(part - part.mean()), 0.99) for part in inside])
            scores.append(1 - moved / largest)
        best.append(max(scores))
        weights.append(largest)
    assert interventional_robustness(latents, factors) == pytest.approx(np.average(best, weights=weights))


def test_invariance_is_variance_within_over_variance_among():
    people = rng().normal(size=(4000, 4))
    still = np.repeat(people[:50, None], 20, axis=1)
    moving = still + 0.5 * rng(1).normal(size=still.shape)
    assert invariance_ratio(still, people, [0, 1]) < 1e-12
    assert invariance_ratio(moving, people, [0, 1]) == pytest.approx(0.25, rel=0.1)
    moving[..., 3] *= 100
    assert invariance_ratio(moving, people, [0, 1, 2]) == pytest.approx(0.25, rel=0.1)


def test_a_nonlinear_monotone_latent_is_read_by_a_monotone_map_and_not_by_a_line():
    factors = rng().uniform(-80, 80, (3000, 2))
    latents = np.stack([rng(1).normal(size=3000), -np.sinh(factors[:, 1] / 25), np.tanh(factors[:, 0])], axis=1)
    first, second = read_monotone_latent(latents[:2000], factors[:2000], latents[2000:], factors[2000:])
    assert (first.latent, second.latent) == (2, 1)
    assert second.r2 > 0.999 > 0.95 > second.r2_linear
    assert second.spearman == pytest.approx(-1)
    assert second.mean_absolute_error < 0.05
    assert read_monotone_latent(latents[:2000], factors[:2000], latents[2000:], factors[2000:], own=[0, 1])[0].r2 < 0.05


def test_linear_and_nonlinear_probes_find_the_leakage_that_they_can():
    latents, factors = world("perfect")
    own = [0, 1, 2]
    assert max(linear_leakage(*both(latents, factors), own)) < 0.05
    assert max(nonlinear_leakage(*both(latents, factors), own, rng())) < 0.05
    latents[:, 3] += factors[:, 0]
    assert linear_leakage(*both(latents, factors), own)[0] > 0.9
    assert linear_leakage(*both(latents, factors), [(0, 3), 1, 2])[0] < 0.05
    latents[:, 4] = np.square(factors[:, 1] - 2.0)
    leaks = linear_leakage(*both(latents, np.square(factors - 2)), [3, 3, 3])
    assert leaks[1] > 0.99
    shy = both(np.abs(latents[:, [1, 3]]), np.square(factors[:, 1:2] - 2) % 4)  # 0, 1, 0 of 0, 1, 2
    assert linear_leakage(*shy, [[]])[0] < 0.3 < 0.9 < nonlinear_leakage(*shy, [[]], rng())[0]


def test_each_probe_may_have_its_own_table_of_latents():
    latents, factors = world("noise")
    knowing = latents.copy()
    knowing[:, 4] = factors[:, 0]
    seen, held = np.stack([latents, knowing])[:, :1200], np.stack([latents, knowing])[:, 1200:]
    column = factors[:, [0, 0]]
    blind, informed = nonlinear_leakage(seen, column[:1200], held, column[1200:], [0, 0], rng())
    assert blind < 0.1 < 0.9 < informed
    with pytest.raises(TrainingError, match="one for each of 3 factors, found 2 to fit on and 2 to measure on"):
        nonlinear_leakage(seen, factors[:1200], held, factors[1200:], [0, 0, 0], rng())


def test_readings_have_intervals_around_them_if_a_generator_is_given():
    latents, factors = world("rotated")
    plain = read_monotone_latent(*both(latents, factors), own=[0, 1, 2])
    for reading, alone in zip(read_monotone_latent(*both(latents, factors), [0, 1, 2], rng()), plain, strict=True):
        assert (reading.r2, alone.intervals) == (alone.r2, {})
        assert reading.intervals.keys() == {"r2", "r2_linear", "spearman", "mean_absolute_error"}
        assert all(low < getattr(reading, name) < high for name, (low, high) in reading.intervals.items())


def test_dci_names_both_estimators_where_factors_have_two_classes_and_more(monkeypatch):
    latents, factors = (table[:300, :2] for table in world())
    factors[:, 0] = factors[:, 0] > 2
    assert dci(*both(latents, factors), rng()).estimator == "exact"
    monkeypatch.setattr("dcign.metrics.predictors.EXACT_CELLS", 0)
    assert dci(*both(latents, factors), rng()).estimator == "exact and histogram"


def test_rows_of_one_sample_stay_together():
    """Memorising does not generalise: 60 samples of similar rows, each with its own value of the factor."""
    sample = np.repeat(np.arange(60), 20)
    latents = rng().normal(size=(60, 6))[sample] + 0.01 * rng(1).normal(size=(1200, 6))
    factors = rng(2).normal(size=(60, 1))[sample]
    fresh = rng(3).normal(size=(1200, 6)), rng(4).normal(size=(1200, 1))
    kept = nonlinear_leakage(latents, factors, *fresh, [[]], rng(), sample)
    assert kept[0] > nonlinear_leakage(latents, factors, *fresh, [[]], rng())[0] + 0.1


def test_the_interval_is_that_of_the_mean():
    values = rng().normal(size=400)
    found = bootstrap(np.mean, [values], rng(), rounds=400)
    again = bootstrap(np.mean, [values], rng(), rounds=400)
    assert found == again
    assert found.value == values.mean()
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    assert found.low < found.value < found.high
    with pytest.raises(TrainingError, match=r"found 1 and 0\.95: change them"):
        bootstrap(np.mean, [values], rng(), rounds=1)
    for arrays in ([], [values[:0]], [values, values[1:]]):
        with pytest.raises(
            TrainingError, match=r"expected arrays with the same number of rows, at least 1, found \[.*\]"
        ):
            bootstrap(lambda *_: 0.0, arrays, rng())
