"""Data set folders: same bytes whatever happens, and only what is missing is made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError, RenderError
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import SHARD_BATCHES, RenderConfiguration, Splits
from dcign.render.produce import production
from dcign.render.produce.folder import check_folder
from dcign.render.produce.production import DrawnShard, ShardTask, make_shard, shard_tasks
from dcign.storage.atomic import temporary_path
from tests.support.data_sets import digests, make

# Several shards a split, quick to draw.
MANY_SHARDS = RenderConfiguration(Splits(train=125, test=4, iid=51, sweep_levels=(1, 1, 1)), size=16, seed=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, model: MorphableModel) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "faces"
    make(folder, model, MANY_SHARDS)
    return folder


def test_a_folder_has_all_its_parts(small_faces: Path) -> None:
    assert {path.name for path in small_faces.iterdir()} == {
        "README.md", "configuration.json", "dataset.json", "iid", "model.npz", "preview.png", "sweep", "test", "train",
    }  # fmt: skip
    dataset = FaceDataset(small_faces)
    assert {name: sum(entry.batches for entry in entries) for name, entries in dataset.splits.items()} == {
        "train": 8, "test": 4, "iid": 2, "sweep": 7,
    }  # fmt: skip


def test_evaluation_splits_carry_the_mask_and_train_does_not(small_faces: Path) -> None:
    dataset = FaceDataset(small_faces)
    for split in dataset.splits:
        for batch in dataset.batches(split):
            assert ("mask" in batch.truth) == (split != "train")
            if split != "train":
                background = batch.truth["mask"] == 0
                assert 0.2 < background.mean() < 0.9
                assert not batch.images[background].any()


def test_two_workers_make_the_same_bytes_as_one(undisturbed: Path, model: MorphableModel, tmp_path: Path) -> None:
    make(tmp_path / "faces", model, MANY_SHARDS, workers=2)
    assert digests(tmp_path / "faces") == digests(undisturbed)


def test_only_missing_and_damaged_shards_are_made_again(
    undisturbed: Path, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(undisturbed, folder)
    (folder / "train" / "shard-00001.h5").unlink()
    with (folder / "iid" / "shard-00000.h5").open("r+b") as file:
        file.truncate(5000)
    done = make(folder, model, MANY_SHARDS)
    assert done.made == 2 * SHARD_BATCHES
    assert done.kept == sum(MANY_SHARDS.splits.batches().values()) - done.made
    assert digests(folder) == digests(undisturbed)


def test_a_shard_whose_bytes_changed_since_is_made_again(
    undisturbed: Path, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(undisturbed, folder)
    shard = folder / "test" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:  # opens and reads as before
        file["factors"][0] = file["factors"][0] + 0.5
    assert make(folder, model, MANY_SHARDS).made == 4
    assert digests(folder) == digests(undisturbed)


def test_a_folder_in_which_the_model_was_only_begun_is_free(tmp_path: Path) -> None:
    with temporary_path(tmp_path / "model.npz"):
        assert not check_folder(tmp_path, MANY_SHARDS)
        (tmp_path / ".model.npz").touch()
        with pytest.raises(RenderError, match=r"found other files in .* \(\.model\.npz\)"):
            check_folder(tmp_path, MANY_SHARDS)


def test_a_shard_in_another_s_place_is_made_again(undisturbed: Path, model: MorphableModel, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(undisturbed, folder)
    (folder / "dataset.json").unlink()
    shutil.copy(folder / "train" / "shard-00001.h5", folder / "train" / "shard-00000.h5")
    assert make(folder, model, MANY_SHARDS).made == SHARD_BATCHES
    assert digests(folder) == digests(undisturbed)


def test_a_render_killed_and_run_again_ends_in_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    script = (
        "from pathlib import Path\nfrom dcign.facegen.build import procedural_model\n"
        "from dcign.render.plan.configuration import RenderConfiguration\n"
        "from dcign.render.produce.production import render_dataset\n"
        "import json, sys\n"
        "if __name__ == '__main__':\n"
        "    configuration = RenderConfiguration.from_dict(json.loads(sys.argv[2]))\n"
        "    render_dataset(Path(sys.argv[1]), configuration, procedural_model, worker_count=2,\n"
        "                   progress=lambda made, wanted: None)\n"
    )
    file = tmp_path / "again.py"
    file.write_text(script)
    command = [sys.executable, str(file), str(folder), json.dumps(MANY_SHARDS.as_dict())]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    first = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(folder.glob("*/*.h5")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (folder / "dataset.json").exists()
    subprocess.run(command, env=environment, check=True)
    assert digests(folder) == digests(undisturbed)


def test_another_configuration_in_the_folder_is_refused_and_nothing_is_touched(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel
) -> None:
    before = digests(small_faces)
    with pytest.raises(RenderError, match=r"another configuration \(seed 3; asked for: seed 4\)"):
        make(small_faces, model, replace(small_configuration, seed=4))
    assert digests(small_faces) == before


def test_what_differs_between_configurations_is_named_to_the_single_value(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel
) -> None:
    other = replace(small_configuration, splits=replace(small_configuration.splits, test=8))
    with pytest.raises(RenderError, match=r"\(splits test 4; asked for: splits test 8\)"):
        make(small_faces, model, other)
    light = replace(small_configuration.scene.light, elevation_degrees=35.0)
    other = replace(small_configuration, scene=replace(small_configuration.scene, light=light))
    with pytest.raises(RenderError, match=r"light elevation_degrees 20\.0; asked for: .*elevation_degrees 35\.0\)"):
        make(small_faces, model, other)


def test_truth_that_a_model_has_not_is_refused_before_the_folder_is_begun(
    small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path
) -> None:
    wanted = replace(small_configuration, truth=("landmarks",))
    with pytest.raises(RenderError, match="leave them out of --truth"):
        make(tmp_path / "faces", replace(model, landmarks={}), wanted)
    assert not (tmp_path / "faces").exists()


def test_a_folder_of_other_files_is_refused(
    model: MorphableModel, small_configuration: RenderConfiguration, tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RenderError, match="found other files"):
        make(tmp_path, model, small_configuration)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"damaged")])
def test_a_lost_model_is_written_again_and_the_shards_are_kept(
    harm: Callable[[Path], object],
    small_faces: Path,
    small_configuration: RenderConfiguration,
    model: MorphableModel,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    harm(folder / "model.npz")
    assert make(folder, model, small_configuration).made == 0
    assert digests(folder) == digests(small_faces)


def test_a_folder_without_any_shard_is_taken_over(
    small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "model.npz").write_bytes(b"stopped before the first shard")
    (folder / "configuration.json").write_text("{}")
    assert make(folder, model, small_configuration).made == 21


def test_a_file_where_the_folder_should_be_is_refused(model: MorphableModel, tmp_path: Path) -> None:
    (tmp_path / "faces").write_text("a file")
    with pytest.raises(RenderError, match="expected a folder that can be written"):
        make(tmp_path / "faces", model, MANY_SHARDS)


def test_a_folder_begun_by_another_renderer_is_not_gone_on_with(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path
) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    (folder / "dataset.json").unlink()
    for shard in folder.glob("*/*.h5"):
        with h5py.File(shard, "r+") as file:
            file.attrs["renderer"] = np.bytes_(json.dumps({"name": "another card", "vendor": "", "version": "9"}))
    (folder / "iid" / "shard-00000.h5").unlink()
    with pytest.raises(RenderError, match=r"expected the renderer that drew .*, another card \(9\), found"):
        make(folder, model, small_configuration)


def test_no_workers_are_too_few(model: MorphableModel, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="expected at least 1 worker, found 0"):
        make(tmp_path / "faces", model, MANY_SHARDS, workers=0)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_stops_with_a_sentence_and_more_room_goes_on(model: MorphableModel, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    size = len(model_bytes(replace(model, texture=None))) + 1_000_000
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises((RenderError, DataError), match="full"):
            make(disk / "faces", model, MANY_SHARDS)
        assert not list((disk / "faces").glob("**/.*.part"))
        subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)
        make(disk / "faces", model, MANY_SHARDS)
        assert (disk / "faces" / "dataset.json").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a read-only disk needs root")
def test_a_read_only_disk_is_refused_in_a_sentence(model: MorphableModel, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(RenderError, match="expected a folder that can be written"):
            make(disk / "faces", model, MANY_SHARDS)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_every_batch_is_in_exactly_one_shard() -> None:
    tasks = [task for task in shard_tasks(Path(), "", MANY_SHARDS) if task.split == "train"]
    numbers = [number for task in tasks for number in range(task.first, task.first + task.count)]
    assert numbers == list(range(125))
    assert [task.file for task in tasks] == [f"train/shard-0000{i}.h5" for i in range(3)]


def test_small_pictures_keep_a_model_without_texture(small_faces: Path, model: MorphableModel) -> None:
    kept = read_model(small_faces / "model.npz")
    assert model.texture is not None
    assert kept.texture is None
    np.testing.assert_array_equal(kept.mean, model.mean)


def test_a_shard_that_a_worker_made_in_another_folder_of_that_name_is_missed(
    small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def elsewhere(work: object, tasks: list[ShardTask], **how: object) -> Iterator[tuple[ShardTask, DrawnShard]]:
        for task in tasks:
            shard = make_shard(task)
            (task.folder / task.file).unlink()
            yield task, shard

    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    (folder / "iid" / "shard-00000.h5").unlink()
    monkeypatch.setattr(production.workers, "run_tasks", elsewhere)
    monkeypatch.setattr(production, "SEEN_SECONDS", 0.3)
    with pytest.raises(RenderError, match="from a worker, found no such file here"):
        make(folder, model, small_configuration)
