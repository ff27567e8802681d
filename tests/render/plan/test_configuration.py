"""What can be asked for, and what is said to what cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dcign.errors import RenderError
from dcign.render.draw.scene import Camera, Light, Scene
from dcign.render.plan.backdrops import Background
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.objects import object_scene
from dcign.render.plan.ranges import Range

SPLITS = Splits.in_paper_proportions(100)


def test_a_configuration_survives_json() -> None:
    configuration = RenderConfiguration(SPLITS, size=64, channels=3, seed=5, azimuth=Range(-10, 20))
    assert RenderConfiguration.from_dict(json.loads(json.dumps(configuration.as_dict()))) == configuration


def test_a_whole_number_stays_one_so_that_the_hash_stays() -> None:
    configuration = RenderConfiguration(SPLITS, azimuth=Range(-10, 20.0))
    again = RenderConfiguration.from_dict(json.loads(json.dumps(configuration.as_dict())))
    assert again.sha256() == configuration.sha256()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("size",), 64.0),
        (("size",), None),
        (("keep_head_size",), 1),
        (("azimuth", "low"), float("nan")),
        (("azimuth", "middle"), 0.0),
        (("scene", "camera", "fill"), float("inf")),
        (("scene", "camera", "fill"), 10**400),
        (("scene", "light", "diffuse"), float("nan")),
        (("scene", "light", "diffuse"), True),
        (("scene", "gloss", 2, "glitter"), 0.5),
        (("scene", "gloss"), {}),
        (("splits", "sweep_levels"), [1, 2, "3"]),
    ],
)
def test_a_configuration_of_another_kind_is_refused_in_a_sentence(path: tuple[str | int, ...], value: object) -> None:
    about: Any = json.loads(json.dumps(RenderConfiguration(SPLITS).as_dict()))
    inner = about
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(RenderError, match="expected a render configuration, found"):
        RenderConfiguration.from_dict(about)


def test_a_stored_layer_of_truth_that_is_named_twice_counts_once() -> None:
    about = RenderConfiguration(SPLITS, truth=("mask",)).as_dict() | {"truth": ["mask", "mask"]}
    assert RenderConfiguration.from_dict(about).truth == ("mask",)


@pytest.mark.parametrize("name", ["size", "scene", "splits", "azimuth"])
def test_a_configuration_that_lacks_a_field_is_refused(name: str) -> None:
    about = RenderConfiguration(SPLITS).as_dict()
    del about[name]
    with pytest.raises(RenderError, match=f"expected a render configuration, found .*{name}"):
        RenderConfiguration.from_dict(about)


def test_configurations_that_differ_anywhere_have_other_hashes() -> None:
    variants = [
        RenderConfiguration(SPLITS),
        RenderConfiguration(SPLITS, seed=1),
        RenderConfiguration(SPLITS, keep_head_size=True),
        RenderConfiguration(SPLITS, elevation=Range(-23, 22)),
        RenderConfiguration(Splits.in_paper_proportions(101)),
    ]
    assert len({variant.sha256() for variant in variants}) == len(variants)


def test_the_paper_s_12000_batches_have_its_1400_test_batches() -> None:
    assert Splits.in_paper_proportions(12_000).batches() == {"train": 12_000, "test": 1_400, "iid": 500, "sweep": 158}


def test_small_data_sets_keep_enough_to_measure_by() -> None:
    smallest = Splits.in_paper_proportions(1)
    assert (smallest.test, smallest.iid) == (40, 100)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 15}, "expected a size from 16 to 1024 pixels, found 15"),
        ({"size": 1025}, "found 1025: give another --size"),
        ({"channels": 2}, "expected 1 channel (gray) or 3 (colour), found 2"),
        ({"seed": -1}, "expected a seed from 0 to 2^63 - 1, found -1"),
        ({"azimuth": Range(-181, 0)}, "expected LO < HI within -180 to 180 degrees for --azimuth, found -181 0"),
        ({"elevation": Range(0, 91)}, "expected LO < HI within -90 to 90 degrees for --elevation, found 0 91"),
        ({"light_azimuth": Range(5, 5)}, "expected LO < HI within -180 to 180 degrees for --light-azimuth, found 5 5"),
        ({"azimuth": Range(float("nan"), 0)}, "for --azimuth, found nan 0"),
        ({"splits": Splits.in_paper_proportions(0)}, "expected at least 1 batch, found 0"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RenderError) as error:
        RenderConfiguration(**{"splits": SPLITS, **options})
    assert sentence in str(error.value)


def test_larger_pictures_are_drawn_with_no_fewer_vertices() -> None:
    levels = [RenderConfiguration(SPLITS, size=size).level_of_detail for size in (16, 64, 96, 97, 150, 256, 257, 1024)]
    assert levels == sorted(levels)
    assert len(set(levels)) == 3


def test_options_become_a_configuration_and_the_pictures_behind_the_heads(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    plain, none = RenderConfiguration.from_options(batches=100)
    assert (plain, none) == (RenderConfiguration(SPLITS), None)
    found, backdrops = RenderConfiguration.from_options(
        batches=100, size=64, truth="depth,mask", azimuth=(-10, 20), elevation=None, distance=(900.0, 900.0),
        light_elevation=(0.0, 50.0), vary=("light-elevation",), shadows=False, background=str(tmp_path),
    )  # fmt: skip
    assert backdrops is not None
    assert found == RenderConfiguration(
        Splits.in_paper_proportions(100, 1),
        size=64,
        azimuth=Range(-10, 20),
        scene=Scene(camera=Camera(distance_mm=900.0), light=Light(shadows=False)),
        light_elevation=Range(0.0, 50.0),
        vary=("light_elevation",),
        background=Background(pictures=1, sha256=backdrops.sha256),
        truth=("mask", "depth"),
    )


def test_options_for_objects_bring_the_objects_scene_and_exclude_those_for_faces() -> None:
    found, _ = RenderConfiguration.from_options(batches=100, meshes=Path("chairs"), up="z")
    assert found == RenderConfiguration(SPLITS, scene=object_scene())
    with pytest.raises(RenderError, match="expected no options for faces beside --meshes, found --model and --hair"):
        RenderConfiguration.from_options(batches=1, meshes=Path("chairs"), model_path=Path("m.npz"), hair="none")
    with pytest.raises(RenderError, match="expected --meshes beside --up z, found none: give --meshes"):
        RenderConfiguration.from_options(batches=1, up="z")


@pytest.mark.parametrize(("low", "high", "circular"), [(-180, 180, True), (-179, 180, False)])
def test_a_range_of_the_full_turn_makes_a_factor_circular(low: float, high: float, circular: bool) -> None:
    configuration = RenderConfiguration(SPLITS, azimuth=Range(low, high))
    assert [factor.circular for factor in configuration.factors] == [circular, False, False]
