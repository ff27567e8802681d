"""Colours are found by each format's rules, however a program spelt them; what is missing is said."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from dcign.errors import DcignWarning
from dcign.facegen.objects.collection import collection_bytes, read_collection
from dcign.facegen.objects.folder import mesh_folder, pack
from dcign.facegen.objects.formats.mtl import read_materials
from dcign.facegen.objects.formats.part import GRAY, Texture
from dcign.facegen.objects.reading import read_mesh
from tests.support.chairs import write_chairs
from tests.support.gltf import GltfFile
from tests.support.meshes import colours_in, soup_in

RED, BLUE, GREEN, PLAIN = (255, 0, 0), (0, 0, 255), (0, 255, 0), (GRAY,) * 3
LEFT = [(0, 0), (0.2, 0), (0.2, 0.2)]  # texture coordinates in the red half
RIGHT = [(0.6, 0), (0.7, 0), (0.7, 0.2)]  # and in the blue one
CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a mesh, beside one of pictures; half.png is red on the left and blue on the right."""
    half = np.zeros((8, 8, 3), np.uint8)
    half[:, :4], half[:, 4:] = RED, BLUE
    for name in ("models", "images", "models/tex"):
        (tmp_path / name).mkdir()
    Image.fromarray(half).save(tmp_path / "images" / "half.png")
    return tmp_path / "models"


def picture(path: Path, colour: tuple[int, int, int] = GREEN, mode: str = "RGB") -> None:
    Image.new("RGB", (4, 4), colour).convert(mode).save(path)


def obj(folder: Path, materials: dict[str, str], used: str = "a", mtllib: str | None = None) -> Path:
    """Write a triangle in the left of its texture, of material `used`. materials: the text of each MTL file."""
    for name, text in materials.items():
        (folder / name).write_text(text)
    libraries = f"mtllib {' '.join(materials)}\n" if mtllib is None else mtllib
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS) + "".join(f"vt {u} {v}\n" for u, v in LEFT)
    (folder / "m.obj").write_text(f"{libraries}{vertices}usemtl {used}\nf 1/1 2/2 3/3\n")
    return folder / "m.obj"


def vertices_with(colours: list[str]) -> str:
    return "".join(f"{x} {y} {z} {colour}\n" for (x, y, z), colour in zip(CORNERS, colours, strict=True))


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("kind", ["obj", "ply", "COFF", "faces of OFF", "glTF"])
def test_colours_that_are_not_finite_are_gray_and_said(tmp_path: Path, kind: str, word: str) -> None:
    lines = vertices_with(["0 1 0", f"0 {word} 0", "0 1 0"])
    if kind == "obj":
        path, text = tmp_path / "m.obj", "".join(f"v {line}\n" for line in lines.splitlines()) + "f 1 2 3\n"
    elif kind == "ply":
        properties = "".join(f"property float {name}\n" for name in ("x", "y", "z", "red", "green", "blue"))
        path = tmp_path / "m.ply"
        text = (
            f"ply\nformat ascii 1.0\nelement vertex 3\n{properties}element face 1\n"
            f"property list uchar int vertex_indices\nend_header\n{lines}3 0 1 2\n"
        )
    else:
        path = tmp_path / "m.off"
        text = f"COFF\n3 1 0\n{lines}3 0 1 2\n"
        if kind != "COFF":
            text = f"OFF\n3 1 0\n{vertices_with([''] * 3)}3 0 1 2 0 {word} 0\n"
    if kind == "glTF":
        file = GltfFile()
        colours = np.float32([(0, 1, 0), (0, float(word), 0), (0, 1, 0)])
        file.primitive(CORNERS)["attributes"]["COLOR_0"] = file.array(colours)
        path = file.write(tmp_path / "m.gltf")
    else:
        path.write_text(text)
    plain = (255,) * 3 if kind == "glTF" else PLAIN  # vertex colours of glTF multiply the surface's
    assert read_mesh(path).unread == ("colours that are not finite numbers",)
    assert set(colours_in(path)) == ({plain} if kind == "faces of OFF" else {GREEN, plain})


