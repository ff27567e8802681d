"""Parquet exports, read by the packages that they are made for: `datasets`, pyarrow, mlcroissant."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from dcign.data import NewBatch, write_dataset
from dcign.data.dataset.manifest import read_manifest, write_manifest
from dcign.data.dataset.reader import FaceDataset
from dcign.data.export.dataset import export_dataset
from dcign.data.export.hugging_face import parquet
from dcign.data.export.hugging_face.columns import factor_column
from dcign.data.schema import FACTORS, Factor
from dcign.errors import DataError
from tests.support.exports import LAYERS

pytest_plugins = ["tests.support.discs"]

datasets = pytest.importorskip("datasets")
pq = pytest.importorskip("pyarrow.parquet")

NAMES = [factor.name for factor in FACTORS]
PICTURES = {"mask", "albedo", "parts"}  # layers of 8 bits with one or three channels


@pytest.fixture(autouse=True)
def own_hub_cache(tmp_path, monkeypatch):
    """A cache of `datasets` for one test alone."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def exported(folder, tmp_path, splits=(), file_batches=None):
    export_dataset(folder, tmp_path / "out", "parquet", splits, progress=lambda *_: None, file_batches=file_batches)
    return tmp_path / "out"


def test_datasets_reads_every_split_with_pictures_factor_names_and_truth(with_truth, tmp_path):
    out = exported(with_truth, tmp_path, file_batches=3)
    found = datasets.load_dataset(str(out))
    assert {name: len(rows) for name, rows in found.items()} == {"train": 160, "test": 80, "iid": 40, "sweep": 20}
    for split, rows in found.items():
        number = 0
        for batch in FaceDataset(with_truth).batches(split):
            for image in range(0, 20, 7):
                row = rows[number + image]
                np.testing.assert_array_equal(np.asarray(row["image"]), batch.images[image, ..., 0])
                np.testing.assert_array_equal([row[name] for name in NAMES], batch.factors[image])
                assert (row["batch"], row["image_number"]) == (batch.number, image)
                assert rows.features["varies"].int2str(row["varies"]) == batch.varies
                assert row["identity_index"] == batch.identity_index[image]
                for layer, values in batch.truth.items():
                    np.testing.assert_array_equal(np.asarray(row[f"truth_{layer}"]), values[image])
            number += 20
        kinds = {name: type(feature).__name__ for name, feature in rows.features.items()}
        assert kinds["image"] == "Image"
        assert {name for name in LAYERS if kinds[f"truth_{name}"] == "Image"} == PICTURES


def test_datasets_streams_pictures_without_a_copy_of_the_data(make_faces, tmp_path):
    out = exported(make_faces(), tmp_path, ["test"], file_batches=1)
    rows = datasets.load_dataset(str(out), split="test", streaming=True)
    wanted = np.concatenate([batch.images for batch in FaceDataset(tmp_path / "faces").batches("test")])
    found = [np.asarray(row["image"]) for row in rows]
    np.testing.assert_array_equal(found, wanted[..., 0])
    assert rows.num_shards == 4
    assert not list((tmp_path / "cache").rglob("*.arrow"))


def test_a_column_is_null_where_the_split_has_no_such_layer_and_where_a_label_is_unknown(make_faces, tmp_path):
    found = datasets.load_dataset(str(exported(make_faces(), tmp_path)))
    assert found["train"][0]["truth_mask"] is None
    assert found["iid"][0]["truth_mask"].size == (24, 24)
    assert [row["attribute_sex"] is None for row in found["iid"].select(range(2, 5))] == [False, True, False]


def test_files_are_split_into_row_groups_of_a_hundred_pictures(make_faces, tmp_path):
    out = exported(make_faces(), tmp_path, ["train"])
    file = pq.ParquetFile(out / "data" / "train-00000-of-00001.parquet")
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [100, 60]
    assert file.read_row_group(0, ["image"]).column("image")[21].as_py()["path"] == "train-000001-01.png"


