"""Colours of PLY files are read by their declared type, in text as in binary; those that are not read are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY
from dcign.facegen.objects.reading import read_mesh
from tests.support.meshes import area_of, colours_in

CORNERS = [(0, 0, 0), (2, 0, 0), (0, 2, 0)]
TYPES = {"uchar": "u1", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8"}
PLAIN = (GRAY,) * 3
TEXCOORD = "property list uchar float texcoord\n"


def ply(folder: Path, order: str, vertex: list[tuple[str, str]], values: tuple[Any, ...], *, face: str = "",
        of_face: str = "", comment: str = "") -> Path:  # fmt: skip
    """Write a triangle whose vertices all have the values of the properties `vertex`. Further face data: text only."""
    name = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    properties = "".join(f"property {kind} {label}\n" for kind, label in vertex)
    header = (
        f"ply\nformat {name} 1.0\n{comment}element vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        f"{properties}element face 1\nproperty list uchar int vertex_indices\n{face}end_header\n"
    )
    if order:
        row = np.dtype([("xyz", f"{order}f4", 3), *((label, order + TYPES[kind]) for kind, label in vertex)])
        body = np.array([(corner, *values) for corner in CORNERS], row).tobytes()
        body += b"\3" + np.arange(3, dtype=f"{order}i4").tobytes()
    else:
        behind = " ".join(str(value) for value in values)
        text = "".join(f"{x} {y} {z} {behind}\n" for x, y, z in CORNERS)
        body = (text + f"3 0 1 2 {of_face}\n").encode()
    (folder / "m.ply").write_bytes(header.encode() + body)
    return folder / "m.ply"


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("name", ["gray", "grey", "luminance", "intensity"])
def test_gray_bytes_are_read_from_text_as_from_binary(name: str, order: str, tmp_path: Path) -> None:
    assert colours_in(ply(tmp_path, order, [("uchar", name)], (77,))) == [(77, 77, 77)]


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("full", [1, 200])
def test_channels_are_shares_of_what_their_declared_type_holds(full: int, order: str, tmp_path: Path) -> None:
    channels = [("uchar", "red"), ("uchar", "green"), ("uchar", "blue")]
    assert colours_in(ply(tmp_path, order, channels, (full, 0, 0))) == [(full, 0, 0)]


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("prefix", ["vertex_color_", "face_color_", "color_", "vertex_"])
def test_further_names_of_channels_are_read(prefix: str, order: str, tmp_path: Path) -> None:
    channels = [("uchar", f"{prefix}{channel}") for channel in "rgb"]
    assert colours_in(ply(tmp_path, order, channels, (10, 20, 30))) == [(10, 20, 30)]


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("name", ["rgb", "rgba"])
@pytest.mark.parametrize("kind", ["uint", "int", "float"])
def test_packed_colours_are_unpacked(kind: str, name: str, order: str, tmp_path: Path) -> None:
    bits = 200 << 16 | 100 << 8 | 50
    value = np.uint32(bits).view(np.float32) if kind == "float" else bits
    assert colours_in(ply(tmp_path, order, [(kind, name)], (value,))) == [(200, 100, 50)]
    if kind == "uint":
        assert colours_in(ply(tmp_path, order, [(kind, name)], (bits | 255 << 24,))) == [(200, 100, 50)]


@pytest.mark.parametrize(
    ("vertex", "said"),
    [
        ([("float", "intensity")], "intensity"),
        ([("uchar", "red"), ("uchar", "blue")], "red, blue"),
        ([("uchar", "rgb")], "rgb"),
        ([("int", "color_index")], "color_index"),
    ],
)
def test_colours_that_are_not_read_are_reported(vertex: list[tuple[str, str]], said: str, tmp_path: Path) -> None:
    path = ply(tmp_path, "", vertex, (1,) * len(vertex))
    assert (read_mesh(path).unread, colours_in(path)) == ((f"colours ({said}, which are not read)",), [PLAIN])


@pytest.mark.parametrize("vertex", [[("float", "confidence")], [("uchar", "scattered")], [("uchar", "alpha")]])
def test_other_properties_are_not_reported(vertex: list[tuple[str, str]], tmp_path: Path) -> None:
    assert read_mesh(ply(tmp_path, "", vertex, (1,))).unread == ()


@pytest.mark.parametrize(
    ("face", "of_face", "said"),
    [
        ("", "", ("texture coordinates",)),
        (TEXCOORD, "4 0 0 1 0", ("texture coordinates",)),
        (TEXCOORD, "6 0 0 1 0 0 1", ()),
        (TEXCOORD + "property int texnumber\n", "6 0 0 1 0 0 1 7", ("texture 7 (from 0) of 1",)),
        (TEXCOORD + "property int texnumber\n", "6 0 0 1 0 0 1 -9", ("texture -9 (from 0) of 1",)),
        (TEXCOORD + "property int texnumber\n", "0 -1", ()),
    ],
)  # fmt: skip
def test_textures_without_usable_places_are_reported(
    face: str, of_face: str, said: tuple[str, ...], tmp_path: Path
) -> None:
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "red.png")
    path = ply(tmp_path, "", [], (), face=face, of_face=of_face, comment="comment TextureFile red.png\n")
    assert read_mesh(path).missing == said
    assert colours_in(path) == [(255, 0, 0) if "6" in of_face and not said else PLAIN]


def test_materials_that_have_no_colours_are_reported(tmp_path: Path) -> None:
    path = ply(tmp_path, "", [], (), face="property int material_index\n", of_face="0")
    assert read_mesh(path).unread == ("colours of materials",)


@pytest.mark.parametrize(("kind", "restart"), [("uint", 2**32 - 1), ("int", -1)])
def test_strips_restart_at_the_largest_unsigned_number(kind: str, restart: int, tmp_path: Path) -> None:
    header = "ply\nformat {} 1.0\nelement vertex 6\nproperty float x\nproperty float y\nproperty float z\n"
    header += f"element tristrips 1\nproperty list int {kind} vertex_indices\nend_header\n"
    points = np.array([*CORNERS, *((x, y, 1) for x, y, _ in CORNERS)], "<f4")
    strip = [0, 1, 2, restart, 3, 4, 5]
    text = "".join(f"{x} {y} {z}\n" for x, y, z in points.tolist()) + f"7 {' '.join(map(str, strip))}\n"
    binary = points.tobytes() + np.array([7], "<i4").tobytes() + np.array(strip, "<" + TYPES[kind]).tobytes()
    for name, body in (("ascii", text.encode()), ("binary_little_endian", binary)):
        (tmp_path / "m.ply").write_bytes(header.format(name).encode() + body)
        assert area_of(tmp_path / "m.ply") == 4


@pytest.mark.parametrize("name", ["trifans", "range_grid"])
def test_an_element_of_vertices_that_is_not_read_is_refused(name: str, tmp_path: Path) -> None:
    path = ply(tmp_path, "", [], ())
    text = path.read_text().replace(
        "end_header", f"element {name} 1\nproperty list uchar int vertex_indices\nend_header"
    )
    path.write_text(f"{text}3 0 1 2\n")
    with pytest.raises(ModelError, match=f"its element {name} of vertices is not read"):
        read_mesh(path)


def test_two_elements_of_one_name_are_refused(tmp_path: Path) -> None:
    path = ply(tmp_path, "", [], ())
    path.write_text(path.read_text().replace("end_header", "element Vertex 0\nend_header"))
    with pytest.raises(ModelError, match="it has two elements vertex"):
        read_mesh(path)
