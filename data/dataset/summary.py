"""Summarise a shard or a data set folder for `dcign inspect`, as a dict for JSON and as tables to print."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from dcign.data.damage import shown
from dcign.data.dataset.listed import Listed, listed_beside, shard_findings
from dcign.data.dataset.manifest import Manifest
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import RENDERED, ShardHeader
from dcign.data.shard.findings import Finding, brief_lines
from dcign.data.shard.reader import Shard
from dcign.errors import DataError
from dcign.printable import printable
from dcign.storage.paths import store_errors

Json = dict[str, Any]
LONGEST = 600  # characters of a text from a file


@dataclass
class _Tally:
    """Counts over the shards of one split."""

    batches: int = 0
    images: int = 0
    shards: int = 0
    bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    people: set[int] = field(default_factory=set)
    observed: dict[str, tuple[float, float]] = field(default_factory=dict)
    truth: set[str] = field(default_factory=set)
    nuisance: set[str] = field(default_factory=set)

    def add(self, shard: Shard) -> None:
        """Count one more shard; everything is read first, so that a damaged shard is not counted in part."""
        labels, nuisances = shard.labels, shard.nuisances
        varies, people = shard.varies, np.unique(shard.identity_index)
        self.batches += len(shard)
        self.images += len(shard) * shard.batch_size
        self.shards += 1
        self.bytes += shard.path.stat().st_size
        self.kinds.update(varies)
        self.people.update(people.tolist())
        self.truth.update(shard.truths)
        self.nuisance.update(nuisances)
        for name, values in (labels | nuisances).items():
            finite = values[np.isfinite(values)]
            if finite.size:
                low, high = self.observed.get(name, (np.inf, -np.inf))
                self.observed[name] = min(low, float(finite.min())), max(high, float(finite.max()))

    def described(self) -> Json:
        """Return the counts as JSON."""
        return {
            "batches": self.batches,
            "images": self.images,
            "shards": self.shards,
            "bytes": self.bytes,
            "identities": len(self.people),
            "batches_of_kind": {**self.kinds},
            "observed": {name: list(pair) for name, pair in self.observed.items()},
            "truth": sorted(self.truth),
            "nuisance": sorted(self.nuisance),
        }


def summarise(path: Path) -> Json:
    """Describe a shard or a data set folder as a dict that JSON can hold. This reads labels, not images.

    Shards of a folder that cannot be read are left out, and "unreadable" has one sentence about each. "wrong" has one
    about each label that is not finite or out of range, and each shard that is not as dataset.json lists it.

    Raises DataError if the path is neither, or is a single shard that cannot be read.
    """
    with store_errors(path):
        return _summarise_folder(path) if path.is_dir() else _summarise_shard(path)


def table(summary: Json) -> RenderableType:
    """Return a summary as tables, to be printed with rich."""
    unreadable = [Text(f"UNREADABLE  {printable(sentence)}") for sentence in summary["unreadable"]]
    tables = _split_table(summary), _range_table(summary), _provenance_table(summary)
    return Group(_title(summary), *tables, *unreadable)


def _summarise_shard(path: Path) -> Json:
    with Shard(path) as shard:
        tally, header = _Tally(), shard.header
        tally.add(shard)
        summary = _summary(path, header, {"sha256": header.model_sha256}, {header.split: tally}, _about(shard))
        wrong = [*brief_lines(shard_findings(shard, listed_beside(path)))]
        return summary | {"kind": "shard", "first_batch": int(shard.numbers[0]), "wrong": wrong}


def _summarise_folder(path: Path) -> Json:
    dataset = FaceDataset(path)
    tallies: dict[str, _Tally] = {}
    about: Json = {}
    unreadable: list[str] = []
    wrong: list[Finding] = []
    for split, entries in dataset.splits.items():
        tallies[split] = _Tally()
        for entry in entries:
            try:
                with dataset.shard(entry) as shard:
                    tallies[split].add(shard)
                    about = about or _about(shard)
                    wrong += shard_findings(shard, Listed(dataset.manifest, split, entry))
            except DataError as error:
                unreadable.append(str(error))
    summary = _summary(path, dataset.manifest, dataset.manifest.model, tallies, about)
    return summary | {"kind": "data set", "unreadable": unreadable, "wrong": [*brief_lines(wrong)]}


def _about(shard: Shard) -> Json:
    """Return what is the same in all shards of a data set."""
    height, width, channels = shard.image_shape
    image = {"height": height, "width": width, "channels": channels}
    header = shard.header
    return {
        "version": header.version,
        "batch_size": shard.batch_size,
        "kinds": [*header.codes],
        "image": image,
        "camera": header.camera,
        "ranges": header.ranges,
    }


def _summary(path: Path, source: ShardHeader | Manifest, model: Json, tallies: dict[str, _Tally], about: Json) -> Json:
    """Return the summary. model: hash, name and licence; about: `_about` of the first shard that can be read."""

    def spread(name: str) -> Json:
        """Return the range of a factor or nuisance, as configured and as observed."""
        seen = [tally.observed[name] for tally in tallies.values() if name in tally.observed]
        configured = about.get("ranges", {}).get(name)
        return {
            "configured": list(configured) if configured else None,
            "observed": [min(low for low, _ in seen), max(high for _, high in seen)] if seen else None,
        }

    return {
        "path": str(path),
        "kind": "",
        "format_version": about.get("version", RENDERED),
        "batch_size": about.get("batch_size", 0),
        "kinds": about.get("kinds", []),
        "image": about.get("image", {}),
        "splits": {split: tally.described() for split, tally in tallies.items()},
        "factors": {
            factor.name: {
                "units": factor.units,
                "mirror_sign": factor.mirror_sign,
                **({"circular": True} if factor.circular else {}),
                **({"classes": list(factor.classes)} if factor.classes else {}),
                **spread(factor.name),
            }
            for factor in source.factors
        },
        "parts": list(source.parts),
        "nuisances": {
            name: spread(name) for name in sorted({name for tally in tallies.values() for name in tally.nuisance})
        },
        "provenance": {
            "seed": source.seed,
            "configuration_sha256": source.configuration_sha256,
            "model": model,
            "renderer": source.renderer,
            "camera": about.get("camera", {}),
            "configuration": source.configuration,
        },
        "unreadable": [],
    }


def _title(summary: Json) -> Text:
    image = summary["image"]
    colour = "gray" if image.get("channels") == 1 else "colour"
    size = f"{image['width']} x {image['height']} px, {colour}" if image else "no images"
    return Text(f"{printable(summary['path'])}: a dcign {summary['kind']}, version {summary['format_version']}, {size}")


def _split_table(summary: Json) -> Table:
    """Return one column per split, so that the table fits a terminal of 80 columns."""
    splits = summary["splits"].values()
    columns = [Column(split, justify="right") for split in summary["splits"]]
    lines = Table(f"batches of {summary['batch_size']} images", *columns, box=SIMPLE_HEAD)
    for kind in summary["kinds"]:
        counts = [split["batches_of_kind"].get(kind, 0) for split in splits]
        if any(counts):
            lines.add_row(f"  varying {kind}", *(f"{count:,}" for count in counts))
    for heading in ("batches", "images", "identities", "shards"):
        lines.add_row(heading, *(f"{split[heading]:,}" for split in splits))
    lines.add_row("size", *(decimal(split["bytes"]) for split in splits))
    lines.add_row("truth", *(", ".join(split["truth"]) or "-" for split in splits))
    lines.add_row("nuisances", *(f"{len(split['nuisance'])}" for split in splits))
    return lines


def _range_table(summary: Json) -> Table:
    heading = "factor (or nuisance)" if summary["nuisances"] else "factor"
    lines = Table(heading, "unit", "configured", "observed", "in a mirror", box=SIMPLE_HEAD)
    for name, factor in summary["factors"].items():
        sign = "negated" if factor["mirror_sign"] < 0 else "kept"
        unit = f"{factor['units']}, circular" if factor.get("circular") else factor["units"]
        classes = Text(shown(", ".join(factor.get("classes", ()))))
        lines.add_row(name, unit, classes or _range(factor["configured"]), _range(factor["observed"]), sign)
    for name, nuisance in summary["nuisances"].items():
        lines.add_row(f"({name})", "", _range(nuisance["configured"]), _range(nuisance["observed"]), "")
    return lines


def _provenance_table(summary: Json) -> Table:
    provenance = summary["provenance"]
    model, renderer = provenance["model"], provenance["renderer"]
    lines = Table("provenance", "", box=SIMPLE_HEAD)
    rows = {
        "seed": provenance["seed"],
        "configuration": provenance["configuration_sha256"],
        "model": model.get("sha256", "-"),
        "model's name": model.get("name", "-"),
        "model's licence": model.get("licence", "-"),
        "renderer": ", ".join(str(value) for value in renderer.values()),
    }
    configuration = provenance["configuration"]
    rows |= {
        heading: _words(configuration[name])
        for name, heading in (("people", "people chosen"), ("correlate", "correlated factors"))
        if configuration.get(name)
    }
    for name, value in rows.items():
        lines.add_row(name, Text(shown(value, LONGEST)))  # not markup, even if it contains brackets
    return lines


def _range(pair: list[float] | None) -> str:
    return f"{pair[0]:.1f} to {pair[1]:.1f}" if pair else "-"


def _words(value: Any) -> str:  # JSON
    """Return a part of a configuration in one line: names and values, lists separated by semicolons."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    return "; ".join(map(_words, value)) if isinstance(value, list) else str(value)