def test_the_card_has_the_hub_s_metadata(make_faces, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.DatasetCard.load(exported(make_faces(), tmp_path) / "README.md")
    assert card.data.license == "mit"
    assert card.data.size_categories == ["n<1K"]
    assert card.data.task_categories == ["image-feature-extraction", "unconditional-image-generation"]
    files = card.data.configs[0]["data_files"]
    assert files[0] == {"split": "train", "path": "data/train-*.parquet"}
    assert [each["split"] for each in files] == ["train", "test", "iid", "sweep"]
    assert "| `azimuth` | float32 | factor, degree, -86 to 86 |" in card.text


def test_a_licence_that_the_hub_does_not_know_is_named(make_faces, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    folder = make_faces()
    manifest = read_manifest(folder)
    model = {**manifest.model, "licence": 'Ask: "them"', "source": "model2019.h5"}
    write_manifest(folder, replace(manifest, model=model))
    out = exported(folder, tmp_path)
    card = hub.DatasetCard.load(out / "README.md")
    assert (card.data.license, card.data.license_name) == ("other", 'Ask: "them"')
    assert "Ask its makers whose faces they follow." in card.text
    assert "faces" in card.data.tags


def test_our_own_model_is_ours_from_a_file_too(make_faces, model, tmp_path):
    folder = make_faces()
    manifest = read_manifest(folder)
    of_a_file = {"source": "model.npz: a dcign model", "source_sha256": "0" * 64}
    write_manifest(folder, replace(manifest, model={**manifest.model, **of_a_file, "name": model.name}))
    document = json.loads((exported(folder, tmp_path) / "croissant.json").read_text())
    assert document["name"] == "dcign-faces-24px"
    assert document["rai:personalSensitiveInformation"][0].startswith("None. No real person is shown")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib and pandas, within mlcroissant
def test_croissant_is_valid_and_reads_the_pictures(with_truth, tmp_path):
    croissant = pytest.importorskip("mlcroissant")
    out = exported(with_truth, tmp_path, file_batches=1)
    found = croissant.Dataset(jsonld=out / "croissant.json")
    assert not found.metadata.issues.errors
    assert [warning for warning in found.metadata.issues.warnings if "datePublished" not in str(warning)] == []
    rows = list(found.records("iid"))
    batches = list(FaceDataset(with_truth).batches("iid"))
    assert len(rows) == 40
    by_place = {(row["iid/batch"], row["iid/image_number"]): row for row in rows}
    for batch in batches:
        row = by_place[batch.number, 5]
        np.testing.assert_array_equal(np.asarray(row["iid/image"]), batch.images[5, ..., 0])
        assert row["iid/azimuth"] == batch.factors[5, 0]
        np.testing.assert_array_equal(row["iid/truth_normals"], batch.truth["normals"][5])


def test_croissant_has_hashes_and_the_fields_of_responsible_ai(make_faces, tmp_path):
    out = exported(make_faces(), tmp_path, ["iid", "train"])
    document = json.loads((out / "croissant.json").read_text())
    assert "http://mlcommons.org/croissant/RAI/1.0" in document["conformsTo"]
    wanted = ("dataCollection", "dataBiases", "dataUseCases", "dataLimitations", "personalSensitiveInformation")
    assert all(document[f"rai:{name}"] for name in wanted)
    files = [each for each in document["distribution"] if each["@type"] == "cr:FileObject"]
    assert [each["@id"] for each in files] == [
        "data/iid-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
    ]
    fields = {each["@id"]: [field["name"] for field in each["field"]] for each in document["recordSet"]}
    assert "truth_mask" in fields["iid"]
    assert "truth_mask" not in fields["train"]


def test_croissant_has_every_factor_whatever_its_name(tmp_path):
    factors = tuple(Factor(name, "", 1) for name in ("source", "source_x", "truth_x"))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 1), dtype=np.uint8)
    labels = np.arange(6, dtype=np.float32).reshape(2, 3)
    batch = NewBatch(images=images, factors=labels, split="train", varies="all", identity=np.zeros(2, np.int64))
    write_dataset(tmp_path / "theirs", factors, [batch], name="blocks", licence="CC0")
    document = json.loads((exported(tmp_path / "theirs", tmp_path) / "croissant.json").read_text())
    names = {field["name"] for field in document["recordSet"][0]["field"]}
    assert {factor.name for factor in factors} <= names


def test_a_factor_called_like_a_column_has_a_prefix():
    assert (factor_column("azimuth"), factor_column("image")) == ("azimuth", "factor_image")


def test_splits_whose_layers_differ_are_refused(make_faces, tmp_path):
    def change(split, batch):
        return replace(batch, truth={"mask": batch.images[..., 0].astype(np.float32)}) if split == "iid" else batch

    with pytest.raises(DataError, match=r"expected truth_mask of iid to be as in test, image \(\), found float32"):
        exported(make_faces(change), tmp_path)
    assert not (tmp_path / "out").exists()


def test_without_pyarrow_one_sentence_says_what_to_install(make_faces, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        DataError, match=r"expected the package pyarrow, found none: run `pip install 'dcign\[parquet\]'`"
    ):
        exported(make_faces(), tmp_path)


def test_classes_of_imported_data_are_class_labels_and_nothing_is_said_to_be_rendered(tmp_path):
    rng = np.random.default_rng(0)
    factors = (Factor("shape", "", 1, classes=("cube", "ball")), Factor("image", "degree", 1))
    batches = [
        NewBatch(
            images=rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8),
            factors=np.array([[0, number], [1, number]], np.float32),
            split="train",
            varies="shape",
            identity=np.zeros(2, np.int64),
        )
        for number in range(3)
    ]
    write_dataset(tmp_path / "theirs", factors, batches, name="blocks", licence="CC0")
    out = exported(tmp_path / "theirs", tmp_path)
    rows = datasets.load_dataset(str(out), split="train")
    assert rows.features["shape"].int2str([row["shape"] for row in rows]) == ["cube", "ball"] * 3
    assert [row["factor_image"] for row in rows] == [0, 0, 1, 1, 2, 2]
    assert {"rendered", "OpenGL", "synthetic"}.isdisjoint((out / "croissant.json").read_text().split())
