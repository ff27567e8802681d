"""A shard as dataset.json lists it, and what every command checks of it before it uses it.

The SHA-256 finds every change. It is computed at 1.3 GB/s per core, which is less than a tenth of what exporting,
encoding or training takes (docs/log.md). The other checks say what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcign.data.damage import AGAIN, shown
from dcign.data.dataset.manifest import NAME, Manifest, ShardEntry, read_manifest
from dcign.data.schema import Factor, with_circles
from dcign.data.shard.findings import Finding
from dcign.data.shard.labels import identity_faults, label_faults, value_faults
from dcign.data.shard.reader import Shard
from dcign.errors import DataError

CHANGED = "has another SHA-256 than dataset.json lists: its bytes were changed"


@dataclass(frozen=True)
class Listed:
    """One entry of a dataset.json."""

    manifest: Manifest
    split: str
    entry: ShardEntry


def listed_beside(path: Path) -> Listed | None:
    """Return the entry of a shard in the dataset.json of its folder, or None if there is none that can be read."""
    file = path.absolute()
    folder = file.parent.parent
    try:
        manifest = read_manifest(folder)
    except DataError:
        return None
    name = file.relative_to(folder).as_posix()
    found = ((split, entry) for split, entries in manifest.splits.items() for entry in entries if entry.file == name)
    return next((Listed(manifest, *each) for each in found), None)


def shard_findings(shard: Shard, listed: Listed | None) -> list[Finding]:
    """Return what is wrong with a shard's header, its labels and its SHA-256, in this order.

    listed: None if no dataset.json lists the shard. Pixels are not looked at.
    """
    changed = listed is not None and shard.sha256() != listed.entry.sha256
    faults = [*value_faults(shard)]
    if changed:
        faults += [*label_faults(shard), *identity_faults(shard)]
    name, numbers = str(shard.path), shard.numbers
    found = [Finding(name, None, what) for what in (header_faults(shard, listed) if listed else ())]
    found += [Finding(name, int(numbers[row]), what) for row, what in sorted(faults)]
    return [*found, Finding(name, None, CHANGED)] if changed else found


def refuse_findings(findings: Sequence[Finding]) -> None:
    """Raise DataError with the first finding, if there is any, and the number of the others."""
    if findings:
        more = f" (and {len(findings) - 1} more findings)" if len(findings) > 1 else ""
        raise DataError(f"{findings[0]}{more}; {AGAIN}")


def header_faults(shard: Shard, listed: Listed) -> Iterator[str]:
    """Yield where a shard's header differs from dataset.json."""
    manifest, header, entry = listed.manifest, shard.header, listed.entry
    pairs: dict[str, tuple[Any, Any]] = {
        "split": (header.split, listed.split),
        "seed": (header.seed, manifest.seed),
        "configuration hash": (header.configuration_sha256, manifest.configuration_sha256),
        "configuration": (header.configuration, manifest.configuration),
        "model hash": (header.model_sha256, manifest.model.get("sha256", header.model_sha256)),
        "renderer": (header.renderer, manifest.renderer),
        "number of batches": (len(shard), entry.batches),
        "first batch": (int(shard.numbers[0]), entry.first),
        "parts": (header.parts, manifest.parts),
    }
    for name, here, there in factor_pairs(header.factors, with_circles(manifest.factors, header.ranges)):
        pairs[name] = here, there
    for name, (found, wanted) in pairs.items():
        if found != wanted:
            yield f"has {name} {shown(found)}; {NAME} says {shown(wanted)}"


def factor_pairs(found: Sequence[Factor], wanted: Sequence[Factor]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Yield names, units, mirror signs and flags of the columns of two headers, to be compared."""
    yield "factors", [each.name for each in found], [each.name for each in wanted]
    yield "units", [each.units for each in found], [each.units for each in wanted]
    yield "mirror_sign", [each.mirror_sign for each in found], [each.mirror_sign for each in wanted]
    yield "of_identity", [each.of_identity for each in found], [each.of_identity for each in wanted]
    yield "classes", [each.classes for each in found], [each.classes for each in wanted]
    yield "circular", [each.circular for each in found], [each.circular for each in wanted]
