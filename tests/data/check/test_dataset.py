"""A data set is checked as a whole: its folder, its files, its people, with many workers and with progress."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError
from tests.support.data_sets import list_again

pytest_plugins = ["tests.support.discs"]


def test_sound_shards_and_data_sets_have_no_findings(make_dataset):
    folder = make_dataset()
    assert check_dataset(FaceDataset(folder)) == []
    assert check_shard(folder / "train" / "shard-00000.h5") == []
    assert check_shard(folder / "iid" / "shard-00000.h5") == []


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
            batch = replace(batch, images=np.zeros_like(batch.images))
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
