"""dataset.json: what a data set folder holds. It is written last, so a folder with one is complete."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dcign.data.damage import shown
from dcign.data.schema import FACTORS, SPLITS, Factor
from dcign.errors import DataError
from dcign.storage.atomic import write_atomic
from dcign.storage.paths import is_remote, store_errors

NAME = "dataset.json"
FORMAT = "dcign-dataset"
FORMAT_VERSION = 1

LONGEST_NAME = 200  # characters of a file's name

Json = dict[str, Any]


@dataclass(frozen=True)
class ShardEntry:
    """One shard of a split: its file relative to the folder, its batches, and the number of the first."""

    file: str
    batches: int
    first: int
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The whole of dataset.json. model: file, sha256, name, licence; splits: name -> shards in order."""

    configuration: Json
    configuration_sha256: str
    seed: int
    model: Json
    renderer: Json
    splits: dict[str, tuple[ShardEntry, ...]]
    factors: tuple[Factor, ...] = FACTORS


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write dataset.json, aside and then renamed; the same manifest gives the same bytes."""
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "configuration": manifest.configuration,
        "configuration_sha256": manifest.configuration_sha256,
        "seed": manifest.seed,
        "model": manifest.model,
        "renderer": manifest.renderer,
        "factors": [asdict(factor) for factor in manifest.factors],
        "splits": {
            split: {
                "batches": sum(entry.batches for entry in entries),
                "shards": [asdict(entry) for entry in entries],
            }
            for split, entries in manifest.splits.items()
        },
    }
    write_atomic(folder / NAME, (json.dumps(document, indent=1) + "\n").encode())


def read_manifest(folder: Path) -> Manifest:
    """Read dataset.json of a folder.

    Raises DataError if the folder or the file is missing, is not JSON, or does not have the expected content.
    """
    document = _document(folder)
    path = folder / NAME
    if document.get("format") != FORMAT:
        raise DataError(
            f"{path} says its format is {shown(repr(document.get('format')))}; expected {FORMAT!r}: check the name."
        )
    if document.get("version") != FORMAT_VERSION:
        raise DataError(
            f"{path} is of version {shown(document.get('version'))}; this dcign reads "
            f"version {FORMAT_VERSION}: update dcign."
        )
    try:
        manifest = Manifest(
            configuration=_typed(document, "configuration", dict),
            configuration_sha256=_typed(document, "configuration_sha256", str),
            seed=_typed(document, "seed", int),
            model=_typed(document, "model", dict),
            renderer=_typed(document, "renderer", dict),
            splits={name: _entries(split) for name, split in _typed(document, "splits", dict).items()},
            factors=tuple(_factor(fields) for fields in _typed(document, "factors", list)),
        )
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else f"has {error}"
        raise DataError(f"{path} {shown(reason, 300)}; expected what dcign wrote: render the data set again.") from None
    return manifest


def _document(folder: Path) -> Json:
    path = folder / NAME
    with store_errors(folder):
        there, file = folder.is_dir(), folder.exists()
    if not there:
        found = "is a file" if file else "is not there"
        raise DataError(f"{folder} {found}; expected a data set folder: make one with `dcign render`.")
    with store_errors(folder):
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise DataError(
                f"{folder} has no {NAME}; expected a finished data set: finish it with `dcign render`."
            ) from None
        except OSError as error:
            if is_remote(path):
                raise
            raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions.") from None
        except (ValueError, RecursionError):
            raise DataError(f"{path} is not JSON; expected what dcign wrote: make it again.") from None
    if not isinstance(document, dict):
        raise DataError(f"{path} holds no JSON object; expected what dcign wrote: make it again.")
    return document


def _check(manifest: Manifest) -> None:
    """Refuse splits that dcign does not know, gaps between shards, and files outside the folder."""
    _check_inside(str(manifest.model.get("file", "")))
    for split, entries in manifest.splits.items():
        if split not in SPLITS:
            raise ValueError(f"a split {shown(split)!r} where one of {', '.join(SPLITS)} belongs")
        expected = 0
        for entry in entries:
            _check_inside(entry.file)
            if entry.first != expected or entry.batches < 1:
                raise ValueError(f"{entry.file} begin at batch {entry.first} where {expected} belongs")
            expected += entry.batches


def _check_inside(file: str) -> None:
    name = PurePosixPath(file)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"a file {shown(file)!r} outside the folder")
    if not file.isprintable() or len(file) > LONGEST_NAME:
        raise ValueError(f"a file {shown(file)!r}, which is no name")


def _entries(split: Json) -> tuple[ShardEntry, ...]:
    entries = tuple(
        ShardEntry(
            file=_typed(shard, "file", str),
            batches=_typed(shard, "batches", int),
            first=_typed(shard, "first", int),
            sha256=_typed(shard, "sha256", str),
            bytes=_typed(shard, "bytes", int),
        )
        for shard in _typed(split, "shards", list)
    )
    if split["batches"] != sum(entry.batches for entry in entries):
        raise ValueError(f"{shown(split['batches'])} batches declared where its shards hold another number")
    return entries


def _factor(fields: Json) -> Factor:
    name, units, sign = _typed(fields, "name", str), _typed(fields, "units", str), _typed(fields, "mirror_sign", int)
    if not name.isidentifier() or not units.isprintable() or sign not in (-1, 1):
        raise ValueError(f"a factor {shown(name)!r} of unit {shown(units)!r} and mirror sign {shown(sign)}")
    return Factor(name, units, sign)


def _typed(fields: Json, key: str, kind: type) -> Any:  # Any: the caller names the type
    value = fields[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{key} = {shown(repr(value))} where {kind.__name__} belongs")
    return value
