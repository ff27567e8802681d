"""The labels of photographs: a table with one row per picture of a folder, as `dcign import` reads tables.

The column `file` names the picture; columns with the names of the run's factors hold its labels, in the factors' units,
or as names or indices of classes. Cells may be empty. The columns `eyes` (X Y X Y) and `box` (X Y W H) say where the
face is, in pixels, as the options of `dcign edit` do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcign.data.sources.tables import number, read_table
from dcign.errors import TrainingError

FILE, EYES, BOX = "file", "eyes", "box"


@dataclass(frozen=True)
class Photograph:
    """A picture's file, its row in the CSV file, its labels by factor, and where its face is, if that is known."""

    path: Path
    row: int
    labels: dict[str, float]
    eyes: tuple[float, ...] | None = None
    box: tuple[float, ...] | None = None


def read_photographs(
    folder: str | Path,
    labels: str | Path,
    factors: Sequence[str],
    classes: Mapping[str, Sequence[str]] | None = None,
) -> list[Photograph]:
    """Read which pictures of a folder have which labels; those of factors with classes become indices.

    classes: the names of the classes of each factor that has any.

    Raises DataError for a table that cannot be read, and TrainingError for wrong labels. Both name file and row.
    """
    path = Path(labels)
    if not Path(folder).is_dir():
        raise TrainingError(f"expected a folder of pictures, found none in {folder}: check the name.")
    table = read_table(path)
    header = [heading.strip() for heading in table.texts]
    _refuse_columns(path, header, factors)
    found = [
        _photograph(Path(folder), path, row, dict(zip(header, cells, strict=True)), factors, classes or {})
        for row, *texts in zip(table.numbers, *table.texts.values(), strict=True)
        if any(cells := [text.strip() for text in texts])
    ]
    if not found:
        raise TrainingError(
            f"expected rows of pictures below the names of the columns, found none in {path}: add some."
        )
    seen: dict[Path, int] = {}
    for photograph in found:
        if photograph.path in seen:
            raise TrainingError(
                f"expected each picture once, found {photograph.path.name} in rows {seen[photograph.path]} and "
                f"{photograph.row} of {path}: remove one."
            )
        seen[photograph.path] = photograph.row
    return found


def _refuse_columns(path: Path, header: Sequence[str], factors: Sequence[str]) -> None:
    """Raise TrainingError unless the columns are `file`, one factor or more, and what else is known, each once."""
    known = (FILE, *factors, EYES, BOX)
    listed = ", ".join(known)
    for name in header:
        if name not in known or header.count(name) > 1:
            what = "twice" if name in known else "an unknown column"
            raise TrainingError(
                f"expected columns out of {listed}, each once, found {name!r}, {what}, in row 1 of {path}: correct it."
            )
    if FILE not in header or not set(factors) & set(header):
        raise TrainingError(
            f"expected the column file and one factor or more out of {', '.join(factors)}, found "
            f"{', '.join(header) or 'nothing'} in row 1 of {path}: add them."
        )
    if EYES in header and BOX in header:
        raise TrainingError(f"expected one of the columns eyes and box, found both in row 1 of {path}: remove one.")


def _photograph(
    folder: Path,
    path: Path,
    row: int,
    values: Mapping[str, str],
    factors: Sequence[str],
    classes: Mapping[str, Sequence[str]],
) -> Photograph:
    picture = folder / values[FILE]
    if not values[FILE] or not picture.is_file():
        raise TrainingError(
            f"expected a picture of {folder}, found no file {values[FILE]!r} there, in row {row} of {path}: correct it."
        )
    labels = {
        name: _class_index(values[name], name, classes[name], row, path)
        if classes.get(name)
        else _number(values[name], name, row, path)
        for name in factors
        if values.get(name)
    }
    if not labels:
        raise TrainingError(f"expected a label or more, found none in row {row} of {path}: remove the row.")
    places = {
        name: tuple(_number(word, name, row, path) for word in values[name].split())
        for name in (EYES, BOX)
        if values.get(name)
    }
    for name, numbers in places.items():
        if len(numbers) != 4:
            raise TrainingError(
                f"expected four numbers as {name}, found {len(numbers)} in row {row} of {path}: correct it."
            )
    return Photograph(picture, row, labels, places.get(EYES), places.get(BOX))


def _class_index(text: str, name: str, classes: Sequence[str], row: int, path: Path) -> float:
    """Return the index of a class that is given by its name, or by its index as data sets have it."""
    if text in classes:
        return float(classes.index(text))
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if number not in range(len(classes)):
        raise TrainingError(
            f"expected one of {', '.join(classes)} as {name}, found {text!r} in row {row} of {path}: correct it."
        )
    return number


def _number(text: str, name: str, row: int, path: Path) -> float:
    found = number(text)
    if not math.isfinite(found):
        raise TrainingError(f"expected a number as {name}, found {text!r} in row {row} of {path}: correct it.")
    return found
