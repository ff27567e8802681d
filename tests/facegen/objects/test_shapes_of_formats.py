"""Each format's triangles are all there, wherever its file keeps them, or the file is refused by name."""

from __future__ import annotations

import base64
import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from dcign.errors import ModelError
from dcign.facegen.objects.formats.polygons import strips_cut, triangulated
from dcign.facegen.objects.reading import read_mesh
from dcign.facegen.objects.soup import welded
from tests.support.gltf import GltfFile
from tests.support.meshes import area_of, soup_in

SQUARE = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0)]
TRIANGLE = [(3, 0, 0), (5, 0, 0), (3, 2, 0)]
LETTER = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (1, 2, 0), (1, 1, 0), (0, 1, 0)]  # an L of area 3
HEADER = "ply\nformat ascii 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"


def rows(values: Any) -> str:
    return "".join(" ".join(map(str, row)) + "\n" for row in values)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def letter_as_obj(start: int) -> str:
    loop = [(start + step) % 6 + 1 for step in range(6)]
    return "".join(f"v {x} {y} {z}\n" for x, y, z in LETTER) + f"f {' '.join(map(str, loop))}\n"


@pytest.mark.parametrize("start", range(6))
def test_a_concave_polygon_keeps_its_area_whichever_corner_comes_first(start: int, tmp_path: Path) -> None:
    loop = [(start + step) % 6 for step in range(6)]
    files = [
        written(tmp_path / "a.obj", letter_as_obj(start)),
        written(tmp_path / "a.off", f"OFF\n6 1 0\n{rows(LETTER)}6 {' '.join(map(str, loop))}\n"),
        written(
            tmp_path / "a.ply",
            HEADER.format(6) + "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
            + rows(LETTER) + f"6 {' '.join(map(str, loop))}\n",
        ),
    ]  # fmt: skip
    assert [area_of(file) for file in files] == [pytest.approx(3)] * 3


@pytest.mark.parametrize("turn", [(0, 0, 0), (1.1, 0, 0), (0, np.pi / 2, 0.3), (2.0, 0.7, 3.0)])
@pytest.mark.parametrize("corners", [4, 5, 9, 40])
def test_polygons_of_any_shape_in_any_plane_keep_area_and_side(corners: int, turn: tuple[float, ...]) -> None:
    rng = np.random.default_rng(corners)
    angles = np.sort(rng.uniform(0, 2 * np.pi, (50, corners)), axis=1)
    lengths = rng.uniform(0.2, 1, (50, corners))  # star-shaped: concave, and simple
    flat = np.stack([lengths * np.cos(angles), lengths * np.sin(angles), np.zeros_like(angles)], axis=2)
    flat = flat[(np.diff(angles, append=angles[:, :1] + 2 * np.pi, axis=1) < np.pi).all(axis=1)]
    x, y = flat[..., 0], flat[..., 1]
    wanted = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum() / 2
    matrix = trimesh.transformations.euler_matrix(*turn)[:3, :3]
    points = flat.reshape(-1, 3) @ matrix.T
    counts = np.full(len(flat), corners)
    triangles, owner, crossing = triangulated(points, counts, np.arange(len(points)))
    assert (np.bincount(owner) == corners - 2).all()
    assert crossing == ()
    found = points[triangles]
    areas = np.cross(found[:, 1] - found[:, 0], found[:, 2] - found[:, 0]) / 2 @ matrix[:, 2]
    assert areas.sum() == pytest.approx(wanted)
    assert areas.min() > -1e-12  # none is turned over


