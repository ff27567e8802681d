"""What can be asked for, and what is said to what cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dcign.errors import RenderError
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range

SPLITS = Splits.in_paper_proportions(100)


def test_a_configuration_survives_json() -> None:
    configuration = RenderConfiguration(SPLITS, size=64, channels=3, seed=5, azimuth=Range(-10, 20))
    assert RenderConfiguration.from_dict(json.loads(json.dumps(configuration.as_dict()))) == configuration


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
        ({"size": 15}, "size 15 is out of bounds; give --size from 16 to 1024"),
        ({"size": 1025}, "size 1025 is out of bounds"),
        ({"channels": 2}, "2 channels asked for; give --channels 1 (gray) or 3"),
        ({"seed": -1}, "seed -1 is out of bounds"),
        ({"azimuth": Range(-181, 0)}, "--azimuth -181 0 is out of bounds; give LO < HI within -180 to 180"),
        ({"elevation": Range(0, 91)}, "--elevation 0 91 is out of bounds; give LO < HI within -90 to 90"),
        ({"light_azimuth": Range(5, 5)}, "--light-azimuth 5 5 is out of bounds; give LO < HI"),
        ({"azimuth": Range(float("nan"), 0)}, "--azimuth nan 0 is out of bounds"),
        ({"splits": Splits.in_paper_proportions(0)}, "0 batches asked for; at least 1"),
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
