"""The data set card: what a stranger who finds the folder needs to know."""

from __future__ import annotations

from data.manifest import Manifest
from data.schema import BATCH_SIZE


def data_set_card(manifest: Manifest) -> str:
    """README.md of a data set folder, in the front-matter form that data hubs read."""
    configuration = manifest.configuration
    size, channels, source = configuration["size"], configuration["channels"], manifest.model.get("source", "")
    rows = "\n".join(
        f"| {split} | {sum(entry.batches for entry in entries):,} | "
        f"{BATCH_SIZE * sum(entry.batches for entry in entries):,} | {_ABOUT[split]} |"
        for split, entries in manifest.splits.items()
    )
    ranges = "\n".join(
        f"| {factor.name} | {configuration[factor.name]['low']:g} to {configuration[factor.name]['high']:g} | "
        f"{'negated' if factor.mirror_sign < 0 else 'unchanged'} |"
        for factor in manifest.factors
    )
    return _TEXT.format(
        size=size,
        colour="gray" if channels == 1 else "colour",
        rows=rows,
        ranges=ranges,
        model=manifest.model["name"],
        licence=manifest.model["licence"],
        model_sha256=manifest.model["sha256"][:16],
        configuration_sha256=manifest.configuration_sha256[:16],
        seed=manifest.seed,
        renderer=manifest.renderer.get("name", "unknown"),
        population=_OF_A_MODEL if source else _PROCEDURAL,
        head_size="sampled" if configuration["keep_head_size"] or source else "that of the mean head in every face",
        people=_people(manifest),
        provenance=_READ_FROM_FILE.format(source=source, sha256=manifest.model["source_sha256"]) if source else "",
    )


def _people(manifest: Manifest) -> str:
    """What identity/attributes holds, where it holds anything."""
    if "hair_cuts" not in manifest.model:
        return ""
    cuts = manifest.model["hair_cuts"]
    worn = f"hair_cut ({cuts})" if manifest.configuration["hair"] == "natural" else "hair_cut (all are bald here)"
    return f"`identity/attributes` says who they are: sex (negative women, positive men), age (years), {worn}.\n"


_ABOUT = {
    "train": "one thing varies in each batch: azimuth, elevation, light azimuth or identity, in turn",
    "test": "the same, other people",
    "iid": "everything varies in every image: what published metrics need",
    "sweep": "the same 20 faces at each level of one factor, the others at zero",
}

_PROCEDURAL = (
    "The faces follow published means and deviations of head\n"
    "measurements and skin tones; they are not a sample of any population, and nothing learnt from them should be "
    "used to\njudge real people."
)
_OF_A_MODEL = (
    "The faces follow the people of whom that model was made;\n"
    "they are not a sample of any population, and nothing learnt from them should be used to judge real people."
)
_READ_FROM_FILE = """- Read from {source}. SHA-256 {sha256}
- **Before you share this folder:** model.npz holds that model itself, converted, and the pictures are made of it. Its
  licence says who may have either. If it does not let you redistribute it, keep model.npz back.
"""

_TEXT = """---
pretty_name: dcign single-factor faces
tags: [faces, synthetic, disentanglement, inverse-graphics]
---

# Synthetic faces in single-factor batches

{size} x {size} pixels, {colour}, rendered by dcign from a morphable model. No person is
shown: every face is a random draw from the model. Each batch of 20 images varies one factor and holds all others fixed.

| split | batches | images | what |
|---|---|---|---|
{rows}

| factor | range, degrees | in a mirrored image |
|---|---|---|
{ranges}

Shards are plain HDF5 (`images`, `factors`, `varies`, `identity/...`, `truth/mask`); `dcign inspect` describes them and
`dcign inspect --verify` proves them. Head size is {head_size}.
{people}
- Morphable model: {model} (SHA-256 {model_sha256}...), in model.npz. Licence: {licence}
{provenance}- Configuration {configuration_sha256}..., seed {seed}: the same command makes the same files.
- Drawn by {renderer}

Intended for research on disentanglement and inverse graphics. {population}
"""