CROSSING = {
    "bow-tie": [(0, 0), (1, 1), (1, 0), (0, 1)],
    "uneven bow-tie": [(0, 0), (2, 2), (2, 0), (0, 1)],
    "star": [(np.cos(angle), np.sin(angle)) for angle in 4 * np.pi / 5 * np.arange(5)],
    "loop": [(0, 0), (4, 0), (4, 4), (2, 4), (2, -1), (1, -1), (1, 4), (0, 4)],
}


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (1.0, 2.0, 0.5)])
@pytest.mark.parametrize("case", CROSSING)
def test_polygons_that_cross_themselves_are_counted(case: str, turn: tuple[float, ...]) -> None:
    flat = np.array([(x, y, 0.0) for x, y in CROSSING[case]])
    square = np.array([(0, 0, 0), (0, 1, 0), (1, 1, 0), (0.9, 0.5, 0)])  # concave
    points = np.concatenate([flat, square, flat + 5]) @ trimesh.transformations.euler_matrix(*turn)[:3, :3].T
    counts = np.array([len(flat), 4, len(flat)])
    assert triangulated(points, counts, np.arange(len(points)))[2] == ("2 polygons",)
    assert triangulated(points, counts[:2], np.arange(len(flat) + 4))[2] == ("1 polygon",)


def test_a_polygon_whose_corners_lie_on_a_line_does_not_cross_itself() -> None:
    points = np.array([(0, 0, 0), (2, 0, 0), (1, 0, 0), (3, 0, 0)], np.float64)
    assert triangulated(points, np.array([4]), np.arange(4))[2] == ()


def test_a_strip_alternates_and_a_negative_number_restarts_it() -> None:
    strip = strips_cut(np.array([0, 1, 2, 3, -1, 4, 5, 6, -1, 7, 8]))
    assert strip.tolist() == [[0, 1, 2], [2, 1, 3], [4, 5, 6]]


def test_ply_strips_and_faces_of_different_lengths_are_read_from_text_and_binary(tmp_path: Path) -> None:
    strips = HEADER.format(4) + "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    assert area_of(written(tmp_path / "strip.ply", strips + "0 0 0\n2 0 0\n0 2 0\n2 2 0\n4 0 1 2 3\n")) == 4
    for order, name in (("<", "little"), (">", "big")):
        header = HEADER.format(6).replace("ascii", f"binary_{name}_endian")
        header += "element face 2\nproperty uchar kind\nproperty list uchar int vertex_index\nend_header\n"
        body = np.array(LETTER, order + "f4").tobytes()
        body += struct.pack(order + "BB6i", 7, 6, *range(6)) + struct.pack(order + "BB3i", 7, 3, 0, 1, 2)
        assert area_of(written(tmp_path / f"{name}.ply", header.encode() + body)) == pytest.approx(5)
        with pytest.raises(ModelError, match="cut short in its element face, of which it announces 2"):
            read_mesh(written(tmp_path / f"{name}.ply", header.encode() + body[:-5]))


def test_a_ply_text_with_more_numbers_than_it_announces_is_refused(tmp_path: Path) -> None:
    faces = "element face 2\nproperty list uchar int vertex_indices\nproperty uchar red\nend_header\n"
    lists = "3 0 1 2 2 1 1\n" * 2  # a list of two where one number is announced
    with pytest.raises(ModelError, match=r"numbers more than its header announces|cut short"):
        read_mesh(written(tmp_path / "more.ply", HEADER.format(3) + faces + rows(TRIANGLE) + lists))


def test_off_files_with_comments_and_faces_of_several_lengths_are_read(tmp_path: Path) -> None:
    house = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (1, 3, 0), (0, 2, 0), (3, 3, 3)]
    text = f"OFF # a house\n6 2 0\n\n{rows(house)}# faces\n5 0 1 2 3 4 \n3 2 3 5\n"
    assert len(welded(soup_in(written(tmp_path / "house.off", text))).triangles) == 4
    for header in ("off\n", "OFF 6 2 0\n", "", "\ufeffOFF\n"):
        again = header + text.removeprefix("OFF # a house\n").removeprefix("6 2 0\n" if "6 2" in header else "")
        assert area_of(written(tmp_path / "again.off", again)) == area_of(tmp_path / "house.off")


def test_obj_indices_count_from_the_first_or_back_from_their_line(tmp_path: Path) -> None:
    lines = ["v 0 0 0", "v 2 0 0", "v 0 2 0", "f -3 -2 -1", "v 9 9 9", "\tv 9 0 9 ", "f 1// 2//\t\\", "3// # an end"]
    soup = soup_in(written(tmp_path / "back.obj", "\r\n".join(lines)))
    assert soup.triangles.tolist() == [[0, 1, 2], [0, 1, 2]]


