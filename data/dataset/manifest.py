"""dataset.json: what a data set folder holds. It is written last, so a folder that has one is complete."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from dcign.data.damage import decode_reason, shown
from dcign.data.schema import CLASSES, FACTOR_FLAGS, FACTORS, PERSON_PARTS, SPLITS, Factor, with_circles
from dcign.errors import DataError
from dcign.storage.atomic import write_atomic
from dcign.storage.paths import is_remote, store_errors

NAME = "dataset.json"
FORMAT = "dcign-dataset"
FORMAT_VERSION = 1
PROCEDURAL = "dcign procedural head"  # the name of our own face model, as in facegen/build.py

LONGEST_NAME = 200  # characters of a file's name

Json = dict[str, Any]


@dataclass(frozen=True)
class ShardEntry:
    """One shard of a split: its file relative to the folder, how many batches it has, and the number of the first."""

    file: str
    batches: int
    first: int
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The content of dataset.json.

    model: file, sha256, name, licence; splits: name -> shards in order; parts: those of
    `dcign.data.schema.PERSON_PARTS` that batches vary alone.
    """

    configuration: Json
    configuration_sha256: str
    seed: int
    model: Json
    renderer: Json
    splits: dict[str, tuple[ShardEntry, ...]]
    factors: tuple[Factor, ...] = FACTORS
    parts: tuple[str, ...] = ()

    @property
    def foreign_model(self) -> bool:
        """Whether faces are of a model of others; ours may have been read from a file, too."""
        return "source" in self.model and self.model.get("name") != PROCEDURAL


class _Kind(msgspec.Struct):
    """The format's name and version; they are read first."""

    format: Any = None  # whatever the file has
    version: Any = None


class _Split(msgspec.Struct):
    batches: int
    shards: tuple[ShardEntry, ...]


class _Document(msgspec.Struct):
    """dataset.json as it is in the file, besides `_Kind`."""

    configuration: Json
    configuration_sha256: str
    seed: int
    model: Json
    renderer: Json
    factors: tuple[Factor, ...]
    splits: dict[str, _Split]
    parts: tuple[str, ...] = ()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write dataset.json atomically; the same manifest gives the same bytes. What no factor has is left out."""
    fields = asdict(manifest)
    fields["factors"] = [
        {name: value for name, value in factor.items() if value or name not in (*FACTOR_FLAGS, CLASSES)}
        for factor in fields["factors"]
    ]
    if not manifest.parts:
        del fields["parts"]
    splits = {
        split: {"batches": sum(shard["batches"] for shard in shards), "shards": shards}
        for split, shards in fields.pop("splits").items()
    }
    document = {"format": FORMAT, "version": FORMAT_VERSION, **fields, "splits": splits}
    write_atomic(folder / NAME, (json.dumps(document, indent=1) + "\n").encode())


def read_manifest(folder: Path) -> Manifest:
    """Read dataset.json of a folder.

    Raises DataError if the folder or the file is missing, is not JSON, or does not have the expected content.
    """
    path, content = folder / NAME, _content(folder)
    try:
        kind = msgspec.json.decode(content, type=_Kind)
        if kind.format != FORMAT:
            raise ValueError(f"format is {shown(repr(kind.format))}, expected {FORMAT!r}")
        if kind.version != FORMAT_VERSION:
            raise DataError(
                f"{path} is of version {shown(kind.version)}; this dcign reads version {FORMAT_VERSION}: update dcign."
            )
        document = msgspec.json.decode(content, type=_Document)
        _check(document)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is not what dcign writes: {decode_reason(error)}; check the name, or render the data set again."
        ) from None
    splits = {name: split.shards for name, split in document.splits.items()}
    factors = with_circles(document.factors, _sampled_ranges(document.configuration))
    return Manifest(**msgspec.structs.asdict(document) | {"splits": splits, "factors": factors})


def _sampled_ranges(configuration: Json) -> dict[str, tuple[float, float]]:
    """Return the ranges of a configuration of `dcign render`, which earlier versions stored without `circular`."""
    found = {}
    for name, value in configuration.items():
        match value:
            case {"low": int() | float() as low, "high": int() | float() as high}:
                found[name] = low, high
    return found


def _content(folder: Path) -> bytes:
    path = folder / NAME
    with store_errors(folder):
        if not folder.is_dir():
            found = "is a file" if folder.exists() else "is not there"
            raise DataError(f"{folder} {found}; expected a data set folder: make one with `dcign render`.")
        try:
            return path.read_bytes()
        except FileNotFoundError:
            begun = any((folder / split).is_dir() for split in SPLITS)
            todo = "finish it with `dcign render`" if begun else "check the name, or make one with `dcign render`"
            raise DataError(f"{folder} has no {NAME}; expected a finished data set: {todo}.") from None
        except OSError as error:
            if is_remote(path):
                raise
            raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None


def _check(document: _Document) -> None:
    """Raise ValueError for unknown splits, gaps between shards, files outside the folder, and odd factor names."""
    _check_inside(str(document.model.get("file", "")))
    for name, split in document.splits.items():
        if name not in SPLITS:
            raise ValueError(f"expected a split of {', '.join(SPLITS)}, found {shown(name)!r}")
        expected = 0
        for entry in split.shards:
            _check_inside(entry.file)
            if entry.first != expected or entry.batches < 1:
                raise ValueError(f"expected {entry.file} to begin at batch {expected}, found {entry.first}")
            expected += entry.batches
        if split.batches != expected:
            raise ValueError(f"expected {expected} batches of {name}, as in its shards, found {split.batches}")
    for part in document.parts:
        if part not in PERSON_PARTS or document.parts.count(part) > 1:
            raise ValueError(f"expected parts of {', '.join(PERSON_PARTS)}, once each, found {shown(part)!r}")
    for factor in document.factors:
        if not factor.name.isidentifier() or not factor.units.isprintable() or factor.mirror_sign not in (-1, 1):
            raise ValueError(
                f"expected a factor's name, unit and mirror sign -1 or 1, found {shown(factor.name)!r}, "
                f"{shown(factor.units)!r}, {factor.mirror_sign}"
            )


def _check_inside(file: str) -> None:
    name = PurePosixPath(file)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"expected a file in the folder, found {shown(file)!r}, outside the folder")
    if not file.isprintable() or len(file) > LONGEST_NAME:
        raise ValueError(f"expected a file name, found {shown(file)!r}")
