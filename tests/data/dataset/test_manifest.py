"""dataset.json comes back as it went, and a folder that is no data set is named in one sentence."""

from __future__ import annotations

import errno
import json
from dataclasses import replace

import pytest

from dcign.data.dataset.manifest import ShardEntry, read_manifest, write_manifest
from dcign.data.schema import configuration_sha256
from dcign.errors import DataError

pytest_plugins = ["tests.support.discs"]


def test_a_manifest_comes_back_and_the_same_one_gives_the_same_bytes(make_dataset, tmp_path):
    folder = make_dataset()
    manifest = read_manifest(folder)
    write_manifest(tmp_path / "copy", manifest)
    assert read_manifest(tmp_path / "copy") == manifest
    assert (tmp_path / "copy" / "dataset.json").read_bytes() == (folder / "dataset.json").read_bytes()
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["dataset.json"]


def test_the_configuration_hash_follows_content_not_order():
    assert configuration_sha256({"a": 1, "b": [2]}) == configuration_sha256({"b": [2], "a": 1})
    assert configuration_sha256({"a": 1}) != configuration_sha256({"a": 2})


def refusal_of(folder):
    with pytest.raises(DataError) as refusal:
        read_manifest(folder)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_missing_folder_a_file_and_an_unfinished_folder_are_told_apart(tmp_path):
    assert "is not there" in refusal_of(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"")
    assert "is a file" in refusal_of(tmp_path / "file")
    assert "has no dataset.json" in refusal_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"format": "other"}'])
def test_a_file_that_is_no_manifest_is_named(tmp_path, content):
    (tmp_path / "dataset.json").write_bytes(content)
    assert "expected" in refusal_of(tmp_path)


CHANGES = {
    "a newer version": (lambda d: d.update(version=2), "update dcign"),
    "no seed": (lambda d: d.pop("seed"), "missing required field seed"),
    "a seed of text": (lambda d: d.update(seed="5"), "expected int, found str in seed"),
    "splits of a list": (lambda d: d.update(splits=[]), "expected object, found array in splits"),
    "an unknown split": (lambda d: d["splits"].update(holdout=d["splits"]["iid"]), "'holdout'"),
    "a shard outside": (
        lambda d: d["splits"]["iid"]["shards"][0].update(file="../x.h5"),
        "outside the folder",
    ),
    "a shard at the root": (
        lambda d: d["splits"]["iid"]["shards"][0].update(file="/etc/passwd"),
        "outside the folder",
    ),
    "a model outside": (lambda d: d["model"].update(file="../model.npz"), "outside the folder"),
    "a gap between shards": (
        lambda d: d["splits"]["train"]["shards"][1].update(first=6),
        "to begin at batch 5, found 6",
    ),
    "a wrong total": (lambda d: d["splits"]["train"].update(batches=9), "as in its shards, found 9"),
    "a total that a terminal would obey": (
        lambda d: d["splits"]["iid"].update(batches="\x1b[2J\x00"),
        "expected int, found str in splits",
    ),
    "a name that is none": (lambda d: d["splits"]["iid"]["shards"][0].update(file="a\0.h5"), "expected a file name"),
    "a factor of two words": (lambda d: d["factors"][0].update(name="up\nside"), "found 'up?side'"),
    "a mirror sign of two": (lambda d: d["factors"][0].update(mirror_sign=2), "'degree', 2"),
    "a factor without a name": (lambda d: d["factors"][0].pop("name"), "missing required field name in factors[0]"),
    "a seed that is true": (lambda d: d.update(seed=True), "expected int, found bool in seed"),
    "a number of batches with a fraction": (
        lambda d: d["splits"]["iid"]["shards"][0].update(batches=2.5),
        "expected int, found float in splits[...].shards[0].batches",
    ),
    "a hash that is a number": (lambda d: d.update(configuration_sha256=1), "expected str, found int"),
    "not a number": (lambda d: d["configuration"].update(size=float("nan")), "expected JSON, found other text"),
    "infinity": (lambda d: d["renderer"].update(size=float("inf")), "expected JSON, found other text"),
    "factors without end": (lambda d: d.update(factors={}), "expected array, found object in factors"),
}


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_beyond_float64_is_refused_with_its_field(make_dataset, number):
    path = make_dataset() / "dataset.json"
    path.write_text(path.read_text().replace('"renderer": {', f'"renderer": {{"size": {number}, '))
    assert "number out of range in renderer" in refusal_of(path.parent)


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_manifest_is_refused_with_the_reason(make_dataset, case):
    change, said = CHANGES[case]
    path = make_dataset() / "dataset.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    assert said in refusal_of(path.parent)


def refused(path):
    raise OSError(errno.ENOSPC, "no space")


def test_a_manifest_is_replaced_whole_or_not_at_all(make_dataset, monkeypatch):
    folder = make_dataset()
    before = (folder / "dataset.json").read_bytes()
    manifest = read_manifest(folder)
    monkeypatch.setattr("dcign.storage.atomic._flush", refused)
    longer = {"train": (*manifest.splits["train"], ShardEntry("train/x.h5", 1, 8, "", 0))}
    with pytest.raises(DataError, match="could not be written"):
        write_manifest(folder, replace(manifest, splits=longer))
    assert (folder / "dataset.json").read_bytes() == before
