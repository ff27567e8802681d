"""What `dcign export` writes of data sets: png, npz, 3dshapes and webdataset. Their batches are kept as they are.

about.json names the factors and the splits. Images, labels, identities and what varies come back unchanged;
coefficients of people, nuisances and truth layers do not.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dcign.arrays import Float64, Int64, UInt8
from dcign.data.damage import shown
from dcign.data.schema import ALL, FACTORS, FULL_TURN, IDENTITY, MORE_FACTORS, Factor
from dcign.data.sources.npz import Archive
from dcign.data.sources.pictures import read_picture
from dcign.data.sources.shapes3d import opened, stream_dataset
from dcign.data.sources.source import Column, Ready, Source, wrong
from dcign.errors import DataError

ABOUT = "about.json"
SPLITS = ("train", "test", "iid", "sweep")
KNOWN = {factor.name: factor for factor in (*FACTORS, *MORE_FACTORS)}
WHO = "identity_index"  # the column that says who is seen
DAMAGED = "export the data set again."
NO_BATCHES = "expected batches of train, test, iid or sweep in the export, found none: export these splits."
Json = dict[str, Any]


class Labels:
    """The labels of the images of one split: batch (N,), varies (N,), identity (N,), factors (N, F)."""

    def __init__(self, batch: Any, varies: Sequence[str], identity: Any, factors: Any, where: Path, count: int) -> None:
        """Take sequences; where: for messages; count: F. Raises DataError if they are not batches of equal size."""
        self.varies = list(varies)
        self.batch, self.identity = np.asarray(batch, np.int64), np.asarray(identity, np.int64)
        self.factors: Float64 = np.asarray(factors, np.float64).reshape(len(self.batch), -1)
        changes = np.flatnonzero(np.diff(self.batch)) + 1
        self.size = int(changes[0]) if len(changes) else len(self.batch)
        whole = self.size and len(self.batch) % self.size == 0
        if (
            not whole
            or (changes % self.size).any()
            or self.factors.shape[1] != count
            or len(self.varies) != len(self.batch)
        ):
            raise wrong(where, "images batch by batch, and a label per factor", "others", DAMAGED)


class Exported(Source):
    """A folder of `dcign export`."""

    def __init__(self, path: Path, about: Json) -> None:
        """Read all labels. about: the content of about.json."""
        self.path, self.layout = path, f"dcign export --to {about['format']}"
        self._read_labels, self._stream, self._list = FORMATS[about["format"]]
        factors = [_factor(each) for each in about["factors"]]
        image, splits = about["image"], [split for split in about["splits"] if split in SPLITS]
        if not splits:
            raise DataError(NO_BATCHES)
        self.shape = image["height"], image["width"], image["channels"]
        self.licence = str(about.get("model", {}).get("licence", ""))
        labels = [self._read_labels(path, split, factors) for split in splits]
        self._splits = splits
        self._first = np.cumsum([0, *(len(each.batch) for each in labels)])
        values = np.concatenate([each.factors for each in labels])
        self.columns = {factor.name: Column(factor, values[:, place]) for place, factor in enumerate(factors)}
        self.factors = tuple(self.columns)
        self.ready, self.left_out = self._batches(labels, [*self.columns, IDENTITY, ALL])
        if WHO not in self.columns:
            self.columns[WHO] = Column(Factor(WHO, "", +1), self.ready.identity.astype(np.float64))
            self.identity = (WHO,)
        dropped = sorted({*about["splits"]} - {*splits})
        self.left_out += tuple(f"split {name}, which only `dcign render` can make" for name in dropped)

    def _batches(self, labels: Sequence[Labels], kinds: Sequence[str]) -> tuple[Ready, tuple[str, ...]]:
        """Return the batches, and a sentence about those of parts of people, which cannot be kept."""
        size = labels[0].size
        odd = next((split for split, each in zip(self._splits, labels, strict=True) if each.size != size), None)
        if odd is not None:
            raise wrong(self.path, f"batches of {size} images in all splits", f"others in {odd}", DAMAGED)
        rows = np.arange(self.count).reshape(-1, size)
        splits = [
            split for split, each in zip(self._splits, labels, strict=True) for _ in range(len(each.batch) // size)
        ]
        varies = [name for each in labels for name in each.varies[::size]]
        kept = [place for place, name in enumerate(varies) if name in kinds]
        lost = sorted({*varies} - {*kinds})
        identity = np.concatenate([each.identity for each in labels])
        ready = Ready(tuple(splits[n] for n in kept), tuple(varies[n] for n in kept), rows[kept], identity)
        return ready, (f"batches that vary {', '.join(lost)}, parts of people",) if lost else ()

    @property
    def count(self) -> int:
        return int(self._first[-1])

    def images(self, rows: Int64) -> Iterator[UInt8]:
        for place, split in enumerate(self._splits):
            first, end = self._first[place : place + 2]
            here = rows[(rows >= first) & (rows < end)] - first
            for block in self._stream(self.path, split, here) if len(here) else ():
                yield block if block.ndim == 4 else block[..., None]

    def files(self) -> Sequence[Path]:
        return [self.path / ABOUT, *(file for split in self._splits for file in self._list(self.path, split))]

    def place(self, row: int) -> str:
        split = int(np.searchsorted(self._first, row, side="right")) - 1
        return f"{self.path / self._splits[split]}, image {row - self._first[split]}"


def about_of(path: Path) -> Json | None:
    """Return the content of a folder's about.json if `dcign export` wrote the folder, else None."""
    try:
        about = json.loads((path / ABOUT).read_bytes())
        keys = about["format"], about["factors"], about["image"]["channels"], about["splits"]
        return about if keys[0] in FORMATS else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _factor(about: Json) -> Factor:
    """Return a factor of about.json; earlier versions wrote name, units and range alone."""
    name, units = str(about["name"]), str(about["units"])
    low, high = about.get("range") or (0.0, 0.0)
    known = KNOWN.get(name, Factor(name, units, +1))
    return Factor(
        name,
        units,
        about.get("mirror_sign", known.mirror_sign),
        about.get("of_identity", known.of_identity),
        about.get("circular", units == "degree" and high - low >= FULL_TURN),
        tuple(about.get("classes", ())),
    )


