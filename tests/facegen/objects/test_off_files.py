"""OFF files are read word by word, their colours by the rule of the whole file or of the face."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcign.errors import ModelError
from dcign.facegen.objects.formats.part import GRAY
from dcign.facegen.objects.reading import read_mesh
from tests.support.meshes import area_of, colours_in, soup_in

RED, PLAIN = (255, 0, 0), (GRAY,) * 3
CORNERS = ("0 0 0", "2 0 0", "0 2 0", "2 2 0")


def off(folder: Path, text: str) -> Path:
    (folder / "m.off").write_text(text)
    return folder / "m.off"


def vertices(colours: list[str]) -> str:
    return "".join(f"{corner} {colour}\n" for corner, colour in zip(CORNERS, colours, strict=False))


@pytest.mark.parametrize(
    "text",
    [
        "OFF 4 2 0\n0 0 0\n2 0 0\n0 2 0\n2 2 0\n3 0 1 2\n3 2 1 3\n",
        "OFF\n4\n2\n0\n0 0 0\n2 0 0\n0 2 0\n2 2 0\n3 0 1 2\n3 2 1 3\n",
        "OFF 4\n2 # faces\n0\n0 0 0\n2 0 0\n0 2 0\n2 2 0\n3 0 1 2\n3 2 1 3\n",
        "OFF\n4 2 0\n0 0 0\n2 0 0\n0 2 0\n2 2 0\n3 0\n1 2\n3\n2 1 3\n",
        "OFF\n4 1 0\n0 0 0 2 0 0\n0 2 0 2 2 0\n4 0 1\n3 2\n",
        "OFF\n4 1 0\n0\n0 0\n2 0\n0 0 2 0 2 2 0\n4 0 1 3 2\n",
        "OFF 4 1 0 0 0 0 2 0 0 0 2 0 2 2 0 4 0 1 3 2",
        "4 1\n0 0 0\n2 0 0\n0 2 0\n2 2 0\n4 0 1 3 2\n",
    ],
)
def test_words_may_stand_on_any_line(text: str, tmp_path: Path) -> None:
    path = off(tmp_path, text)
    assert (area_of(path), colours_in(path)) == (4, [PLAIN])


def test_colours_of_vertices_may_stand_on_a_line_of_their_own(tmp_path: Path) -> None:
    body = "".join(f"{corner}\n255 0 0 255\n" for corner in CORNERS[:3])
    assert colours_in(off(tmp_path, f"COFF\n3 1 0\n{body}3 0 1 2\n")) == [RED]


@pytest.mark.parametrize(
    ("colours", "wanted"),
    [
        (["1 0 0 1"] * 3, [RED]),
        (["1 0 0"] * 3, [RED]),
        (["1 0 0 255"] * 3, [(1, 0, 0)]),
        (["1 0 0 1", "0 0 0 1", "7 0 0 1"], [(0, 0, 0), (1, 0, 0), (7, 0, 0)]),
        (["1 0 0 1", "0.5 0 0 1", "1 0 0 1"], [(128, 0, 0), RED]),
        (["1e0 0 0 1"] * 3, [RED]),
        (["128 0 0 255"] * 3, [(128, 0, 0)]),
    ],
)
def test_all_vertices_together_tell_what_full_is(
    colours: list[str], wanted: list[tuple[int, ...]], tmp_path: Path
) -> None:
    path = off(tmp_path, f"COFF\n3 1 0\n{vertices(colours)}3 0 1 2\n")
    assert colours_in(path) == wanted


@pytest.mark.parametrize("last", ["0.5 0 0 1", "255 0 0 1"])
def test_the_last_of_many_vertices_counts_as_the_first(last: str, tmp_path: Path) -> None:
    rows = "9 9 9 1 0 0 1\n" * 200 + vertices(["1 0 0 1", "1 0 0 1", last])
    found = colours_in(off(tmp_path, f"COFF\n203 1 0\n{rows}3 200 201 202\n"))
    assert found == ([(128, 0, 0), RED] if last[0] == "0" else [(1, 0, 0), RED])


def test_each_face_tells_what_full_is_in_its_colour(tmp_path: Path) -> None:
    faces = "3 0 1 2 255 0 0\n3 2 1 3 0.5 0.0 0.0 1.0\n3 0 1 3 1 0 0\n3 0 2 3\n3 0 3 2 127.5 0 0\n"
    path = off(tmp_path, f"OFF\n4 5 0\n{vertices([''] * 4)}{faces}")
    found = [tuple(corners[0]) for corners in soup_in(path).colours.tolist()]
    assert found == [RED, (128, 0, 0), (1, 0, 0), PLAIN, (128, 0, 0)]


@pytest.mark.parametrize("colour", ["1.0 0.0 0.0 1.0", "1 0 0 1", "0.5 0.25 0.25", "0.5 0.5 0.5 1 9"])
def test_colours_that_the_header_does_not_announce_are_reported(colour: str, tmp_path: Path) -> None:
    path = off(tmp_path, f"OFF\n3 1 0\n{vertices([colour] * 3)}3 0 1 2\n")
    said = ("colours of vertices (numbers that the header does not announce)",)
    assert (read_mesh(path).unread, colours_in(path)) == (said, [PLAIN])


@pytest.mark.parametrize("extra", ["0.6 0.8 0.0", "0.5 0.5", "255 0 0 255"])
def test_normals_and_colours_that_are_read_are_not_reported(extra: str, tmp_path: Path) -> None:
    assert read_mesh(off(tmp_path, f"OFF\n3 1 0\n{vertices([extra] * 3)}3 0 1 2\n")).unread == ()


def test_entries_of_a_table_of_colours_are_reported(tmp_path: Path) -> None:
    path = off(tmp_path, f"OFF\n4 2 0\n{vertices([''] * 4)}3 0 1 2 12\n3 2 1 3 255 0 0\n")
    assert read_mesh(path).unread == ("colours of faces (entries of a table of colours)",)
    assert colours_in(path) == [PLAIN, RED]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("OFF\n3 1 0\n0 0 0\n2 0 0\n0 2 0\n3 0 1 2\n3 2 1 0\n", "it has 4 numbers more than its header announces"),
        ("OFF\n3 2 0\n0 0 0\n2 0 0\n0 2 0\n3 0 1 2\n", "it is cut short: 3 vertices and 2 faces are announced"),
        ("OFF\n3 2 0\n0 0 0\n2 0 0\n0 2 0\n3 0 1\n3 0 1 2\n", "it is cut short"),
        ("OFF\n3 1 0\n0 0 0\n2 0 0\n", "it is cut short"),
        ("OFF\n4 2 0\n0 0 0 0.5 0 0 1\n2 0 0 0.5 0 0 1\n0 2 0 0.5 0 0 1\n", "it is cut short"),
        ("OFF\n3\n", "it does not say how many vertices and faces"),
    ],
)
def test_more_or_fewer_faces_than_announced_are_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said):
        read_mesh(off(tmp_path, text))
