"""A folder of pictures beside a table: CSV, JSON lines, or the metadata.csv of Hugging Face's imagefolder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from dcign.arrays import Int64, UInt8
from dcign.data.sources.pictures import SUFFIXES, Shape, picture_shape, read_picture
from dcign.data.sources.source import Source, also, wrong
from dcign.data.sources.tables import Table, guessed_factors, label_columns, read_table

TABLES = ("metadata.csv", "metadata.jsonl", "labels.csv", "labels.jsonl")  # looked for in this order
ENDINGS = (".csv", ".jsonl", ".ndjson")
FILE_COLUMNS = ("file_name", "file", "filename", "path", "image", "picture", "image_path", "name")


class PictureFolder(Source):
    """A table in which each row names a picture of the same folder, and its labels."""

    layout = "pictures"

    def __init__(self, path: Path) -> None:
        """Read the table, and the header of every picture. path: the folder, or the table in it."""
        self.path = path
        table_path = path if path.is_file() else _table_of(path)
        self._folder = table_path.parent
        self._table = read_table(table_path)
        texts = dict(self._table.texts)
        self._pictures = _picture_paths(self._table, self._folder, texts.pop(_file_column(self._table)))
        self.columns, left_out = label_columns(texts)
        self.factors, self.identity = guessed_factors(self.columns)
        if unnamed := len(_pictures_in(self._folder) - {*self._pictures}):
            left_out.append(f"{unnamed:,} pictures of the folder that {table_path.name} does not name")
        self.left_out = tuple(left_out)
        shapes = [picture_shape(file, self.place(row)) for row, file in enumerate(self._pictures)]
        self.shape, self.mixed = common_shape(shapes, self.place)

    @property
    def count(self) -> int:
        return len(self._pictures)

    def place(self, row: int) -> str:
        return self._table.place(row)

    def images(self, rows: Int64) -> Iterator[UInt8]:
        for row in rows.tolist():
            image = read_picture(self._pictures[row], self.place(row))
            yield image[None]

    def files(self) -> Sequence[Path]:
        return [self._table.path, *self._pictures]


def common_shape(shapes: Sequence[Shape], place: Callable[[int], str]) -> tuple[Shape, str]:
    """Return the usual (H, W), the most channels of any, and where the first picture of another (H, W) is, or ""."""
    channels = max(shape[2] for shape in shapes)
    (high, wide), _ = Counter(shape[:2] for shape in shapes).most_common(1)[0]
    odd = next((row for row, shape in enumerate(shapes) if shape[:2] != (high, wide)), None)
    mixed = "" if odd is None else f"{place(odd)}, with {shapes[odd][1]} x {shapes[odd][0]} px"
    return (high, wide, channels), mixed


def _table_of(folder: Path) -> Path:
    """Return the table of a folder. Raises DataError if there is none, or several of unknown names."""
    for name in TABLES:
        if (folder / name).is_file():
            return folder / name
    others = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
    if len(others) == 1:
        return others[0]
    if not others:
        raise wrong(
            folder, f"a table of labels, such as {TABLES[0]}", "none", "write one; docs/import.md has examples."
        )
    raise wrong(folder, "one table of labels", ", ".join(file.name for file in others), "name one of them as SOURCE.")


def _file_column(table: Table) -> str:
    """Return the column that names the pictures."""
    for name in FILE_COLUMNS:
        texts = table.texts.get(name, ())
        if texts and PurePosixPath(texts[0]).suffix.lower() in SUFFIXES:
            return name
    headings = ", ".join(table.texts)
    raise wrong(table.path, f"a column {FILE_COLUMNS[0]} with names of pictures", headings, "name it so.")


def _picture_paths(table: Table, folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the file of each row. Raises DataError for one that is missing, named twice or outside of the folder."""
    first: dict[Path, int] = {}
    missing: list[int] = []
    inside, paths = folder.resolve(), []
    for row, name in enumerate(names):
        path = folder / name
        real = inside if "\0" in name else path.resolve()
        if PurePosixPath(name).is_absolute() or inside not in real.parents:
            raise wrong(table.place(row), f"a picture in {folder}", name or "no name", "copy it into the folder.")
        if not path.exists():
            missing.append(row)
        elif real in first:
            raise wrong(table.place(row), "each picture once", f"{name}, as in row {table.numbers[first[real]]}",
                        "leave one row out.")  # fmt: skip
        first[real] = row
        paths.append(path)
    if missing:
        raise wrong(table.place(missing[0]), f"the picture {names[missing[0]]}",
                    f"no such file{also(len(missing) - 1)}", "check the names, or leave the rows out.")  # fmt: skip
    return paths


def _pictures_in(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES}
