"""A broken promise is found and the batch is named; a kept one is never called broken."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.check.smoothness import pixel_faults
from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.data.schema import VARIES
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError
from tests.support.data_sets import list_again

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


def test_sound_shards_and_data_sets_have_no_findings(make_dataset):
    folder = make_dataset()
    assert check_dataset(FaceDataset(folder)) == []
    assert check_shard(folder / "train" / "shard-00000.h5") == []
    assert check_shard(folder / "iid" / "shard-00000.h5") == []


@pytest.mark.parametrize("number", range(40))
@pytest.mark.parametrize("varies", ["azimuth", "elevation", "light_azimuth"])
def test_smooth_walks_are_never_called_out_of_order(make_batch, varies, number):
    batch = make_batch(number, varies)
    assert pixel_faults(batch.images, batch.factors[:, KINDS[varies]]) == []


def with_note(file):
    file.attrs["note"] = "mine"


UNKNOWN = {
    "attribute of the file": (with_note, "has attribute note, which"),
    "attribute of a dataset": (lambda file: with_note(file["truth/mask"]), "has attribute note of truth/mask, which"),
    "attribute of a group": (lambda file: with_note(file["identity"]), "has attribute note of identity, which"),
    "dataset": (lambda file: file.create_dataset("identity/name", data=[1]), "has identity/name, which"),
    "group": (lambda file: file.create_group("mine"), "has mine, which"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_the_format_does_not_have_is_found(make_dataset, case):
    change, said = UNKNOWN[case]
    folder = make_dataset()
    with h5py.File(folder / "test" / "shard-00000.h5", "r+") as file:
        change(file)
    list_again(folder)
    for findings in (check_dataset(FaceDataset(folder)), check_shard(folder / "test" / "shard-00000.h5")):
        (found,) = findings
        assert said in found.what
        assert found.shard == str(folder / "test" / "shard-00000.h5")


def test_of_many_unknown_attributes_the_first_are_named_in_a_form_that_is_safe_to_print(make_dataset):
    folder = make_dataset()
    with h5py.File(folder / "test" / "shard-00000.h5", "r+") as file:
        for number in range(50):
            file.attrs[f"\x1b[31m{number:02}"] = number
    list_again(folder)
    found = [finding.what for finding in check_dataset(FaceDataset(folder))]
    assert found == [f"has attribute ?[31m{number:02}, which shards do not have" for number in range(3)]


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


def test_one_index_means_one_face_across_batches_and_shards(make_dataset):
    def steal(split, batch):
        if split != "train" or batch.number != 6:
            return batch
        return replace(batch, identity_index=np.zeros_like(batch.identity_index))  # who is in batch 0, shard 0

    found = check_dataset(FaceDataset(make_dataset(steal)))
    assert [finding.batch for finding in found] == [6]
    assert "has other coefficients elsewhere" in found[0].what


@pytest.mark.parametrize("by", ["index", "coefficients"])
def test_a_test_person_who_is_in_train_is_found(make_dataset, make_batch, by):
    train = make_batch(0, "azimuth")

    def reuse(split, batch):
        if split != "test" or batch.number != 1:
            return batch
        if by == "index":
            return replace(batch, identity_index=train.identity_index)
        return replace(batch, identity_shape=train.identity_shape, identity_albedo=train.identity_albedo)

    folder = make_dataset(reuse)
    found = check_dataset(FaceDataset(folder))
    assert [(finding.shard, finding.batch) for finding in found] == [(str(folder / "test" / "shard-00000.h5"), 1)]
    person = 0 if by == "index" else 1_000_020
    alias = "" if by == "index" else ", as identity 0"
    assert found[0].what == f"identity {person} is in train/shard-00000.h5, batch 0, too{alias}"


def test_of_many_test_people_who_are_in_train_three_are_named_and_the_others_counted(make_dataset, make_batch):
    train = make_batch(7, "identity")
    people = {"identity_index": train.identity_index, "identity_shape": train.identity_shape}

    def reuse(split, batch):
        if split != "sweep":
            return batch
        return replace(batch, **people, identity_albedo=train.identity_albedo)

    folder = make_dataset(reuse)
    found = [str(finding) for finding in check_dataset(FaceDataset(folder))]
    assert found == [
        f"{folder}/sweep/shard-00000.h5, batch 0: identity {person} is in train/shard-00001.h5, batch 7, too"
        for person in (140, 141, 142)
    ] + [f"{folder}/sweep: 17 more of its identities are in train, too"]


def test_a_stranger_in_several_batches_of_train_is_named_with_their_number(make_dataset, make_batch):
    train = make_batch(0, "azimuth")
    person = {"identity_index": train.identity_index, "identity_shape": train.identity_shape}

    def reuse(split, batch):
        if (split, batch.number) not in (("train", 6), ("test", 1)):
            return batch
        return replace(batch, **person, identity_albedo=train.identity_albedo)

    found = check_dataset(FaceDataset(make_dataset(reuse)))
    assert [finding.what for finding in found] == ["identity 0 is in train/shard-00000.h5, batch 0 (and 1 more), too"]


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


def _edit(folder, change):
    document = json.loads((folder / "dataset.json").read_text())
    change(document)
    (folder / "dataset.json").write_text(json.dumps(document))


FOLDERS = {
    "another configuration": (
        lambda f: _edit(f, lambda d: d["configuration"].update(size=99)),
        "its configuration does not have the hash that it gives",
    ),
    "another seed": (lambda f: _edit(f, lambda d: d.update(seed=6)), "has seed 5; dataset.json says 6"),
    "another model": (lambda f: (f / "model.npz").write_bytes(b"x"), "is not the model that dataset.json names"),
    "no model": (
        lambda f: (f / "model.npz").unlink(),
        "model.npz: is not there, though dataset.json names it: run `dcign render` again to make it",
    ),
    "a missing shard": (
        lambda f: (f / "test" / "shard-00000.h5").unlink(),
        "shard-00000.h5: is not there, though dataset.json lists it: run `dcign render` again to make it",
    ),
    "a truncated shard": (
        lambda f: (f / "iid" / "shard-00000.h5").write_bytes((f / "iid" / "shard-00000.h5").read_bytes()[:-9]),
        "is cut short",
    ),
    "an unlisted shard": (
        lambda f: (f / "train" / "shard-00009.h5").write_bytes(b""),
        "is in the folder but not in dataset.json",
    ),
    "a shard of another split": (
        lambda f: (f / "iid" / "shard-00000.h5").write_bytes((f / "sweep" / "shard-00000.h5").read_bytes()),
        "has split sweep; dataset.json says iid",
    ),
    "two shards exchanged": (
        lambda f: (f / "train" / "shard-00001.h5").write_bytes((f / "train" / "shard-00000.h5").read_bytes()),
        "has another SHA-256",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_is_not_what_its_manifest_says_is_found(make_dataset, case):
    spoil, said = FOLDERS[case]
    folder = make_dataset()
    spoil(folder)
    assert any(said in str(finding) for finding in check_dataset(FaceDataset(folder)))


def test_a_single_changed_byte_anywhere_in_a_shard_is_found(make_dataset, header, make_batch):
    folder = make_dataset()
    path = folder / "train" / "shard-00000.h5"
    content = path.read_bytes()
    for offset in np.linspace(0, len(content) - 1, 12).astype(int):
        spoiled = bytearray(content)
        spoiled[offset] ^= 1
        path.write_bytes(spoiled)
        assert check_dataset(FaceDataset(folder)), offset


def test_a_shard_that_cannot_be_opened_is_an_error_when_named_alone(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        check_shard(tmp_path / "none.h5")


def test_many_workers_find_what_one_finds_in_the_same_order(make_dataset, make_batch):
    stolen = make_batch(0, "azimuth")

    def harm(split, batch):
        if batch.number == 1:
            batch = replace(batch, images=blackened(batch.images, 3))
        if (split, batch.number) == ("test", 2):
            batch = replace(batch, identity_index=stolen.identity_index)
        return batch

    folder = make_dataset(harm)
    (folder / "train" / "shard-00001.h5").write_bytes(b"")
    one, many = (check_dataset(FaceDataset(folder), workers=workers) for workers in (1, 4))
    assert [str(finding) for finding in one] == [str(finding) for finding in many]
    assert len(one) >= 5


@pytest.mark.parametrize("lost", [False, True])
def test_progress_counts_every_batch_even_of_a_lost_shard(make_dataset, lost):
    folder, counted = make_dataset(), []
    if lost:
        (folder / "sweep" / "shard-00000.h5").unlink()
    check_dataset(FaceDataset(folder), workers=3, progress=lambda done, total: counted.append((done, total)))
    assert counted == sorted(counted)
    assert set(counted) == {(done, 15) for done in range(1, 16)}


def test_progress_through_one_shard_counts_its_batches(make_shard):
    counted = []
    check_shard(make_shard(), progress=lambda done, total: counted.append((done, total)))
    assert counted == [(1, 4), (2, 4), (3, 4), (4, 4)]


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
