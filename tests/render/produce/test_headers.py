"""Every attribute that a shard stores is compared with what its configuration and its model imply."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from dcign.data.schema import configuration_sha256
from dcign.data.shard.reader import Shard
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.objects import read_subject
from dcign.render.produce.batch_renderer import subject_truth_names
from dcign.render.produce.headers import header_check
from tests.support.commands import dcign
from tests.support.data_sets import list_again


def edited(name: str, change: Callable[..., object]) -> Callable[[h5py.File], None]:
    """A change of a JSON attribute."""

    def edit(file: h5py.File) -> None:
        value = json.loads(file.attrs[name])
        change(value)
        file.attrs[name] = np.bytes_(json.dumps(value))

    return edit


def column(name: str, values: object) -> Callable[[h5py.File], None]:
    return lambda file: file["factors"].attrs.__setitem__(name, values)


def renamed(layer: str, change: Callable[..., object]) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        names = file[f"truth/{layer}"].attrs
        names["names"] = change(names["names"])

    return edit


def add_truth(file: h5py.File, folder: Path) -> None:
    """Give a shard parts and landmarks with the names that its model has."""
    about = json.loads(file.attrs["configuration"]) | {"truth": ["parts", "landmarks"]}
    file.attrs["configuration"] = np.bytes_(json.dumps(about))
    file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256(about).encode())
    names = subject_truth_names(read_subject(folder / "model.npz"), RenderConfiguration.from_dict(about))
    batches, *rest = file["images"].shape[:4]
    shape = (batches, *rest)
    file.create_dataset("truth/parts", shape, "u1", chunks=(1, *rest), compression="gzip", data=np.zeros(shape))
    file["truth/landmarks"] = np.ones((batches, 20, len(names["landmarks"]), 4), np.float32)
    for layer, held in names.items():
        file[f"truth/{layer}"].attrs["names"] = [name.encode() for name in held]


CHANGES: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "distance": (edited("camera", lambda camera: camera.update(distance=camera["distance"] - 100)), "has camera"),
    "field of view": (edited("camera", lambda camera: camera.update(field_of_view_degrees=21.0)), "has camera"),
    "centre": (edited("camera", lambda camera: camera.update(centre=[0, 0, 5])), "has camera"),
    "radius": (edited("camera", lambda camera: camera.update(radius=99.5)), "has camera"),
    "fill": (edited("camera", lambda camera: camera.pop("fill")), "has camera"),
    "range": (edited("ranges", lambda ranges: ranges.update(azimuth=[-90, 90])), "has ranges {'azimuth': (-90"),
    "no range": (edited("ranges", lambda ranges: ranges.pop("elevation")), "has ranges {}"),
    "units": (column("units", [b"degree", b"radian", b"degree"]), "has units"),
    "mirror_sign": (column("mirror_sign", np.array([-1, -1, -1], np.int8)), "has mirror_sign [-1, -1, -1]"),
    "names": (column("names", [b"elevation", b"azimuth", b"light_azimuth"]), "has factors"),
    "seed": (lambda file: file.attrs.__setitem__("seed", np.int64(4)), "has seed 4"),
    "attributes": (
        lambda file: file["identity/attributes"].attrs.__setitem__(
            "names", np.roll(file["identity/attributes"].attrs["names"], 1)
        ),
        "has identity attributes",
    ),
    "number": (lambda file: file["batch"].__setitem__(slice(None), file["batch"][()] + 999), "has a batch 10"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_an_attribute_that_the_configuration_does_not_imply_is_found(
    small_faces: Path, tmp_path: Path, case: str
) -> None:
    change, said = CHANGES[case]
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    check = header_check(folder)
    with Shard(folder / "test" / "shard-00000.h5") as shard:
        assert list(check(shard)) == []
    with h5py.File(folder / "test" / "shard-00000.h5", "r+") as file:
        change(file)
    with Shard(folder / "test" / "shard-00000.h5") as shard:
        (found,) = check(shard)
    assert said in found.what
    assert "its configuration implies" in found.what


NAMES: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "landmarks": (renamed("landmarks", lambda names: names[::-1]), "has name of landmarks zygion_right; its"),
    "parts": (renamed("parts", lambda names: np.roll(names, 1)), "has name of parts iris; its"),
    "no landmarks": (
        lambda file: file["truth/landmarks"].attrs.__delitem__("names"),
        "has name of landmarks none; its",
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_of_parts_and_landmarks_that_the_model_does_not_have_are_found(
    small_faces: Path, tmp_path: Path, case: str
) -> None:
    change, said = NAMES[case]
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    shard = folder / "test" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        add_truth(file, folder)
    with Shard(shard) as opened:
        assert list(header_check(folder)(opened)) == []
    with h5py.File(shard, "r+") as file:
        change(file)
    with Shard(shard) as opened:
        (found,) = header_check(folder)(opened)
    assert said in found.what


@pytest.mark.usefixtures("drawn_here")
def test_quick_and_verify_find_a_camera_that_is_100_mm_off(small_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    shard = folder / "test" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        CHANGES["distance"][0](file)
    list_again(folder)
    for words in ((folder, "--quick"), (shard, "--quick"), (shard, "--verify", "--workers", 1)):
        result = dcign("inspect", *words)
        assert result.exit_code == 1
        assert "test/shard-00000.h5: has camera {'distance':" in result.output.replace("\n", "")


def test_without_its_model_a_shard_s_camera_is_compared_with_its_own_radius(small_faces: Path, tmp_path: Path) -> None:
    shutil.copy(small_faces / "test" / "shard-00000.h5", tmp_path / "shard.h5")
    with Shard(tmp_path / "shard.h5") as shard:
        assert list(header_check(tmp_path)(shard)) == []
    with h5py.File(tmp_path / "shard.h5", "r+") as file:
        CHANGES["distance"][0](file)
    with Shard(tmp_path / "shard.h5") as shard:
        assert "has camera {'distance'" in next(iter(header_check(tmp_path)(shard))).what


def test_somebody_s_own_configuration_implies_nothing(small_faces: Path, tmp_path: Path) -> None:
    shutil.copy(small_faces / "test" / "shard-00000.h5", tmp_path / "shard.h5")
    with h5py.File(tmp_path / "shard.h5", "r+") as file:
        file.attrs["configuration"] = np.bytes_(b'{"who": "me"}')
        file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256({"who": "me"}).encode())
    with Shard(tmp_path / "shard.h5") as shard:
        assert list(header_check(tmp_path)(shard)) == []


def test_labels_that_the_seed_does_not_imply_are_named_with_batch_and_image(small_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    shard = folder / "iid" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        labels = file["factors"][1]
        before = labels[7, 1].item()
        labels[7, 1] += 0.01
        file["factors"][1] = labels
    with Shard(shard) as opened:
        (found,) = header_check(folder)(opened)
    assert found.batch == 1
    assert found.what == f"has elevation {before + 0.01:.7g} in image 7; its seed implies {before:.7g}"


def test_a_shard_of_other_labels_throughout_is_one_finding(small_faces: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_faces, tmp_path / "faces"))
    shard = folder / "train" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        file["factors"][:] = np.roll(file["factors"][()], 1, axis=0)
    with Shard(shard) as opened:
        (found,) = header_check(folder)(opened)
    assert found.batch is None
    assert "of 8 batches have labels that its seed does not imply" in found.what
