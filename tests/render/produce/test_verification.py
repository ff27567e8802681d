"""Lies that only drawing again finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dcign.data.check import smoothness
from dcign.data.dataset.reader import Shard
from dcign.data.schema import configuration_sha256
from dcign.data.shard.findings import Finding
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce import verification
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.production import render_dataset
from dcign.render.produce.verification import redraw_batch, verify_pixels

Change = Callable[[h5py.File], None]

pytestmark = pytest.mark.usefixtures("drawn_here")


def verify(*shards: Path) -> list[Finding]:
    return verify_pixels(shards, worker_count=1, progress=lambda done: None)


@pytest.fixture
def changed(small_faces: Path, tmp_path: Path) -> Callable[[str, Change], Path]:
    """A copy of the data set with one shard changed; returns the shard."""

    def change(split: str, edit: Change) -> Path:
        folder = tmp_path / "faces"
        shutil.copytree(small_faces, folder)
        shard = folder / split / "shard-00000.h5"
        with h5py.File(shard, "r+") as file:
            edit(file)
        return shard

    return change


def test_an_honest_data_set_passes(small_faces: Path) -> None:
    assert verify(*sorted(small_faces.glob("*/*.h5"))) == []


def test_drawing_again_gives_the_same_bits(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel
) -> None:
    with threadpool_limits(1), BatchRenderer(model, small_configuration) as batch_renderer:  # as in a worker
        for path in small_faces.glob("*/*.h5"):
            with Shard(path) as shard:
                for batch in shard.batches():
                    np.testing.assert_array_equal(redraw_batch(batch, batch_renderer).images, batch.images)


def test_two_swapped_labels_are_found(changed: Callable[[str, Change], Path]) -> None:
    def swap(file: h5py.File) -> None:
        labels = file["factors"][0]
        labels[[4, 9]] = labels[[9, 4]]
        file["factors"][0] = labels

    (finding,) = verify(changed("train", swap))
    assert finding.batch == 0
    assert "image 4, 9 is not what the labels say" in finding.what


def test_one_foreign_face_is_found(changed: Callable[[str, Change], Path]) -> None:
    def replace_face(file: h5py.File) -> None:
        images = file["images"][1]
        images[7] = file["images"][2][7]
        file["images"][1] = images

    (finding,) = verify(changed("train", replace_face))
    assert (finding.batch, "image 7 is not" in finding.what) == (1, True)


def test_drawing_again_refutes_a_suspicion_unless_the_batch_differs(
    changed: Callable[[str, Change], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoothness, "DETOUR", 1.0)  # suspects every batch of which one factor varies

    def dim(file: h5py.File) -> None:
        images = file["images"][1]
        images[7] //= 2
        file["images"][1] = images

    shard = changed("train", dim)
    bar = lambda title, images: nullcontext(lambda *done: None)  # noqa: E731
    quick, full = (verification.verify(shard, pixels=each, worker_count=1, bar=bar) for each in (False, True))
    suspected = [{each.batch for each in found if smoothness.is_suspicion(each.what)} for found in (quick, full)]
    assert suspected[0] > {1}
    assert suspected[1] == {1}
    assert [each.batch for each in full if "drawn again" in each.what] == [1]


EVERYWHERE = {"azimuth": (-180, 180), "elevation": (-90, 90), "light_azimuth": (-180, 180)}
SCENE = ("field_of_view", "light_to_ambient", "light_elevation", "distance")
WIDEST = {  # name of the factor -> the options, and the batch that the thresholds for default ranges would suspect
    "field_of_view": ({"batches": 90, "size": 32, "vary": SCENE}, ("test", 21)),
    "azimuth": ({"batches": 200, "size": 32, "seed": 1, "vary": SCENE}, ("train", 144)),
    "age": ({"batches": 100, "size": 64, "seed": 4, "vary": ("age", "sex")}, ("test", 39)),
}


@pytest.mark.parametrize("factor", WIDEST)
def test_sound_images_of_the_widest_ranges_are_not_suspected(model: MorphableModel, factor: str) -> None:
    options, (split, number) = WIDEST[factor]
    configuration, _ = RenderConfiguration.from_options(**options, **EVERYWHERE)
    with BatchRenderer(model, configuration) as renderer:
        batch = renderer.draw_batch(plan_batch(configuration, renderer.model, split, number))
    assert batch.varies == factor
    labels = batch.factors[:, list(configuration.ranges).index(factor)]
    assert smoothness.pixel_faults(batch.images, labels, factor) == []


def test_a_light_off_by_five_degrees_is_found(changed: Callable[[str, Change], Path]) -> None:
    def turn_the_light(file: h5py.File) -> None:
        labels = file["factors"][1]
        labels[:, 2] += 5 if labels[0, 2] < 0 else -5
        file["factors"][1] = labels

    (finding,) = verify(changed("test", turn_the_light))
    assert finding.batch == 1


def test_another_person_s_coefficients_are_found(changed: Callable[[str, Change], Path]) -> None:
    def other_person(file: h5py.File) -> None:
        shape = file["identity/shape"][0]
        shape[3] = np.roll(shape[3], 1)
        file["identity/shape"][0] = shape

    (finding,) = verify(changed("iid", other_person))
    assert "image 3 is not" in finding.what


def test_a_mask_that_is_not_the_head_s_is_found(changed: Callable[[str, Change], Path]) -> None:
    def shift(file: h5py.File) -> None:
        file["truth/mask"][2] = np.roll(file["truth/mask"][2], 2, axis=2)

    (finding,) = verify(changed("sweep", shift))
    assert finding.batch == 2
    assert "mask of image" in finding.what


def test_what_cannot_be_drawn_again_is_a_finding_of_its_shard(changed: Callable[[str, Change], Path]) -> None:
    def shorten(file: h5py.File) -> None:
        del file["identity/shape"]
        file["identity/shape"] = np.ones((*file["batch"].shape, 20, 5), np.float32)

    (finding,) = verify(changed("train", shorten))
    assert finding.what.startswith("cannot be drawn again: expected coefficients of shape")


def test_numbers_that_opengl_must_not_see_are_not_drawn(changed: Callable[[str, Change], Path]) -> None:
    def burst(file: h5py.File) -> None:
        file["factors"][2, :, 0] = np.inf

    (finding,) = verify(changed("train", burst))
    assert (finding.batch, "cannot be drawn again" in finding.what) == (2, True)


def test_labels_that_the_configuration_does_not_know_are_a_finding(changed: Callable[[str, Change], Path]) -> None:
    def add_tides(file: h5py.File) -> None:
        file["nuisance/tides"] = np.zeros((*file["batch"].shape, 20), np.float32)

    (finding,) = verify(changed("test", add_tides))
    assert finding.what == "has nuisances tides; its configuration has -"


def test_a_configuration_that_is_none_is_a_finding(changed: Callable[[str, Change], Path]) -> None:
    def flatten(file: h5py.File) -> None:
        configuration = json.loads(file.attrs["configuration"])
        configuration["size"] = "large"
        file.attrs["configuration"] = np.bytes_(json.dumps(configuration).encode())
        file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256(configuration).encode())

    (finding,) = verify(changed("iid", flatten))
    assert finding.what.startswith("cannot be drawn again: expected a render configuration, found")


def test_a_shard_of_other_levels_of_detail_is_said_to_be_one(changed: Callable[[str, Change], Path]) -> None:
    def coarsen(file: h5py.File) -> None:
        configuration = json.loads(file.attrs["configuration"])
        configuration["level_of_detail"] = 1_250
        del file.attrs["configuration"], file.attrs["configuration_sha256"]
        file.attrs["configuration"] = np.bytes_(json.dumps(configuration).encode())
        file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256(configuration).encode())

    (finding,) = verify(changed("iid", coarsen))
    assert "at another level of detail by an earlier version (1250 vertices; now 2500 vertices)" in finding.what


def test_a_shard_away_from_its_model_says_what_is_missing(small_faces: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    shard = shutil.copy(small_faces / "train" / "shard-00000.h5", tmp_path / "train")
    with pytest.raises(RenderError, match=r"model\.npz with the model that drew shard-00000\.h5, found no file"):
        verify(Path(shard))


def test_visibility_of_an_earlier_version_is_named_and_not_compared(model: MorphableModel, tmp_path: Path) -> None:
    splits, truth = Splits(train=4, test=4, iid=1, sweep_levels=(2, 2, 2)), ("depth", "visibility")
    configuration = RenderConfiguration(splits, size=16, truth=truth)
    render_dataset(tmp_path / "faces", configuration, lambda: model, worker_count=1, progress=lambda *_: None)
    shard = tmp_path / "faces" / "iid" / "shard-00000.h5"
    assert verify(shard) == []
    with h5py.File(shard, "r+") as file:
        about = json.loads(file.attrs["configuration"])
        assert about.pop("visibility_texels") == 256
        del file.attrs["configuration"], file.attrs["configuration_sha256"]
        file.attrs["configuration"] = np.bytes_(json.dumps(about).encode())
        file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256(about).encode())
        file["truth/visibility"][:] = 255 - file["truth/visibility"][:]
    (finding,) = verify(shard)
    assert finding.what == (
        "holds truth/visibility of an earlier version, which cannot be compared; render it again to compare it"
    )
