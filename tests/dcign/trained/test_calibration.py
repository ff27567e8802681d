"""Calibrations: what a latent stands for, its file, and what a damaged one ends in."""

import json
import random

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.metrics.circular import as_vectors, wrapped
from dcign.metrics.regression import fit_monotone, r_squared
from dcign.trained.calibration import (
    FILE,
    CircularCalibration,
    calibrate,
    calibrate_circle,
    factor_values,
    from_json,
    read_calibrations,
    to_json,
    with_factors,
    write_calibrations,
)

FACTORS = ("across", "up")


def fitted():
    rng = np.random.default_rng(0)
    values = rng.uniform([-60, -20], [60, 20], (500, 2))
    codes = np.tanh(values / [-80, 30]) + rng.normal(0, 0.01, values.shape)  # the first falls as its factor rises
    return tuple(calibrate(name, place, codes[:, place], values[:, place]) for place, name in enumerate(FACTORS))


def test_what_is_written_is_read_the_same(tmp_path):
    fits = fitted()
    found = read_calibrations(write_calibrations(tmp_path, fits).parent, FACTORS, 4)
    mu = np.random.default_rng(1).normal(0, 1, (100, 4))
    assert [fit.latent for fit in found] == [0, 1]
    np.testing.assert_array_equal(factor_values(mu, found), factor_values(mu, fits))
    np.testing.assert_array_equal(with_factors(mu, found, across=33, up=-7), with_factors(mu, fits, across=33, up=-7))
    for before, after in zip(fits, found, strict=True):
        np.testing.assert_array_equal(before.linear(mu[:, 0]), after.linear(mu[:, 0]))
        assert before.range == after.range


@pytest.mark.parametrize("constant", ["factor", "latent"])
def test_a_constant_factor_or_latent_is_written_and_read(tmp_path, constant):
    varying, same = np.linspace(-60, 60, 121), np.full(121, 7.5)
    codes, values = (varying, same) if constant == "factor" else (same, varying)
    fit = calibrate("across", 0, codes, values)
    (found,) = read_calibrations(write_calibrations(tmp_path, [fit]).parent, ("across",), 1)
    np.testing.assert_array_equal(found.at(codes[:, None]), fit.at(codes[:, None]))
    np.testing.assert_allclose(found.at(np.array([[7.5]])), values.mean(), atol=1e-9)
    np.testing.assert_allclose(found.coordinates(np.array([7.5])), [[codes.mean()]], atol=1e-9)
    assert found.range == (values.min(), values.max())


