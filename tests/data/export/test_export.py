"""Ways out: what other people's loaders read from an export is what the reader reads from the data set."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
from PIL import Image

from dcign.data.dataset.manifest import read_manifest, write_manifest
from dcign.data.dataset.reader import FaceDataset
from dcign.data.export.dataset import FORMATS, export_dataset
from dcign.data.export.npz import BINS
from dcign.data.schema import FACTORS, VARIES
from dcign.errors import DataError
from dcign.storage.lock import folder_lock
from tests.support.data_sets import list_again
from tests.support.exports import LAYERS

pytest_plugins = ["tests.support.discs"]

NAMES = [factor.name for factor in FACTORS]
IMAGES = {"train": 160, "test": 80, "iid": 40, "sweep": 20}


def export(folder, out, to, splits=(), progress=lambda done, total: None):
    return export_dataset(folder, out, to, splits, progress=progress)


def whole(folder, split):
    """Everything of a split as the reader has it: images (N, H, W, C), factors (N, F), varies (N), who (N)."""
    batches = list(FaceDataset(folder).batches(split))
    images, factors, who = (
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("images", "factors", "identity_index")
    )
    return images, factors, np.repeat([batch.varies for batch in batches], 20), who


@pytest.fixture
def coloured(make_faces):
    """A data set in colour."""
    return make_faces(lambda split, batch: replace(batch, images=np.repeat(batch.images, 3, axis=-1)))


def test_pngs_and_their_table_are_the_reader_s_images_and_labels(coloured, tmp_path):
    assert export(coloured, tmp_path / "out", "png", ["test"]) == 80
    root = tmp_path / "out" / "test"
    with (root / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images, factors, varies, who = whole(coloured, "test")
    assert [row["file"] for row in rows[19:21]] == ["000000/19.png", "000001/00.png"]
    for row, image, values, kind, index in zip(rows, images, factors, varies, who, strict=True):
        with Image.open(root / row["file"]) as picture:
            np.testing.assert_array_equal(np.asarray(picture), image)
        found = [row["azimuth_degree"], row["elevation_degree"], row["light_azimuth_degree"]]
        np.testing.assert_array_equal(np.array(found, np.float32), values)
        assert (row["varies"], int(row["identity_index"])) == (kind, index)
    first = next(FaceDataset(coloured).batches("test"))
    assert np.float32(rows[5]["attribute_age"]) == first.identity_attributes[5, 1]
    assert rows[3]["attribute_sex"] == ""
    assert np.float32(rows[5]["nuisance_light_elevation"]) == first.nuisance["light_elevation"][5]
    assert len(list(root.rglob("*.png"))) == 80


def test_an_npz_has_dsprites_keys_and_needs_no_pickle(make_faces, header, tmp_path):
    folder = make_faces()
    assert export(folder, tmp_path / "out", "npz") == sum(IMAGES.values())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"about.json", *(f"{name}.npz" for name in IMAGES)}
    for split in IMAGES:
        images, factors, varies, who = whole(folder, split)
        with np.load(tmp_path / "out" / f"{split}.npz", allow_pickle=False) as archive:
            assert {"imgs", "latents_values", "latents_classes", "metadata"} <= {*archive.files}
            np.testing.assert_array_equal(archive["imgs"], images[..., 0])
            np.testing.assert_array_equal(archive["latents_values"], factors)
            np.testing.assert_array_equal(archive["varies"], varies)
            np.testing.assert_array_equal(archive["identity_index"], who)
            np.testing.assert_array_equal(archive["batch"], np.arange(len(who)) // 20)
            metadata, classes = archive["metadata"][()], archive["latents_classes"]
        assert classes.dtype == np.int64
        assert list(metadata["latents_names"]) == NAMES
        assert list(metadata["latents_sizes"]) == [BINS] * 3
        for column, (name, (low, high)) in enumerate(header.ranges.items()):
            middles = metadata["latents_possible_values"][name]
            assert np.abs(middles[classes[:, column]] - factors[:, column]).max() <= (high - low) / BINS / 2 + 1e-4


def test_a_colour_npz_keeps_its_channels(coloured, tmp_path):
    export(coloured, tmp_path / "out", "npz", ["iid"])
    with np.load(tmp_path / "out" / "iid.npz") as archive:
        np.testing.assert_array_equal(archive["imgs"], whole(coloured, "iid")[0])


def test_labels_at_the_ends_of_their_range_are_in_the_first_and_the_last_bin(make_faces, header, tmp_path):
    def change(split, batch):
        factors = batch.factors.copy()
        factors[:2, 0] = header.ranges["azimuth"]
        return replace(batch, factors=factors)

    export(make_faces(change), tmp_path / "out", "npz", ["iid"])
    with np.load(tmp_path / "out" / "iid.npz") as archive:
        assert list(archive["latents_classes"][:2, 0]) == [0, BINS - 1]


def test_3dshapes_files_have_images_and_labels(coloured, tmp_path):
    export(coloured, tmp_path / "out", "3dshapes", ["train"])
    images, factors, varies, who = whole(coloured, "train")
    with h5py.File(tmp_path / "out" / "train.h5") as file:
        assert (file["images"].dtype, file["labels"].dtype) == (np.uint8, np.float64)
        np.testing.assert_array_equal(file["images"][()], images)
        np.testing.assert_array_equal(file["labels"][()], factors)
        np.testing.assert_array_equal(file["identity_index"][()], who)
        np.testing.assert_array_equal(file["varies"][()], [VARIES[name] for name in varies])
        assert [name.decode() for name in file["labels"].attrs["names"]] == NAMES


def opened(path):
    """A layer's file as an array."""
    return np.load(path) if path.suffix == ".npy" else np.asarray(Image.open(path))


