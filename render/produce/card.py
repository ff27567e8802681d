"""The data set card: what a stranger who finds the folder needs to know. The text stands in templates/card.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from dcign.arrays import Float32, Floating
from dcign.data.dataset.manifest import Manifest
from dcign.data.schema import BATCH_SIZE, MASK, MORE_FACTORS, Factor
from dcign.data.shard.reader import Shard
from dcign.render.plan.batches import sweep_defaults
from dcign.render.plan.configuration import RenderConfiguration


def measured_correlations(folder: Path, manifest: Manifest) -> list[str]:
    """Return a sentence about each pair of correlated factors: asked for, in iid, and across batches of train."""
    configuration = RenderConfiguration.from_dict(manifest.configuration)
    names = [factor.name for factor in configuration.factors]
    varies: list[str] = []
    found: dict[str, list[Float32]] = {"iid": [], "train": []}
    for split, factors in found.items():
        for entry in manifest.splits[split]:
            with Shard(folder / entry.file) as shard:
                factors.append(shard.factors)
                varies += shard.varies if split == "train" else []
    images, batches = np.concatenate(found["iid"]).reshape(-1, len(names)), np.concatenate(found["train"])[:, 0]
    sentences = []
    for each in configuration.correlate:
        pair = [names.index(each.first), names.index(each.second)]
        both = np.array([kind not in (each.first, each.second) for kind in varies])
        across = f"{_correlation(batches[both][:, pair]):.3f} across the {both.sum():,} batches of train that hold both"
        sentences.append(
            f"{each.first} and {each.second}: {each.r:g} asked for, {_correlation(images[:, pair]):.3f} in the "
            f"{len(images):,} images of iid, {across if both.sum() > 1 else 'no two batches of train hold both'}"
        )
    return sentences


def _correlation(pair: Floating) -> float:
    """Return Pearson's correlation of two columns (N, 2)."""
    return float(np.corrcoef(pair[:, 0], pair[:, 1]).item(1))


def data_set_card(manifest: Manifest, correlations: Sequence[str] = ()) -> str:
    """Return README.md of a data set folder, in the front-matter form that data hubs read.

    correlations: what `measured_correlations` returns.
    """
    configuration = RenderConfiguration.from_dict(manifest.configuration)

    def range_of(factor: Factor) -> str:
        allowed = getattr(configuration, factor.name)
        return f"{allowed.low:g} to {allowed.high:g}"

    loader = PackageLoader("dcign.render.produce")
    templates = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    templates.filters.update(range=range_of, words=lambda name: name.replace("_", " "))
    pictures = configuration.background.pictures if configuration.background else None
    sampled = [
        f"{factor.name} {range_of(factor)} {factor.plural}".rstrip()
        for factor in MORE_FACTORS
        if factor.name in configuration.nuisances
    ]
    if configuration.background and configuration.background.random:
        sampled.append("a random background")
    if pictures:
        sampled.append(f"one of {pictures} backgrounds")
    return templates.get_template("card.md").render(
        batch_size=BATCH_SIZE,
        batches=configuration.splits.batches(),
        colour="gray" if configuration.channels == 1 else "colour",
        correlations=correlations,
        configuration_sha256=manifest.configuration_sha256,
        factors=configuration.factors,
        foreign=manifest.foreign_model,
        hair=configuration.hair,
        keep_head_size=configuration.keep_head_size,
        model=manifest.model,
        people=", ".join(configuration.people.sentences()) if configuration.people else "",
        crowd=configuration.people.crowd if configuration.people else None,
        pictures=pictures,
        renderer=manifest.renderer.get("name", "unknown"),
        rest=sweep_defaults(configuration),
        sampled=sampled,
        seed=manifest.seed,
        kinds=configuration.kinds[:-1],
        own=[factor.name for factor in configuration.factors if factor.of_identity],
        traits=configuration.traits,
        size=configuration.size,
        truth=", ".join(f"`truth/{name}`" for name in dict.fromkeys((MASK, *configuration.truth))),
    )
