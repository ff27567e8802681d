"""What of the scene is set, sampled as a nuisance, or a factor of its own: the plan, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from dcign.data.schema import FACTORS, VARIES
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.draw.scene import DEFAULT_SCENE, Camera
from dcign.render.plan.backdrops import Background
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range, further_fields

PLAIN = RenderConfiguration(Splits(train=40, test=8, iid=4, sweep_levels=(5, 3, 4)), size=32, seed=9)
GIVEN = {"distance": (700.0, 1200.0), "light_to_ambient": (2.0, 8.0)}


def varied(vary: tuple[str, ...] = ("light_elevation", "distance"), **changes: Any) -> RenderConfiguration:
    """`PLAIN` with further factors, and nuisances."""
    levels = (*PLAIN.splits.sweep_levels, *[2] * len(vary))
    splits = Splits(train=40, test=8, iid=4, sweep_levels=levels)
    return RenderConfiguration(splits, size=32, seed=9, **{**further_fields(DEFAULT_SCENE, GIVEN, vary), **changes})


def test_each_further_factor_is_a_column_and_a_kind_of_batch_of_its_own(model: MorphableModel) -> None:
    configuration = varied()
    kinds = ("azimuth", "elevation", "light_azimuth", "light_elevation", "distance", "identity")
    assert configuration.kinds == kinds
    assert configuration.ranges["light_elevation"] == Range(-30, 70)
    for number in range(12):
        plan = plan_batch(configuration, model, "train", number)
        assert plan.varies == kinds[number % 6]
        differing = [len(np.unique(column)) for column in plan.factors.T]
        assert differing == [20 if name == plan.varies else 1 for name in configuration.ranges]
        assert len(plan.shape) == (20 if plan.varies == "identity" else 1)


def test_a_nuisance_is_one_value_a_batch_and_in_iid_one_an_image(model: MorphableModel) -> None:
    configuration = varied(background=Background(random=True))
    values = []
    for number in range(8):
        nuisance = plan_batch(configuration, model, "train", number).nuisance
        assert list(nuisance) == ["light_to_ambient", "background_gray"]
        assert all(len(np.unique(found)) == 1 for found in nuisance.values())
        values.append(nuisance["light_to_ambient"][0])
    assert len(set(values)) == 8
    plans = [plan_batch(configuration, model, "iid", number) for number in range(4)]
    every = np.concatenate([plan.nuisance["light_to_ambient"] for plan in plans])
    assert len(set(every.tolist())) == 80
    assert 2 <= every.min() < 2.5
    assert 7.5 < every.max() <= 8


def test_nuisances_know_nothing_of_each_other(model: MorphableModel) -> None:
    configuration = varied(vary=())
    plans = [plan_batch(configuration, model, "iid", number).nuisance for number in range(4)]
    distance, light = (np.concatenate([plan[name] for plan in plans]) for name in GIVEN)
    assert abs(np.corrcoef(distance, light)[0, 1]) < 0.4


def test_a_nuisance_more_leaves_poses_and_people_as_they_were(model: MorphableModel) -> None:
    for split in ("train", "iid", "sweep"):
        plain, other = (plan_batch(each, model, split, 3) for each in (PLAIN, varied(vary=())))
        np.testing.assert_array_equal(plain.factors, other.factors)
        np.testing.assert_array_equal(plain.shape, other.shape)
        assert not plain.nuisance
        assert other.nuisance.keys() == GIVEN.keys()


def test_the_sweep_walks_a_further_factor_too_while_the_others_and_nuisances_are_usual(model: MorphableModel) -> None:
    configuration = varied()
    plans = [plan_batch(configuration, model, "sweep", number) for number in range(16)]
    values = np.array([plan.factors[0] for plan in plans])
    np.testing.assert_allclose(values[12:14, 3], [-30, 70])
    np.testing.assert_allclose(values[14:, 4], [700, 1200])
    np.testing.assert_allclose(values[:12, 3:], np.broadcast_to([20, 950], (12, 2)))
    lights = {float(value) for plan in plans for value in plan.nuisance["light_to_ambient"]}
    assert lights == {float(np.float32(1.15 / 0.3))}


def test_colours_and_pictures_are_whole_numbers_within_their_range(model: MorphableModel) -> None:
    for background, names in (
        (Background(random=True), ["background_red", "background_green", "background_blue"]),
        (Background(pictures=3, sha256="0"), ["background_picture"]),
    ):
        configuration = varied(vary=(), background=background, channels=3, distance=None, light_to_ambient=None)
        drawn = [plan_batch(configuration, model, split, 0).nuisance for split in ("iid", "sweep")]
        assert list(drawn[0]) == names
        for nuisance in drawn:
            for name, values in nuisance.items():
                assert (values == np.floor(values)).all()
                assert configuration.nuisances[name].low <= values.min() <= values.max()
                assert values.max() <= configuration.nuisances[name].high


def test_a_pair_of_equal_values_sets_the_scene() -> None:
    given = {"light_elevation": (35.0, 35.0), "distance": (900.0, 900.0), "field_of_view": (30.0, 30.0),
             "light_to_ambient": (2.3, 2.3)}  # fmt: skip
    fields = further_fields(DEFAULT_SCENE, given, ())
    assert fields.keys() == {"vary", "scene"}
    scene = fields["scene"]
    assert (scene.light.elevation_degrees, scene.light.ambient) == (35, 0.5)
    assert (scene.camera.distance(50), scene.camera.field_of_view_degrees) == (900, 30)


@pytest.mark.parametrize(
    ("given", "vary", "sentence"),
    [
        (
            {},
            ["nose"],
            "expected --vary with one of light_elevation, distance, field_of_view, light_to_ambient, age, sex, shape, "
            "skin, hair, found nose",
        ),
        (
            {"distance": (900, 900)},
            ["distance"],
            "expected a range for --vary distance, found one value, --distance 900 900: give LO < HI",
        ),
        (
            {"distance": (200, 200)},
            [],
            "expected LO <= HI within 300 to 20000 millimetres for --distance, found 200 200",
        ),
        (
            {"light_elevation": (-90, 0)},
            [],
            "expected LO <= HI within -85 to 85 degrees for --light-elevation, found -90 0",
        ),
        ({"light_to_ambient": (3, 2)}, [], "expected LO <= HI within 0.2 to 100 for --light-to-ambient, found 3 2"),
        ({"field_of_view": (float("nan"), 9)}, [], "for --field-of-view, found nan 9"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(given: dict[str, Any], vary: list[str], sentence: str) -> None:
    with pytest.raises(RenderError) as error:
        RenderConfiguration(PLAIN.splits, **further_fields(DEFAULT_SCENE, given, vary))
    assert sentence in str(error.value)


def test_a_configuration_with_all_of_it_survives_json_and_one_without_is_written_as_ever() -> None:
    configuration = varied(background=Background(colour=(1, 2, 3)))
    again = RenderConfiguration.from_dict(json.loads(json.dumps(configuration.as_dict())))
    assert again == configuration
    assert configuration.as_dict().keys() - PLAIN.as_dict().keys() == {
        "light_elevation", "distance", "light_to_ambient", "vary", "background",
    }  # fmt: skip
    assert PLAIN.as_dict()["scene"]["camera"].keys() == {"field_of_view_degrees", "fill"}


def test_a_distance_or_background_of_another_kind_is_refused_in_a_sentence() -> None:
    for path in (("scene", "camera", "distance_mm"), ("background", "pictures"), ("light_elevation", "low"), ("vary",)):
        about = inner = json.loads(json.dumps(varied(background=Background(pictures=2, sha256="0")).as_dict()))
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = "near"
        with pytest.raises(RenderError):
            RenderConfiguration.from_dict(about)


def test_a_camera_in_the_middle_of_the_head_is_refused() -> None:
    with pytest.raises(RenderError, match="expected a camera distance above 0 mm, found 0"):
        Camera(distance_mm=0.0)


def test_the_codes_of_what_varies_stay_what_they_were() -> None:
    names = [*(factor.name for factor in FACTORS), "identity", "all"]
    assert [VARIES[name] for name in names] == [0, 1, 2, 3, 4]
    assert [VARIES[name] for name in ("light_elevation", "distance", "field_of_view", "light_to_ambient")] == [
        5,
        6,
        7,
        8,
    ]
