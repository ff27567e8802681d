"""A shard appears whole or not at all, and the same batches make the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace

import h5py
import numpy as np
import pytest

from dcign.data.dataset.reader import Shard
from dcign.data.schema import VARIES, varies_codes
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError
from dcign.storage.atomic import file_sha256

pytest_plugins = ["tests.support.discs"]


@pytest.fixture
def four(make_batch):
    return [make_batch(number, kind, "test") for number, kind in enumerate([*VARIES][:4])]


def assert_same(found, wanted):
    for name in ("images", "factors", "identity_index", "identity_shape", "identity_albedo"):
        one, other = getattr(found, name), getattr(wanted, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert (found.number, found.varies) == (wanted.number, wanted.varies)
    assert found.nuisance.keys() == wanted.nuisance.keys()
    assert found.truth.keys() == wanted.truth.keys()
    for name, values in (found.nuisance | found.truth).items():
        np.testing.assert_array_equal(values, (wanted.nuisance | wanted.truth)[name])


def test_what_is_written_is_read_back(tmp_path, header, four):
    write_shard(tmp_path / "a.h5", header, four, 4)
    with Shard(tmp_path / "a.h5") as shard:
        assert shard.header == header
        for found, wanted in zip(shard.batches(), four, strict=True):
            assert_same(found, wanted)


def test_truth_of_any_real_dtype_and_colour_images_survive(tmp_path, header, make_batch):
    depth = np.random.default_rng(0).normal(size=(20, 24, 24)).astype(np.float32)
    batch = replace(make_batch(0, "all", channels=3), truth={"depth": depth})
    write_shard(tmp_path / "a.h5", header, [batch], 1)
    with Shard(tmp_path / "a.h5") as shard:
        assert_same(shard.batch(0), batch)


def with_attributes(batch, count):
    return replace(batch, identity_attributes=np.tile(np.arange(count, dtype=np.float32), (20, 1)))


def test_attributes_survive_with_their_names(tmp_path, header, make_batch):
    header = replace(header, attributes=("sex", "age"))
    write_shard(tmp_path / "a.h5", header, [with_attributes(make_batch(0, "azimuth"), 2)], 1)
    with Shard(tmp_path / "a.h5") as shard:
        assert shard.header == header
        np.testing.assert_array_equal(shard.identity_attributes[0], np.tile([0.0, 1.0], (20, 1)))
        np.testing.assert_array_equal(shard.batch(0).identity_attributes, shard.identity_attributes[0])


@pytest.mark.parametrize("names", [(), ("sex", "age", "cut")])
def test_attributes_that_the_header_does_not_name_are_refused(tmp_path, header, make_batch, names):
    batch = with_attributes(make_batch(0, "azimuth"), 2)
    with pytest.raises(DataError, match=f"2 columns of identity/attributes; expected {len(names)}"):
        write_shard(tmp_path / "a.h5", replace(header, attributes=names), [batch], 1)


def test_attributes_without_their_names_are_refused(tmp_path, header, make_batch):
    header = replace(header, attributes=("sex", "age"))
    write_shard(tmp_path / "a.h5", header, [with_attributes(make_batch(0, "azimuth"), 2)], 1)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["identity/attributes"].attrs["names"] = np.array([b"sex"])
    with pytest.raises(DataError, match="1 names for 2 columns"), Shard(tmp_path / "a.h5"):
        pass


def test_any_hdf5_reader_opens_a_shard(tmp_path, header, four):
    write_shard(tmp_path / "a.h5", header, four, 4)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["images"][2], four[2].images)
        assert file["images"].chunks == (1, *four[0].images.shape)
        assert file["images"].compression == "gzip"
        assert h5py.check_enum_dtype(file["varies"].dtype) == varies_codes(())
        assert list(file["factors"].attrs["names"]) == [b"azimuth", b"elevation", b"light_azimuth"]
        assert list(file["factors"].attrs["mirror_sign"]) == [-1, 1, -1]
        assert file.attrs["format"] == b"dcign-shard"


def test_the_same_batches_give_the_same_bytes_at_any_time_and_place(tmp_path, header, four):
    digest = write_shard(tmp_path / "a.h5", header, four, 4)
    time.sleep(1.1)  # HDF5's time stamps have whole seconds
    assert write_shard(tmp_path / "elsewhere" / "b.h5", header, iter(four), 4) == digest
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "elsewhere" / "b.h5").read_bytes()
    assert file_sha256(tmp_path / "a.h5") == digest


def test_another_label_or_header_gives_other_bytes(tmp_path, header, four):
    digests = {
        write_shard(tmp_path / "a.h5", header, four, 4),
        write_shard(tmp_path / "b.h5", replace(header, seed=6), four, 4),
        write_shard(tmp_path / "c.h5", header, [replace(four[0], number=9), *four[1:]], 4),
    }
    assert len(digests) == 3


def test_no_more_than_two_batches_are_alive_at_a_time(tmp_path, header, make_batch):
    alive = weakref.WeakSet()
    most = 0

    def stream():
        nonlocal most
        for number in range(30):
            batch = make_batch(number, "azimuth")
            alive.add(batch)
            most = max(most, len(alive))
            yield batch

    write_shard(tmp_path / "a.h5", header, stream(), 30)
    assert most <= 2


def test_an_exception_of_the_source_passes_through_and_leaves_nothing(tmp_path, header, four):
    def stream():
        yield four[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path / "a.h5", header, stream(), 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [3, 5])
def test_too_few_or_too_many_batches_are_refused(tmp_path, header, four, count):
    with pytest.raises(DataError, match="batches"):
        write_shard(tmp_path / "a.h5", header, four, count)
    assert list(tmp_path.iterdir()) == []


MALFORMED = {
    "float images": lambda b: replace(b, images=b.images.astype(np.float32)),
    "nineteen images": lambda b: replace(b, images=b.images[:19]),
    "two channels": lambda b: replace(b, images=np.repeat(b.images, 2, axis=-1)),
    "two factors": lambda b: replace(b, factors=b.factors[:, :2]),
    "double labels": lambda b: replace(b, factors=b.factors.astype(np.float64)),
    "small indices": lambda b: replace(b, identity_index=b.identity_index.astype(np.int32)),
    "flat coefficients": lambda b: replace(b, identity_shape=b.identity_shape[:, 0]),
    "an unknown kind": lambda b: replace(b, varies="nose"),
    "a mask of another size": lambda b: replace(b, truth={"mask": b.truth["mask"][:, 1:]}),
    "a path for a name": lambda b: replace(b, nuisance={"../images": b.factors[:, 0]}),
}

UNLIKE_THE_FIRST = {
    "other coefficients than before": lambda b: replace(b, identity_shape=b.identity_shape[:, :2]),
    "a truth that the first lacks": lambda b: replace(b, truth=b.truth | {"depth": b.truth["mask"]}),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_batch_is_refused_in_one_sentence(tmp_path, header, four, case):
    with pytest.raises(DataError, match="expected") as refusal:
        write_shard(tmp_path / "a.h5", header, [MALFORMED[case](four[0])], 1)
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", UNLIKE_THE_FIRST)
def test_a_batch_unlike_the_first_is_refused(tmp_path, header, four, case):
    with pytest.raises(DataError, match="as in the first batch"):
        write_shard(tmp_path / "a.h5", header, [four[0], UNLIKE_THE_FIRST[case](four[1])], 2)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_that_is_there_is_overwritten_only_when_told(tmp_path, header, four):
    path = tmp_path / "a.h5"
    path.write_bytes(b"precious")
    with pytest.raises(DataError, match="there already"):
        write_shard(path, header, four, 4)
    assert path.read_bytes() == b"precious"
    assert write_shard(path, header, four, 4, overwrite=True) == file_sha256(path)


def test_a_file_is_not_replaced_by_a_failed_attempt(tmp_path, header, four):
    path = tmp_path / "a.h5"
    path.write_bytes(b"precious")
    with pytest.raises(DataError):
        write_shard(path, header, four, 5, overwrite=True)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["train/a.h5", "train/deeper/a.h5"])
def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, header, four, name):
    (tmp_path / "train").write_bytes(b"")
    with pytest.raises(DataError, match="part of the path is a file, not a folder"):
        write_shard(tmp_path / name, header, four, 4)


WRITER = """
import os, resource, signal, sys
from pathlib import Path
from tests.support.discs import disc_batch, RANGES
from dcign.data.schema import configuration_sha256
from dcign.data.schema import ShardHeader
from dcign.errors import DataError
from dcign.data.shard.writer import write_shard

