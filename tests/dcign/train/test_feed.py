"""What steps are fed: from memory or from disk the same, read ahead in order, in bounded memory."""

from __future__ import annotations

import platform
import threading
import time

import numpy as np
import pytest
import torch

from dcign.data.dataset.chunks import find_chunks
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError, TrainingError
from dcign.inputs import memory
from dcign.inputs.memory import choose_storage, fits_on_device, free_memory
from dcign.inputs.source import DataSource
from dcign.machine import keep_freed_memory
from dcign.recipes.registry import SWAP
from dcign.run.checkpoint import read_checkpoint
from dcign.run.configuration import TrainConfiguration, read
from dcign.train.feed import AHEAD, ReadAhead
from dcign.train.training import train

pytest_plugins = ["tests.support.discs"]

CPU = torch.device("cpu")


def configured(faces, folder, data_in, steps=6):
    settings = {"seed": 0, "device": "cpu", "threads": 1, "precision": "float32"}
    return TrainConfiguration(str(faces), str(folder), SWAP, steps, data_in=data_in, **settings)


def test_training_from_disk_ends_bit_for_bit_like_training_from_memory(small_faces, tmp_path):
    for data_in in ("memory", "disk"):
        train(configured(small_faces, tmp_path / data_in, data_in))
    ours, theirs = (read_checkpoint(tmp_path / data_in)[1] for data_in in ("memory", "disk"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not any(thread.name.startswith("reading ahead") for thread in threading.enumerate())


def test_a_run_goes_on_wherever_its_data_are(small_faces, tmp_path):
    train(configured(small_faces, tmp_path / "run", "auto", steps=2))
    assert read(tmp_path / "run")[0].data_in == "memory"  # what auto was here
    assert train(TrainConfiguration.from_options(out=tmp_path / "run", resume=True, data_in="disk"), resume=True) == 2


def test_every_batch_is_read_from_its_chunk_as_from_its_shard(small_faces):
    dataset = FaceDataset(small_faces)
    for split in dataset.splits:
        chunks, loaded = find_chunks(dataset, split), dataset.load(split)
        assert chunks.shape == loaded.images.shape[1:]
        np.testing.assert_array_equal(chunks.varies, loaded.varies)
        for batch in reversed(range(len(loaded.images))):
            np.testing.assert_array_equal(chunks.read(batch), loaded.images[batch])


def test_images_taken_from_disk_are_those_taken_from_memory(small_faces):
    source = DataSource(small_faces)
    kept, lying = (source.training(data_in, CPU) for data_in in ("memory", "disk"))
    np.testing.assert_array_equal(kept.kind, lying.kind)
    batch, image = torch.tensor([7, 0, 7]), torch.tensor([[19, 0], [3, 3], [5, 6]])
    assert kept.size == lying.size == 20
    assert torch.equal(kept.take(batch, image), lying.take(batch, image))
    assert source.training_bytes() == kept.images.nbytes


def test_a_damaged_chunk_stops_training_in_a_sentence(make_dataset):
    folder = make_dataset()
    chunks = find_chunks(FaceDataset(folder), "train")
    path = chunks.files[chunks.file[1]]
    damaged = bytearray(path.read_bytes())
    damaged[chunks.begin[1] + 2 : chunks.begin[1] + chunks.stored[1]] = bytes(int(chunks.stored[1]) - 2)
    path.write_bytes(damaged)
    chunks.read(0)
    with pytest.raises(DataError, match="is damaged"):
        ReadAhead(lambda step: chunks.read(step), 2)(1)


def test_steps_are_read_ahead_in_order_and_no_further_than_agreed():
    made = []

    def feed(step):
        made.append(step)
        return step

    with ReadAhead(feed, 1000) as ahead:
        assert [ahead(step) for step in range(3, 8)] == [3, 4, 5, 6, 7]
        time.sleep(0.05)
        assert 5 <= len(made) <= 5 + AHEAD + 1
        assert ahead(40) == 40  # a step out of order begins anew
    assert made == sorted(made)
    assert made[-1] < 1000


def test_what_the_thread_meets_is_raised_where_the_step_is_wanted():
    def feed(step):
        if step == 2:
            raise DataError("the disk is gone")
        return step

    with ReadAhead(feed, 10) as ahead:
        assert [ahead(0), ahead(1)] == [0, 1]
        with pytest.raises(DataError, match="the disk is gone"):
            ahead(2)


def test_images_go_into_memory_if_they_fit():
    assert choose_storage("auto", needed=10, free=100) == "memory"
    assert choose_storage("auto", needed=90, free=100) == "disk"
    assert choose_storage("memory", needed=90, free=100) == "memory"
    assert choose_storage("disk", needed=10, free=100) == "disk"
    with pytest.raises(
        TrainingError, match=r"for 5\.4 GB of training images, found 2\.0 GB free: train with --data-in disk"
    ):
        choose_storage("memory", needed=5_400_000_000, free=2_000_000_000)
    with pytest.raises(TrainingError, match=r"expected data_in to be auto\|memory\|disk, found 'tape'"):
        TrainConfiguration("faces", "run", SWAP, 1, seed=0, data_in="tape")


def test_free_memory_is_the_machines_within_the_groups(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:  8000 kB\n")
    monkeypatch.setattr(memory, "MEMORY_OF_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "MEMORY_OF_GROUP", tmp_path)
    assert free_memory() == 8_192_000
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() == 8_192_000
    (tmp_path / "memory.max").write_text("5000\n")
    assert free_memory() == 4000


def test_freed_memory_is_kept_where_the_c_library_can_be_told(monkeypatch):
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()


def test_images_lie_on_a_gpu_that_holds_them(monkeypatch):
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (100, 200))
    assert fits_on_device(50, torch.device("cuda"))
    assert not fits_on_device(90, torch.device("cuda"))
    assert not fits_on_device(1, CPU)
