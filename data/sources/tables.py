"""Tables of labels as text: CSV with a heading, or JSON lines; and which of their columns are numbers.

Rows are counted as a spreadsheet or an editor does: of CSV, the heading is row 1.
"""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float64
from dcign.data.schema import Factor
from dcign.data.sources.source import MOST_CLASSES, Column, text_classes, wrong
from dcign.errors import DataError
from dcign.foreign import foreign_kind, magic_kind

MOST_FIELD = 10_000  # characters of one field
DELIMITERS = ",;\t"  # of CSV; a spreadsheet writes semicolons where a comma is the decimal sign
DECIMAL_COMMAS = re.compile(r"\s*[+-]?\d+(,\d+)?(\s+[+-]?\d+(,\d+)?)*\s*")  # one number, or some between spaces
# What is no label, by usual names of columns.
NOT_LABELS = {"batch", "id", "image", "image_number", "index", "row", "split", "varies"}
WHO = ("identity", "identity_index", "person", "person_id", "subject", "subject_id", "who")
UNITS = {
    "deg": "degree",
    "degree": "degree",
    "degrees": "degree",
    "rad": "radian",
    "radians": "radian",
    "mm": "millimetre",
}


@dataclass(frozen=True, eq=False)
class Table:
    """The texts of a table: heading -> one per row; and the row of the file that each row is from."""

    path: Path
    texts: dict[str, list[str]]
    numbers: list[int]

    def place(self, row: int) -> str:
        """Return file and row, for messages."""
        return f"{self.path}, row {self.numbers[row]}"


def read_table(path: Path) -> Table:
    """Read a CSV file, or one of JSON objects, one per line. Raises DataError if it is neither."""
    try:
        kind = foreign_kind(path) or magic_kind(path)
        if kind:
            raise wrong(path, "a table", kind, "check the file.")
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = (
                _json_rows(path, file)
                if path.suffix.lower() in (".jsonl", ".json", ".ndjson")
                else _csv_rows(path, file)
            )
            return _gathered(path, rows)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the name and its permissions.") from None
    except UnicodeDecodeError:
        raise wrong(path, "a table in UTF-8", "another encoding", "save it as UTF-8.") from None
    except csv.Error:
        raise wrong(
            path, f"a CSV file with fields of at most {MOST_FIELD:,} characters", "another file", "check it."
        ) from None


def label_columns(texts: dict[str, list[str]]) -> tuple[dict[str, Column], list[str]]:
    """Return the columns of numbers and classes, and a sentence about each that is neither.

    A column is one of numbers if at least half of its texts are; the others are NaN, and are refused when it is used as
    numbers.
    """
    found: dict[str, Column] = {}
    left_out = []
    for heading, held in texts.items():
        name = factor_name(heading)
        if name in found:
            raise wrong("columns", "different names", f"{heading!r}, twice", "rename one.")
        values = _numbers(held)
        if np.isfinite(values).sum() * 2 >= len(values):
            factor = Factor(name, UNITS.get(name.split("_")[-1], ""), +1)
            found[name] = Column(factor, values, _texts_apart(held, values))
            continue
        names, codes = text_classes(held)
        if len(names) > MOST_CLASSES and name not in WHO:
            left_out.append(f"column {heading}: {len(names):,} different texts")
        found[name] = Column(Factor(name, "", +1, classes=names), codes)
    return found, left_out


def guessed_factors(columns: dict[str, Column]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which columns are factors unless the user says so, and which say who is seen."""
    who = tuple(name for name in WHO if name in columns)[:1]
    factors = [
        name
        for name, column in columns.items()
        if name not in NOT_LABELS and name not in WHO and len(column.factor.classes) <= MOST_CLASSES and _varies(column)
    ]
    return tuple(factors), who


def factor_name(heading: str) -> str:
    """Return a heading as a factor's name: letters, digits and _."""
    name = re.sub(r"\W+", "_", heading.strip()).strip("_") or "column"
    return name if name.isidentifier() else f"column_{name}"


def number(text: str) -> float:
    """Return the number that a text is, or NaN. 1_000 is none: Python alone writes numbers so."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def _texts_apart(texts: Sequence[str], values: Float64) -> tuple[str, ...]:
    """Return the texts of a column of numbers if they tell more rows apart than the numbers do; "" for nan."""
    written = tuple("" if text.strip().lower() == "nan" else text.strip() for text in texts)
    return written if len({*written} - {""}) > len(np.unique(values[np.isfinite(values)])) else ()


def _varies(column: Column) -> bool:
    return bool((column.values != column.values[0]).any())


def _numbers(texts: Sequence[str]) -> Float64:
    return np.array([number(text) for text in texts], np.float64)


def _csv_rows(path: Path, file: Any) -> Iterator[tuple[int, dict[str, str]]]:  # a text file
    csv.field_size_limit(MOST_FIELD)
    first = file.readline(MOST_FIELD)
    file.seek(0)
    delimiter = max(DELIMITERS, key=first.count)
    lines = csv.reader(file, strict=True, delimiter=delimiter)
    heading = next(lines, None)
    if not heading or len({*heading}) < len(heading):
        raise wrong(f"{path}, row 1", "different names of columns", heading or "nothing", "give it a heading.")
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(heading):
            raise wrong(f"{path}, row {lines.line_num}", f"{len(heading)} cells", len(cells), "correct the row.")
        if delimiter != ",":
            cells = [cell.replace(",", ".") if DECIMAL_COMMAS.fullmatch(cell) else cell for cell in cells]
        yield lines.line_num, dict(zip(heading, cells, strict=True))


def _json_rows(path: Path, file: Any) -> Iterator[tuple[int, dict[str, str]]]:  # a text file
    for row, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("no object")
            leaves = [*_leaves(record)]
        except (ValueError, RecursionError):
            raise wrong(
                f"{path}, row {row}", "a JSON object on one line", "another text", "write JSON lines."
            ) from None
        count = Counter(path[-1] for path, _ in leaves)
        names = [path[-1] if count[path[-1]] == 1 else ".".join(path) for path, _ in leaves]
        if twice := [name for name, uses in Counter(names).items() if uses > 1]:
            raise wrong(f"{path}, row {row}", "different names of labels", f"{twice[0]}, twice", "rename one.")
        yield row, {name: _text(value) for name, (_, value) in zip(names, leaves, strict=True)}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _leaves(record: dict[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the path and the value of each label of nested objects."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(value, *above, name)
        else:
            yield (*above, name), value


def _gathered(path: Path, rows: Iterator[tuple[int, dict[str, str]]]) -> Table:
    texts: dict[str, list[str]] = {}
    numbers: list[int] = []
    for number, cells in rows:
        texts = texts or {name: [] for name in cells}
        if cells.keys() != texts.keys():
            odd = next(iter({*cells} ^ {*texts}))
            raise wrong(
                f"{path}, row {number}", f"columns {', '.join(texts)}", f"{odd} besides or missing", "correct the row."
            )
        for name, text in cells.items():
            texts[name].append(sys.intern(text))
        numbers.append(number)
    if not numbers:
        raise wrong(path, "rows of labels", "none", "check the file.")
    return Table(path, texts, numbers)
