"""`inspect` says of a data set what `train` would refuse."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcign.data.dataset.manifest import Manifest, ShardEntry, write_manifest
from dcign.data.dataset.summary import summarise
from dcign.data.schema import Batch, Factor, ShardHeader, configuration_sha256
from dcign.data.shard.writer import write_shard
from dcign.errors import TrainingError
from dcign.inputs.trainable import training_obstacles
from dcign.run.configuration import TrainConfiguration
from dcign.train import training
from tests.support.commands import dcign, imported_by

FACES = ("azimuth", "elevation", "light_azimuth")


def own_pictures(folder: Path, names: tuple[str, ...], kinds: tuple[str, ...], splits: tuple[str, ...], size: int = 32):
    """Somebody's own pictures as a data set: noise, one batch of each kind per split."""
    rng, about = np.random.default_rng(0), {"who": "me"}
    factors = tuple(Factor(name, "pixel", 1) for name in names)
    ranges = dict.fromkeys(names, (0.0, 1.0))
    header = ShardHeader("train", 0, about, configuration_sha256(about), "0" * 64, {}, ranges, {}, factors)
    listed = {}
    for number, split in enumerate(splits):
        batches = [
            Batch(
                row, kind, rng.integers(0, 255, (20, size, size, 1), np.uint8),
                rng.random((20, len(names)), np.float32), 20 * row + np.arange(20) + 10**6 * number, None, None, {}, {},
            )
            for row, kind in enumerate(kinds)
        ]  # fmt: skip
        path = folder / split / "shard-00000.h5"
        digest = write_shard(path, replace(header, split=split), batches, len(batches))
        entry = ShardEntry(f"{split}/shard-00000.h5", len(batches), 0, digest, path.stat().st_size)
        listed[split] = (entry,)
    write_manifest(folder, Manifest(about, header.configuration_sha256, 0, {}, {}, listed, factors))
    return folder


SPLITS = ("train", "test", "iid", "sweep")
REFUSED = {
    "a factor that cannot vary": (("angle", "size"), ("all", "identity"), SPLITS, 32, "found angle, size: use these"),
    "everything varies": (FACES, ("all",), SPLITS, 32, "found none for azimuth, elevation, light_azimuth, identity"),
    "one kind is missing": (FACES, (*FACES[:2], "identity"), SPLITS, 32, "light_azimuth: write some, or give it"),
    "too small": (FACES, (*FACES, "identity"), SPLITS, 24, "expected images of 28 to 256 px, found 24 px"),
    "no sweep": (FACES, (*FACES, "identity"), SPLITS[:3], 32, "found no batch of sweep: write this one"),
    "no train": (FACES, (*FACES, "identity"), SPLITS[1:], 32, "found no batch of train"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_inspect_says_what_train_would_refuse(case: str, tmp_path: Path) -> None:
    names, kinds, splits, size, said = REFUSED[case]
    folder = own_pictures(tmp_path / "own", names, kinds, splits, size)
    (sentence,) = training_obstacles(summarise(folder))
    assert said in sentence
    result = dcign("inspect", folder)
    assert result.exit_code == 0
    assert f"`dcign train` would refuse it: {sentence}" in result.output
    assert json.loads(dcign("inspect", folder, "--json").stdout)["refused_by_train"] == [sentence]


@pytest.mark.parametrize("case", [case for case in REFUSED if case not in ("too small", "no sweep", "no train")])
def test_train_refuses_it_indeed(case: str, tmp_path: Path) -> None:
    names, kinds, splits, size, _ = REFUSED[case]
    folder = own_pictures(tmp_path / "own", names, kinds, splits, size)
    configuration = TrainConfiguration.from_options(folder, tmp_path / "run", recipe="vae", steps=1)
    with pytest.raises(TrainingError, match=r"expected batches in which .* varies"):
        training.train(configuration)


def test_nothing_is_said_of_a_rendered_data_set(small_faces: Path, tmp_path: Path) -> None:
    assert training_obstacles(summarise(small_faces)) == []
    assert "refuse" not in dcign("inspect", small_faces).output
    shutil.copy(small_faces / "iid" / "shard-00000.h5", tmp_path / "shard.h5")
    assert "refused_by_train" not in json.loads(dcign("inspect", tmp_path / "shard.h5", "--json").stdout)


def test_inspect_imports_no_torch(small_faces: Path) -> None:
    assert "torch" not in imported_by("inspect", small_faces)
