"""Meshes of any format become objects of one size with valid triangles and visible sides."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from dcign.errors import ModelError
from dcign.facegen.objects.collection import Solid, collection_bytes, is_collection, packed, read_collection
from dcign.facegen.objects.folder import REFUSED, mesh_folder, pack
from dcign.facegen.objects.formats.part import GRAY
from dcign.facegen.objects.reading import read_mesh, soup_of
from dcign.facegen.objects.soup import RADIUS, Soup, normalised, simplified, welded
from dcign.facegen.objects.subdivision import subdivided
from tests.support.chairs import chair, write_chairs


def silent(stage: str, fraction: float) -> None:
    """Ignore progress."""


def read_soup(path: Path, most: int) -> Soup:
    return soup_of(read_mesh(path), most)


def soup_from(mesh: trimesh.Trimesh) -> Soup:
    triangles = np.asarray(mesh.faces, np.int64)
    return Soup(np.asarray(mesh.vertices, np.float64), triangles, np.full((len(triangles), 3, 3), GRAY, np.uint8))


def solid_of(mesh: trimesh.Trimesh) -> Solid:
    return packed(normalised(welded(soup_from(mesh))))


def volume(solid: Solid) -> float:
    positions, _, _, triangles = solid.drawn()
    return float(np.linalg.det(positions[triangles].astype(np.float64)).sum() / 6)


@pytest.fixture(scope="module")
def chairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chairs(tmp_path_factory.mktemp("objects") / "chairs", 9)


@pytest.mark.parametrize("kind", ["obj", "ply", "glb", "stl", "off"])
def test_an_object_is_the_same_whatever_its_file(kind: str, tmp_path: Path) -> None:
    mesh = chair(3)
    mesh.export(tmp_path / f"chair.{kind}")
    read = normalised(welded(read_soup(tmp_path / f"chair.{kind}", 5000)))
    wanted = normalised(welded(soup_from(mesh)))
    assert len(read.points) == len(wanted.points)
    assert len(read.triangles) == len(wanted.triangles)
    distances = np.linalg.norm(read.points[:, None] - wanted.points[None], axis=-1)
    assert distances.min(axis=1).max() < 0.01


def test_an_object_fills_its_sphere_wherever_and_however_large_it_was() -> None:
    mesh = chair(0)
    first = normalised(welded(soup_from(mesh)))
    mesh.apply_transform(trimesh.transformations.scale_and_translate(1e-3, (5.0, -7.0, 11.0)))
    second = normalised(welded(soup_from(mesh)))
    radii = np.linalg.norm(first.points, axis=1)
    assert radii.max() == pytest.approx(RADIUS, rel=1e-6)
    assert (radii > 0.99 * RADIUS).sum() >= 3  # it touches all around
    np.testing.assert_allclose(second.points, first.points, atol=0.01)


def test_points_that_differ_by_rounding_are_merged() -> None:
    ball = trimesh.creation.icosphere(3)
    apart = ball.vertices[ball.faces].reshape(-1, 3)  # a point a corner, each off by a float32's rounding
    for shift in np.linspace(0, 1e-5, 7):
        moved = (apart + shift + np.random.default_rng(0).uniform(-3e-7, 3e-7, apart.shape)).astype(np.float32)
        solid = solid_of(trimesh.Trimesh(moved, np.arange(len(moved)).reshape(-1, 3), process=False))
        assert solid.open_triangle == len(solid.triangles) == len(ball.faces)


def test_a_flat_sheet_and_a_single_triangle_have_a_sphere_too() -> None:
    square = trimesh.Trimesh([(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0)], [(0, 1, 2), (0, 2, 3)], process=False)
    assert np.linalg.norm(normalised(soup_from(square)).points, axis=1) == pytest.approx(RADIUS, rel=1e-3)
    square.update_faces([True, False])
    assert np.linalg.norm(normalised(welded(soup_from(square))).points, axis=1).max() == pytest.approx(RADIUS, rel=1e-3)


def test_a_solid_faces_outward_however_its_triangles_were_wound() -> None:
    ball = trimesh.creation.icosphere(2)
    wanted = volume(solid_of(ball))
    assert wanted == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)
    rng = np.random.default_rng(0)
    wound = np.where(rng.random(len(ball.faces))[:, None] < 0.5, ball.faces, ball.faces[:, ::-1])
    for faces in (ball.faces[:, ::-1], wound):
        solid = solid_of(trimesh.Trimesh(ball.vertices, faces, process=False))
        assert solid.open_triangle == len(solid.triangles)
        assert volume(solid) == pytest.approx(wanted)
        positions, normals, _, _ = solid.drawn()
        assert (positions * normals).sum(axis=1).min() > 0.99 * RADIUS * 0.99


def test_an_open_surface_has_two_visible_sides_and_a_solid_has_one() -> None:
    ball, sheet = trimesh.creation.icosphere(2), trimesh.creation.box((1, 1, 1))
    sheet.update_faces(np.arange(12) < 10)  # a box without one of its sides
    sheet.apply_translation((4, 0, 0))
    solid = solid_of(trimesh.util.concatenate([ball, sheet]))
    assert (len(solid.triangles), solid.open_triangle) == (330, 320)
    positions, normals, _, triangles = solid.drawn()
    assert len(triangles) == 340
    corners = positions[triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agreeing = (normals[triangles] * facing[:, None]).sum(axis=-1) / np.linalg.norm(facing, axis=1)[:, None]
    assert agreeing.min() > 0.9  # a back's normals are its front's turned round
    np.testing.assert_allclose(facing[320:330].sum(axis=0), -facing[330:].sum(axis=0), rtol=1e-4, atol=1e-2)


def test_an_edge_is_sharp_from_forty_degrees_on() -> None:
    box = solid_of(trimesh.creation.box())
    assert len(box.positions) == 24  # three normals a corner
    assert sorted(set(np.abs(box.drawn()[1]).round(4).ravel().tolist())) == [0, 1]
    ball = solid_of(trimesh.creation.icosphere(2))
    assert len(ball.positions) == 162
    prism = solid_of(trimesh.creation.cylinder(1, 2, sections=32))  # smooth around, sharp at its rims
    assert len(prism.positions) == 2 * 32 + 2 * 33


def test_colours_come_from_vertices_faces_materials_and_textures(tmp_path: Path) -> None:
    red, gray = np.array([200, 30, 10]), np.array([GRAY] * 3)
    box = trimesh.creation.box()
    box.export(tmp_path / "plain.ply")
    box.visual.vertex_colors = [*red, 255]
    box.export(tmp_path / "vertices.ply")
    box.export(tmp_path / "vertices.obj")
    box.visual = trimesh.visual.ColorVisuals(box, face_colors=np.tile([*red, 255], (12, 1)))
    box.export(tmp_path / "faces.ply")
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=[255, 0, 55, 255])
    box.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    box.export(tmp_path / "material.glb")
    for name, wanted in (("plain.ply", gray), ("vertices.ply", red), ("vertices.obj", red), ("faces.ply", red)):
        assert (read_soup(tmp_path / name, 100).colours == wanted).all(), name
    found = read_soup(tmp_path / "material.glb", 100).colours
    assert (found == found[0, 0]).all()
    assert found[0, 0, 0] == 255
    assert found[0, 0, 1] == 0
    assert abs(int(found[0, 0, 2]) - 128) <= 2  # .21 of linear light


@pytest.mark.parametrize("kind", ["obj", "ply", "glb"])
def test_points_that_coincide_keep_their_own_colours(kind: str, tmp_path: Path) -> None:
    legs, seat = trimesh.creation.box((1.0, 1.0, 1.0)), trimesh.creation.box((1.0, 1.0, 1.0))
    seat.apply_translation((0.0, 1.0, 0.0))  # a face, and four points, in common
    legs.visual.vertex_colors, seat.visual.vertex_colors = (0, 0, 0, 255), (255, 255, 255, 255)
    trimesh.util.concatenate([legs, seat]).export(tmp_path / f"two.{kind}")
    colours = read_soup(tmp_path / f"two.{kind}", 5000).colours
    assert (colours == colours[:, :1]).all()  # no triangle fades from one to the other


def test_all_parts_of_a_scene_are_read_at_their_positions(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    box = trimesh.creation.box()
    for x in (0, 3):
        scene.add_geometry(box, geom_name="box", transform=trimesh.transformations.translation_matrix((x, 0, 0)))
    scene.add_geometry(trimesh.points.PointCloud([(9.0, 9.0, 9.0)]))
    scene.export(tmp_path / "two.glb")
    soup = welded(read_soup(tmp_path / "two.glb", 5000))
    assert (len(soup.points), len(soup.triangles)) == (16, 24)
    assert np.ptp(soup.points[:, 0]) == pytest.approx(4)


def test_polygons_become_triangles_and_a_missing_material_is_gray(tmp_path: Path) -> None:
    lines = [
        "mtllib lost.mtl",
        "usemtl wood",
        "v 0 0 0",
        "v 1 0 0",
        "v 1 1 0",
        "v 0 1 0",
        "v 0 0 1",
        "f 1 2 3 4",
        "f 1 2 5",
    ]
    (tmp_path / "table.obj").write_text("\n".join(lines) + "\n")
    soup = welded(read_soup(tmp_path / "table.obj", 5000))
    assert len(soup.triangles) == 3
    assert (soup.colours == GRAY).all()


@pytest.mark.parametrize("kind", ["glb", "obj"])
def test_a_texture_shows_between_distant_vertices(kind: str, tmp_path: Path) -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, 32:] = (250, 120, 0)
    square = trimesh.Trimesh([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [(0, 1, 2), (0, 2, 3)], process=False)
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(halves))
    square.visual = trimesh.visual.TextureVisuals(uv=square.vertices[:, :2], material=material)
    square.export(tmp_path / f"square.{kind}")
    soup = read_soup(tmp_path / f"square.{kind}", 5000)
    assert 1000 < len(soup.triangles) <= 5000
    x = soup.points[soup.triangles][..., 0]
    assert (soup.colours[x < 0.45] == 0).all()
    assert (np.abs(soup.colours[x > 0.55].astype(int) - (250, 120, 0)) <= 3).all()


def test_subdivision_leaves_no_gaps_and_moves_nothing() -> None:
    mesh = chair(0)
    vertices, triangles = subdivided(mesh.vertices, np.asarray(mesh.faces, np.int64), 0.05, 10_000)
    finer = trimesh.Trimesh(vertices, triangles, process=False)
    assert finer.is_watertight
    assert finer.area == pytest.approx(mesh.area)
    assert finer.volume == pytest.approx(mesh.volume)
    assert finer.edges_unique_length.max() <= 0.05 * 1.0001
    assert len(subdivided(mesh.vertices, np.asarray(mesh.faces, np.int64), 1e-6, 500)[1]) <= 500


def test_edges_that_are_longer_by_rounding_are_not_cut_for_ever() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float64)
    _, triangles = subdivided(vertices, np.array([[0, 1, 2]]), np.sqrt(2) * (1 - 1e-12), 100)
    np.testing.assert_array_equal(triangles, [[0, 1, 2]])


def test_an_object_of_too_many_triangles_keeps_its_shape_and_colours() -> None:
    ring = trimesh.creation.torus(1.0, 0.3, major_sections=128, minor_sections=64)
    soup = normalised(soup_from(ring))
    colours = np.where(soup.points[soup.triangles][..., :1] > 0, (250, 0, 0), (0, 0, 250)).astype(np.uint8)
    coarse = simplified(Soup(soup.points, soup.triangles, colours), 2000)
    assert len(coarse.triangles) <= 2000
    corners = coarse.points[coarse.triangles]
    flat = np.hypot(corners[..., 0], corners[..., 1]) - RADIUS / 1.3
    assert np.abs(np.hypot(flat, corners[..., 2]) - RADIUS * 0.3 / 1.3).max() < 1.0  # mm
    away = np.abs(corners[..., 0]).min(axis=1) > 8
    red = corners[away, 0, 0] > 0
    assert (coarse.colours[away][:, 0, 0] == np.where(red, 250, 0)).all()


def test_a_collection_survives_its_file_bit_for_bit(chairs: Path, tmp_path: Path) -> None:
    collection = pack(mesh_folder(chairs, fewest=9), 5000, silent)
    content = collection_bytes(collection)
    (tmp_path / "model.npz").write_bytes(content)
    assert is_collection(tmp_path / "model.npz")
    assert collection_bytes(read_collection(tmp_path / "model.npz")) == content
    assert collection.names == tuple(sorted(file.name for file in chairs.iterdir()))
    assert collection.name == "9 meshes of chairs"


def test_the_hash_of_a_folder_depends_on_all_its_files(chairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chairs"
    shutil.copytree(chairs, folder)
    first = mesh_folder(folder, fewest=9).sha256
    assert mesh_folder(chairs, fewest=9).sha256 == first
    assert mesh_folder(folder, fewest=9, up="z").sha256 != first
    (folder / "texture.png").write_bytes(b"a texture")
    assert mesh_folder(folder, fewest=9).sha256 != first


def test_meshes_behind_a_link_to_a_folder_are_found_once(chairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "chairs").symlink_to(chairs)
    (folder / "circle").symlink_to(folder)
    found = mesh_folder(folder, fewest=9)
    assert [file.relative_to(folder).as_posix() for file in found.files] == [
        f"chairs/{file.name}" for file in mesh_folder(chairs, fewest=9).files
    ]
    assert not found.skipped


def test_z_may_point_up(tmp_path: Path) -> None:
    for name, axis in (("y", 1), ("z", 2)):
        mesh = chair(3)
        if name == "z":
            mesh.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
        assert mesh.extents.argmax() == axis
        (tmp_path / name).mkdir()
        mesh.export(tmp_path / name / "chair.ply")
    y, z = (pack(mesh_folder(tmp_path / up, fewest=1, up=up), 5000, silent).solids[0] for up in "yz")
    one, other = (solid.drawn()[0] for solid in (y, z))
    assert np.linalg.norm(one[:, None] - other[None], axis=-1).min(axis=1).max() < 0.05


def test_too_few_meshes_are_refused_with_the_number_needed(chairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected at least 40 meshes .*, found 9 meshes in"):
        mesh_folder(chairs, fewest=40)
    with pytest.raises(ModelError, match="expected a folder of meshes, found nothing at"):
        mesh_folder(tmp_path / "nowhere", fewest=40)
    with pytest.raises(ModelError, match="give --up y or z"):
        mesh_folder(chairs, fewest=9, up="x")


def test_all_bad_meshes_are_named_in_one_sentence(chairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chairs"
    shutil.copytree(chairs, folder)
    (folder / "a-cut.glb").write_bytes((chairs / "chair-02.glb").read_bytes()[:300])
    (folder / "b-points.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    (folder / "c-flat.obj").write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")
    (folder / "d-nan.obj").write_text("v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n")
    shutil.copy(folder / "chair-00.obj", folder / "e-twin.obj")
    with pytest.raises(ModelError) as refused:
        pack(mesh_folder(folder, fewest=1), 5000, silent)
    text = str(refused.value)
    assert "\n" not in text
    assert "a-cut.glb (it is cut short)" in text
    assert "b-points.obj (it has no triangles)" in text
    assert "c-flat.obj (none of its triangles has an area)" in text
    assert "d-nan.obj (not all of its coordinates are finite numbers)" in text
    assert "e-twin.obj (it is the same as chair-00.obj): repair or remove them." in text


def test_of_very_many_bad_meshes_the_last_are_counted(tmp_path: Path) -> None:
    for number in range(REFUSED + 2):
        (tmp_path / f"bad-{number:03}.obj").write_text(f"v {number} 0 0\n")
    with pytest.raises(ModelError, match=rf"bad-{REFUSED - 1:03}.obj \(it has no triangles\) and 2 more: "):
        pack(mesh_folder(tmp_path, fewest=1), 5000, silent)


def test_a_coordinate_that_is_not_finite_is_refused() -> None:
    soup = soup_from(trimesh.creation.box())
    soup.points[3, 1] = np.inf
    with pytest.raises(ModelError, match="not all of its coordinates are finite"):
        welded(soup)


def test_a_damaged_collection_file_is_reported_in_one_sentence(chairs: Path, tmp_path: Path) -> None:
    content = collection_bytes(pack(mesh_folder(chairs, fewest=9), 5000, silent))
    for number, damaged in enumerate((content[: len(content) // 2], content[:-3000] + bytes(3000), b"")):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"cannot be read|lacks"):
            read_collection(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("triangles", 10**6), ("open_vertex", -1), ("open_vertex", 10**6), ("open_triangle", -1), ("vertices", 5)],
)
def test_contradicting_arrays_are_reported_in_one_sentence(chairs: Path, tmp_path: Path, name: str, value: int) -> None:
    content = collection_bytes(pack(mesh_folder(chairs, fewest=9), 5000, silent))
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    arrays[name].flat[0] = value
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(ModelError, match="cannot be read as a file of meshes"):
        read_collection(tmp_path / "model.npz")
