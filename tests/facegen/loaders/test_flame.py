"""FLAME, as .npz and as pickles of Python 2 and 3, whose code is never run."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from dcign.errors import ModelError
from dcign.facegen.loaders.loading import load_model
from tests.support.heads import Head, check_same_head, head
from tests.support.model_files import flame, python2

pytestmark = pytest.mark.usefixtures("own_cache")


def eyed(given: Head) -> dict[str, Any]:
    """Make the same with two eyeballs, each with a joint of its own."""
    model = flame(given)
    balls = [given.vertices * (0.16, 0.107, 0.12) + (side * 32, 20, 86) for side in (1, -1)]
    count = len(given.vertices)
    model["v_template"] = np.concatenate([given.vertices, *balls]) / 1000
    model["shapedirs"] = np.tile(model["shapedirs"], (3, 1, 1))
    model["f"] = np.concatenate([given.triangles + count * part for part in range(3)])
    model["weights"] = np.eye(5)[np.repeat([1, 3, 4], count)]
    return model


def test_an_npz_comes_out_in_millimetres_with_identity_alone(tmp_path: Path) -> None:
    given = head()
    np.savez(tmp_path / "flame.npz", **flame(given))
    model = load_model(tmp_path / "flame.npz")
    check_same_head(model, given)  # its covariance has no expression in it
    assert model.shape_modes == given.modes.shape[2]  # modes that move nothing are left out
    assert "CC BY 4.0" in model.licence


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_python_3_comes_out_the_same(tmp_path: Path, protocol: int) -> None:
    given = head()
    path = tmp_path / "generic_model.pkl"
    others = {"J_regressor": scipy.sparse.csc_matrix(np.eye(3)), "bs_style": "lbs", "kintree_table": np.ones((2, 5))}
    path.write_bytes(pickle.dumps(flame(given) | others, protocol=protocol))
    check_same_head(load_model(path), given)


@pytest.mark.parametrize("wrapped", ["no", "chumpy", "older chumpy", "selection"])
def test_a_pickle_of_python_2_comes_out_the_same(tmp_path: Path, wrapped: str) -> None:
    given = head()
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(python2(flame(given), wrapped=wrapped))
    check_same_head(load_model(path), given)


def test_eyeballs_are_white_with_an_iris_ahead(tmp_path: Path) -> None:
    given = head(left_ear=False)
    np.savez(tmp_path / "flame.npz", **eyed(given))
    model = load_model(tmp_path / "flame.npz")
    parts = np.array(model.part_names)[model.parts]
    colours = model.albedos(np.zeros((1, model.albedo_modes), np.float32))[0]
    assert {"skin", "sclera", "iris"} == set(parts)
    assert colours[parts == "sclera"].min() > colours[parts == "skin"].max() > colours[parts == "iris"].max()
    assert model.mean[parts == "iris", 2].mean() > model.mean[parts == "sclera", 2].mean()


class Malice:
    """Pickles as a call of os.system."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_a_pickle_is_not_run(tmp_path: Path, protocol: int) -> None:
    trace, path = tmp_path / "trace", tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(flame(head()) | {"v_template": Malice(trace)}, protocol=protocol))
    with pytest.raises(ModelError, match=r"found posix\.system, which no face model needs"):
        load_model(path)
    assert not trace.exists()
    pickle.loads(pickle.dumps(Malice(trace)))
    assert trace.exists()  # the pickle is as bad as it looks


@pytest.mark.parametrize(
    "stream",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
        b"cscipy.sparsely\nrun\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93.",
        b"\x80\x04\x8c\x0afacegen.os\x8c\x06system\x93.",
    ],
)
def test_any_unknown_name_is_refused(tmp_path: Path, stream: bytes) -> None:
    (tmp_path / "flame.pkl").write_bytes(stream)
    with pytest.raises(ModelError, match="which no face model needs"):
        load_model(tmp_path / "flame.pkl")


@pytest.mark.parametrize(
    "stream",
    [
        b"cchumpy.ch\nCh\n}(S'__new__'\ncchumpy.ch\nCh\nub.",  # state for a class
        b"cchumpy.ch\nCh\nN}(S'__new__'\ncchumpy.ch\nCh\nu\x86b.",  # slots of a class
        b"cnumpy.core.multiarray\n_reconstruct\n}(S'x'\nI1\nub.",
    ],
)
def test_an_inert_class_cannot_be_altered(tmp_path: Path, stream: bytes) -> None:
    (tmp_path / "flame.pkl").write_bytes(stream)
    with pytest.raises(ModelError, match="which cannot be read"):
        load_model(tmp_path / "flame.pkl")
    given = head()
    (tmp_path / "good.pkl").write_bytes(python2(flame(given), wrapped="older chumpy"))
    check_same_head(load_model(tmp_path / "good.pkl"), given)


def test_an_array_cannot_claim_more_than_it_has(tmp_path: Path) -> None:
    stream = python2(flame(head()), wrapped="no")
    vertices = struct.pack("<i", 162)
    (tmp_path / "flame.pkl").write_bytes(stream.replace(b"J" + vertices, b"J" + struct.pack("<i", 2**31 - 1), 1))
    with pytest.raises(ModelError, match="which cannot be read"):
        load_model(tmp_path / "flame.pkl")


@pytest.mark.parametrize("key", ["v_template", "f", "shapedirs"])
@pytest.mark.parametrize("kind", ["npz", "pkl"])
def test_a_missing_key_is_named(tmp_path: Path, kind: str, key: str) -> None:
    arrays = {name: array for name, array in flame(head()).items() if name != key}
    path = tmp_path / f"flame.{kind}"
    if kind == "npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(pickle.dumps(arrays))
    with pytest.raises(ModelError, match=f"expected {key}, which every FLAME model has, in"):
        load_model(path)


@pytest.mark.parametrize("kind", ["npz", "pkl"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_reported_in_one_sentence(tmp_path: Path, kind: str, part: float) -> None:
    path = tmp_path / f"flame.{kind}"
    if kind == "npz":
        np.savez(path, **flame(head()))
    else:
        path.write_bytes(pickle.dumps(flame(head())))
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(ModelError, match=r"flame.*download") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ModelError, match=r"expected a pickled dictionary in .*, found a list"):
        load_model(tmp_path / "list.pkl")


def test_objects_in_an_npz_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "flame.npz", **flame(head()) | {"v_template": np.array([Malice(tmp_path / "trace")] * 3)})
    with pytest.raises(ModelError, match="which cannot be read"):
        load_model(tmp_path / "flame.npz")
    assert not (tmp_path / "trace").exists()


def test_a_texture_is_distinguished_from_the_model(tmp_path: Path) -> None:
    np.savez(tmp_path / "FLAME_texture.npz", mean=np.zeros((2, 2, 3)), tex_dir=np.zeros((2, 2, 3, 4)))
    with pytest.raises(ModelError, match="found FLAME's texture"):
        load_model(tmp_path / "FLAME_texture.npz")


def test_a_body_model_with_the_same_keys_is_refused(tmp_path: Path) -> None:
    body = flame(head())
    np.savez(tmp_path / "smpl.npz", **body | {"v_template": body["v_template"] * 8})
    with pytest.raises(ModelError, match=r"expected a head of .*, found one 1,840 mm high"):
        load_model(tmp_path / "smpl.npz")