@pytest.mark.parametrize(
    "named",
    [
        "../images/half.png",
        "..\\images\\half.png",
        "half.png",
        "HALF.PNG",
        "C:\\Users\\me\\My Models\\half.png",
        "/home/me/half.png",
        "./../images//half.png",
        "..%2Fimages%2Fhalf.png",
        "-s 1 1 1 -o 0 0 0 -blendu on -bm 0.5 ../images/half.png",
        "-clamp on -mm 0 1 -imfchan l ../images/half.png",
        '"../images/half.png"',
    ],
)
def test_a_texture_is_found_however_its_name_is_written(named: str, folder: Path) -> None:
    path = obj(folder, {"m.mtl": f"newmtl a\nKd 0 0 0\nMAP_KD {named}\n"})
    assert colours_in(path) == [RED]
    assert read_mesh(path).missing == ()


def test_a_picture_with_a_space_a_bracket_or_another_unicode_form_is_found(folder: Path) -> None:
    for name, written in (("green tex (1).png", "green tex (1).png"), ("caf\u00e9.png", "cafe\u0301.png")):
        picture(folder / "tex" / name)
        assert colours_in(obj(folder, {"m.mtl": f"newmtl a\nmap_Kd tex\\{written}\n"})) == [GREEN]


def test_a_texture_is_looked_for_beside_the_file_of_materials_first(folder: Path) -> None:
    picture(folder / "half.png", BLUE)
    picture(folder / "tex" / "half.png")
    assert colours_in(obj(folder, {"tex/m.mtl": "newmtl a\nmap_Kd half.png\n"})) == [GREEN]


def test_a_texture_without_coordinates_is_said_and_shows_its_mean(folder: Path) -> None:
    path = obj(folder, {"m.mtl": "newmtl a\nmap_Kd half.png\n"})
    path.write_text(path.read_text().replace("1/1 2/2 3/3", "1 2 3"))
    assert (colours_in(path), read_mesh(path).missing) == ([(128, 0, 128)], ("texture coordinates",))


def test_options_of_a_texture_move_it(folder: Path) -> None:
    options = "-o .6 0 0 -s 1 1 1 ../images/half.png"
    assert colours_in(obj(folder, {"m.mtl": f"newmtl a\nmap_Kd {options}\n"})) == [BLUE]


def test_several_material_files_are_read(folder: Path) -> None:
    files = {"one.mtl": "newmtl b\nKd 0 1 0\n", "two file.mtl": "newmtl a\nKd 1 0 0\n"}
    for mtllib in ("mtllib one.mtl\nmtllib two file.mtl\n", "mtllib one.mtl\r\nmtllib Two File.mtl\r\n"):
        assert colours_in(obj(folder, files, mtllib=mtllib)) == [RED]
    assert colours_in(obj(folder, {"one.mtl": files["one.mtl"], "two.mtl": files["two file.mtl"]})) == [RED]
    assert colours_in(obj(folder, files, used="B", mtllib="mtllib one.mtl\n")) == [GREEN]


def test_a_material_keeps_its_colour_and_the_rest_of_the_file_its_own(folder: Path) -> None:
    path = obj(folder, {"m.mtl": "newmtl a\nKd 1 0 0\nnewmtl b\nKd 0 1 0 # grass\nmap_Bump x.png\n"})
    path.write_text(path.read_text() + "usemtl b\nf 1 2 3\nusemtl a\nf 3 2 1\n")
    assert [tuple(each[0]) for each in soup_in(path).colours.tolist()] == [RED, GREEN, RED]


def test_options_that_take_fewer_values_leave_the_name_whole(tmp_path: Path) -> None:
    (tmp_path / "m.mtl").write_text("newmtl a\nmap_Kd -s 2 -o 0.5 0.25 -mm 0 1 7 wood panels.png\n")
    found = read_materials(tmp_path / "m.mtl")["a"]
    assert (found.picture, found.scale, found.offset) == ("7 wood panels.png", (2, 1), (0.5, 0.25))


def test_missing_pictures_and_material_files_are_said_once(folder: Path) -> None:
    path = obj(folder, {"m.mtl": "newmtl a\nKd 0 1 0\nmap_Kd lost.png\nnewmtl b\nmap_Kd lost.png\n"})
    path.write_text(path.read_text() + "mtllib gone.mtl\nusemtl b\nf 1/1 2/2 3/3\nusemtl c\nf 1 2 3\n")
    assert read_mesh(path).missing == ("gone.mtl", "material c", "lost.png")
    assert colours_in(path) == [GREEN, PLAIN]
    (folder / "lost.png").write_bytes(b"no picture")
    assert read_mesh(path).missing[-1] == "lost.png (cannot be read as a picture)"


PLY = "ply\nformat ascii 1.0\n{comment}element vertex 3\nproperty float x\nproperty float y\nproperty float z\n{vertex}"
FACE = "element face 1\nproperty list uchar int vertex_indices\n{face}end_header\n"