def from_pngs(out, split, layer):
    return np.stack([opened(path) for path in sorted((out / "truth" / split / layer).rglob("*.*"))])


def from_npz(out, split, layer):
    with np.load(out / f"{split}.npz", allow_pickle=False) as archive:
        return archive[f"truth_{layer}"]


def from_hdf5(out, split, layer):
    with h5py.File(out / f"{split}.h5") as file:
        return file[f"truth/{layer}"][()]


def from_tars(out, split, layer):
    found = []
    for path in sorted(out.glob(f"{split}-*.tar")):
        with tarfile.open(path) as tar:
            for entry in tar:
                _, name, *kind = entry.name.split(".")
                if name == layer:
                    content = io.BytesIO(tar.extractfile(entry).read())
                    found.append(np.load(content) if kind == ["npy"] else np.asarray(Image.open(content)))
    return np.stack(found)


@pytest.mark.parametrize(
    ("to", "read"), [("png", from_pngs), ("npz", from_npz), ("3dshapes", from_hdf5), ("webdataset", from_tars)]
)
def test_truth_layers_are_in_every_export(to, read, with_truth, tmp_path):
    export(with_truth, tmp_path / "out", to, ["train", "iid"])
    about = json.loads((tmp_path / "out" / "about.json").read_text())["splits"]
    for split in ("train", "iid"):
        batches = list(FaceDataset(with_truth).batches(split))
        for layer in (*LAYERS, "landmarks"):
            wanted = np.concatenate([batch.truth[layer] for batch in batches])
            found = read(tmp_path / "out", split, layer)
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)
            assert about[split]["truth"][layer]["dtype"] == wanted.dtype.name
            assert about[split]["truth"][layer]["shape"] == list(wanted.shape[1:])
        assert about[split]["truth"]["parts"]["names"] == ["background", "skin"]
        assert about[split]["truth"]["landmarks"]["names"] == ["nose", "chin"]


