"""A data set with a further factor, nuisances and pictures behind the heads, from rendering to a trained network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from dcign.data.check.dataset import check_dataset
from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.errors import DataError, RenderError
from dcign.evaluate.sweeps import rest_of, sweep_of
from dcign.facegen.model.morphable import MorphableModel
from dcign.inputs.source import DataSource
from dcign.render.draw.scene import DEFAULT_SCENE, Camera
from dcign.render.plan.backdrops import Background, parse_background
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import further_fields
from dcign.render.produce.production import Production, render_dataset
from dcign.render.produce.verification import verify_pixels
from tests.support.commands import dcign

pytestmark = pytest.mark.usefixtures("quick_evaluations", "drawn_here")

SPLITS = Splits(train=10, test=5, iid=2, sweep_levels=(2, 2, 2, 3))
GIVEN = {"distance": (800.0, 1000.0), "field_of_view": (25.0, 25.0)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for level in (40, 120, 200):
        Image.fromarray(np.full((50, 40, 3), (level, 255 - level, 99), np.uint8)).save(folder / f"{level}.png")
    return folder


def make(folder: Path, model: MorphableModel, pictures: Path) -> Production:
    background, backdrops = parse_background(str(pictures), 32)
    fields = further_fields(DEFAULT_SCENE, GIVEN, ["light-elevation"])
    configuration = RenderConfiguration(SPLITS, size=32, seed=3, background=background, **fields)
    return render_dataset(folder, configuration, lambda: model, worker_count=1, progress=lambda *_: None,
                          backdrops=backdrops)  # fmt: skip


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel, pictures: Path) -> Path:
    """Read only: copy it to change it."""
    folder = tmp_path_factory.mktemp("further") / "faces"
    make(folder, model, pictures)
    return folder


def test_the_folder_keeps_its_promise(faces: Path) -> None:
    dataset = FaceDataset(faces)
    assert [factor.name for factor in dataset.factors] == ["azimuth", "elevation", "light_azimuth", "light_elevation"]
    assert check_dataset(dataset) == []
    kinds = [batch.varies for batch in dataset.batches("train")]
    assert kinds == ["azimuth", "elevation", "light_azimuth", "light_elevation", "identity"] * 2
    for split in ("train", "test"):
        for batch in dataset.batches(split):
            assert batch.nuisance.keys() == {"distance", "background_picture"}
            outside = batch.images[0] == batch.images[0, 0, 0]
            assert outside.mean() > 0.1
            assert batch.images[0, 0, 0].item() > 0
    with h5py.File(faces / "train" / "shard-00000.h5") as file:
        codes = h5py.check_enum_dtype(file["varies"].dtype)
        assert codes == {
            "azimuth": 0, "elevation": 1, "light_azimuth": 2, "identity": 3, "all": 4, "light_elevation": 5,
        }  # fmt: skip
        assert json.loads(file.attrs["ranges"])["distance"] == [800, 1000]


def test_it_is_gone_on_with_and_drawn_again_from_itself_alone(
    faces: Path, model: MorphableModel, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(faces, folder)
    before = (folder / "test" / "shard-00000.h5").read_bytes()
    (folder / "test" / "shard-00000.h5").unlink()
    (folder / "backgrounds.npz").unlink()
    assert make(folder, model, pictures).made == SPLITS.test
    assert (folder / "test" / "shard-00000.h5").read_bytes() == before
    shards = [folder / split / "shard-00000.h5" for split in ("train", "iid")]
    assert verify_pixels(shards, worker_count=1, progress=lambda done: None) == []
    with h5py.File(shards[0], "r+") as file:
        file["nuisance/background_picture"][1] = (file["nuisance/background_picture"][1] + 1) % 3
        file["nuisance/distance"][2] = 900
    found = verify_pixels(shards[:1], worker_count=1, progress=lambda done: None)
    assert [finding.batch for finding in found] == [1, 2]


def test_a_distance_of_metres_is_drawn_again_and_what_opengl_must_not_see_is_named(
    model: MorphableModel, tmp_path: Path
) -> None:
    given = {"distance": (2_500.3, 19_000.7), "field_of_view": (2.0, 5.0)}
    fields = further_fields(DEFAULT_SCENE, given, ["distance"])
    configuration = RenderConfiguration(SPLITS, size=16, seed=3, **fields)
    folder = tmp_path / "faces"
    render_dataset(folder, configuration, lambda: model, worker_count=1, progress=lambda *_: None)
    shards = [folder / split / "shard-00000.h5" for split in ("train", "sweep")]
    assert check_dataset(FaceDataset(folder)) == []
    at_rest = "the others at rest (azimuth 0, elevation 0, light azimuth 0, distance 10,750.5)"
    assert at_rest in (folder / "README.md").read_text()
    assert verify_pixels(shards, worker_count=1, progress=lambda done: None) == []
    with h5py.File(shards[0], "r+") as file:
        file["nuisance/field_of_view"][1] = 0
        file["nuisance/field_of_view"][2] = np.inf
        file["factors"][4, :, 3] = np.nan
    found = verify_pixels(shards[:1], worker_count=1, progress=lambda done: None)
    assert [(finding.batch, finding.what) for finding in found] == [
        (1, "has field_of_view that is not a number within 2 to 60, and cannot be drawn again"),
        (2, "has field_of_view that is not a number within 2 to 60, and cannot be drawn again"),
        (4, "has distance that is not a number within 300 to 20000, and cannot be drawn again"),
    ]


def test_a_nuisance_that_differs_within_a_batch_is_found(faces: Path, tmp_path: Path) -> None:
    shutil.copytree(faces, tmp_path / "faces")
    with h5py.File(tmp_path / "faces" / "train" / "shard-00000.h5", "r+") as file:
        values = file["nuisance/distance"][3]
        values[7] += 1
        file["nuisance/distance"][3] = values
    found = [str(finding) for finding in check_dataset(FaceDataset(tmp_path / "faces"))]
    assert any("batch 3: nuisance distance differs between its images" in each for each in found)


def test_a_network_s_fourth_latent_is_the_further_factor(faces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = dcign("train", faces, "--steps", "2", "--out", run, "--threads", "1")
    assert result.exit_code == 0, result.output
    report = json.loads((run / "evaluation.json").read_text())
    assert list(report["factors"]) == ["azimuth", "elevation", "light_azimuth", "light_elevation"]
    description = json.loads((run / "configuration.json").read_text())["description"]
    assert description["factors"][3] == "light_elevation"
    assert [each["latent"] for each in json.loads((run / "calibration.json").read_text())["factors"]] == [0, 1, 2, 3]
    assert description["mirror_signs"] == [-1, 1, -1, 1]
    sweep = DataSource(faces).labelled("sweep")
    np.testing.assert_array_equal(rest_of(sweep), np.array([0, 0, 0, 20], np.float32))
    assert sweep_of(sweep, 3).levels.tolist() == [-30, 20, 70]
    paper = ("train", faces, "--recipe", "paper", "--steps", "1", "--out", tmp_path / "paper", "--threads", "1")
    assert (
        "a ratio of 5 shares, for azimuth:elevation:light_azimuth:light_elevation:identity, found 4"
        in dcign(*paper).output
    )


def test_it_is_inspected_and_exported_with_all_its_labels(faces: Path, tmp_path: Path) -> None:
    about = json.loads(dcign("inspect", faces, "--json").stdout)
    assert about["splits"]["train"]["batches_of_kind"]["light_elevation"] == 2
    assert about["nuisances"].keys() == {"background_picture", "distance"}
    assert about["nuisances"]["distance"]["configured"] == [800, 1000]
    assert "(distance)" in dcign("inspect", faces).output
    assert dcign("export", faces, "--to", "npz", "--split", "iid", "--out", tmp_path / "npz").exit_code == 0
    with np.load(tmp_path / "npz" / "iid.npz") as archive:
        assert archive["latents_values"].shape == (40, 4)
        assert archive["varies"].tolist() == ["all"] * 40


def test_the_card_says_what_varies_what_is_sampled_and_whose_the_pictures_are(faces: Path, small_faces: Path) -> None:
    card = (faces / "README.md").read_text()
    assert "in each batch: azimuth, elevation, light azimuth, light elevation or identity, in turn" in card
    assert "(`nuisance/...`): distance 800 to 1000 millimetres, one of 3 backgrounds." in card
    assert "in backgrounds.npz.\n**Before you share" in card
    assert not {"nuisance", "backgrounds"} & set((small_faces / "README.md").read_text().replace("`", " ").split())


def test_a_damaged_kind_is_refused(faces: Path, tmp_path: Path) -> None:
    shard = Path(shutil.copy(faces / "test" / "shard-00000.h5", tmp_path))
    with h5py.File(shard, "r+") as file:
        file["varies"].id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0, 1, 2, 6, 3], np.uint8), h5py.h5t.NATIVE_UINT8)
    with pytest.raises(DataError, match="varies"):
        len(Shard(shard))


def test_what_a_folder_has_or_lacks_of_it_is_another_configuration_and_nothing_is_touched(
    faces: Path, model: MorphableModel
) -> None:
    about = json.loads((faces / "configuration.json").read_text())["configuration"]
    configuration = RenderConfiguration.from_dict(about)
    before = (faces / "dataset.json").read_bytes()
    for others, named in (
        ({"background": Background(pictures=3, sha256="0" * 64)}, "background sha256 "),
        ({"background": None}, "asked for: background none"),
        (
            {"distance": None, "scene": replace(DEFAULT_SCENE, camera=Camera(distance_mm=900.0))},
            "distance 800.0/1000.0",
        ),
    ):
        other = replace(configuration, **others)
        with pytest.raises(RenderError, match="another configuration") as error:
            render_dataset(faces, other, lambda: model, worker_count=1, progress=lambda *_: None)
        assert named in str(error.value)
    assert (faces / "dataset.json").read_bytes() == before
