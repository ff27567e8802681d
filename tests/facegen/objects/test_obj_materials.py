"""Materials of OBJ files are found in every spelling, face by face; a colour that is not read is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dcign.errors import ModelError
from dcign.facegen.objects.formats.mtl import read_materials
from dcign.facegen.objects.formats.part import GRAY
from dcign.facegen.objects.reading import read_mesh
from tests.support.meshes import colours_in, soup_in

RED, GREEN, PLAIN = (255, 0, 0), (0, 255, 0), (GRAY,) * 3
FACE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"


def obj(folder: Path, materials: str | None, used: str = "usemtl A b", face: str = "f 1/1 2/2 3/3") -> Path:
    """Write a triangle; without materials, the file names no MTL file."""
    if materials is not None:
        (folder / "m.mtl").write_text(materials)
        used = f"mtllib m.mtl\n{used}"
    (folder / "m.obj").write_text(f"{FACE}{used}\n{face}\n")
    return folder / "m.obj"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("red.png", "my tex.png", "two  spaces.png"):
        Image.new("RGB", (4, 4), RED).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "lines",
    [
        "Kd\t1 0 0",
        "Kd 1\t0\t0",
        " Kd  1  0  0 ",
        "Kd\t1 0 0\t# red",
        "Kd 1 0 0 #red",
        "map_Kd\tmy tex.png",
        "\tmap_Kd my tex.png # wood",
        "map_Kd two  spaces.png",
        "map_Kd red.png #wood",
        "map_Kd -s 1 1 1  -o 0 0 0  red.png",
        "map_Kd\t-s\t1\t1\t1\tred.png",
        "map_Kd red.png -s 1 1 1",
        "map_Kd my tex.png -o 0 0 0 -clamp on",
        "map_Kd -clamp ON my tex.png -s 1 1 1 # wood",
    ],
)
def test_white_space_options_and_comments_of_materials_are_understood(lines: str, folder: Path) -> None:
    path = obj(folder, f"newmtl\tA b\n{lines}\n")
    assert (colours_in(path), read_mesh(path).missing) == ([RED], ())


@pytest.mark.parametrize("options", ["-s 2 3 1 -o 0.5 0.25", "-s 2 3 -o 0.5 0.25 0 -clamp on"])
def test_options_behind_the_name_count_as_those_before_it(options: str, tmp_path: Path) -> None:
    found = []
    for words in (f"{options} a -s b.png", f"a -s b.png {options}"):
        (tmp_path / "m.mtl").write_text(f"newmtl a\nmap_Kd {words}\n")
        found.append(read_materials(tmp_path / "m.mtl")["a"])
    assert found[0] == found[1]
    assert (found[0].picture, found[0].scale, found[0].offset) == ("a -s b.png", (2, 3), (0.5, 0.25))


@pytest.mark.parametrize(
    ("new", "used"),
    [("A # c", "A"), ("A #c", "A"), ("A", "A # c"), ("A", "A #c"), ("A\tb", "a b"), ("Wood #25", "Wood #25")],
)
def test_names_of_materials_may_have_comments(new: str, used: str, folder: Path) -> None:
    materials = f"newmtl Wood #24\nKd 0 1 0\nnewmtl {new}\nKd 1 0 0\n"
    path = obj(folder, materials, f"usemtl {used}")
    assert (colours_in(path), read_mesh(path).missing) == ([RED], ())


def test_vertex_colours_of_one_object_leave_materials_to_the_others(folder: Path) -> None:
    (folder / "m.mtl").write_text("newmtl A\nKd 1 0 0\nnewmtl B\nmap_Kd red.png\n")
    first = "v 0 0 0 0 1 0\nv 1 0 0 0 1 0\nv 0 1 0 0 1 0\n"
    second = "v 0 0 5\nv 1 0 5\nv 0 1 5\n"
    (folder / "m.obj").write_text(f"mtllib m.mtl\n{first}usemtl A\nf 1 2 3\no b\n{second}f 4 5 6\nf 1 5 6\n")
    found = soup_in(folder / "m.obj").colours.tolist()
    assert [[tuple(corner) for corner in face] for face in found] == [[GREEN] * 3, [RED] * 3, [GREEN, RED, RED]]


@pytest.mark.parametrize(
    "colour", ["xyz 0.4 0.2 0.1", "xyz", "spectral", "spectral file.rfl 1", "1,0 0,0 0,0", "", "nan 0 0"]
)
def test_a_colour_that_is_not_read_is_reported(colour: str, folder: Path) -> None:
    path = obj(folder, f"newmtl A b\nKd {colour}\n")
    assert (read_mesh(path).unread, colours_in(path)) == ((f"colour Kd {colour}",), [PLAIN])


@pytest.mark.parametrize(
    ("names", "found", "read", "lost"),
    [
        ("my wood.mtl my steel.mtl", ["my wood.mtl", "my steel.mtl"], 2, ()),
        ("wood.mtl my steel.mtl", ["wood.mtl", "my steel.mtl"], 2, ()),
        ("my wood.mtl wood.mtl", ["my wood.mtl wood.mtl", "my wood.mtl"], 1, ()),  # one name comes first
        ("my gone.mtl my steel.mtl", ["my steel.mtl"], 1, ("my gone.mtl",)),
        ("my gone.mtl gone too.mtl", [], 0, ("my gone.mtl", "gone too.mtl")),
    ],
)
def test_a_line_may_name_several_material_files_with_spaces(
    names: str, found: list[str], read: int, lost: tuple[str, ...], tmp_path: Path
) -> None:
    for number, name in enumerate(found):
        (tmp_path / name).write_text(f"newmtl m{number}\nKd {1 - number} {number} 0\n")
    faces = "\n".join(f"usemtl m{number}\nf 1 2 3" for number in range(read))
    (tmp_path / "a.obj").write_text(f"mtllib {names}\nv 0 0 0\nv 1 0 0\nv 0 1 0\n{faces or 'f 1 2 3'}\n")
    assert read_mesh(tmp_path / "a.obj").missing == lost
    assert colours_in(tmp_path / "a.obj") == [[PLAIN], [RED], [GREEN, RED]][read]


def test_a_material_without_a_file_of_materials_is_reported(folder: Path) -> None:
    assert read_mesh(obj(folder, None, "usemtl A")).missing == ("material A",)
    assert read_mesh(obj(folder, "# nothing\n", "usemtl A")).missing == ("material A",)
    assert read_mesh(obj(folder, None, "usemtl none")).missing == ()
    assert read_mesh(obj(folder, None, "mtllib lost.mtl\nusemtl A")).missing == ("lost.mtl",)


@pytest.mark.parametrize("face", ["f 1 2 99999999999999999999", "f 1/1 2/2 99999999999999999999/1"])
def test_an_index_of_more_than_64_bits_is_named_as_it_is_written(face: str, folder: Path) -> None:
    with pytest.raises(ModelError, match="99999999999999999999"):
        read_mesh(obj(folder, None, "", face))


def test_texture_coordinates_may_have_comments_and_any_size(folder: Path) -> None:
    path = obj(folder, "newmtl A b\nmap_Kd -s 1e308 1e308 red.png\n")
    path.write_text(path.read_text().replace("vt 1 0", "vt 1e300 0 # far"))
    assert colours_in(path) == [RED]


def test_keywords_may_be_written_in_capitals(folder: Path) -> None:
    path = obj(folder, "NEWMTL A b\nKD 1 0 0\n")
    path.write_text(
        "\n".join(line[: line.find(" ")].upper() + line[line.find(" ") :] for line in path.read_text().splitlines())
    )
    assert colours_in(path) == [RED]


@pytest.mark.parametrize(
    ("lines", "colour"), [("Kd 0 0 0\nKe 1 0 0", RED), ("Ke 1 0 0\nKd 0 1 0", GREEN), ("Kd 0 0 0\nKe 0 0 0", (0, 0, 0))]
)
def test_a_black_material_shows_what_it_emits(lines: str, colour: tuple[int, ...], folder: Path) -> None:
    assert colours_in(obj(folder, f"newmtl A b\n{lines}\n")) == [colour]


def test_numbers_with_underscores_are_none(folder: Path) -> None:
    path = obj(folder, None)
    path.write_text(path.read_text().replace("v 1 0 0", "v 1_0 0 0"))
    with pytest.raises(ModelError, match="it has '1_0' in place of a number"):
        read_mesh(path)
