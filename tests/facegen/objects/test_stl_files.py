"""Every facet of an STL file is read, however its solids end; what is cut short is said to be."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from dcign.errors import ModelError
from dcign.facegen.objects.reading import read_mesh
from tests.support.meshes import area_of

CORNERS = [(0, 0, 0), (2, 0, 0), (0, 2, 0)]


def facet(up: int = 0) -> str:
    corners = "".join(f"      vertex {x} {y} {z + up}\n" for x, y, z in CORNERS)
    return f"  facet normal 0 0 1\n    outer loop\n{corners}    endloop\n  endfacet\n"


def binary(held: int, announced: int, header: bytes = b"solid from a program") -> bytes:
    triangle = struct.pack("<12fH", 0, 0, 1, *(number for corner in CORNERS for number in corner), 0)
    return header.ljust(80) + struct.pack("<I", announced) + triangle * held


@pytest.mark.parametrize(
    ("text", "area"),
    [
        (f"solid a\n{facet()}endsolid a\nsolid b\n{facet(1)}", 4),
        (f"solid a\n{facet()}solid b\n{facet(1)}endsolid b\n", 4),
        (f"solid a\n{facet()}", 2),
        (f"solid\n{facet()}{facet(1)}", 4),
        (f"solid vertex of a facet, outer loop\n{facet()}endsolid vertex of a facet, outer loop\n", 2),
        (f"SOLID A\r\n{facet().upper()}ENDSOLID A\r\n".replace("\n", "\r\n"), 2),
        ("solid a " + " ".join(facet().split()) + " endsolid a", 2),
        ("\ufeffsolid a\n" + facet() + "endsolid a\n", 2),
    ],
)
def test_a_text_gives_every_facet_whether_its_solids_are_closed_or_not(text: str, area: float, tmp_path: Path) -> None:
    (tmp_path / "m.stl").write_bytes(text.encode())
    assert area_of(tmp_path / "m.stl") == area


@pytest.mark.parametrize("cut", ["vertex 2 0 0\n", "vertex 2 0", "outer loop", "facet", "endloop", "endfac"])
def test_a_text_that_ends_within_a_facet_is_cut_short(cut: str, tmp_path: Path) -> None:
    second = facet(1).replace("vertex 2 0 1", "vertex 2 0 0")
    whole = f"solid a\n{facet()}{second[: second.index(cut) + len(cut)]}"
    (tmp_path / "m.stl").write_text(whole)
    with pytest.raises(ModelError, match="it is cut short in facet"):
        read_mesh(tmp_path / "m.stl")


@pytest.mark.parametrize(
    ("line", "said"),
    [("vertex 2 0", "three coordinates"), ("vertex 2 0 x", "'x' in place of a number"), ("", "three coordinates")],
)
def test_a_facet_that_says_nothing_is_refused(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.stl").write_text(f"solid a\n{facet().replace('vertex 2 0 0', line)}endsolid a\n")
    with pytest.raises(ModelError, match=said):
        read_mesh(tmp_path / "m.stl")


@pytest.mark.parametrize("header", [b"solid from a program", b"from a program", b"solid\0"])
def test_a_binary_file_may_have_bytes_behind_it_but_no_triangle_too_few(header: bytes, tmp_path: Path) -> None:
    for behind in (b"", b"\r\n\0\0\1", bytes(428)):
        (tmp_path / "m.stl").write_bytes(binary(2, 2, header) + behind)
        assert area_of(tmp_path / "m.stl") == 4
    (tmp_path / "m.stl").write_bytes(binary(2, 5, header))
    with pytest.raises(ModelError, match="it is cut short: it announces 5 triangles and holds 2"):
        read_mesh(tmp_path / "m.stl")
    (tmp_path / "m.stl").write_bytes(binary(3, 1, header))
    with pytest.raises(ModelError, match="it announces 1 triangles, and 100 bytes stand behind them"):
        read_mesh(tmp_path / "m.stl")


def test_a_text_that_is_no_stl_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "m.stl").write_text("v 0 0 0\n" * 50)
    with pytest.raises(ModelError, match="no STL file"):
        read_mesh(tmp_path / "m.stl")
