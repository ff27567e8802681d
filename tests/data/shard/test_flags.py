"""Flags of factors and parts of a person in a shard and in dataset.json: kept where set, without a trace elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import pytest

from dcign.data.dataset.manifest import read_manifest, write_manifest
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import FACTORS, MORE_FACTORS, PERSON_PARTS, VARIES, ShardHeader, varies_codes
from dcign.data.shard.reader import Shard
from dcign.errors import DataError

pytest_plugins = ["tests.support.discs"]

AGE = next(factor for factor in MORE_FACTORS if factor.name == "age")
CIRCLE = {"azimuth": (-180.0, 180.0), "elevation": (-23.0, 23.0), "light_azimuth": (-80.0, 80.0)}


def test_new_kinds_have_the_codes_after_all_earlier_ones() -> None:
    assert [VARIES[name] for name in ("age", "sex", *PERSON_PARTS)] == [9, 10, 11, 12, 13]
    assert varies_codes(["age"], ["hair"]) == varies_codes([]) | {"age": 9, "hair": 13}


def test_flags_and_parts_of_a_header_are_read_back(make_shard: Callable[..., Path]) -> None:
    factors = (replace(FACTORS[0], circular=True), replace(AGE, name="elevation"), FACTORS[2])
    with Shard(make_shard(factors=factors, parts=("shape", "hair"))) as shard:
        assert shard.header.factors == factors
        assert shard.header.parts == ("shape", "hair")


def test_without_flags_a_shard_has_no_attribute_for_them(make_shard: Callable[..., Path]) -> None:
    with h5py.File(make_shard()) as file:
        assert {*file["factors"].attrs} == {"names", "units", "mirror_sign"}
        assert h5py.check_enum_dtype(file["varies"].dtype) == varies_codes([])


def test_an_older_shard_that_spans_the_full_turn_is_read_as_circular(make_shard: Callable[..., Path]) -> None:
    with Shard(make_shard(ranges=CIRCLE)) as shard:
        assert [factor.circular for factor in shard.header.factors] == [True, False, False]
    almost = CIRCLE | {"azimuth": (-179.0, 180.0)}
    with Shard(make_shard(name="almost.h5", ranges=almost)) as shard:
        assert not any(factor.circular for factor in shard.header.factors)


def test_a_data_set_has_the_flags_and_the_parts(make_dataset: Callable[..., Path]) -> None:
    folder = make_dataset()
    plain = json.loads((folder / "dataset.json").read_text())
    assert "parts" not in plain
    assert {*plain["factors"][0]} == {"name", "units", "mirror_sign"}
    assert FaceDataset(folder).parts == ()
    factors = (replace(FACTORS[0], circular=True), *FACTORS[1:], AGE)
    write_manifest(folder, replace(read_manifest(folder), factors=factors, parts=("skin",)))
    assert (FaceDataset(folder).factors, FaceDataset(folder).parts) == (factors, ("skin",))


def test_a_data_set_of_an_earlier_version_is_circular_by_its_configuration(
    make_dataset: Callable[..., Path], header: ShardHeader
) -> None:
    folder = make_dataset()
    about = header.configuration | {"azimuth": {"low": -180, "high": 180.0}, "size": {"low": None}}
    write_manifest(folder, replace(read_manifest(folder), configuration=about))
    assert [factor.circular for factor in FaceDataset(folder).factors] == [True, False, False]


@pytest.mark.parametrize("parts", [("nose",), ("skin", "skin")])
def test_unknown_parts_in_a_data_set_are_refused(make_dataset: Callable[..., Path], parts: tuple[str, ...]) -> None:
    folder = make_dataset()
    write_manifest(folder, replace(read_manifest(folder), parts=parts))
    with pytest.raises(DataError, match=r"expected parts of shape, skin, hair, once each, found '(nose|skin)'"):
        read_manifest(folder)