def test_obj_files_in_utf_16_or_without_their_texture_coordinates_are_read(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 2 0 0\nv 0 2 0\nf 1/7 2/7 3/7\n"
    assert area_of(written(tmp_path / "lacking.obj", text)) == 2
    assert area_of(written(tmp_path / "wide.obj", text.encode("utf-16"))) == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "line 4 names vertex 0 of 3, which are counted from 1"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "line 4 names vertex 4 of 3"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf /1 /2 /3\n", "a face with a corner that names no vertex"),
        ("v 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "line 1 gives a vertex fewer than three coordinates"),
        ("v 0 0 o\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "'o' in place of a number"),
        ("v 0 0 0\nv 1e200 0 0\nv 0 1e200 0\nf 1 2 3\n", r"a coordinate of 1e\+200"),
        ("v 0 0 0\nv 1e999 0 0\nv 0 1 0\nf 1 2 3\n", "not all of its coordinates are finite numbers"),
        ("v 0 0 0\nsurf 0 1 0 1 1\n", r"line 2 describes a curved surface \(surf\)"),
    ],
)
def test_an_obj_that_cannot_be_right_is_refused_with_its_line(lines: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        read_mesh(written(tmp_path / "wrong.obj", lines))


def test_gltf_fans_and_strips_are_read_beside_triangles(tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(SQUARE, mode=6)
    assert area_of(file.write(tmp_path / "fan.gltf")) == 4
    file.primitive(TRIANGLE)
    file.primitive(np.array(SQUARE)[[0, 1, 3, 2]] + (0, 0, 9), mode=5)
    file.primitive([(0, 0, 0), (1, 1, 1)], mode=1)  # a line has no area
    assert area_of(file.write(tmp_path / "all.gltf")) == 10


def test_gltf_sparse_accessors_are_filled_in(tmp_path: Path) -> None:
    file = GltfFile()
    primitive = file.primitive(np.zeros((3, 3)))
    places, values = file.view(np.uint16([0, 1, 2])), file.view(np.float32(TRIANGLE))
    sparse = {"count": 3, "indices": {"bufferView": places, "componentType": 5123}, "values": {"bufferView": values}}
    accessor = file.tree["accessors"][primitive["attributes"]["POSITION"]]
    accessor["sparse"] = sparse
    assert area_of(file.write(tmp_path / "based.gltf")) == 2
    del accessor["bufferView"]  # all zeros
    assert area_of(file.write(tmp_path / "sparse.gltf")) == 2


def test_gltf_nodes_place_copies_by_matrix_by_parts_and_by_instancing(tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE)
    half = {"rotation": [0, 0, np.sqrt(0.5), np.sqrt(0.5)], "scale": [2, 1, 1], "mesh": 0}  # x becomes y
    attributes = {"TRANSLATION": file.array(np.float32([(0, 0, 0), (0, 5, 0)]))}
    copied = {"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes}}}
    matrix = np.diag([1.0, 3, 1, 1])
    matrix[0, 3] = 100
    file.tree |= {
        "nodes": [{"children": [1, 2]}, half, copied, {"mesh": 0}],
        "extensionsRequired": ["EXT_mesh_gpu_instancing"],
    }
    file.tree["nodes"][0]["matrix"] = matrix.T.ravel().tolist()
    soup = soup_in(file.write(tmp_path / "placed.gltf"))
    assert len(soup.triangles) == 3  # the last node is in no scene
    found = np.unique(soup.points[soup.triangles].reshape(-1, 3).round(5), axis=0).tolist()
    first = [[100 - y, 3 * 2 * x, z] for x, y, z in TRIANGLE]
    rest = [[100 + x, 3 * (y + up), z] for x, y, z in TRIANGLE for up in (0, 5)]
    assert found == np.unique(np.array([*first, *rest], float), axis=0).tolist()


def test_gltf_morph_targets_and_skins_are_at_rest(tmp_path: Path) -> None:
    file = GltfFile()
    primitive = file.primitive(TRIANGLE)
    primitive["targets"] = [{"POSITION": file.array(np.float32([(0, 0, 0), (2, 0, 0), (0, 0, 0)]))}]
    file.tree["meshes"][0]["weights"] = [0.5]
    assert area_of(file.write(tmp_path / "morphed.gltf")) == 3
    primitive["attributes"] |= {
        "JOINTS_0": file.array(np.uint8([(0, 1, 0, 0)] * 3)),
        "WEIGHTS_0": file.array(np.float32([(0.5, 0.5, 0, 0)] * 3)),
    }
    file.tree["skins"] = [{"joints": [1, 2]}]
    file.tree["nodes"] = [{"mesh": 0, "skin": 0, "scale": [9, 9, 9]}, {"scale": [4, 1, 1]}, {"scale": [2, 1, 1]}]
    file.tree["scenes"] = [{"nodes": [0, 1, 2]}]
    assert area_of(file.write(tmp_path / "skinned.gltf")) == pytest.approx(9)  # x three times as long


def test_what_gltf_requires_and_is_not_read_is_named(tmp_path: Path) -> None:
    file = GltfFile()
    primitive = file.primitive(SQUARE, mode=6)
    file.primitive(TRIANGLE)
    file.tree["extensionsRequired"] = ["ACME_subdivision"]
    with pytest.raises(ModelError, match="it requires ACME_subdivision, which is not read"):
        read_mesh(file.write(tmp_path / "required.gltf"))
    file.tree["extensionsRequired"] = ["KHR_materials_clearcoat", "KHR_mesh_quantization"]
    assert area_of(file.write(tmp_path / "harmless.gltf")) == 6
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    assert area_of(file.write(tmp_path / "fallback.gltf")) == 6
    del file.tree["accessors"][0]["bufferView"]
    with pytest.raises(ModelError, match="it is compressed with KHR_draco_mesh_compression, which is not read"):
        read_mesh(file.write(tmp_path / "draco.gltf"))


def broken(change: Any) -> GltfFile:
    file = GltfFile()
    file.primitive(SQUARE, indices=file.array(np.uint16([0, 1, 2])))
    change(file.tree)
    return file


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree["accessors"][0].update(count=9, byteOffset=2), "accessor 0 reaches beyond the end"),
        (lambda tree: tree["nodes"][0].update(mesh=4), "it names mesh 4, and it has 1, counted from 0"),
        (lambda tree: tree["nodes"][0].update(mesh="x"), r"does not fit glTF at nodes\[0\].mesh"),
        (lambda tree: tree["nodes"][0].update(children=[0]), "node 0 is in its scene twice"),
        (lambda tree: tree["asset"].update(version="1.0"), "it is glTF 1.0, and only 2.0 is read"),
        (lambda tree: tree["meshes"][0]["primitives"][0].update(mode=7), "a primitive of mode 7"),
        (lambda tree: tree["accessors"][1].update(type="VEC2"), "accessor 1 has entries of VEC2"),
        (lambda tree: tree.update(bufferViews=[]), "it names buffer view ., and it has 0"),
    ],
)
def test_a_gltf_that_contradicts_itself_is_refused_with_the_place(change: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        read_mesh(broken(change).write(tmp_path / "wrong.gltf"))


def test_a_gltf_index_beyond_its_vertices_is_named(tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(SQUARE, indices=file.array(np.uint16([0, 1, 9])))
    with pytest.raises(ModelError, match=r"accessor 0 names vertex 9 \(from 0\) of 4"):
        read_mesh(file.write(tmp_path / "out.gltf"))


def test_glb_and_gltf_are_told_apart_by_their_content(tmp_path: Path) -> None:
    trimesh.creation.box().export(tmp_path / "box.glb")
    (tmp_path / "box.glb").rename(tmp_path / "box.gltf")
    assert area_of(tmp_path / "box.gltf") == pytest.approx(6)
    content = (tmp_path / "box.gltf").read_bytes()
    for length in (3, 15, 100, len(content) - 4):
        with pytest.raises(ModelError, match=r"cut short|JSON|bytes"):
            read_mesh(written(tmp_path / "cut.glb", content[:length]))


@pytest.mark.parametrize("kind", ["obj", "off", "ply", "stl", "gltf", "glb"])
def test_what_a_failed_download_leaves_is_named(kind: str, tmp_path: Path) -> None:
    contents = {
        "a web page": b"\n<!DOCTYPE html><html><body>Please log in</body></html>",
        "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345678\n",
        "an empty file": b"",
        "a file of zeros": bytes(4096),
    }
    for said, content in contents.items():
        with pytest.raises(ModelError, match=f"it is {said}"):
            read_mesh(written(tmp_path / f"download.{kind}", content))


@pytest.mark.parametrize("kind", ["obj", "off", "ply", "stl", "gltf", "glb"])
def test_bytes_without_meaning_are_refused_in_one_clause(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    trimesh.creation.icosphere(1).export(tmp_path / f"ball.{kind}".replace("gltf", "glb"))
    whole = (tmp_path / f"ball.{kind}".replace("gltf", "glb")).read_bytes()
    refused: list[str] = []
    for trial in range(120):
        content = bytearray(whole if trial % 4 else rng.bytes(500))
        for _ in range(trial % 7):
            place = int(rng.integers(len(content)))
            content[place : place + int(rng.integers(9))] = rng.bytes(int(rng.integers(9)))
        path = written(tmp_path / f"{trial}.{kind}", bytes(content))
        try:
            welded(soup_in(path))
        except ModelError as error:
            refused.append(str(error))
    assert all(said.isprintable() and "Error" not in said for said in refused)
    assert len(refused) > 20


def test_a_data_uri_without_base64_is_understood(tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE)
    path = file.write(tmp_path / "percent.gltf")
    text = path.read_text()
    encoded = base64.b64encode(file.content).decode()
    percent = "".join(f"%{byte:02x}" for byte in file.content)
    path.write_text(text.replace(f";base64,{encoded}", f",{percent}"))
    assert area_of(path) == 2


@pytest.mark.parametrize("kind", ["obj", "off", "ply", "stl", "gltf", "glb"])
@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("a gzip archive", gzip.compress(b"v 0 0 0\n", mtime=0)),
        ("a zip archive", b"PK\3\4" + bytes(range(200))),
        ("a tar archive", bytes(257) + b"ustar\0" + bytes(range(200))),
        ("a PNG picture", b"\x89PNG\r\n\x1a\n" + bytes(range(200))),
        ("a JPEG picture", b"\xff\xd8\xff\xe0" + bytes(range(200))),
        ("an FBX file", b"Kaydara FBX Binary  \0" + bytes(range(200))),
        ("a server's error message", b"404: Not Found"),
        ("a server's error message", b"404 Not Found\n"),
        ("a server's error message", b"Error 503: Service Unavailable"),
        ("a server's error message", b"Access Denied"),
        ("a server's error message", b'{"message":"Not Found","status":"404"}'),
        ("a server's error message", b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>"),
    ],
)
def test_files_of_other_formats_are_named_by_their_first_bytes(
    said: str, content: bytes, kind: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=f"^it is {said}"):
        read_mesh(written(tmp_path / f"other.{kind}", content))


def test_a_mesh_under_the_name_of_another_format_is_named(tmp_path: Path) -> None:
    for kind, said in (("glb", "a GLB file"), ("ply", "a PLY file")):
        trimesh.creation.box().export(tmp_path / f"box.{kind}")
        with pytest.raises(ModelError, match=f"it is {said}"):
            read_mesh(written(tmp_path / "box.obj", (tmp_path / f"box.{kind}").read_bytes()))


def test_numbers_that_begin_like_a_server_error_are_a_mesh(tmp_path: Path) -> None:
    points = rows([(float(number), 0, number % 2) for number in range(404)])
    assert area_of(written(tmp_path / "m.off", f"404 1 0\n{points}3 0 1 2\n")) == 1