def ply(
    folder: Path, vertex: str = "", of_vertex: Any = "", face: str = "", of_face: str = "", comment: str = ""
) -> Path:
    rows = [of_vertex] * 3 if isinstance(of_vertex, str) else of_vertex
    body = "".join(f"{x} {y} {z} {row}\n" for (x, y, z), row in zip(CORNERS, rows, strict=True))
    text = PLY.format(vertex=vertex, comment=comment) + FACE.format(face=face) + body + f"3 0 1 2 {of_face}\n"
    (folder / "m.ply").write_text(text)
    return folder / "m.ply"


def properties(kind: str, *names: str) -> str:
    return "".join(f"property {kind} {name}\n" for name in names)


@pytest.mark.parametrize(
    "names",
    [
        ("red", "green", "blue"),
        ("r", "g", "b"),
        ("diffuse_red", "diffuse_green", "diffuse_blue"),
        ("Red", "Green", "Blue"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "full"), [("uchar", "255"), ("float", "1.0"), ("ushort", "65535"), ("double", "255.0")]
)
def test_ply_colours_are_read_in_every_spelling(names: tuple[str, ...], kind: str, full: str, folder: Path) -> None:
    assert colours_in(ply(folder, properties(kind, *names), f"{full} 0 0")) == [RED]
    assert colours_in(ply(folder, face=properties(kind, *names), of_face=f"{full} 0 0")) == [RED]


@pytest.mark.parametrize("names", [("s", "t"), ("u", "v"), ("texture_u", "texture_v")])
def test_ply_textures_are_read(names: tuple[str, str], folder: Path) -> None:
    comment = "comment TextureFile half.png\n"
    places = [f"{u} {v}" for u, v in RIGHT]
    assert colours_in(ply(folder, properties("float", *names), places, comment=comment)) == [BLUE]
    listed = "6 " + " ".join(f"{u} {v}" for u, v in LEFT) + " 0"
    face = "property list uchar float texcoord\nproperty int texnumber\n"
    assert colours_in(ply(folder, face=face, of_face=listed, comment=comment)) == [RED]
    lost = ply(folder, face=face, of_face=listed, comment="comment TextureFile lost.png\n")
    assert read_mesh(lost).missing == ("lost.png",)


@pytest.mark.parametrize(
    ("header", "vertex", "face", "wanted"),
    [
        ("COFF", "255 0 0 255", "", RED),
        ("COFF", "1.0 0.0 0.0 1.0", "", RED),
        ("CNOFF", "0 0 1 255 0 0 255", "", RED),
        ("NCOFF", "0 0 1 1.0 0.0 0.0 1.0", "", RED),
        ("STCOFF", "255 0 0 255 0.5 0.5", "", RED),
        ("NOFF", "0 0 1", "", PLAIN),
        ("OFF", "255 0 0 255", "", RED),
        ("OFF", "0.0 0.0 1.0", "", PLAIN),
        ("OFF", "", "255 0 0", RED),
        ("OFF", "", "255 0 0 255", RED),
        ("OFF", "", "1.0 0.0 0.0 1.0", RED),
        ("OFF", "", "12", PLAIN),
        ("COFF", "0 0 255 255", "255 0 0", RED),
    ],
)
def test_off_colours_are_read_in_every_spelling(
    header: str, vertex: str, face: str, wanted: tuple[int, ...], folder: Path
) -> None:
    body = "".join(f"{x} {y} {z} {vertex}\n" for x, y, z in CORNERS)
    (folder / "m.off").write_text(f"{header}\n3 1 0\n{body}3 0 1 2 {face}\n")
    assert colours_in(folder / "m.off") == [wanted]


def test_stl_colours_of_both_conventions_are_read(folder: Path) -> None:
    corners = struct.pack("<12f", 0, 0, 1, *np.ravel(CORNERS))
    for header, spare, wanted in ((b"x", 0x8000 | 31 << 10, RED), (b"COLOR=\0\xff\0\xff", 31, RED), (b"x", 31, PLAIN),
                                  (b"COLOR=\0\xff\0\xff", 0x8000, GREEN)):  # fmt: skip
        (folder / "m.stl").write_bytes(
            header.ljust(80, b"\0") + struct.pack("<I", 1) + corners + struct.pack("<H", spare)
        )
        assert colours_in(folder / "m.stl") == [wanted]


def gltf(folder: Path, uv: Any, *, uri: str = "half.png", **info: Any) -> GltfFile:
    file = GltfFile()
    places = np.asarray(uv) if isinstance(uv, np.ndarray) else np.float32(uv)
    primitive = file.primitive(CORNERS, material=0)
    normalised = {"normalized": True} if places.dtype.kind == "u" else {}
    primitive["attributes"]["TEXCOORD_0"] = file.array(places, **normalised)
    file.textured(uri, **info)
    return file


def test_gltf_texture_coordinates_may_be_normalised_integers(folder: Path) -> None:
    for kind in (np.uint8, np.uint16):
        places = np.round(np.array(RIGHT) * np.iinfo(kind).max).astype(kind)
        assert colours_in(gltf(folder, places).write(folder / "m.gltf")) == [BLUE]


def test_gltf_texture_transforms_and_further_coordinates_are_used(folder: Path) -> None:
    moved = {"extensions": {"KHR_texture_transform": {"offset": [0.6, 0]}}}
    assert colours_in(gltf(folder, LEFT, **moved).write(folder / "m.gltf")) == [BLUE]
    file = gltf(folder, LEFT, texCoord=1)
    attributes = file.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_1"] = file.array(np.float32(RIGHT))
    assert colours_in(file.write(folder / "m.gltf")) == [BLUE]
    info = file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    info["extensions"] = {"KHR_texture_transform": {"texCoord": 0}}
    assert colours_in(file.write(folder / "m.gltf")) == [RED]


def test_a_gltf_texture_is_turned_as_the_extension_says(folder: Path) -> None:
    quarters = np.zeros((64, 64, 3), np.uint8)
    quarters[32:, :32] = GREEN  # the lower left quarter, which the extension's own example shows, turned clockwise
    Image.fromarray(quarters).save(folder / "quarters.png")
    moved = {"offset": [0, 1], "rotation": np.pi / 2, "scale": [0.5, 0.5]}
    inside = [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9)]
    file = gltf(folder, inside, uri="quarters.png", extensions={"KHR_texture_transform": moved})
    assert colours_in(file.write(folder / "m.gltf")) == [GREEN]