def test_the_metadata_of_hugging_face_name_every_png_and_only_pngs_of_images_lie_there(with_truth, tmp_path):
    export(with_truth, tmp_path / "out", "png", ["test"])
    root = tmp_path / "out" / "test"
    with (root / "metadata.csv").open(newline="") as metadata, (root / "labels.csv").open(newline="") as labels:
        (heading, *rows), (other, *same) = list(csv.reader(metadata)), list(csv.reader(labels))
    assert heading[:3] == ["file_name", "batch", "image_number"]  # imagefolder puts the picture into a column image
    assert other[:3] == ["file", "batch", "image"]
    assert (heading[3:], rows) == (other[3:], same)
    assert {row[0] for row in rows} == {path.relative_to(root).as_posix() for path in root.rglob("*.png")}


def test_the_size_of_files_is_an_option_of_webdataset_and_parquet_alone(make_faces, tmp_path):
    folder = make_faces()
    export_dataset(folder, tmp_path / "out", "webdataset", ["train"], progress=lambda *_: None, file_batches=2)
    assert len(list((tmp_path / "out").glob("train-*.tar"))) == 4
    with pytest.raises(
        DataError, match="expected a size of files for --to webdataset or parquet alone, found --to png"
    ):
        export_dataset(folder, tmp_path / "other", "png", progress=lambda *_: None, file_batches=2)


def test_tars_hold_a_picture_and_its_labels_side_by_side(coloured, tmp_path):
    export_dataset(coloured, tmp_path / "out", "webdataset", ["train"], progress=lambda *_: None, file_batches=3)
    tars = sorted((tmp_path / "out").glob("*.tar"))
    assert [tar.name for tar in tars] == [f"train-{number:06d}.tar" for number in range(3)]
    names, contents = [], []
    for path in tars:
        with tarfile.open(path) as tar:
            for entry in tar:
                assert (entry.mtime, entry.uid, entry.gid, entry.uname) == (0, 0, 0, "")
                names.append(entry.name)
                contents.append(tar.extractfile(entry).read())
    images, factors, varies, who = whole(coloured, "train")
    assert len(names) == 2 * len(images)
    for place, image in enumerate(images):
        picture, labels = names[2 * place : 2 * place + 2]
        key = picture.partition(".")[0]
        assert (picture, labels) == (f"{key}.png", f"{key}.json")
        with Image.open(io.BytesIO(contents[2 * place])) as opened:
            np.testing.assert_array_equal(np.asarray(opened), image)
        about = json.loads(contents[2 * place + 1])
        assert (about["varies"], about["identity_index"]) == (varies[place], who[place])
        assert list(about["factors"]) == NAMES
        np.testing.assert_array_equal(np.array(list(about["factors"].values()), np.float32), factors[place])
        assert (about["attributes"]["sex"] is None) == (place % 20 == 3)
    assert len({*names}) == len(names)


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_data_set_gives_the_same_bytes(to, make_faces, tmp_path):
    folder = make_faces()
    digests = []
    for name in ("one", "two"):
        export(folder, tmp_path / name, to, ["test", "iid", "test"])
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append([(str(f.relative_to(tmp_path / name)), hashlib.sha256(f.read_bytes()).digest()) for f in files])
    assert digests[0] == digests[1]
    about = json.loads((tmp_path / "one" / "about.json").read_text())
    truth = {"mask": {"dtype": "uint8", "shape": [24, 24]}}
    assert about["splits"] == {"test": {"images": 80, "truth": truth}, "iid": {"images": 40, "truth": truth}}
    assert about["model"]["licence"] == "MIT"


