"""A shard that is not as dataset.json lists it, or has impossible labels, is refused wherever it is read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.data.dataset.chunks import find_chunks
from dcign.data.dataset.reader import FaceDataset
from dcign.data.dataset.summary import summarise
from dcign.data.export.dataset import FORMATS, export_dataset
from dcign.data.schema import ATTRIBUTE_LIMITS
from dcign.data.shard.reader import Shard
from dcign.errors import DataError
from dcign.inputs.source import DataSource
from dcign.inputs.torch_dataset import FaceImages
from tests.support.data_sets import list_again

pytest_plugins = ["tests.support.discs"]


def altered(folder, change, split="iid"):
    with h5py.File(folder / split / "shard-00000.h5", "r+") as file:
        change(file)
    return folder


def label(value, batch=0, column=0):
    def change(file):
        file["factors"][batch, 7, column] = value

    return change


def attribute(name, value):
    def change(file):
        where = file["factors"] if name in file["factors"].attrs else file
        where.attrs[name] = value

    return change


READERS = {
    "batches": lambda folder: list(FaceDataset(folder).batches("iid")),
    "load": lambda folder: FaceDataset(folder).load("iid"),
    "chunks": lambda folder: find_chunks(FaceDataset(folder), "iid"),
    "torch": lambda folder: FaceImages(folder, "iid"),
    "source": lambda folder: DataSource(folder).labelled("iid"),
    "check": lambda folder: DataSource(folder).check(("iid", "other")),
    **{
        to: lambda folder, to=to: export_dataset(folder, folder / "out", to, ["iid"], progress=lambda *_: None)
        for to in FORMATS
    },
}


@pytest.mark.parametrize("listed", [False, True], ids=["altered", "made so"])
@pytest.mark.parametrize("reader", READERS)
def test_a_label_that_is_no_number_is_refused_with_file_batch_and_column(make_dataset, reader, listed):
    folder = altered(make_dataset(), label(np.nan, batch=1, column=2))
    if listed:
        list_again(folder)
    with pytest.raises(DataError, match=r"iid/shard-00000\.h5, batch 1: light_azimuth is not a finite number"):
        READERS[reader](folder)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("reader", READERS)
def test_a_label_out_of_range_is_refused_with_file_batch_and_column(make_dataset, reader):
    folder = altered(make_dataset(), label(90.0, batch=1, column=1))
    list_again(folder)
    with pytest.raises(DataError, match=r"iid/shard-00000\.h5, batch 1: elevation runs from .* outside -23 to 23"):
        READERS[reader](folder)


ALTERATIONS = {
    "a possible label": (label(1.5), "iid", "has another SHA-256"),
    "a label that may not vary": (label(1.5, batch=1), "test", "batch 1: azimuth differs between its images"),
    "an infinite nuisance": (
        lambda file: file["nuisance/light_elevation"].write_direct(np.full((2, 20), np.inf, np.float32)),
        "iid",
        "batch 0: light_elevation is not a finite number",
    ),
    "an infinite coefficient": (
        lambda file: file["identity/shape"].write_direct(np.full((2, 20, 3), -np.inf, np.float32)),
        "iid",
        "batch 0: identity shape is not a finite number",
    ),
    "units": (attribute("units", [b"radian"] * 3), "iid", "has units ['radian', 'radian', 'radian']"),
    "names": (attribute("names", [b"elevation", b"azimuth", b"light_azimuth"]), "iid", "has factors"),
    "mirror_sign": (attribute("mirror_sign", np.array([1, 1, -1], np.int8)), "iid", "has mirror_sign [1, 1, -1]"),
    "renderer": (attribute("renderer", np.bytes_(b'{"name": "another"}')), "iid", "has renderer"),
    "camera": (attribute("camera", np.bytes_(b'{"distance": 1}')), "iid", "has another SHA-256"),
    "seed": (attribute("seed", np.int64(8)), "iid", "has seed 8; dataset.json says 5"),
    "pixels": (lambda file: file["images"].write_direct(np.zeros((2, 20, 24, 24, 1), np.uint8)), "iid", "SHA-256"),
}


@pytest.mark.parametrize("case", ALTERATIONS)
def test_every_alteration_of_a_listed_shard_is_refused_and_described(make_dataset, case):
    change, split, said = ALTERATIONS[case]
    folder = altered(make_dataset(), change, split)
    with pytest.raises(DataError) as refusal:
        FaceDataset(folder).load(split)
    assert said in str(refusal.value)
    assert f"{split}/shard-00000.h5" in str(refusal.value)
    for path in (folder, folder / split / "shard-00000.h5"):
        assert any(said in sentence for sentence in summarise(path)["wrong"]), summarise(path)["wrong"]


def value(path, new, row=1):
    """A change of the first number of a row of a dataset."""

    def change(file):
        file[path][(row, *(0,) * (file[path].ndim - 1))] = new

    return change


def attributes_of_people(name, new):
    """People as the procedural model's, one of whom has a new value."""
    people = dict(zip(ATTRIBUTE_LIMITS, (0.5, 30.0, 3.0, -1.0, np.nan), strict=True))

    def change(file):
        values = np.tile(np.array([*people.values()], np.float32), (2, 20, 1))
        values[1, 4, [*people].index(name)] = new
        file["identity/attributes"] = values
        file["identity/attributes"].attrs["names"] = [each.encode() for each in people]

    return change


