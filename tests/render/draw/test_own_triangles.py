"""Faces that bring their own triangles: pictures of each are those of a mesh that is it alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dcign.errors import RenderError
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces, Pictures
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, HeadFrame
from tests.support.heads import one_pose, posed
from tests.support.rasteriser import rasterise

HEAD = HeadFrame((0.0, 0.0, 0.0), 100.0)
SIZE = 64
POSES = np.array([[0, 0, 0], [40, 20, -60], [-86, -23, 80]], np.float32)


def solids() -> list[Mesh]:
    """A ball, a beam and a ring, of unlike numbers of vertices and triangles."""
    beam = trimesh.creation.box((150, 40, 30)).subdivide().subdivide()
    shapes = [trimesh.creation.icosphere(3, 70), beam, trimesh.creation.torus(70, 20)]
    return [
        Mesh(s.faces.astype(np.int32), s.vertices.astype(np.float32), np.zeros(len(s.vertices), np.uint8), ("skin",))
        for s in shapes
    ]


def face(mesh: Mesh) -> Faces:
    rest = mesh.rest[None]
    return Faces(rest, VertexNormals(mesh.triangles, mesh.vertices)(rest), np.full_like(rest, 0.5))


def together(meshes: list[Mesh]) -> tuple[Mesh, Faces]:
    """What all have in common, which is room enough, and each padded to it."""
    vertices, triangles = max(mesh.vertices for mesh in meshes), max(len(mesh.triangles) for mesh in meshes)
    rest = np.zeros((vertices, 3), np.float32)
    room = Mesh(np.zeros((triangles + 7, 3), np.int32), rest, np.zeros(vertices, np.uint8), ("skin",), None, True)
    alone = [face(mesh) for mesh in meshes]

    def padded(values: np.ndarray, rows: int) -> np.ndarray:
        return np.concatenate([values, np.zeros((rows - len(values), 3), values.dtype)])

    return room, Faces(
        np.stack([padded(each.positions[0], vertices) for each in alone]),
        np.stack([padded(each.normals[0], vertices) for each in alone]),
        np.stack([padded(each.albedos[0], vertices) for each in alone]),
        triangles=np.stack([padded(mesh.triangles, triangles) for mesh in meshes]),
    )


def only(faces: Faces, number: int) -> Faces:
    assert faces.triangles is not None
    one = slice(number, number + 1)
    return Faces(faces.positions[one], faces.normals[one], faces.albedos[one], triangles=faces.triangles[one])


def draw(mesh: Mesh, faces: Faces, *, size: int = SIZE) -> Pictures:
    with AtlasRenderer(size=size, channels=1, mesh=mesh, head=HEAD, scene=DEFAULT_SCENE) as renderer:
        return renderer.draw(faces, posed(POSES))


def test_a_batch_of_unlike_meshes_is_drawn_as_each_alone_is() -> None:
    meshes = solids()
    room, faces = together(meshes)
    drawn = draw(room, faces)
    for number in range(len(meshes)):
        own = draw(room, only(faces, number))
        np.testing.assert_array_equal(drawn.images[number], own.images[number])
        np.testing.assert_array_equal(drawn.mask[number], own.mask[number])
    assert len({picture.tobytes() for picture in drawn.mask}) == len(meshes)


@pytest.mark.parametrize("size", [64, 300])  # with coarse shadows and with fine ones
def test_its_pictures_are_the_numpy_rasteriser_s(size: int) -> None:
    meshes = solids()
    room, faces = together(meshes)
    with AtlasRenderer(size=size, channels=1, mesh=room, head=HEAD, scene=DEFAULT_SCENE) as renderer:
        drawn = renderer.draw(faces, posed(POSES))
    number = 2
    alone, mesh = face(meshes[number]), replace(meshes[number], own_triangles=True)
    image, mask = rasterise(
        alone.positions[0], alone.normals[0], alone.albedos[0], mesh, size=size, channels=1,
        labels=one_pose(POSES[number]), head=HEAD, scene=DEFAULT_SCENE,
    )  # fmt: skip
    assert (drawn.mask[number] != mask).mean() < 0.002
    off = np.abs(drawn.images[number].astype(int) - image)[drawn.mask[number] == 255]
    assert (off > 2).mean() < 0.02


def test_triangles_are_brought_where_the_mesh_leaves_them_to_the_faces_and_only_there() -> None:
    meshes = solids()
    room, faces = together(meshes)
    with pytest.raises(RenderError, match="expected faces with triangles and a mesh with own_triangles together"):
        draw(room, face(meshes[0]))
    with pytest.raises(RenderError, match="expected faces with triangles and a mesh with own_triangles together"):
        draw(replace(room, own_triangles=False), only(faces, 0))
