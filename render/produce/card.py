"""The data set card: what a stranger who finds the folder needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dcign.data.dataset.manifest import Manifest
from dcign.data.schema import BATCH_SIZE, MASK, MORE_FACTORS, Factor
from dcign.render.plan.batches import sweep_defaults
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.produce.card_words import words_for


def data_set_card(manifest: Manifest) -> str:
    """README.md of a data set folder, in the front-matter form that data hubs read."""
    configuration = manifest.configuration
    size, channels = configuration["size"], configuration["channels"]
    words, about = words_for(manifest.model), manifest.model | {"short_sha256": manifest.model["sha256"][:16]}
    counts = {split: sum(entry.batches for entry in entries) for split, entries in manifest.splits.items()}
    rest = ", ".join(
        f"{name.replace('_', ' ')} {round(value, 2):,.6g}"
        for name, value in sweep_defaults(RenderConfiguration.from_dict(configuration)).items()
    )
    rows = "\n".join(
        f"| {split} | {count:,} | {BATCH_SIZE * count:,} | "
        f"{_ABOUT[split].format(others=words.others, same=words.same, factors=_named(manifest), rest=rest)} |"
        for split, count in counts.items()
    )
    in_degrees = all(factor.units == "degree" for factor in manifest.factors)
    ranges = "\n".join(
        f"| {factor.name} | {_range(configuration, factor)}{'' if in_degrees else f' {factor.plural}'.rstrip()} | "
        f"{'negated' if factor.mirror_sign < 0 else 'unchanged'} |"
        for factor in manifest.factors
    )
    return _TEXT.format(
        size=size,
        colour="gray" if channels == 1 else "colour",
        rows=rows,
        ranges=ranges,
        unit=", degrees" if in_degrees else "",
        sampled=_sampled(configuration),
        pretty_name=words.pretty_name,
        tags=words.tags,
        title=words.title,
        made_of=words.made_of.format(**about),
        model=words.model.format(**about),
        configuration_sha256=manifest.configuration_sha256[:16],
        seed=manifest.seed,
        renderer=manifest.renderer.get("name", "unknown"),
        population=words.closing,
        people=_people(manifest),
        truth=", ".join(f"`truth/{name}`" for name in dict.fromkeys((MASK, *configuration.get("truth", ())))),
        share=words.share.format(**about),
    )


def _named(manifest: Manifest) -> str:
    """All factors but identity, as words in a row."""
    return ", ".join(factor.name.replace("_", " ") for factor in manifest.factors)


def _range(configuration: Mapping[str, Any], factor: Factor) -> str:
    return "{low:g} to {high:g}".format(**configuration[factor.name])


def _sampled(configuration: Mapping[str, Any]) -> str:
    """What else is not the same in all pictures, and what is behind the heads."""
    nuisances = [factor for factor in MORE_FACTORS
                 if factor.name in configuration and factor.name not in configuration.get("vary", ())]  # fmt: skip
    parts = [f"{factor.name} {_range(configuration, factor)} {factor.plural}".rstrip() for factor in nuisances]
    background = configuration.get("background", {})
    parts += ["a random background"] * ("random" in background)
    parts += [f"one of {background['pictures']} backgrounds"] if "pictures" in background else []
    listed = ", ".join(parts)
    text = f"Drawn anew in each batch, in iid in each image (`nuisance/...`): {listed}.\n" if parts else ""
    return text + _PICTURES if "pictures" in background else text


def _people(manifest: Manifest) -> str:
    """What is known of heads and people."""
    if "meshes" in manifest.model:
        return "\n"
    sampled = manifest.configuration["keep_head_size"] or manifest.model.get("source")
    size = f" Head size is {'sampled' if sampled else 'that of the mean head in every face'}.\n"
    if "hair_cuts" not in manifest.model:
        return size
    cuts = manifest.model["hair_cuts"]
    worn = f"hair_cut ({cuts})" if manifest.configuration["hair"] == "natural" else "hair_cut (all are bald here)"
    return size + f"`identity/attributes` says who they are: sex (negative women, positive men), age (years), {worn}.\n"


_ABOUT = {
    "train": "one thing varies in each batch: {factors} or identity, in turn",
    "test": "the same, {others}",
    "iid": "everything varies in every image: what published metrics need",
    "sweep": "{same} at each level of one factor, the others at rest ({rest})",
}

_PICTURES = """The backgrounds are pictures of whoever rendered this, cropped and scaled, in backgrounds.npz.
**Before you share this folder:** whoever holds the rights to them says who may have them.
"""

_TEXT = """---
pretty_name: {pretty_name}
tags: [{tags}]
---

# {title} in single-factor batches

{size} x {size} pixels, {colour}, rendered by dcign {made_of} Each batch of
20 images varies one factor and holds all others fixed.

| split | batches | images | what |
|---|---|---|---|
{rows}

| factor | range{unit} | in a mirrored image |
|---|---|---|
{ranges}

Shards are plain HDF5 (`images`, `factors`, `varies`, `identity/...`, {truth}); `dcign inspect` describes them and
`dcign inspect --verify` proves them.{people}{sampled}
- {model}
{share}- Configuration {configuration_sha256}..., seed {seed}: the same command makes the same files.
- Drawn by {renderer}

Intended for research on disentanglement and inverse graphics. {population}
"""