def landmarks(place, column, new):
    def change(file):
        values = np.tile(np.array([12, 12, 700, 1], np.float32), (2, 20, 3, 1))
        values[1, 7, place, column] = new
        file["truth/landmarks"] = values

    return change


IMPOSSIBLE = {
    "albedo": (value("identity/albedo", 1e30), "batch 1: identity albedo runs from .* to 1e\\+30, outside -20 to 20"),
    "shape": (value("identity/shape", -21), "batch 1: identity shape runs from -21 to .*, outside -20 to 20"),
    "index": (value("identity/index", -1), "batch 1: identity index is below 0"),
    "number": (value("batch", 999), "batch 999: has a number that does not follow the row before"),
    "age": (attributes_of_people("age", 1e9), r"identity attribute age runs from 30 to 1e\+09, outside 18 to 80"),
    "sex": (attributes_of_people("sex", -9), "batch 1: identity attribute sex runs from -9 to 0.5, outside -8 to 8"),
    "cut": (attributes_of_people("hair_cut", 11), "batch 1: identity attribute hair_cut runs from 3 to 11"),
    "part of a cut": (attributes_of_people("hair_cut", 2.5), "batch 1: identity attribute hair_cut is no whole number"),
    "length": (attributes_of_people("hair_length", np.inf), "batch 1: identity attribute hair_length is not a finite"),
    "landmark nowhere": (landmarks(2, 0, np.nan), "batch 1: truth/landmarks has nan as x of landmark 2 in image 7"),
    "landmark far off": (landmarks(1, 1, 1e6), r"has 1e\+06 as y of landmark 1 in image 7, outside .-100000"),
    "landmark far away": (landmarks(1, 2, 1e6), "as depth of landmark 1 in image 7, outside"),
}  # fmt: skip


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_value_that_nothing_can_have_is_refused_though_the_hash_is_right(make_dataset, tmp_path, case):
    change, said = IMPOSSIBLE[case]
    folder = altered(make_dataset(), change)
    list_again(folder)
    alone = shutil.copy(folder / "iid" / "shard-00000.h5", tmp_path)
    for path in (folder, folder / "iid" / "shard-00000.h5", alone):
        (sentence, *_) = summarise(Path(path))["wrong"]
        assert re.search(said, sentence)
    for reader in ("load", "source", "png"):
        with pytest.raises(DataError, match=rf"iid/shard-00000\.h5, .*{said}"):
            READERS[reader](folder)
    assert not (folder / "out").exists()


def test_numbers_below_0_of_a_shard_alone_are_found(make_dataset, tmp_path):
    folder = altered(make_dataset(), lambda file: file["batch"].write_direct(np.array([-2, -1])))
    alone = shutil.copy(folder / "iid" / "shard-00000.h5", tmp_path)
    assert [said.split(": ")[1] for said in summarise(Path(alone))["wrong"]] == ["has a number below 0"] * 2


@pytest.mark.parametrize(
    "change",
    [value("identity/shape", -19.5), attributes_of_people("age", np.nan), landmarks(0, 0, -100), landmarks(0, 2, -5)],
)
def test_rare_and_unknown_values_are_read(make_dataset, change):
    folder = altered(make_dataset(), change)
    list_again(folder)
    assert summarise(folder)["wrong"] == []
    assert len(FaceDataset(folder).load("iid").images) == 2


def test_attributes_of_another_model_may_have_any_finite_value(make_dataset):
    def change(file):
        file["identity/attributes"] = np.full((2, 20, 1), 1e9, np.float32)
        file["identity/attributes"].attrs["names"] = [b"age"]

    folder = altered(make_dataset(), change)
    list_again(folder)
    assert summarise(folder)["wrong"] == []


def test_the_summary_of_a_label_that_is_no_number_is_valid_json(make_dataset):
    summary = summarise(altered(make_dataset(), label(np.nan)))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["splits"]["iid"]["batches"] == 2


def test_a_shard_without_its_data_set_is_read_as_it_is(make_dataset, tmp_path):
    folder = altered(make_dataset(), label(1.5))
    alone = shutil.copy(folder / "iid" / "shard-00000.h5", tmp_path)
    with Shard(alone) as shard:
        assert len(shard) == 2
    assert summarise(tmp_path / "shard-00000.h5")["wrong"] == []


def test_a_data_set_whose_maker_names_no_model_opens(make_dataset):
    folder = make_dataset()
    document = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(document | {"model": {}}))
    assert len(FaceDataset(folder).load("iid").images) == 2


def test_a_shard_is_checked_once_and_again_when_it_has_changed(make_dataset, monkeypatch):
    folder, hashed = make_dataset(), []
    plain = Shard.sha256
    monkeypatch.setattr(Shard, "sha256", lambda shard: hashed.append(shard.path.name) or plain(shard))
    dataset = FaceDataset(folder)
    for _ in range(3):
        dataset.load("iid")
    assert hashed == ["shard-00000.h5"]
    altered(folder, label(1.5))
    with pytest.raises(DataError, match="SHA-256"):
        dataset.load("iid")
