"""The data set card: what a stranger who finds the folder needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dcign.data.dataset.manifest import Manifest
from dcign.data.schema import BATCH_SIZE, MASK, MORE_FACTORS, Factor
from dcign.render.plan.batches import sweep_defaults
from dcign.render.plan.configuration import RenderConfiguration

# What differs between the cards of different subjects; `{...}` are fields of dataset.json's model.
PROCEDURAL = {
    "pretty_name": "dcign single-factor faces",
    "tags": "faces, synthetic, disentanglement, inverse-graphics",
    "title": "Synthetic faces",
    "made_of": "from a morphable model. No person is\nshown: every face is a random draw from the model.",
    "others": "other people",
    "same": "the same 20 faces",
    "model": "Morphable model: {name} (SHA-256 {short_sha256}...), in model.npz. Licence: {licence}",
    "share": "",
    "closing": """The faces follow published means and deviations of head
measurements and skin tones; they are not a sample of any population, and nothing learnt from them should be used to
judge real people.""",
}
OF_A_MODEL = PROCEDURAL | {
    "share": """- Read from {source}. SHA-256 {source_sha256}
- **Before you share this folder:** model.npz holds that model itself, converted, and the pictures are made of it. Its
  licence says who may have either. If it does not let you redistribute it, keep model.npz back.
""",
    "closing": """The faces follow the people of whom that model was made;
they are not a sample of any population, and nothing learnt from them should be used to judge real people.""",
}
OBJECTS = {
    "pretty_name": "dcign single-factor objects",
    "tags": "synthetic, objects, disentanglement, inverse-graphics",
    "title": "Objects",
    "made_of": "from {name}, each in the same\nsphere. `identity/index` is the number of a mesh.",
    "others": "other objects",
    "same": "the same 20 objects",
    "model": (
        "Meshes: {name} (SHA-256 {short_sha256}...), packed in model.npz, whose `names` are their files. "
        "Licence: {licence}"
    ),
    "share": """- Read from the folder {source}. SHA-256 of its files {source_sha256}
- **Before you share this folder:** model.npz holds the meshes themselves, and the pictures are made of them. Whoever
  made them says who may have either.
""",
    "closing": "",
}


def data_set_card(manifest: Manifest) -> str:
    """Return README.md of a data set folder, in the front-matter form that data hubs read."""
    configuration, model = manifest.configuration, manifest.model
    words = OBJECTS if "meshes" in model else OF_A_MODEL if model.get("source") else PROCEDURAL
    about = model | {"short_sha256": model["sha256"][:16]}
    rest = ", ".join(
        f"{name.replace('_', ' ')} {round(value, 2):,.6g}"
        for name, value in sweep_defaults(RenderConfiguration.from_dict(configuration)).items()
    )
    factors = ", ".join(factor.name.replace("_", " ") for factor in manifest.factors)
    counts = {split: sum(entry.batches for entry in entries) for split, entries in manifest.splits.items()}
    rows = "\n".join(
        f"| {split} | {count:,} | {BATCH_SIZE * count:,} | "
        f"{_ABOUT[split].format(others=words['others'], same=words['same'], factors=factors, rest=rest)} |"
        for split, count in counts.items()
    )
    in_degrees = all(factor.units == "degree" for factor in manifest.factors)
    ranges = "\n".join(
        f"| {factor.name} | {_range(configuration, factor)}{'' if in_degrees else f' {factor.plural}'.rstrip()} | "
        f"{'negated' if factor.mirror_sign < 0 else 'unchanged'} |"
        for factor in manifest.factors
    )
    return _TEXT.format(
        **{name: text.format(**about) for name, text in words.items()},
        size=configuration["size"],
        colour="gray" if configuration["channels"] == 1 else "colour",
        rows=rows,
        ranges=ranges,
        unit=", degrees" if in_degrees else "",
        sampled=_sampled(configuration),
        configuration_sha256=manifest.configuration_sha256[:16],
        seed=manifest.seed,
        renderer=manifest.renderer.get("name", "unknown"),
        people=_people(manifest),
        truth=", ".join(f"`truth/{name}`" for name in dict.fromkeys((MASK, *configuration.get("truth", ())))),
    )


def _range(configuration: Mapping[str, Any], factor: Factor) -> str:
    return "{low:g} to {high:g}".format(**configuration[factor.name])


def _sampled(configuration: Mapping[str, Any]) -> str:
    """Return a line about the nuisances and the backgrounds, if there are any."""
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
    """Return the lines about head size and identity attributes; of objects there is nothing to say."""
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

Intended for research on disentanglement and inverse graphics. {closing}
"""
