"""A split in torch's loaders: the reader's images and labels, a whole batch at a time, in any process."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from dcign.data.dataset.chunks import SplitChunks
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError, TrainingError
from dcign.inputs.torch_dataset import FaceImages, WholeBatches

pytest_plugins = ["tests.support.discs"]


@pytest.fixture
def faces(make_dataset):
    return make_dataset()


@pytest.fixture
def reads(monkeypatch):
    """The batches that were read from disk, in order."""
    found, read = [], SplitChunks.read

    def counted(chunks, batch):
        found.append(batch)
        return read(chunks, batch)

    monkeypatch.setattr(SplitChunks, "read", counted)
    return found


def test_images_and_labels_are_the_reader_s_in_order(faces):
    found = FaceImages(faces, "train")
    batches = list(FaceDataset(faces).batches("train"))
    assert len(found) == 160
    assert (found.names, found.units) == (("azimuth", "elevation", "light_azimuth"), ("degree",) * 3)
    for index in (0, 19, 20, 113, 159, -1):
        image, factors = found[index]
        batch, row = batches[index // 20], index % 20
        assert (image.shape, image.dtype) == ((1, 24, 24), torch.float32)
        np.testing.assert_array_equal(image.numpy() * 255, batch.images[row].transpose(2, 0, 1))
        np.testing.assert_array_equal(factors, batch.factors[row])
    np.testing.assert_array_equal(found.identity_index, np.concatenate([batch.identity_index for batch in batches]))
    assert found.varies[19:21] == [batches[0].varies, batches[1].varies]


def test_an_index_out_of_range_is_refused(faces):
    found = FaceImages(faces, "iid")
    for index in (40, -41):
        with pytest.raises(IndexError, match=f"expected an index from 0 to 39, found {index}"):
            found[index]
    assert len(list(found)) == 40  # an index error ends a plain loop


def test_a_plain_loop_reads_each_batch_once(faces, reads):
    assert sum(1 for _ in FaceImages(faces, "test")) == 80
    assert reads == [0, 1, 2, 3]


def test_an_epoch_of_whole_batches_reads_each_once_in_an_order_of_its_own(faces, reads):
    found = FaceImages(faces, "train")
    sampler = WholeBatches(found, groups=3, generator=torch.Generator().manual_seed(1))
    loader = DataLoader(found, batch_sampler=sampler)
    shapes = [tuple(images.shape) for images, _ in loader]
    assert shapes == [(60, 1, 24, 24), (60, 1, 24, 24), (40, 1, 24, 24)]
    assert len(loader) == 3
    first, reads[:] = list(reads), []
    assert sorted(first) == list(range(8))
    again = WholeBatches(found, groups=3, generator=torch.Generator().manual_seed(1))
    assert [indices[0] // 20 for indices in again] == first[::3]
    list(loader)
    assert sorted(reads) == list(range(8))
    assert first != reads
    assert first != list(range(8))


def test_without_a_generator_batches_come_in_order(faces):
    found = FaceImages(faces, "test")
    assert [index for drawn in WholeBatches(found, groups=2, generator=None) for index in drawn] == list(range(80))


def test_it_can_be_pickled_and_read_in_another_process(faces):
    found = FaceImages(faces, "test")
    wanted = torch.stack([image for image, _ in found])
    copy = pickle.loads(pickle.dumps(found))
    assert torch.equal(torch.stack([image for image, _ in copy]), wanted)
    sampler = WholeBatches(found, groups=1, generator=None)
    loader = DataLoader(found, batch_sampler=sampler, num_workers=1, multiprocessing_context="spawn")
    assert torch.equal(torch.cat([images for images, _ in loader]), wanted)


def test_what_cannot_be_read_or_drawn_is_one_sentence(faces):
    with pytest.raises(DataError, match="has no split 'dev'; it has train, test, iid, sweep"):
        FaceImages(faces, "dev")
    found = FaceImages(faces, "test")
    with pytest.raises(TrainingError, match="expected 1 or more groups, found 0"):
        WholeBatches(found, groups=0, generator=None)
    (faces / "test" / "shard-00000.h5").write_bytes(b"")
    with pytest.raises(DataError, match="damaged"):
        found[0]