def _png_labels(path: Path, split: str, factors: Sequence[Factor]) -> Labels:
    rows = _png_rows(path, split)
    try:
        # The columns after file, batch, image, varies and identity_index are the factors.
        columns = [*rows[0]][5 : 5 + len(factors)]
        values = [[float(row[name]) for name in columns] for row in rows]
        batch, identity = ([int(row[name]) for row in rows] for name in ("batch", "identity_index"))
        return Labels(batch, [row["varies"] for row in rows], identity, values, path / split, len(factors))
    except (KeyError, ValueError, TypeError, IndexError):
        raise wrong(path / split / "labels.csv", "the columns that it was exported with", "others", DAMAGED) from None


def _png_rows(path: Path, split: str) -> list[dict[str, str]]:
    table = path / split / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise wrong(table, "a table of labels", "none that can be read", DAMAGED) from None


def _png_images(path: Path, split: str, rows: Int64) -> Iterator[UInt8]:
    names = [row["file"] for row in _png_rows(path, split)]
    inside = (path / split).resolve()
    for row in rows.tolist():
        file = path / split / names[row]
        if inside not in file.resolve().parents:
            raise wrong(path / split / "labels.csv", f"pictures in {split}", names[row], DAMAGED)
        yield read_picture(file, f"{path / split / 'labels.csv'}, row {row + 2}")[None]


def _png_files(path: Path, split: str) -> list[Path]:
    return [path / split / "labels.csv", *(path / split / row["file"] for row in _png_rows(path, split))]


def _npz_labels(path: Path, split: str, factors: Sequence[Factor]) -> Labels:
    archive = Archive(path / f"{split}.npz")
    names = ("batch", "varies", "identity_index", "latents_values")
    batch, varies, identity, values = (archive.array(name) if name in archive.names else None for name in names)
    if batch is None or varies is None or identity is None or values is None:
        raise wrong(archive.path, ", ".join(names), ", ".join(sorted(archive.names)), DAMAGED)
    return Labels(batch, [str(name) for name in varies], identity, values, archive.path, len(factors))


def _npz_images(path: Path, split: str, rows: Int64) -> Iterator[UInt8]:
    archive = Archive(path / f"{split}.npz")
    return archive.stream("imgs", archive.shape("imgs")[1:], rows)


def _hdf5_labels(path: Path, split: str, factors: Sequence[Factor]) -> Labels:
    with opened(path / f"{split}.h5") as file:
        name_of = {code: name for name, code in h5py.check_enum_dtype(file["varies"].dtype).items()}
        varies = [name_of[code] for code in file["varies"][:].tolist()]
        batch, identity, values = (file[name][:] for name in ("batch", "identity_index", "labels"))
        return Labels(batch, varies, identity, values, path / f"{split}.h5", len(factors))


def _hdf5_images(path: Path, split: str, rows: Int64) -> Iterator[UInt8]:
    with opened(path / f"{split}.h5") as file:
        yield from stream_dataset(file["images"], rows)


def _tar_labels(path: Path, split: str, factors: Sequence[Factor]) -> Labels:
    batch, varies, identity, values = [], [], [], []
    for name, content in _members(path, split, ".json"):
        try:
            labels = json.loads(content)
            values.append([labels["factors"][factor.name] for factor in factors])
            batch.append(labels["batch"])
            varies.append(labels["varies"])
            identity.append(labels["identity_index"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise wrong(name, "the labels of an image", "another text", DAMAGED) from None
    return Labels(batch, varies, identity, values, path / split, len(factors))


def _tar_images(path: Path, split: str, rows: Int64) -> Iterator[UInt8]:
    wanted = {*rows.tolist()}
    for row, (name, content) in enumerate(_members(path, split, ".png")):
        if row in wanted:
            yield read_picture(content, name)[None]


def _tar_files(path: Path, split: str) -> list[Path]:
    return sorted(path.glob(f"{split}-*.tar"))


def _members(path: Path, split: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """Yield place and content of each KEY.png or KEY.json; truth layers are KEY.LAYER.png."""
    for file in _tar_files(path, split):
        try:
            with tarfile.open(file, "r|") as tar:
                for member in tar:
                    if member.isfile() and member.name.count(".") == 1 and member.name.endswith(ending):
                        held = tar.extractfile(member) or io.BytesIO()
                        yield f"{file}, {shown(member.name)}", held.read()
        except (tarfile.TarError, OSError, EOFError):
            raise wrong(file, "a whole tar archive", "one that is damaged or cut short", DAMAGED) from None


def _one_file(ending: str) -> Callable[[Path, str], list[Path]]:
    return lambda path, split: [path / f"{split}{ending}"]


# Format -> labels of a split, its images, its files.
FORMATS: dict[str, tuple[Callable[..., Labels], Callable[..., Iterator[UInt8]], Callable[[Path, str], list[Path]]]] = {
    "png": (_png_labels, _png_images, _png_files),
    "npz": (_npz_labels, _npz_images, _one_file(".npz")),
    "3dshapes": (_hdf5_labels, _hdf5_images, _one_file(".h5")),
    "webdataset": (_tar_labels, _tar_images, _tar_files),
}