def test_gltf_samplers_say_how_a_texture_continues(folder: Path) -> None:
    beyond = [(u + 1, v) for u, v in LEFT]
    for wrap, wanted in ((10497, RED), (33071, BLUE), (33648, BLUE)):
        file = gltf(folder, beyond)
        file.tree["samplers"] = [{"wrapS": wrap}]
        file.tree["textures"][0]["sampler"] = 0
        assert colours_in(file.write(folder / "m.gltf")) == [wanted], wrap


def test_gltf_pictures_have_percent_encoded_names_and_are_missed(folder: Path) -> None:
    picture(folder / "green tex.png")
    assert colours_in(gltf(folder, LEFT, uri="green%20tex.png").write(folder / "m.gltf")) == [GREEN]
    path = gltf(folder, LEFT, uri="nowhere.png").write(folder / "m.gltf")
    assert (read_mesh(path).missing, colours_in(path)) == (("nowhere.png",), [PLAIN])


def test_gltf_factor_texture_and_vertex_colours_multiply_in_linear_light(folder: Path) -> None:
    picture(folder / "white.png", (255, 255, 255))
    file = gltf(folder, LEFT, uri="white.png")
    primitive = file.tree["meshes"][0]["primitives"][0]
    primitive["attributes"]["COLOR_0"] = file.array(np.uint16([(65535, 32768, 0)] * 3), normalized=True)
    file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = [1, 0.5, 1, 1]
    quarter = (255, 137, 0)  # a quarter of linear light is 137 in sRGB
    assert colours_in(file.write(folder / "m.gltf")) == [quarter]
    del file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    assert colours_in(file.write(folder / "m.gltf")) == [quarter]
    glossy = {"diffuseFactor": [0, 1, 0, 1]}
    file.tree["materials"][0]["extensions"] = {"KHR_materials_pbrSpecularGlossiness": glossy}
    assert colours_in(file.write(folder / "m.gltf")) == [(0, 188, 0)]


@pytest.mark.parametrize("mode", ["P", "L", "CMYK", "RGBA", "1", "I;16"])
def test_pictures_of_every_kind_give_the_colour_that_they_show(mode: str, folder: Path) -> None:
    if mode == "I;16":
        Image.fromarray(np.full((4, 4), 0x8080, np.uint16)).save(folder / "t.png")
        wanted = (128, 128, 128)
    else:
        picture(folder / "t.tif", (255, 255, 255), mode)
        (folder / "t.tif").rename(folder / "t.png")
        wanted = (255, 255, 255)
    assert colours_in(obj(folder, {"m.mtl": "newmtl a\nmap_Kd t.png\n"})) == [wanted]


