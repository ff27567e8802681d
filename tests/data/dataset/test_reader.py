"""Reading is lazy, equal to what was written, and says in one sentence what is wrong with a file that is no shard."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
import tracemalloc
import zlib
from contextlib import suppress

import h5py
import numpy as np
import pytest

from benchmarks.faults.malformed_shards import malformations
from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError
from tests.support.data_sets import list_again

pytest_plugins = ["tests.support.discs"]


def refusal_of(path):
    with pytest.raises(DataError) as refusal, Shard(path) as shard:
        list(shard.batches())
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert path.name in sentence
    return sentence


def test_nothing_is_opened_until_it_is_used(tmp_path, make_shard):
    shard = Shard(tmp_path / "shard.h5")
    make_shard()
    assert len(shard) == 4
    shard.close()
    assert shard.varies == ["azimuth", "elevation", "light_azimuth", "identity"]
    shard.close()


def test_an_open_shard_crosses_to_another_process(make_shard):
    with Shard(make_shard()) as shard:
        copy = pickle.loads(pickle.dumps(shard))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(len, (shard,)) == 4
    np.testing.assert_array_equal(copy.images(1), shard.images(1))
    copy.close()
    shard.close()


def test_rows_outside_a_shard_are_refused(make_shard):
    with Shard(make_shard()) as shard:
        for row in (-1, 4):
            with pytest.raises(DataError, match="expected 0 to 3"):
                shard.batch(row)
        with pytest.raises(DataError, match="holds no truth/mask; it holds none"):
            shard.truth("mask", 0)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    assert "is not there" in refusal_of(tmp_path / "none.h5")
    (tmp_path / "folder.h5").mkdir()
    assert "is a folder" in refusal_of(tmp_path / "folder.h5")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a", b"plain text" * 1000])
def test_a_file_that_is_not_hdf5_is_named(tmp_path, content):
    path = tmp_path / "other.h5"
    path.write_bytes(content)
    assert "is not an HDF5 file" in refusal_of(path)


def test_another_programs_hdf5_file_is_named(tmp_path):
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((1, 20, 4, 4, 1), np.uint8)
    assert "another program" in refusal_of(path)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_shard_is_named_wherever_it_was_cut(make_shard, share):
    path = make_shard()
    content = path.read_bytes()
    path.write_bytes(content[: max(9, int(len(content) * share))])
    assert "cut short" in refusal_of(path) or share < 0.01


def test_a_newer_version_asks_for_an_update(make_shard):
    path = make_shard()
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = np.int64(3)
    assert "update dcign" in refusal_of(path)


@pytest.mark.parametrize("name", ["images", "factors", "varies", "batch", "identity/index"])
def test_a_missing_dataset_is_named(make_shard, name):
    path = make_shard()
    with h5py.File(path, "r+") as file:
        del file[name]
    assert f"lacks {name}" in refusal_of(path)


SHAPE = (4, 20, 24, 24, 1)
# What can be read, though `dcign inspect --quick` finds it; that a configuration cannot be, who draws again finds.
READABLE = {
    "a decompression bomb that just fits",
    "a mask of three",
    "an unknown nuisance",
    "coefficients of 1e30",
    "fewer attributes",
    "fewer coefficients",
    "one more factor, with its name",
    "labels of NaN",
    "infinite labels",
    "negative batch numbers",
    "negative people",
    "a renderer of markup",
    "an empty renderer",
}


@pytest.mark.parametrize("case", [name for name in malformations(SHAPE) if not name.endswith("hashed")])
def test_a_malformed_file_is_refused_in_one_sentence(make_shard, case):
    path = make_shard()
    shutil.copy(path, path.with_name("elsewhere.h5"))
    with h5py.File(path, "r+") as file:
        malformations(SHAPE)[case](file)
    if case in READABLE:
        with Shard(path) as shard:
            assert shard.batch(3).number == shard.numbers[3]
    else:
        assert len(refusal_of(path)) < 1000


def test_a_chunk_that_inflates_without_end_is_not_followed(make_shard):
    path = make_shard()
    with h5py.File(path, "r+") as file:
        file["images"].id.write_direct_chunk((2, 0, 0, 0, 0), zlib.compress(bytes(50_000_000), 9))
    tracemalloc.start()
    assert "inflates to another size" in refusal_of(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_any_damaged_byte_gives_a_sentence_or_a_batch_never_another_exception(make_shard):
    path = make_shard()
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for offset in (*range(0, 1500, 7), *rng.integers(0, len(content), 150)):
        spoiled = bytearray(content)
        spoiled[offset] ^= int(rng.integers(1, 256))
        path.write_bytes(spoiled)
        refused += 1
        with suppress(DataError), Shard(path) as shard:
            list(shard.batches())
            refused -= 1
    assert refused > 50


def test_loading_a_split_equals_reading_its_batches(make_dataset):
    dataset = FaceDataset(make_dataset())
    for split in dataset.splits:
        loaded, batches = dataset.load(split), list(dataset.batches(split))
        assert loaded.images.dtype == np.uint8
        np.testing.assert_array_equal(loaded.images, [batch.images for batch in batches])
        np.testing.assert_array_equal(loaded.factors, [batch.factors for batch in batches])
        np.testing.assert_array_equal(loaded.varies, [batch.varies for batch in batches])
        np.testing.assert_array_equal(loaded.identity_index, [batch.identity_index for batch in batches])
        if split == "train":
            assert loaded.mask is None
        else:
            np.testing.assert_array_equal(loaded.mask, [batch.truth["mask"] for batch in batches])


def test_batches_of_a_data_set_come_in_the_order_of_their_numbers(make_dataset):
    dataset = FaceDataset(str(make_dataset()))
    assert [batch.number for batch in dataset.batches("train")] == list(range(8))
    assert [factor.name for factor in dataset.factors] == ["azimuth", "elevation", "light_azimuth"]
    assert (dataset.manifest.seed, dataset.manifest.configuration["size"]) == (5, 24)
    assert [entry.first for entry in dataset.splits["train"]] == [0, 5]


def test_an_unknown_split_is_refused_with_those_there_are(make_dataset):
    with pytest.raises(DataError, match="it has train, test, iid, sweep"):
        FaceDataset(make_dataset()).load("validation")


def test_a_missing_shard_of_a_data_set_is_to_be_rendered_again(make_dataset):
    dataset = FaceDataset(make_dataset())
    (dataset.folder / "train" / "shard-00001.h5").unlink()
    for read in (dataset.load, lambda split: list(dataset.batches(split))):
        with pytest.raises(DataError, match=r"shard-00001\.h5 is not there.*run `dcign render` again to make it"):
            read("train")


def test_a_shard_of_another_length_than_listed_is_refused(make_dataset, make_batch, header):
    folder = make_dataset()
    path = folder / "train" / "shard-00001.h5"
    write_shard(path, header, [make_batch(5, "elevation")], 1, overwrite=True)
    list_again(folder)
    with pytest.raises(DataError, match=r"has number of batches 1; dataset\.json says 3"):
        FaceDataset(folder).load("train")


def test_shards_of_two_layouts_do_not_load_as_one_split(make_dataset, make_batch, header):
    folder = make_dataset()
    path = folder / "train" / "shard-00001.h5"
    masked = [make_batch(number, "azimuth", "test") for number in range(5, 8)]
    write_shard(path, header, masked, 3, overwrite=True)
    list_again(folder)
    with pytest.raises(
        DataError, match=r"shard-00001\.h5 has truth {'truth/mask': .*; expected {}, as in the other shards"
    ):
        FaceDataset(folder).load("train")
