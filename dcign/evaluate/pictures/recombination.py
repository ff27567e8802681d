"""Recombination: codes put together from several people, against the renderer's pictures of the same mixtures.

The split `mix` shows people, and mixtures of them in the same pose and light: the shape of one, the hair of another.
The code of a mixture takes the block of each trait from the code of the person who gives the trait, as that person's
own picture is encoded. The decoded picture is compared with the renderer's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dcign.arrays import Bool, Floating, IntP
from dcign.evaluate.codes import encode_split
from dcign.inputs.source import MixedBatches
from dcign.metrics import psnr_decibels, structural_similarity
from dcign.run.code_layout import CodeLayout
from dcign.trained.codec import Codec

ALL, SEVERAL = "all", "several"  # mixtures: all of them, and those in which no single trait is somebody else's


def recombined(codes: Floating, sources: IntP, traits: Sequence[str], layout: CodeLayout) -> Floating:
    """Put codes together: codes (B, n, Z), sources (B, n, T) the image that gives each trait -> (B, n, Z).

    What belongs to no trait, such as pose and light, stays the image's own.
    """
    made = codes.copy()
    for column, trait in enumerate(traits):
        latents = list(layout.latents_of(trait))
        made[..., latents] = np.take_along_axis(codes[..., latents], sources[..., column, None], axis=1)
    return made


def measure_recombination(codec: Codec, mix: MixedBatches | None) -> dict[str, dict[str, float]] | None:  # JSON
    """Score mixtures by the trait that is somebody else's, those of several people, and all; None without blocks.

    psnr_db, ssim: of the decoded mixtures against the renderer's, in the mask if the split has masks;
    reconstruction_psnr_db, reconstruction_ssim: of plain reconstructions of the same pictures, which recombination can
    reach; copy_psnr_db: of the picture of the person who gives all other traits, returned unchanged.
    """
    if mix is None or not codec.configuration.recipe.assigned:
        return None
    batches, sources = mix.batches, mix.sources
    codes = encode_split(codec, batches).mu
    made = recombined(codes, sources, mix.traits, codec.layout)
    base, differing = base_and_trait(sources)
    mixtures = (sources != np.arange(sources.shape[1])[:, None]).any(axis=2)
    rows: list[tuple[int, list[float]]] = []
    for batch in range(len(codes)):
        chosen = np.flatnonzero(mixtures[batch])
        truth = batches.images[batch, chosen].astype(np.float32) / 255
        mask = None if batches.mask is None else batches.mask[batch, chosen].astype(np.float32) / 255
        mixed, plain = codec.decode(made[batch, chosen]), codec.decode(codes[batch, chosen])
        copied = batches.images[batch, base[batch, chosen]].astype(np.float32) / 255
        scores = [
            *(psnr_decibels(pictures - truth, mask) for pictures in (mixed, plain, copied)),
            *(structural_similarity(pictures, truth, mask) for pictures in (mixed, plain)),
        ]
        rows += zip(differing[batch, chosen].tolist(), np.stack(scores, axis=1).tolist(), strict=True)
    of, scores_of = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    groups: dict[str, Bool] = {ALL: np.ones(len(of), bool)}
    groups |= {trait: of == column for column, trait in enumerate(mix.traits)}
    groups[SEVERAL] = of < 0
    return {name: _figures(scores_of[rows], copy=name in mix.traits) for name, rows in groups.items() if rows.any()}


def base_and_trait(sources: IntP) -> tuple[IntP, IntP]:
    """Return for each image (B, n) who gives most of its traits, and which one is somebody else's.

    The latter is -1 unless all traits but one are of one person. sources (B, n, T) are images of the batch.
    """
    counts = (sources[..., None] == sources[..., None, :]).sum(
        axis=-1
    )  # how many traits each trait shares its giver with
    base = np.take_along_axis(sources, counts.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    others = sources != base[..., None]
    return base, np.where(others.sum(axis=-1) == 1, others.argmax(axis=-1), -1)


def _figures(scores: Floating, copy: bool) -> dict[str, float]:
    psnr, plain_psnr, copy_psnr, ssim, plain_ssim = scores.mean(axis=0).tolist()
    found = {
        "images": len(scores),
        "psnr_db": psnr,
        "reconstruction_psnr_db": plain_psnr,
        "ssim": ssim,
        "reconstruction_ssim": plain_ssim,
    }
    return found | ({"copy_psnr_db": copy_psnr} if copy else {})
