"""What a batch promises holds: a broken promise is found and its batch is named; a kept one is never called broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.data.check.dataset import check_shard
from dcign.data.check.smoothness import pixel_faults
from dcign.data.dataset.reader import Shard
from dcign.data.schema import VARIES
from dcign.data.shard.writer import write_shard

pytest_plugins = ["tests.support.discs"]

AZIMUTH, ELEVATION, LIGHT = range(3)
KINDS = {kind: number for number, kind in enumerate([*VARIES])}


def changed(values: np.ndarray, *where: int, by: float) -> np.ndarray:
    copy = values.copy()
    copy[where] += by
    return copy


def swapped(values: np.ndarray, one: int, other: int) -> np.ndarray:
    copy = values.copy()
    copy[[one, other]] = copy[[other, one]]
    return copy


def far_apart(batch, column):
    order = np.argsort(batch.factors[:, column])
    return int(order[4]), int(order[14])


def blackened(images, image):
    copy = images.copy()
    copy[image] = 0
    return copy


@pytest.mark.parametrize("number", range(40))
@pytest.mark.parametrize("varies", ["azimuth", "elevation", "light_azimuth"])
def test_smooth_walks_are_never_called_out_of_order(make_batch, varies, number):
    batch = make_batch(number, varies)
    assert pixel_faults(batch.images, batch.factors[:, KINDS[varies]]) == []


BROKEN = {
    "another factor varies": (
        "azimuth",
        lambda b: replace(b, factors=changed(b.factors, 3, ELEVATION, by=0.001)),
        "elevation differs between its images; only azimuth may",
    ),
    "the factor does not vary": (
        "elevation",
        lambda b: replace(b, factors=np.repeat(b.factors[:1], 20, axis=0)),
        "elevation is the same in all its images",
    ),
    "a label is no number": (
        "azimuth",
        lambda b: replace(b, factors=changed(b.factors, 0, AZIMUTH, by=np.nan)),
        "azimuth is not a finite number",
    ),
    "a label is out of range": (
        "light_azimuth",
        lambda b: replace(b, factors=changed(b.factors, 7, LIGHT, by=200)),
        "outside -80 to 80",
    ),
    "a nuisance varies": (
        "identity",
        lambda b: replace(b, nuisance={"light_elevation": changed(b.nuisance["light_elevation"], 1, by=1)}),
        "nuisance light_elevation differs",
    ),
    "one foreign identity index": (
        "azimuth",
        lambda b: replace(b, identity_index=changed(b.identity_index, 11, by=1)),
        "identity index differs",
    ),
    "one foreign shape": (
        "light_azimuth",
        lambda b: replace(b, identity_shape=changed(b.identity_shape, 11, 0, by=0.5)),
        "identity shape differs",
    ),
    "one foreign albedo": (
        "elevation",
        lambda b: replace(b, identity_albedo=changed(b.identity_albedo, 11, 0, by=0.5)),
        "identity albedo differs",
    ),
    "a person twice in an identity batch": (
        "identity",
        lambda b: replace(b, identity_index=np.append(b.identity_index[:19], b.identity_index[0])),
        "two of its images have the same identity index",
    ),
    "two people with one face": (
        "identity",
        lambda b: replace(
            b,
            identity_shape=np.concatenate([b.identity_shape[:19], b.identity_shape[:1]]),
            identity_albedo=np.concatenate([b.identity_albedo[:19], b.identity_albedo[:1]]),
        ),
        "which has the coefficients of identity",
    ),
    "a blank image": (
        "azimuth",
        lambda b: replace(b, images=blackened(b.images, 5)),
        "image 5 is blank",
    ),
    "the same image twice": (
        "identity",
        lambda b: replace(b, images=np.concatenate([b.images[:19], b.images[2:3]])),
        "images 2 and 19 are the same",
    ),
    "two azimuth labels swapped": (
        "azimuth",
        lambda b: replace(b, factors=swapped(b.factors, *far_apart(b, AZIMUTH))),
        "do not fit their neighbours in azimuth: labels swapped, or a foreign image",
    ),
    "two elevation labels swapped": (
        "elevation",
        lambda b: replace(b, factors=swapped(b.factors, *far_apart(b, ELEVATION))),
        "do not fit their neighbours in elevation: labels swapped, or a foreign image",
    ),
    "two light labels swapped": (
        "light_azimuth",
        lambda b: replace(b, factors=swapped(b.factors, *far_apart(b, LIGHT))),
        "do not fit their neighbours in light_azimuth: labels swapped, or a foreign image",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_is_found_and_its_batch_named(make_shard, make_batch, case):
    varies, break_it, said = BROKEN[case]
    batches = [make_batch(number, kind) for number, kind in enumerate([*VARIES][:4])]
    batches[KINDS[varies]] = break_it(batches[KINDS[varies]])
    found = check_shard(make_shard(batches))
    assert found
    assert {finding.batch for finding in found} == {KINDS[varies]}
    assert any(said in str(finding) for finding in found), found


def test_one_image_in_another_light_is_unlike_its_neighbours(make_batch, draw_discs):
    batch = make_batch(0, "elevation")
    even = np.repeat(batch.factors[:1], 20, axis=0)
    even[:, ELEVATION] = np.linspace(-23, 23, 20)
    even[:, LIGHT] = 0
    images, _ = draw_discs(even, batch.identity_shape)
    assert pixel_faults(images[..., None], even[:, ELEVATION]) == []
    lit, _ = draw_discs(changed(even, 10, LIGHT, by=30), batch.identity_shape)
    assert pixel_faults(lit[..., None], even[:, ELEVATION]) == ["image 10 is unlike its neighbours in label"]


def test_one_image_of_another_face_is_out_of_order(make_batch):
    batch, other = make_batch(0, "elevation"), make_batch(2, "identity")
    order = np.argsort(batch.factors[:, ELEVATION])
    images = batch.images.copy()
    images[order[10]] = other.images[0]
    assert pixel_faults(images, batch.factors[:, ELEVATION])


def test_bounds_are_those_of_rounded_labels(make_shard, make_batch):
    low, high = 2_500.3, 16_000.7  # float32 rounds both up, the upper one by .0002
    batches = [make_batch(number, "identity") for number in range(3)]
    ends = [low, high, np.nextafter(np.float32(high), np.float32(np.inf))]
    batches = [replace(batch, nuisance={"distance": np.full(20, end, np.float32)})
               for batch, end in zip(batches, ends, strict=True)]  # fmt: skip
    found = check_shard(make_shard(batches, ranges={"distance": (low, high)}))
    assert [(finding.batch, "distance runs from" in finding.what) for finding in found] == [(2, True)]


def test_a_sweep_keeps_its_people(make_shard, make_batch):
    batches = [make_batch(number, "identity", "sweep") for number in range(2)]
    found = check_shard(make_shard(batches, split="sweep"))
    assert [(finding.batch, finding.what) for finding in found] == [
        (1, "has other identities than the sweep's first batch")
    ]


def test_a_wrong_batch_number_is_found(make_shard, make_batch):
    batches = [make_batch(number, "identity") for number in (4, 5, 7)]
    assert [finding.batch for finding in check_shard(make_shard(batches))] == [7]


def test_an_evaluation_split_without_masks_is_found(make_shard, make_batch):
    found = check_shard(make_shard([make_batch(0, "azimuth")], split="test"))
    assert "has no truth/mask" in str(found[0])


def test_a_damaged_chunk_is_a_finding_of_its_batch(make_shard):
    path = make_shard()
    with Shard(path) as shard:
        first, count = shard.chunks()[2]
    content = bytearray(path.read_bytes())
    content[first + count // 2] ^= 0xFF
    path.write_bytes(content)
    found = check_shard(path)
    assert {finding.batch for finding in found} == {2}


def test_a_model_free_shard_needs_indices_alone(make_batch, tmp_path, header):
    batch = replace(make_batch(0, "azimuth"), identity_shape=None, identity_albedo=None, nuisance={})
    write_shard(tmp_path / "mesh.h5", header, [batch], 1)
    assert check_shard(tmp_path / "mesh.h5") == []


@pytest.mark.parametrize("varies", ["azimuth", "identity"])
def test_attributes_of_people_may_be_unknown(make_batch, make_shard, varies):
    unknown = np.full((20, 1), np.nan, np.float32)
    batch = replace(make_batch([*VARIES].index(varies), varies), number=0, identity_attributes=unknown)
    assert check_shard(make_shard([batch], attributes=("age",))) == []


@pytest.mark.parametrize(
    ("varies", "column"), [("light_azimuth", LIGHT), ("azimuth", AZIMUTH), ("elevation", ELEVATION)]
)
def test_of_objects_the_order_of_images_says_nothing(make_batch, make_shard, varies, column):
    batch = make_batch([*VARIES].index(varies), varies)
    swap = replace(batch, factors=swapped(batch.factors, *far_apart(batch, column)))
    unknown = replace(swap, number=0, identity_shape=None, identity_albedo=None, identity_attributes=None)
    assert check_shard(make_shard([unknown])) == []


@pytest.mark.parametrize("varies", ["light_azimuth", "identity"])
def test_two_objects_or_one_in_different_light_may_look_the_same(make_batch, make_shard, varies):
    batch = make_batch([*VARIES].index(varies), varies)
    images = batch.images.copy()
    images[3] = images[11]
    unknown = replace(
        batch, number=0, images=images, identity_shape=None, identity_albedo=None, identity_attributes=None
    )
    assert check_shard(make_shard([unknown])) == []