def test_progress_counts_every_image(make_faces, tmp_path):
    told = []
    export(make_faces(), tmp_path / "out", "npz", ["test"], lambda done, total: told.append((done, total)))
    assert told == [(20, 80), (40, 80), (60, 80), (80, 80)]


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, FileNotFoundError])
def test_whatever_stops_an_export_leaves_nothing(to, error, make_faces, tmp_path):
    folder = make_faces()
    before = sorted(tmp_path.iterdir())

    def stop(done, total):
        if done == 60:
            raise error

    with pytest.raises(error):
        export(folder, tmp_path / "out", to, progress=stop)
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_there_is_not_touched(make_faces, tmp_path):
    folder = make_faces()
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="there already; expected a free name: remove it, or choose another --out"):
        export(folder, tmp_path / "out", "png")
    (tmp_path / ".new.part").mkdir()
    with pytest.raises(DataError, match=r"\.new\.part is there, and no `dcign` wrote it"):
        export(folder, tmp_path / "new", "png")
    with pytest.raises(DataError, match="part of the path is a file, not a folder"):
        export(folder, folder / "dataset.json" / "out", "png")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_export_left_is_cleared_away_and_a_living_one_s_is_not(make_faces, tmp_path):
    folder = make_faces()
    with (
        pytest.raises(DataError, match=r"\.new\.part is being written to by process"),
        folder_lock(tmp_path / ".new.part"),
    ):
        export(folder, tmp_path / "new", "png")
    (tmp_path / ".new.part" / "train").mkdir(parents=True)
    (tmp_path / ".new.part" / "train" / "half.png").write_bytes(b"half")
    (tmp_path / ".new.part" / ".dcign.lock").write_text("{}")
    export(folder, tmp_path / "new", "npz", ["iid"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folder.name, "new"])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["about.json", "iid.npz"]


def test_unknown_formats_and_splits_are_refused_with_those_there_are(make_faces, tmp_path):
    folder = make_faces()
    with pytest.raises(DataError, match=r"expected a format of data sets .* found onnx: choose --to png, npz, 3d"):
        export(folder, tmp_path / "out", "onnx")
    with pytest.raises(DataError, match="has no split 'dev'; it has train, test, iid, sweep"):
        export(folder, tmp_path / "out", "png", ["dev"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_a_damaged_shard_is_named_and_leaves_nothing(to, make_faces, tmp_path):
    folder = make_faces()
    with (folder / "test" / "shard-00000.h5").open("r+b") as file:
        file.truncate(3000)
    with pytest.raises(DataError, match=r"test/shard-00000\.h5") as refusal:
        export(folder, tmp_path / "out", to, ["iid", "test"])
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(("number", "altered"), [(0, range(5)), (1, range(5, 8))])
def test_of_shards_that_disagree_the_unusual_one_is_named(make_faces, tmp_path, number, altered):
    def change(split, batch):  # train has two shards: one of them is in colour
        coloured = split == "train" and batch.number in altered
        return replace(batch, images=np.repeat(batch.images, 3, -1)) if coloured else batch

    said = rf"train/shard-0000{number}\.h5 has images uint8 \(20, 24, 24, 3\); expected uint8 \(20, 24, 24, 1\), as in"
    with pytest.raises(DataError, match=said):
        export(make_faces(change), tmp_path / "out", "png")
    assert not (tmp_path / "out").exists()


def test_a_data_set_without_batches_and_factors_without_ranges_are_refused(make_faces, tmp_path):
    folder = make_faces()
    for shard in folder.glob("*/*.h5"):
        with h5py.File(shard, "r+") as file:
            file.attrs["ranges"] = np.bytes_(b"{}")
    list_again(folder)
    with pytest.raises(DataError, match="have no range of azimuth; expected lowest < highest"):
        export(folder, tmp_path / "out", "npz")
    write_manifest(folder, replace(read_manifest(folder), splits={"train": ()}))
    with pytest.raises(DataError, match="has no batches"):
        export(folder, tmp_path / "out", "npz")
    assert list(tmp_path.iterdir()) == [folder]


LIMITED = """
import resource, sys
from pathlib import Path
from dcign.data.export.dataset import export_dataset
from dcign.errors import DataError

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    export_dataset(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], ["train"], progress=lambda done, total: None)
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("to", "limit"), [("png", 1000), ("npz", 9000), ("3dshapes", 9000), ("webdataset", 9000), ("parquet", 9000)]
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(to, limit, make_faces, tmp_path):
    folder = make_faces()
    command = [sys.executable, "-W", "error", "-c", LIMITED, str(folder), str(tmp_path / "out"), to, str(limit)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert "could not be written: the file would be larger than the system allows" in run.stdout
    assert run.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == [folder]
