"""Data sets of objects: who is shown where, the same promise as of faces, and pictures that are right."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import trimesh

from dcign.data.check.dataset import check_dataset
from dcign.data.dataset.reader import FaceDataset
from dcign.data.dataset.summary import summarise
from dcign.errors import ModelError, RenderError
from dcign.facegen.objects.collection import Collection
from dcign.facegen.objects.folder import mesh_folder, pack
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.objects import FEWEST, FRAME, check_object_options, object_faces, object_mesh, object_scene
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.production import Production, render_dataset
from dcign.render.produce.verification import verify_pixels
from tests.support.chairs import write_chairs
from tests.support.commands import dcign
from tests.support.data_sets import list_again
from tests.support.heads import one_pose
from tests.support.rasteriser import rasterise

pytestmark = pytest.mark.usefixtures("drawn_here")

COUNT = 60
CONFIGURATION = RenderConfiguration(
    Splits(train=8, test=4, iid=2, sweep_levels=(3, 2, 2)), size=32, seed=5, scene=object_scene()
)


def silent(*_: object) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chairs(tmp_path_factory.mktemp("objects") / "chairs", COUNT)


@pytest.fixture(scope="module")
def chairs(meshes: Path) -> Collection:
    return pack(mesh_folder(meshes, fewest=FEWEST), 5000, silent)


def make(folder: Path, chairs: Collection, **changed: object) -> Production:
    configuration = replace(CONFIGURATION, **changed)
    return render_dataset(
        folder, configuration, lambda: chairs, worker_count=1, progress=silent, source_sha256=chairs.source_sha256
    )


@pytest.fixture(scope="module")
def data_set(chairs: Collection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects") / "out"
    make(folder, chairs)
    return folder


def shown(chairs: Collection, split: str, batches: int) -> list[set[int]]:
    return [set(plan_batch(CONFIGURATION, chairs, split, k).identity_index.tolist()) for k in range(batches)]


def test_nobody_in_test_iid_or_sweep_is_in_train(chairs: Collection) -> None:
    train = set().union(*shown(chairs, "train", 200))
    held_out = set().union(*(each for split in ("test", "iid", "sweep") for each in shown(chairs, split, 7)))
    assert not train & held_out
    assert len(train) == COUNT - 20  # and training shows all that it may
    assert held_out == set(range(COUNT)) - train


def test_a_batch_shows_one_object_or_twenty_and_the_sweep_always_the_same(chairs: Collection) -> None:
    assert [len(each) for each in shown(chairs, "train", 8)] == [1, 1, 1, 20] * 2
    assert {len(each) for each in shown(chairs, "iid", 5)} == {20}
    assert len({frozenset(each) for each in shown(chairs, "sweep", 7)}) == 1
    assert len({frozenset(each) for each in shown(chairs, "train", 40)}) > 20


def test_another_seed_deals_the_objects_out_otherwise(chairs: Collection) -> None:
    plans = [plan_batch(replace(CONFIGURATION, seed=seed), chairs, "sweep", 0).identity_index for seed in (5, 6)]
    assert set(plans[0].tolist()) != set(plans[1].tolist())


def test_a_data_set_of_objects_keeps_the_promise_and_is_drawn_again_from_its_own_folder(
    data_set: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "elsewhere"  # without the meshes
    shutil.copytree(data_set, alone)
    dataset = FaceDataset(alone)
    assert check_dataset(dataset) == []
    shards = [alone / entry.file for entries in dataset.splits.values() for entry in entries]
    assert verify_pixels(shards, worker_count=1, progress=silent) == []
    batch = next(iter(dataset.batches("test")))
    assert batch.identity_shape is None
    assert batch.identity_albedo is None
    assert batch.identity_attributes is None
    assert dataset.manifest.model["meshes"] == str(COUNT)


def test_objects_that_look_the_same_from_several_sides_are_sound(tmp_path: Path) -> None:
    folder = tmp_path / "stools"
    folder.mkdir()
    for number in range(FEWEST):  # tables on a column, of 3 to 42 sides
        top = trimesh.creation.cylinder(0.5, 0.05 + 0.01 * number, sections=3 + number)
        column = trimesh.creation.cylinder(0.05, 1, sections=16)
        trimesh.util.concatenate([top.apply_translation((0, 0, 0.5)), column]).export(folder / f"{number}.ply")
    make(tmp_path / "out", pack(mesh_folder(folder, fewest=FEWEST, up="z"), 5000, silent))
    assert check_dataset(FaceDataset(tmp_path / "out")) == []


def test_an_object_under_another_s_number_is_found(data_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(data_set, folder)
    shard = folder / "test" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        index = file["identity/index"][:]
        index[0], index[1] = index[1][0], COUNT
        file["identity/index"][:] = index
    found = [str(finding) for finding in verify_pixels([shard], worker_count=1, progress=silent)]
    assert any("batch 0: image 0 to 19 is not what the labels say" in each for each in found)
    assert any(f"batch 1: shows an object that model.npz, which has {COUNT}, does not hold" in each for each in found)


@pytest.mark.parametrize("name", ["azimuth", "light_azimuth"])
def test_exchanged_labels_of_objects_are_found_without_rendering(data_set: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(data_set, tmp_path / "out"))
    with h5py.File(folder / "train" / "shard-00000.h5", "r+") as file:
        kinds = h5py.check_enum_dtype(file["varies"].dtype)
        row = int(np.flatnonzero(file["varies"][()] == kinds[name])[1])
        labels = file["factors"][row]
        column = file["factors"].attrs["names"].tolist().index(name.encode())
        labels[[3, 11], column] = labels[[11, 3], column]
        file["factors"][row] = labels
    list_again(folder)
    found = dcign("inspect", folder, "--quick")
    assert found.exit_code == 1
    said = f"shard-00000.h5, batch {row}: has the {name} of images 3 and 11 exchanged, as its seed shows"
    assert said in " ".join(found.output.split())
    assert "1 finding." in found.output


def test_an_object_that_the_seed_does_not_choose_is_found_without_rendering(data_set: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data_set, tmp_path / "out"))
    with h5py.File(folder / "test" / "shard-00000.h5", "r+") as file:
        index = file["identity/index"][1]
        file["identity/index"][1] = index + 1 if index[0] == 0 else index - 1
    list_again(folder)
    found = " ".join(dcign("inspect", folder, "--quick").output.split())
    assert f"batch 1: shows object {index[0] + 1 if index[0] == 0 else index[0] - 1} in image 0; its seed" in found


def test_only_what_is_missing_is_made_again_to_the_same_bytes(
    data_set: Path, chairs: Collection, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(data_set, folder)
    lost = folder / "iid" / "shard-00000.h5"
    before = lost.read_bytes()
    lost.unlink()
    (folder / "model.npz").write_bytes(b"damaged")
    assert make(folder, chairs).made == CONFIGURATION.splits.iid
    assert lost.read_bytes() == before
    assert (folder / "model.npz").read_bytes() == (data_set / "model.npz").read_bytes()


def test_other_meshes_do_not_go_into_the_folder(data_set: Path, chairs: Collection, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(data_set, folder)
    with pytest.raises(RenderError, match="was started with, 60 meshes of chairs, found another one"):
        make(folder, replace(chairs, source_sha256="0" * 64))


# Solid with arms; a sheet without thickness; textured.
@pytest.mark.parametrize(("number", "size"), [(0, 64), (1, 64), (1, 150), (5, 64)])
def test_pictures_of_objects_are_the_numpy_rasteriser_s(chairs: Collection, number: int, size: int) -> None:
    configuration = replace(CONFIGURATION, size=size, channels=3)
    room = object_mesh(chairs)
    faces = object_faces(chairs, [number], room)
    assert faces.triangles is not None
    mesh = replace(room, triangles=faces.triangles[0])
    poses = np.array([[30, 15, -50], [-160, -20, 40]], np.float32)
    with BatchRenderer(chairs, configuration) as batch_renderer:
        drawn = batch_renderer.draw(batch_renderer.objects(np.full(2, number)), poses)
    for place, pose in enumerate(poses):
        image, mask = rasterise(
            faces.positions[0], faces.normals[0], faces.albedos[0], mesh, size=size, channels=3,
            labels=one_pose(pose), head=FRAME, scene=configuration.scene,
        )  # fmt: skip
        assert (drawn.mask[place] != mask).mean() < 0.005
        inside = (drawn.mask[place] == 255) & (mask == 255)
        off = np.abs(drawn.images[place].astype(int) - image)[inside].max(axis=1)
        assert (off > 2).mean() < 0.03  # a texel of shadow falls to either side
        assert inside.any()


def test_a_sheet_lit_from_the_side_has_no_stripes_of_its_own_shadow(chairs: Collection) -> None:
    lit, dark = (
        CONFIGURATION.scene,
        replace(CONFIGURATION.scene, light=replace(CONFIGURATION.scene.light, shadows=False)),
    )
    sheet = np.array([chairs.names.index("chair-07.ply")])
    for light_azimuth in (-60.0, 0.0, 60.0):
        pictures = []
        for scene in (lit, dark):
            with BatchRenderer(chairs, replace(CONFIGURATION, size=150, scene=scene)) as batch_renderer:
                pose = np.array([[0, 20, light_azimuth]], np.float32)
                pictures.append(
                    batch_renderer.draw(batch_renderer.objects(sheet), pose).images[0, 25:75, 50:100].astype(int)
                )
        assert (pictures[1] > 0).all()  # the back of the chair, and nothing before it
        assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_truth_is_written_and_verified_of_thin_things_too(chairs: Collection, tmp_path: Path) -> None:
    make(tmp_path / "out", chairs, size=64, truth=("depth", "normals", "albedo", "parts", "visibility"))
    dataset = FaceDataset(tmp_path / "out")
    assert check_dataset(dataset) == []
    batch = next(iter(dataset.batches("sweep")))
    seen = batch.truth["depth"] > 0
    assert (seen == (batch.truth["parts"] == 1)).all()
    facing = batch.truth["normals"].astype(np.float64)[seen]
    np.testing.assert_allclose(np.linalg.norm(facing, axis=1), 1, atol=0.01)
    with pytest.raises(RenderError, match="expected landmarks for --truth landmarks, found a model without them"):
        make(tmp_path / "none", chairs, truth=("landmarks",))


def test_white_is_white_and_not_more() -> None:
    light = object_scene().light
    assert light.ambient * (1 + light.fill) + light.diffuse == pytest.approx(1)
    before = RenderConfiguration(Splits.in_paper_proportions(1)).scene.light
    assert light.diffuse / light.ambient == pytest.approx(before.diffuse / before.ambient)


def test_options_for_faces_are_refused() -> None:
    with pytest.raises(
        RenderError, match="expected no options for faces beside --meshes, found --hair and --keep-head-size"
    ):
        check_object_options(model=False, hair=True, keep_head_size=True, truth=())
    check_object_options(model=False, hair=False, keep_head_size=False, truth=("depth",))
    with pytest.raises(RenderError, match="expected no options for faces beside --meshes, found --truth landmarks"):
        check_object_options(model=False, hair=False, keep_head_size=False, truth=("landmarks",))


def test_a_damaged_file_of_objects_is_a_sentence(data_set: Path, tmp_path: Path) -> None:
    from dcign.render.plan.objects import read_subject

    (tmp_path / "model.npz").write_bytes((data_set / "model.npz").read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be read"):
        read_subject(tmp_path / "model.npz")


def test_the_card_and_the_summary_speak_of_meshes_and_not_of_faces(data_set: Path) -> None:
    card = (data_set / "README.md").read_text()
    for word in ("face", "head", "people", "person", "Morphable"):
        assert word not in card, word
    assert "rendered by dcign from 60 meshes of chairs" in card
    assert "Licence: that of the meshes, which are not dcign's" in card
    assert "model.npz holds the meshes themselves" in card
    assert summarise(data_set)["provenance"]["model"]["name"] == "60 meshes of chairs"
