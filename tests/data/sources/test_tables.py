"""Tables of labels: texts stay apart where numbers would not, and nested JSON loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dcign.data.importing.choice import Choice, Labels, chosen_labels
from dcign.data.sources.picture_folder import PictureFolder
from dcign.data.sources.tables import number, read_table
from dcign.errors import DataError
from tests.support.foreign_sets import drawn, write_csv, write_pictures


def labelled(folder: Path, heading: str, texts: list[str], choice: Choice) -> Labels:
    """The labels of as many pictures as texts: x counts up, and a column has these texts."""
    names = [f"{row}.png" for row in range(len(texts))]
    write_pictures(folder, drawn(np.zeros((len(texts), 1)), side=16), names)
    rows = [[name, row, text] for row, (name, text) in enumerate(zip(names, texts, strict=True))]
    write_csv(folder / "labels.csv", ["file_name", "x", heading], rows)
    return chosen_labels(PictureFolder(folder), choice)


# Texts that Python's float() takes for the same numbers.
PEOPLE = {
    "underscores": ["1_23", "12_3", "4_56", "45_6", "7_8", "78"],
    "powers": ["1e3", "1000", "2e3", "2000"],
    "leading zeros": ["007", "07", "7", "8"],
    "beyond 2**53": ["9007199254740992", "9007199254740993", "9007199254740994"],
    "beyond 2**63": ["12345678901234567890", "22345678901234567890", "32345678901234567890"],
    "one is no number": ["12", "34", "5_6", "56"],
}


@pytest.mark.parametrize("case", PEOPLE)
@pytest.mark.parametrize("heading", ["person", "model"])
def test_people_with_different_texts_are_different_people(case: str, heading: str, tmp_path: Path) -> None:
    texts = PEOPLE[case]
    chosen = labelled(tmp_path, heading, texts, Choice(identity=("model",) if heading == "model" else None))
    assert len({*chosen.identity.tolist()}) == len(texts)
    assert chosen.identity.min() >= 0


def test_people_of_two_columns_are_different_where_the_texts_are(tmp_path: Path) -> None:
    choice = Choice(factors=("x",), identity=("make", "index"))
    write_pictures(tmp_path, drawn(np.zeros((4, 1)), side=16), [f"{row}.png" for row in range(4)])
    rows = [["0.png", 0, "1_2", 5], ["1.png", 1, "12", 5], ["2.png", 2, "1_2", 6], ["3.png", 3, "1_2", 5]]
    write_csv(tmp_path / "labels.csv", ["file_name", "x", "make", "index"], rows)
    identity = chosen_labels(PictureFolder(tmp_path), choice).identity
    assert len({*identity.tolist()}) == 3
    assert identity[0] == identity[3]


def test_people_who_are_numbers_keep_them(tmp_path: Path) -> None:
    assert labelled(tmp_path, "person", ["7", "8.0", " 31"], Choice()).identity.tolist() == [7, 8, 31]


def test_classes_with_different_texts_are_different_classes(tmp_path: Path) -> None:
    texts = ["1_2", "12", "2_1", "21"]
    chosen = labelled(tmp_path, "make", texts, Choice(factors=("make",), categorical=("make",)))
    (factor,) = chosen.factors
    assert [factor.classes[int(value)] for value in chosen.values[:, 0]] == texts


CLASSES = Choice(factors=("person",), identity=(), categorical=("person",))


@pytest.mark.parametrize(("text", "choice"), [("", Choice()), ("nan", Choice()), ("", CLASSES), (" NaN", CLASSES)])
def test_a_person_or_class_without_a_text_is_missing(text: str, choice: Choice, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels.csv, row 4: expected a class in person, found none: fill it in"):
        labelled(tmp_path, "person", ["1_2", "12", text, "3", "4", "5"], choice)


@pytest.mark.parametrize("text", ["1_000", "x", ""])
def test_python_s_own_spelling_is_no_number(text: str) -> None:
    assert np.isnan(number(text))
    assert number(" 1e3") == 1000


def test_an_underscore_in_a_number_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels.csv, row 3: expected a finite number in age, found none"):
        labelled(tmp_path, "age", ["20", "2_1", "22"], Choice())


def test_nested_json_is_named_by_its_leaves_and_by_whole_paths_where_these_repeat(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    record = {"azimuth": 0, "head": {"azimuth": 1, "tilt": {"up": 2}}, "light": {"azimuth": 3, "tilt": {"side": 4}}}
    path.write_text(json.dumps(record) + "\n")
    texts = {name: held[0] for name, held in read_table(path).texts.items()}
    assert texts == {"azimuth": "0", "head.azimuth": "1", "up": "2", "light.azimuth": "3", "side": "4"}


def test_nested_json_in_which_two_labels_have_one_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"head.azimuth": 0, "azimuth": 1, "head": {"azimuth": 2}}) + "\n")
    with pytest.raises(DataError, match=r"row 1: expected different names of labels, found head\.azimuth, twice: rena"):
        read_table(path)