def test_a_texture_is_interpolated_inside_and_not_across_its_edge() -> None:
    texture = Texture(np.array([[RED, BLUE]], np.uint8))
    found = texture.colours(np.array([(0.0, 0.5), (0.25, 0.5), (0.5, 0.5), (1.0, 0.5), (1.25, 0.5)]))
    assert found.tolist() == [list(RED), list(RED), [128, 0, 128], list(BLUE), list(RED)]


def test_a_folder_says_how_many_objects_lack_textures(folder: Path, tmp_path: Path) -> None:
    meshes = write_chairs(tmp_path / "chairs", 9)
    for number in range(4):
        gltf(folder, LEFT, uri=f"lost{number}.png").write(meshes / f"m{number}.gltf")
        path = meshes / f"m{number}.gltf"
        path.write_text(
            path.read_text().replace(
                '"nodes": [{"mesh": 0}]', f'"nodes": [{{"mesh": 0, "scale": [1, {number + 1}, 1]}}]'
            )
        )
    said = r"4 of 13 objects have missing textures: m0.gltf \(lost0.png\), .*m2.gltf \(lost2.png\) and 1 more\. "
    with pytest.warns(DcignWarning, match=said):
        collection = pack(mesh_folder(meshes, fewest=1), 5000, lambda name, fraction: None)
    (tmp_path / "model.npz").write_bytes(collection_bytes(collection))
    kept = read_collection(tmp_path / "model.npz")
    assert kept.missing == collection.missing == {f"m{number}.gltf": (f"lost{number}.png",) for number in range(4)}
    assert kept.note("missing", 13).endswith("m3.gltf (lost3.png)")


def test_each_sentence_about_a_folder_says_what_is_shown_in_part_and_is_kept(tmp_path: Path) -> None:
    meshes = write_chairs(tmp_path / "chairs", 9)
    corners = "v 0 0 0\nv 2 2 0\nv 2 0 0\nv 0 1 0\n"
    (meshes / "bow.obj").write_text(f"{corners}f 1 2 3 4\n")
    (meshes / "dull.mtl").write_text("newmtl a\nKd spectral\n")
    (meshes / "dull.obj").write_text(f"mtllib dull.mtl\n{corners}usemtl a\nf 2 3 4\n")
    (meshes / "gone.obj").symlink_to(tmp_path / "nowhere")
    os.mkfifo(meshes / "pipe.ply")
    (meshes / "folder.obj").mkdir()
    with pytest.warns(DcignWarning) as warned:
        collection = pack(mesh_folder(meshes, fewest=1), 5000, lambda name, fraction: None)
    unread, crossing, skipped = (str(each.message) for each in warned)
    assert unread.startswith("1 of 11 objects has colours that are not read: dull.obj (colour Kd spectral). They are")
    assert crossing.startswith("1 of 11 objects has polygons that cross themselves: bow.obj (1 polygon). Parts of")
    assert skipped.startswith(
        "2 entries of the folder are no file: gone.obj (a link to nothing), pipe.ply (a pipe). They were left out"
    )
    (tmp_path / "model.npz").write_bytes(collection_bytes(collection))
    kept = read_collection(tmp_path / "model.npz")
    assert (kept.missing, kept.unread, kept.crossing) == (
        {}, {"dull.obj": ("colour Kd spectral",)}, {"bow.obj": ("1 polygon",)}
    )  # fmt: skip
    assert kept.skipped == ("gone.obj (a link to nothing)", "pipe.ply (a pipe)")


def test_names_that_are_not_utf_8_or_control_the_terminal_are_escaped(tmp_path: Path) -> None:
    meshes = write_chairs(tmp_path / "chairs", 3)
    (meshes / "notes\udce9.txt").write_text("not a mesh")
    trimesh.creation.icosphere(1).export(meshes / "ball.ply")
    (meshes / "ball.ply").rename(meshes / "lat\udce9\x1b[31m.ply")
    said: list[str] = []
    collection = pack(mesh_folder(meshes, fewest=1), 5000, lambda name, fraction: said.append(name))
    assert collection.names[-1] == said[-1] == "lat\\xe9\\x1b[31m.ply"
    assert collection_bytes(collection)
