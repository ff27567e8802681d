"""Labels of Parquet files: class labels that are missing, categories, and columns that some files lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dcign.data.importing.choice import Choice, chosen_labels
from dcign.data.sources.arrow import ArrowSource
from dcign.errors import DataError
from tests.support.foreign_sets import table_rows

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

KINDS = ["ant", "bee", "cat"]


def written(file: Path, columns: dict[str, Any], classes: str = "") -> Path:
    """Write a Parquet file of two pictures with x = 0, 1 and these columns, of which one may be a ClassLabel."""
    pictures, _ = table_rows((2, 1, 1))
    table = pa.table({"image": pictures, "x": [0, 1], **columns})
    features = {classes: {"names": KINDS, "_type": "ClassLabel"}}
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), file)
    return file


def test_a_class_label_of_minus_one_is_missing(tmp_path: Path) -> None:
    source = ArrowSource(written(tmp_path / "a.parquet", {"kind": [2, -1]}, "kind"))
    assert chosen_labels(source, Choice(factors=("x",))).factors[0].name == "x"
    with pytest.raises(DataError, match=r"a\.parquet, row 1: expected a class in kind, found none: fill it in"):
        chosen_labels(source, Choice())


@pytest.mark.parametrize("value", [3, -2])
def test_a_class_label_without_a_name_is_refused(value: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", {"kind": [0, value]}, "kind")
    with pytest.raises(DataError, match=rf"row 1: expected 0 to 2, or -1 for none, in kind, found {value}: correct"):
        ArrowSource(path)


def test_class_labels_of_which_most_are_missing_keep_their_names(tmp_path: Path) -> None:
    for name, values in (("a", [0, 2]), ("b", [None, None]), ("c", [None, None])):
        written(tmp_path / f"{name}.parquet", {"kind": pa.array(values, pa.int64())}, "kind")
    column = ArrowSource(tmp_path).columns["kind"]
    assert [column.factor.classes[int(value)] for value in column.values[:2]] == ["ant", "cat"]


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_categories_are_decoded(ending: str, tmp_path: Path) -> None:
    categories = {"kind": pa.array(["bee", "ant"]).dictionary_encode(), "year": pa.array([7, 5]).dictionary_encode()}
    path = written(tmp_path / "data-0.parquet", categories)
    if ending == "arrow":
        table = pq.read_table(path)
        path.unlink()
        with pa.OSFile(str(tmp_path / "data-0.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
            out.write_table(table)
    chosen = chosen_labels(ArrowSource(tmp_path), Choice())
    assert [factor.name for factor in chosen.factors] == ["x", "kind", "year"]
    assert chosen.factors[1].classes == ("ant", "bee")
    assert chosen.values.tolist() == [[0, 1, 7], [1, 0, 5]]


def test_columns_that_cannot_be_labels_are_left_out_by_name(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", {"box": [[1, 2], [3, 4]], "age": [30, 40], "head": [{"yaw": 1}, {"yaw": 2}]})
    written(tmp_path / "b.parquet", {"box": [[1, 2], [3, 4]], "head": [{"yaw": 1}, {"yaw": 2}], "size": [1, 2]})
    source = ArrowSource(tmp_path)
    assert [*source.columns] == ["x"]
    assert source.left_out == ("columns that are not numbers or texts in every file: age, box, head, size",)
