"""The data card of a data set that was written from arrays: what is in it, and where it came from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dcign.data.dataset.manifest import Manifest
from dcign.data.schema import Batch, Factor

CLASSES_NAMED = 12  # at most, of a factor
NOBODY_KNOWN = "No label says who or which object is seen: those of other splits may be in train, too."


class SplitTally:
    """Counts of the batches of a split, as they are written."""

    def __init__(self, factors: Sequence[Factor]) -> None:
        self.batches = self.images = 0
        self.kinds: Counter[str] = Counter()
        self.identities: set[int] = set()
        self.lowest, self.highest = np.full(len(factors), np.inf), np.full(len(factors), -np.inf)

    def add(self, batch: Batch) -> None:
        """Count one more batch."""
        self.batches += 1
        self.images += len(batch.images)
        self.kinds[batch.varies] += 1
        self.identities.update(batch.identity_index.tolist())
        self.lowest = np.minimum(self.lowest, batch.factors.min(axis=0))
        self.highest = np.maximum(self.highest, batch.factors.max(axis=0))


def written_card(manifest: Manifest, tallies: Mapping[str, SplitTally], identities_known: bool) -> str:
    """Return README.md of the folder, with the front matter that data hubs read."""
    about = manifest.configuration
    size = next(tally.images // tally.batches for tally in tallies.values())
    return "\n".join([
        "---",
        f"pretty_name: {json.dumps(about['name'])}",
        "tags: [disentanglement]",
        "---",
        "",
        f"# {about['name']}",
        "",
        f"Written by dcign in batches of {size} images. What varies within a batch is named; everything else is equal.",
        "",
        "| split | batches | images | identities | batches by what varies |",
        "|---|---|---|---|---|",
        *(_split_row(split, tally, identities_known) for split, tally in tallies.items()),
        "",
        "| factor | values | in a mirrored image |",
        "|---|---|---|",
        *_factor_rows(manifest.factors, [*tallies.values()]),
        "",
        _held_out(tallies) if identities_known else NOBODY_KNOWN,
        "",
        f"Licence: {about['licence'] or 'not stated by whoever wrote this folder'}.",
        *(["", "Source:", "", *(f"- {key}: {value}" for key, value in about["source"].items())]
          if about["source"] else []),
        "",
        "`dcign inspect` describes the folder, and `dcign inspect --verify` checks the labels of every batch.",
        "",
    ])  # fmt: skip


def _split_row(split: str, tally: SplitTally, identities_known: bool) -> str:
    identities = f"{len(tally.identities):,}" if identities_known else "not known"
    kinds = ", ".join(f"{name} {count:,}" for name, count in tally.kinds.items())
    return f"| {split} | {tally.batches:,} | {tally.images:,} | {identities} | {kinds} |"


def _factor_rows(factors: Sequence[Factor], tallies: Sequence[SplitTally]) -> list[str]:
    rows = []
    for column, factor in enumerate(factors):
        low = min(float(tally.lowest[column]) for tally in tallies)
        high = max(float(tally.highest[column]) for tally in tallies)
        values = f"{low:g} to {high:g} {factor.plural}".rstrip()
        if factor.classes:
            more = len(factor.classes) - CLASSES_NAMED
            values = ", ".join(factor.classes[:CLASSES_NAMED]) + (f" and {more} more" if more > 0 else "")
        values += ", on the circle" if factor.circular else ""
        rows.append(f"| {factor.name} | {values} | {'negated' if factor.mirror_sign < 0 else 'unchanged'} |")
    return rows


def _held_out(tallies: Mapping[str, SplitTally]) -> str:
    """Return the sentence that says whether other splits show identities of train."""
    train = tallies["train"].identities if "train" in tallies else set()
    shared = {split: len(tally.identities & train) for split, tally in tallies.items() if split != "train"}
    if not shared or not train:
        return "There is no second split with which train could share identities."
    if not any(shared.values()):
        return "No identity of another split is in train."
    return "Identities that are in train, too: " + ", ".join(f"{n:,} of {split}" for split, n in shared.items()) + "."
