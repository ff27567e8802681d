"""Layers of truth are written with their names, checked against each other, and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.data.check.dataset import check_shard
from dcign.data.dataset.contact_sheet import contact_sheet
from dcign.data.dataset.reader import Shard
from dcign.data.schema import Batch
from dcign.data.shard.truth_layers import as_pictures, truth_faults
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError

pytest_plugins = ["tests.support.discs"]

NAMES = {"parts": ("background", "disc"), "landmarks": ("middle", "corner")}
Layers = dict[str, np.ndarray]


def layers_of(batch: Batch) -> Layers:
    """Truth of a batch of discs."""
    seen = batch.truth["mask"] > 127
    normals = np.zeros((*seen.shape, 3), np.float16)
    normals[seen] = (0.6, 0, 0.8)
    return {
        "mask": batch.truth["mask"],
        "depth": np.where(seen, 700.5, 0).astype(np.float32),
        "normals": normals,
        "albedo": np.repeat(batch.truth["mask"][..., None], 3, -1),
        "parts": seen.astype(np.uint8),
        "visibility": batch.truth["mask"],
        "landmarks": np.tile(np.array([[12, 12, 700, 1], [0.5, 23.5, 710, 0]], np.float32), (20, 1, 1)),
    }


@pytest.fixture
def batch(make_batch: Callable[..., Batch]) -> Batch:
    made = make_batch(0, "identity", "test")
    return replace(made, truth=layers_of(made))


@pytest.fixture
def shard(tmp_path: Path, header, batch: Batch) -> Path:
    write_shard(tmp_path / "a.h5", replace(header, split="test", truth_names=NAMES), [batch], 1)
    return tmp_path / "a.h5"


def test_layers_and_their_names_are_read_back(shard: Path, batch: Batch) -> None:
    with Shard(shard) as opened:
        assert opened.header.truth_names == NAMES
        found = opened.batch(0).truth
        assert found.keys() == batch.truth.keys()
        for name, layer in batch.truth.items():
            assert found[name].dtype == layer.dtype
            np.testing.assert_array_equal(found[name], layer)


def test_any_hdf5_reader_finds_landmarks_in_one_piece_and_pixels_in_chunks(shard: Path) -> None:
    with h5py.File(shard) as file:
        assert file["truth/landmarks"].shape == (1, 20, 2, 4)
        assert file["truth/landmarks"].chunks is None
        assert list(file["truth/landmarks"].attrs["names"]) == [b"middle", b"corner"]
        assert list(file["truth/parts"].attrs["names"]) == [b"background", b"disc"]
        assert file["truth/normals"].chunks == (1, 20, 24, 24, 3)


def test_landmarks_of_another_shape_are_refused(tmp_path: Path, header, batch: Batch) -> None:
    flat = replace(batch, truth={"landmarks": np.zeros((20, 2, 3), np.float32)})
    with pytest.raises(DataError, match=r"truth/landmarks float32 \(20, 2, 3\); expected float32 \(20, 2, 4\)"):
        write_shard(tmp_path / "b.h5", header, [flat], 1)


@pytest.mark.parametrize("names", [("middle",), ("middle", "middle"), ("middle", "a corner")])
def test_names_that_do_not_fit_the_landmarks_are_refused(shard: Path, names: tuple[str, ...]) -> None:
    with h5py.File(shard, "a") as file:
        file["truth/landmarks"].attrs["names"] = np.array([name.encode() for name in names])
    with pytest.raises(DataError, match=r"1 names for 2 rows|each once"), Shard(shard):
        pass


def test_sound_layers_have_no_faults(shard: Path, batch: Batch) -> None:
    assert list(truth_faults(batch.truth, NAMES)) == []
    assert check_shard(shard) == []


def moved(layers: Layers, name: str) -> Layers:
    return {name: np.roll(layers[name], 5, axis=2)}


FAULTS: dict[str, tuple[Callable[[Layers], Layers], str]] = {
    "a hole in depth": (lambda layers: {"depth": layers["depth"] * np.nan}, "truth/depth is not a finite number"),
    "depth behind the camera": (lambda layers: {"depth": -layers["depth"]}, "truth/depth is negative"),
    "parts of another picture": (lambda layers: moved(layers, "parts"), "truth/depth and truth/parts disagree"),
    "normals of another picture": (lambda layers: moved(layers, "normals"), "truth/depth and truth/normals disagree"),
    "a mask of another picture": (lambda layers: moved(layers, "mask"), "truth/depth and truth/mask disagree"),
    "a part without a name": (lambda layers: {"parts": layers["parts"] * 2}, "truth/parts holds 2; its names end at 1"),
    "long normals": (lambda layers: {"normals": layers["normals"] * np.float16(1.1)}, "not all of unit length"),
    "normals of two numbers": (lambda layers: {"normals": layers["normals"][..., :2]}, "expected float16"),
    "half a landmark seen": (lambda layers: {"landmarks": layers["landmarks"] * 0.5}, "neither 0 nor 1"),
    "one seen behind the camera": (
        lambda layers: {"landmarks": layers["landmarks"] * np.array([1, 1, -1, 1], np.float32)},
        "a landmark marked visible behind the camera",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_true_is_found(batch: Batch, fault: str) -> None:
    change, sentence = FAULTS[fault]
    assert any(sentence in found for found in truth_faults(batch.truth | change(batch.truth), NAMES))


def test_a_broken_layer_in_a_shard_is_a_finding_of_its_batch(tmp_path: Path, header, batch: Batch) -> None:
    broken = replace(batch, truth=batch.truth | moved(batch.truth, "parts"))
    write_shard(tmp_path / "b.h5", replace(header, split="test"), [broken], 1)
    (found,) = check_shard(tmp_path / "b.h5")
    assert found.batch == 0
    assert "disagree on which pixels of image 0 show the subject" in found.what


def test_a_sheet_shows_layers_below_their_images(shard: Path) -> None:
    plain, with_truth = contact_sheet(shard), contact_sheet(shard, truth=["depth", "parts", "landmarks"])
    assert with_truth.height > 3.5 * plain.height
    with pytest.raises(DataError, match="holds no truth/flow; it holds albedo, depth, landmarks"):
        contact_sheet(shard, truth=["flow"])


def test_near_is_light_and_normals_are_colours_and_hidden_landmarks_red(batch: Batch) -> None:
    layers = batch.truth
    depth = layers["depth"].copy()
    depth[:, 12, 12] = 600
    shown = as_pictures("depth", depth, batch.images)[0]
    assert (shown[12, 12, 0], shown[12, 10, 0], shown[0, 0, 0]) == (255, 55, 0)
    assert as_pictures("normals", layers["normals"], batch.images)[0, 12, 12].tolist() == [204, 128, 229]
    dots = as_pictures("landmarks", layers["landmarks"], batch.images)[0]
    assert (dots[12, 12].tolist(), dots[23, 0].tolist()) == ([60, 255, 60], [255, 60, 60])
    parts = as_pictures("parts", layers["parts"], batch.images)[0]
    assert not parts[0, 0].any()
    assert parts[12, 12].any()


@pytest.mark.parametrize("name", ["depth", "normals", "parts", "anything"])
def test_layers_of_any_shape_and_dtype_can_be_shown(batch: Batch, name: str) -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.uint8, np.int64, np.float16, np.float64):
        for shape in ((), (1,), (2,), (3,), (2, 2)):
            layer = (100 * rng.normal(size=(20, 24, 24, *shape))).astype(dtype)
            assert as_pictures(name, layer, batch.images).shape == (20, 24, 24, 3)
            list(truth_faults({name: layer}, NAMES))