def noisy(seed, rises=True):
    """A factor, and a latent of much noise and few different values, as that of age: (N,), (N,)."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(18, 80, int(rng.integers(50, 3000)))
    codes = np.tanh((values - 40) / 30) + rng.normal(0, rng.uniform(0.01, 1), len(values))
    return values, codes if rises else -codes


@pytest.mark.parametrize("rises", [True, False], ids=["rises", "falls"])
@pytest.mark.parametrize("seed", range(8))
def test_both_maps_have_no_plateau_and_keep_the_whole_range(seed, rises):
    values, codes = noisy(seed, rises)
    fit = calibrate("age", 0, codes, values)
    assert fit.range == (values.min(), values.max())
    assert (fit.value.inputs[0], fit.value.inputs[-1]) == (codes.min(), codes.max())
    for each in (fit.value, fit.code):
        assert (np.sign(np.diff(each.outputs)) == (1 if rises else -1)).all()
        assert (np.diff(each.inputs) > 0).all()
    ages = np.linspace(*fit.range, 500)
    read = factor_values(with_factors(np.zeros((500, 2)), [fit], age=ages), [fit])[:, 0]
    assert (np.diff(read) > 0).all()


def test_a_factor_that_is_set_is_read_back():
    mu, wanted = np.zeros((9, 4)), np.linspace(-50, 50, 9)
    np.testing.assert_allclose(factor_values(with_factors(mu, fitted(), across=wanted), fitted())[:, 0], wanted, atol=3)


@pytest.mark.parametrize("seed", range(4))
def test_the_map_without_steps_reads_unseen_images_as_well_as_the_isotonic_fit(seed):
    rng = np.random.default_rng(seed)
    values, codes = noisy(seed)
    order = rng.permutation(len(values))
    kept, rest = np.array_split(order, 2)
    stepped = fit_monotone(codes[kept], values[kept])
    fit = calibrate("age", 0, codes[kept], values[kept])
    assert r_squared(values[rest], fit.value(codes[rest])) > r_squared(values[rest], stepped(codes[rest])) - 0.003


def test_the_plateaus_of_an_earlier_file_become_their_middles():
    steps = {"inputs": [-1, 0, 0.1, 0.5, 0.6, 2], "outputs": [20, 20, 30, 30, 30, 50]}
    back = {"inputs": [18, 19, 45, 80], "outputs": [-0.5, 0.2, 0.2, 1.5]}
    found = from_json(to_json(calibrate("age", 0, *noisy(0)[::-1])) | {"value": steps, "code": back})
    assert (found.value.inputs.tolist(), found.value.outputs.tolist()) == ([-1, 0.35, 2], [20, 30, 50])
    assert (found.code.inputs.tolist(), found.code.outputs.tolist()) == ([18, 32, 80], [-0.5, 0.2, 1.5])
    assert to_json(from_json(to_json(found))) == to_json(found)


def test_a_factor_that_its_latent_does_not_tell_is_set_to_one_code():
    values = np.linspace(18, 80, 200)
    fit = calibrate("age", 0, np.full(200, 0.25), values)
    assert fit.range == (18, 80)
    assert fit.code(np.array([0, 18, 50, 80])).tolist() == [0.25] * 4


def test_beyond_its_ends_a_map_stays_at_them():
    across = fitted()[0]
    low, high = across.range
    assert low < -59
    assert high > 59
    assert across.code(np.array([low - 500, high + 500])).tolist() == across.code(np.array([low, high])).tolist()
    least, most = across.value.inputs[[0, -1]]
    assert across.value(np.array([least - 9, most + 9])).tolist() == across.value(np.array([least, most])).tolist()


def test_two_factors_of_one_latent_cannot_be_set_together():
    fits = fitted()
    shared = (fits[0], calibrate("up", 0, np.arange(9.0), np.arange(9.0)))
    with pytest.raises(TrainingError, match="found across and up, both on latent 0"):
        with_factors(np.zeros((1, 4)), shared, across=1, up=2)
    assert with_factors(np.zeros((1, 4)), shared, up=2)[0, 0] == 2


def test_a_factor_that_is_not_there_is_refused():
    with pytest.raises(TrainingError, match="found 'down': choose from across, up"):
        with_factors(np.zeros((1, 4)), fitted(), down=1)


def test_a_value_that_is_no_number_is_refused_and_whole_numbers_of_a_code_become_real():
    with pytest.raises(TrainingError, match="for across, found other values"):
        with_factors(np.zeros((2, 4)), fitted(), across=[1.0, np.nan])
    moved = with_factors(np.zeros((1, 4), int), fitted(), across=7.3)
    np.testing.assert_allclose(moved, with_factors(np.zeros((1, 4)), fitted(), across=7.3), rtol=1e-6)
    assert moved[0, 0] % 1 != 0


def test_a_calibration_without_a_format_is_one_of_the_first(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"factors": [to_json(fit) for fit in fitted()]}))
    assert len(read_calibrations(tmp_path, FACTORS, 4)) == 2


DAMAGE = {
    "a list": lambda fit: [fit],
    "a name that is a number": lambda fit: fit | {"factor": 3},
    "no name": lambda fit: {key: value for key, value in fit.items() if key != "factor"},
    "a latent that is true": lambda fit: fit | {"latent": True},
    "a latent below 0": lambda fit: fit | {"latent": -1},
    "a latent that is half": lambda fit: fit | {"latent": 0.5},
    "a latent beyond the code": lambda fit: fit | {"latent": 4},
    "a slope that is no number": lambda fit: fit | {"slope": float("nan")},
    "a slope that is true": lambda fit: fit | {"slope": True},
    "a slope that is words": lambda fit: fit | {"slope": "1"},
    "an offset that is huge": lambda fit: fit | {"offset": 10**400},
    "no map": lambda fit: fit | {"value": None},
    "no knots": lambda fit: fit | {"code": {"inputs": [], "outputs": []}},
    "knots that are a number": lambda fit: fit | {"code": {"inputs": 3, "outputs": [1]}},
    "more outputs than inputs": lambda fit: fit | {"code": {"inputs": [1, 2], "outputs": [1, 2, 3]}},
    "knots that do not ascend": lambda fit: fit | {"code": {"inputs": [1, 1], "outputs": [1, 2]}},
    "outputs that rise and fall": lambda fit: fit | {"code": {"inputs": [1, 2, 3], "outputs": [1, 2, 1]}},
    "an infinite knot": lambda fit: fit | {"code": {"inputs": [1, float("inf")], "outputs": [1, 2]}},
    "another name": lambda fit: fit | {"factor": "down"},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_calibration_ends_in_one_sentence(tmp_path, damage):
    first, second = (to_json(fit) for fit in fitted())
    (tmp_path / FILE).write_text(json.dumps({"factors": [damage(first), second]}))
    with pytest.raises(TrainingError, match=r"cannot read .*calibration.json \(.+\): evaluate the run again") as caught:
        read_calibrations(tmp_path, FACTORS, 4)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"factors": {}}', '{"format": "x", "factors": []}'])
def test_a_file_that_is_no_calibration_ends_in_one_sentence(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(TrainingError, match="evaluate the run again"):
        read_calibrations(tmp_path, FACTORS, 4)
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(TrainingError, match="evaluate the run again"):
        read_calibrations(tmp_path, FACTORS, 4)


def test_without_a_file_it_says_to_evaluate(tmp_path):
    with pytest.raises(TrainingError, match=r"expected calibration\.json in .*, found none"):
        read_calibrations(tmp_path, FACTORS, 4)


def test_any_bytes_changed_are_read_as_finite_maps_or_refused(tmp_path):
    whole = write_calibrations(tmp_path, fitted()).read_bytes()
    chance, refused, codes = random.Random(0), 0, np.linspace(-5, 5, 50)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.choice((1, 1, 20))):
            broken[chance.randrange(len(broken))] = chance.choice(b'0123456789.-e,[]{}":N \x00\xff')
        (tmp_path / FILE).write_bytes(broken[: len(broken) if chance.random() < 0.9 else chance.randrange(len(broken))])
        try:
            fits = read_calibrations(tmp_path, FACTORS, 4)
        except TrainingError as error:
            refused += "\n" not in str(error)
            continue
        for fit in fits:
            assert np.isfinite(fit.value(codes)).all()
            assert np.isfinite(fit.code(codes)).all()
    assert refused > 30


def test_from_json_names_what_is_wrong():
    with pytest.raises(ValueError, match=r"Expected `int`, got `str` - at `\$\.latent`"):
        from_json({"factor": "across", "latent": "first"})


def on_a_circle():
    """A circular factor and its calibration, from two latents on a squeezed circle that is passed at an uneven pace."""
    rng = np.random.default_rng(3)
    values = rng.uniform(-180, 180, 3000)
    pace = values + 25 * np.sin(np.radians(values))
    codes = as_vectors(pace) * [1.5, -0.7] + [0.2, 0.0] + rng.normal(0, 0.01, (3000, 2))
    return values, codes, calibrate_circle("round", (2, 3), codes, values)


def test_a_circular_factor_that_is_set_is_read_back_all_the_way_round():
    values, codes, fit = on_a_circle()
    mu = np.zeros((36, 5))
    asked = np.arange(-180.0, 180.0, 10.0)
    moved = with_factors(mu, [fit], round=asked)
    assert np.abs(wrapped(factor_values(moved, [fit])[:, 0] - asked)).max() < 4
    np.testing.assert_allclose(with_factors(mu, [fit], round=asked + 720), moved, atol=1e-5)
    assert not moved[:, [0, 1, 4]].any()
    steps = np.linalg.norm(np.diff(moved[[*range(36), 0]], axis=0), axis=1)
    assert steps.max() < 0.5  # without a jump where the circle closes
    unseen = np.concatenate([np.zeros((3000, 2)), codes], axis=1)
    assert np.abs(wrapped(fit.read(unseen) - values)).mean() < 2


def test_a_circular_calibration_is_written_and_read_the_same(tmp_path):
    fit = on_a_circle()[2]
    (found,) = read_calibrations(write_calibrations(tmp_path, [fit]).parent, ("round",), 4)
    assert isinstance(found, CircularCalibration)
    assert (found.own, found.range, found.circular) == ((2, 3), (-180, 180), True)
    mu = np.random.default_rng(1).normal(0, 1, (100, 4))
    np.testing.assert_array_equal(found.read(mu), fit.read(mu))
    np.testing.assert_array_equal(found.written(mu, mu[:, 0] * 90), fit.written(mu, mu[:, 0] * 90))
    with pytest.raises(TrainingError, match="round is latent 3, and the network has 3"):
        read_calibrations(tmp_path, ("round",), 3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("latents", [1]), ("latents", [0, -1]), ("curve", {"points": [[1]] * 9}), ("curve", {"points": [["a", 1]] * 9})],
)
def test_a_damaged_circular_calibration_is_refused(field, value):
    with pytest.raises(ValueError, match="Expected"):
        from_json(to_json(on_a_circle()[2]) | {field: value})


def test_a_curve_of_two_points_is_refused():
    with pytest.raises(ValueError, match="the curve of round has 2 points, too few for a turn"):
        from_json(to_json(on_a_circle()[2]) | {"curve": {"points": [[0, 1], [1, 0]]}})
