"""Data sets of discs for the tests of exporters: with attributes of people, and with truth layers of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.exports import LAYERS


@pytest.fixture(scope="session")
def header(header):
    """The header of shards whose people have attributes, and whose truth has names."""
    names = {"parts": ("background", "skin"), "landmarks": ("nose", "chin")}
    return replace(header, attributes=("sex", "age"), truth_names=names)


@pytest.fixture
def make_faces(make_dataset):
    """Write a data set of people with attributes, one of them unknown."""

    def make(change=lambda split, batch: batch):
        def attributed(split, batch):
            columns = batch.identity_shape[:, 0], 30 + batch.identity_index % 7
            attributes = np.column_stack(columns).astype(np.float32)
            attributes[3, 0] = np.nan
            return change(split, replace(batch, identity_attributes=attributes))

        return make_dataset(attributed)

    return make


@pytest.fixture
def with_truth(make_faces):
    """A data set with truth layers of every dtype and shape."""

    def change(split, batch):
        rng, size = np.random.default_rng(batch.number), batch.images.shape[1:3]
        layers = {
            name: (rng.normal(size=(20, *size, *shape)) * 50).astype(dtype) for name, (dtype, shape) in LAYERS.items()
        }
        layers["parts"] %= 2
        landmarks = np.where(np.arange(4) < 3, rng.normal(size=(20, 2, 4)), rng.integers(0, 2, (20, 2, 4)))
        return replace(batch, truth=layers | {"landmarks": landmarks.astype(np.float32)})

    return make_faces(change)