def stream():
    for number in range(20):
        if number == 19 and sys.argv[2] != "whole":
            print("went on without a disk")
        if number == 3 and sys.argv[2] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        yield disc_batch(number, "azimuth")

if sys.argv[2].isdigit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    header = ShardHeader("train", 0, {}, configuration_sha256({}), "", {}, dict(RANGES), {})
    write_shard(Path(sys.argv[1]), header, stream(), 20)
except DataError as error:
    print(error)
"""


def run_writer(path, how):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", WRITER, str(path), str(how)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_a_killed_writer_leaves_no_shard_and_the_next_one_succeeds(tmp_path):
    path = tmp_path / "shard.h5"
    assert run_writer(path, "killed").returncode == -signal.SIGKILL
    assert not path.exists()
    assert run_writer(path, "whole").stdout == ""
    with Shard(path) as shard:
        assert len(shard) == 20
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("limit", [0, 1000, 8000, 30_000])
def test_a_limit_on_file_size_gives_one_sentence_and_leaves_nothing(tmp_path, limit):
    run = run_writer(tmp_path / "shard.h5", limit)
    assert (run.returncode, run.stderr) == (0, "")
    assert "could not be written: the file would be larger than the system allows" in run.stdout
    assert "went on" not in run.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", [1, 300, 3000])
def test_a_disk_that_lacks_the_last_bytes_leaves_nothing_either(tmp_path, missing):
    path = tmp_path / "shard.h5"
    run_writer(path, "whole")
    limit = path.stat().st_size - missing
    path.unlink()
    assert "could not be written" in run_writer(path, limit).stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 40 kB, or skip."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_gives_one_sentence_and_leaves_nothing(small_disk):
    run = run_writer(small_disk / "shard.h5", "whole")
    assert (run.returncode, run.stderr) == (0, "")
    assert "the disk is full" in run.stdout
    assert list(small_disk.iterdir()) == []


def test_a_read_only_disk_gives_one_sentence(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    run = run_writer(small_disk / "shard.h5", "whole")
    assert (run.returncode, run.stderr) == (0, "")
    assert "read-only" in run.stdout
