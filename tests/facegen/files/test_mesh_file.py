"""A person as a mesh file for other programs, and conversions of colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dcign.errors import ModelError
from dcign.facegen.colour import lab_to_linear, linear_to_srgb, srgb_to_linear
from dcign.facegen.files.mesh_file import export_face
from dcign.facegen.model.albedo import LinearAlbedo
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person

VERTICES = np.array([[0, 0, 0], [100, 0, 0], [0, 100, 0], [0, 0, 100]], np.float32)
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
ALBEDO = np.array([[0.8, 0.6, 0.5], [0.2, 0.1, 0.1], [0.5, 0.5, 0.5], [1, 1, 1]], np.float32)
NOTHING = np.zeros(0, np.float32)
SOMEBODY = Person(NOTHING, NOTHING, NOTHING)
TETRAHEDRON = MorphableModel(
    name="a tetrahedron",
    licence="none",
    mean=VERTICES,
    shape_basis=np.zeros((4, 3, 0), np.float32),
    albedo=LinearAlbedo(ALBEDO, np.zeros((4, 3, 0), np.float32)),
    triangles=TRIANGLES,
    mirror=np.arange(4, dtype=np.int32),
    parts=np.zeros(4, np.uint8),
    part_names=("skin",),
    landmarks={},
)


@pytest.mark.parametrize(("name", "unit"), [("face.glb", 0.001), ("face.obj", 1.0), ("FACE.PLY", 1.0)])
def test_what_is_written_is_read_back_in_the_formats_own_unit(tmp_path: Path, name: str, unit: float) -> None:
    path = tmp_path / name
    export_face(path, TETRAHEDRON, SOMEBODY)
    mesh = trimesh.load(path, force="mesh", process=False, file_type=path.suffix[1:].lower())
    np.testing.assert_allclose(mesh.vertices, VERTICES * unit, atol=1e-6)
    assert mesh.is_watertight
    assert mesh.volume > 0


def test_ply_keeps_srgb(tmp_path: Path) -> None:
    export_face(tmp_path / "face.ply", TETRAHEDRON, SOMEBODY)
    colours = trimesh.load(tmp_path / "face.ply", process=False).visual.vertex_colors
    np.testing.assert_allclose(colours[:, :3] / 255, ALBEDO, atol=0.51 / 255)


def test_glb_holds_normals_linear_colours_and_a_matt_material(tmp_path: Path) -> None:
    export_face(tmp_path / "face.glb", TETRAHEDRON, SOMEBODY)
    content = (tmp_path / "face.glb").read_bytes()
    length = int.from_bytes(content[12:16], "little")
    tree, binary = json.loads(content[20 : 20 + length]), content[28 + length :]
    primitive = tree["meshes"][0]["primitives"][0]
    assert "NORMAL" in primitive["attributes"]
    assert tree["materials"][primitive["material"]]["pbrMetallicRoughness"]["metallicFactor"] == 0
    view = tree["bufferViews"][tree["accessors"][primitive["attributes"]["COLOR_0"]]["bufferView"]]
    colours = np.frombuffer(binary, np.uint8, 16, view.get("byteOffset", 0)).reshape(4, 4)
    np.testing.assert_allclose(colours[:, :3] / 255, srgb_to_linear(ALBEDO), atol=0.51 / 255)


@pytest.mark.parametrize("name", ["face.stl", "face"])
def test_an_unknown_extension_is_refused_and_the_accepted_ones_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"expected one of \.glb, \.obj, \.ply"):
        export_face(tmp_path / name, TETRAHEDRON, SOMEBODY)
    assert not list(tmp_path.iterdir())


def test_srgb_and_linear_light_undo_each_other() -> None:
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6)


def test_cielab_white_and_mid_grey_are_what_they_should_be() -> None:
    np.testing.assert_allclose(lab_to_linear(np.array([100.0, 0, 0])), [1, 1, 1], atol=2e-3)
    np.testing.assert_allclose(lab_to_linear(np.array([50.0, 0, 0])), np.full(3, 0.1842), atol=1e-3)
