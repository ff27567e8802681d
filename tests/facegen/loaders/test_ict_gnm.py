"""ICT-FaceKit's folder of meshes, and the GNM head."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.loaders.loading import load_model
from tests.support.heads import Head, check_same_head, covariance, head
from tests.support.model_files import write_ict

pytestmark = pytest.mark.usefixtures("own_cache")

ICT_VERTICES = 26_719


def quads(given: Head) -> list[tuple[int, ...]]:
    """Merge pairs of the head's triangles that share an edge into quads, as far as possible."""
    left, pairs = [tuple(int(corner) for corner in each) for each in given.triangles], []
    while left:
        a, b, c = left.pop()
        other = next((each for each in left if {b, a} <= set(each)), None)
        if other is None:
            pairs.append((a, b, c))
        else:
            left.remove(other)
            (fourth,) = set(other) - {a, b}
            pairs.append((c, a, fourth, b))
    return pairs


@pytest.mark.parametrize("inside", ["", "FaceXModel"])
def test_a_folder_comes_out_in_millimetres(tmp_path: Path, inside: str) -> None:
    given = head()
    write_ict(tmp_path / "ict" / inside, given)
    model = load_model(tmp_path / "ict")
    check_same_head(model, given)
    assert model.licence.startswith("MIT")


def test_quads_become_triangles(tmp_path: Path) -> None:
    given = head()
    faces = quads(given)
    assert sum(len(face) == 4 for face in faces) > 100
    check_same_head(load_model(write_ict(tmp_path / "ict", given, faces)), given)


def test_teeth_and_shells_are_left_out_and_eyes_are_eyes(tmp_path: Path) -> None:
    given = head()
    vertices = np.zeros((ICT_VERTICES, 3))
    vertices[: len(given.vertices)] = given.vertices
    parts = (0, 17_039, 21_451, 22_221, 23_021, 25_047)  # skin, teeth, left ball, its inner ball, right ball, a shell
    for first in parts[1:]:
        side = -1 if first == 23_021 else 1
        ball = given.vertices * (0.16, 0.107, 0.12) + (side * 32, 20, 88)
        vertices[first : first + 770] = ball.mean(0)  # the range of a part; its first vertices are used
        vertices[first : first + len(ball)] = ball - (0, 0, 1.4 * (first == 22_221))
    faces = [tuple(each + first) for first in parts for each in given.triangles]
    model = load_model(write_ict(tmp_path / "ict", given, faces, vertices))
    assert model.vertices == 3 * len(given.vertices)
    names = np.array(model.part_names)[model.parts]
    assert (names[: len(given.vertices)] == "skin").all()
    for eye in np.split(np.arange(len(given.vertices), model.vertices), 2):
        assert names[eye[np.argmax(model.mean[eye, 2])]] == "iris"  # what a camera in front sees
        assert names[eye[np.argmin(model.mean[eye, 2])]] == "sclera"


@pytest.mark.parametrize("name", ["generic_neutral_mesh.obj", "identity000.obj", "identity002.obj"])
def test_a_missing_mesh_is_named(tmp_path: Path, name: str) -> None:
    folder = write_ict(tmp_path / "ict", head())
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"expected .*, found no file {re.escape(name)} in"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("identity003.obj", r"expected .*, found .* in .*identity003\.obj"),
        ("generic_neutral_mesh.obj", r"expected three numbers per vertex, found other text in .*neutral_mesh\.obj"),
    ],
)
def test_a_truncated_mesh_is_named(tmp_path: Path, name: str, said: str) -> None:
    path = write_ict(tmp_path / "ict", head()) / name
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ModelError, match=said):
        load_model(tmp_path / "ict")


def test_a_mesh_of_another_length_is_named(tmp_path: Path) -> None:
    path = write_ict(tmp_path / "ict", head()) / "identity003.obj"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:101]))
    with pytest.raises(ModelError, match=r"expected 162 vertices .*, found 100 in .*identity003\.obj"):
        load_model(tmp_path / "ict")


def gnm(given: Head) -> dict[str, Any]:
    """Make the content of gnm_head.npz: metres, modes first; the head, teeth with modes of their own, and eyes."""
    count, ball = len(given.vertices), given.vertices * 0.1 + (32, 20, 80)
    vertices = np.concatenate([given.vertices, ball, ball, ball * 1.01])
    basis = np.zeros((given.modes.shape[2] + 2, len(vertices), 3))
    basis[:-2, :count] = np.moveaxis(given.modes, 2, 0) / 1000
    basis[-2:, count : 2 * count] = 0.01
    names = ["skin", "teeth", "scleras", "irises", "eye_exteriors"]
    groups = np.zeros((len(names), len(vertices)))
    for group, part in enumerate((0, 1, 2, 2, 3)):
        groups[group, part * count : (part + 1) * count] = 1
    groups[3] *= vertices[:, 2] > 86  # irises
    return {
        "version": "3.0",
        "template_vertex_positions": vertices / 1000 + (0, 1.6, 0),
        "vertex_identity_basis": basis,
        "triangles": np.concatenate([given.triangles + count * part for part in range(4)]),
        "vertex_groups": groups,
        "vertex_group_names": np.array(names),
    }


def test_gnm_comes_out_in_millimetres_without_teeth_and_cornea(tmp_path: Path) -> None:
    given = head()
    np.savez(tmp_path / "gnm_head.npz", **gnm(given))
    model = load_model(tmp_path / "gnm_head.npz")
    assert model.vertices == 2 * len(given.vertices)
    assert model.shape_modes == given.modes.shape[2]
    assert set(np.array(model.part_names)[model.parts]) == {"skin", "sclera", "iris"}
    assert "Apache" in model.licence
    skin = model.shape_basis[: len(given.vertices)]
    np.testing.assert_allclose(covariance(skin), covariance(given.modes), atol=0.01)
    moved = model.mean[: len(given.vertices)] - given.vertices
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=0.02)


@pytest.mark.parametrize("key", sorted(gnm(head()).keys() - {"version"}))
def test_a_missing_array_is_named(tmp_path: Path, key: str) -> None:
    np.savez(tmp_path / "gnm.npz", **{name: array for name, array in gnm(head()).items() if name != key})
    with pytest.raises(ModelError, match=f"expected {key}, which every GNM head"):
        load_model(tmp_path / "gnm.npz")


def test_a_missing_group_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "gnm.npz", **gnm(head()) | {"vertex_group_names": np.array(list("abcde"))})
    with pytest.raises(ModelError, match=r"expected a group skin in vertex_group_names .*, found a, b, c, d"):
        load_model(tmp_path / "gnm.npz")
