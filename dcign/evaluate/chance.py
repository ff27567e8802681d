"""What chance gives for the figures of an evaluation: of labels in another order, and of an untrained network.

Both are measured on the same splits by the same functions. The untrained network has the run's recipe and weights drawn
anew; its pictures are those of the first test batches alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from dcign.arrays import Bool
from dcign.evaluate.codes import Codes, encode_split
from dcign.evaluate.directions import measure_baselines
from dcign.evaluate.disentanglement import label_ranges, measure_disentanglement, unmeasurable_bins
from dcign.evaluate.identification import identify_first
from dcign.evaluate.leakage import measure_leakage
from dcign.evaluate.pictures.reconstruction import Reconstruction, measure_reconstruction
from dcign.evaluate.pictures.swaps import swap_errors
from dcign.evaluate.scores import (
    EncodedSplits,
    circular_factors,
    latent_blocks,
    leakage_scores,
    metric_types,
    other_latents,
    own_calibrations,
    picture_scores,
    table_scores,
)
from dcign.inputs.source import LabelledBatches
from dcign.metrics import invariance_ratio
from dcign.network.autoencoder import build_model
from dcign.network.halves import initialise
from dcign.progress import FractionProgress
from dcign.trained.calibration import Calibration
from dcign.trained.codec import Codec

SEED = 0  # of the order of labels and of the untrained weights: the same for all runs
PICTURED = 40  # batches of the test split whose pictures count


def measure_chance(
    codec: Codec,
    train: LabelledBatches,
    varying: Sequence[LabelledBatches],
    iid: LabelledBatches,
    splits: EncodedSplits,
    fits: Sequence[Calibration],
    alive: Bool,
    plain: Reconstruction,
    progress: FractionProgress,
) -> dict[str, Any]:  # JSON
    """Return the figures of both references, under the keys of evaluation.json.

    train, iid: the images of splits.fitted and splits.held; varying: per factor, training batches in which it varies;
    fits (F,) the factors' calibrations; plain: the reconstruction of the test split.
    """
    shuffled = _shuffled_labels(codec, splits, fits, alive, plain)
    progress(0.3)
    untrained = _untrained_network(codec, train, varying, iid, splits)
    progress(1.0)
    return {"shuffled": shuffled, "untrained": untrained}


def _shuffled_labels(
    codec: Codec, splits: EncodedSplits, fits: Sequence[Calibration], alive: Bool, plain: Reconstruction
) -> dict[str, Any]:  # JSON
    """Measure the run's codes with labels in another order. DCI's trees of classes are left out: they score 1 / 20."""
    rng, tested, held = np.random.default_rng(SEED), splits.tested, splits.held
    mixed = dataclasses.replace(splits, fitted=_mixed(splits.fitted, rng), held=_mixed(held, rng))
    intrinsic = other_latents(codec, fits).tolist()
    pictures = []
    for index, fit in enumerate(fits):
        swap = swap_errors(codec, splits.test, _first(tested, index), plain, index, fit.own, shuffled=rng)
        others = rng.permutation(tested.flat_mu).reshape(tested.mu.shape)
        ratio = invariance_ratio(others[tested.kind == index], held.flat_mu, intrinsic)
        pictures.append({"swap_ratio": swap.ratio, "invariance_ratio": ratio})
    if splits.unmeasurable():
        return {"factors": dict(zip(codec.description.factors, pictures, strict=True))}
    own, scales = [fit.own for fit in fits], (circular_factors(codec), mixed.seen_classes(codec))
    leaks = leakage_scores(measure_leakage(mixed.fitted, mixed.held, own, *scales, alive))
    scores = zip(table_scores(codec, mixed, fits), leaks, pictures, strict=True)
    return {
        "factors": dict(zip(codec.description.factors, ({**a, **b, **c} for a, b, c in scores), strict=True)),
        **_literature(codec, mixed.held, fits, class_trees=False),
    }


def _untrained_network(
    codec: Codec,
    train: LabelledBatches,
    varying: Sequence[LabelledBatches],
    iid: LabelledBatches,
    splits: EncodedSplits,
) -> dict[str, Any]:  # JSON
    """Measure the same network before its first step."""
    recipe = codec.configuration.recipe
    model = build_model(recipe, codec.description)
    initialise(model, recipe.gain, torch.Generator().manual_seed(SEED))
    fresh = dataclasses.replace(codec, model=model.to(codec.device).eval(), step=0, seconds=0.0)
    test = splits.test.chosen(np.arange(min(PICTURED, len(splits.test.images))))
    fitted, held, tested = (encode_split(fresh, split) for split in (train, iid, test))
    found = EncodedSplits(test, splits.sweep, fitted, held, tested)
    fits = own_calibrations(fresh, fitted)
    plain = measure_reconstruction(fresh, test, tested)
    scores = picture_scores(fresh, found, fits, np.ones(held.mu.shape[-1], bool), plain)
    for score in scores:
        score.pop("invariance_curve", None)
    identity = identify_first(tested, fresh.description.factors, other_latents(fresh, fits))
    report: dict[str, Any] = {  # JSON
        "reconstruction": plain.figures,
        "identity": {"right": identity.right} if identity else None,
    }
    if not found.unmeasurable():
        scores = [{**table, **score} for table, score in zip(table_scores(fresh, found, fits), scores, strict=True)]
        baselines = zip(measure_baselines(fresh, varying, fitted), held.flat_factors.T, strict=False)
        entangled = (each.score(held.flat_mu, truth) for each, truth in baselines)
        report["entangled"] = dict(zip(fresh.description.factors, entangled, strict=False))
        report |= _literature(fresh, held, fits, class_trees=True)
    return {"factors": dict(zip(fresh.description.factors, scores, strict=True)), **report}


def _literature(codec: Codec, held: Codes, fits: Sequence[Calibration], class_trees: bool) -> dict[str, Any]:  # JSON
    """Return the metrics of the literature, or nothing if labels cannot be cut into bins."""
    own, blocks = [latent for fit in fits for latent in fit.own], latent_blocks(codec, fits)
    ranges, types = label_ranges(held.flat_factors), metric_types(codec)
    if unmeasurable_bins(held.flat_factors, ranges, types):
        return {}
    found = measure_disentanglement(
        held.flat_mu,
        held.flat_factors,
        ranges,
        own,
        blocks,
        None,
        class_trees=class_trees,
        types=types,
    )
    values = {
        kind: {name: {"value": metric["value"]} for name, metric in metrics.items()}
        for kind, metrics in (found.metrics or {}).items()
    }
    return {"metrics": values, "dci": found.dci}


def _mixed(codes: Codes, rng: np.random.Generator) -> Codes:
    """Return the codes with the labels of other images; labels of one image stay together."""
    labels = rng.permutation(codes.flat_factors).reshape(codes.factors.shape)
    return dataclasses.replace(codes, factors=labels)


def _first(codes: Codes, factor: int) -> Codes:
    """Return the codes with only the first batches of a factor marked as its own, so that few are decoded."""
    kind = codes.kind.copy()
    kind[np.flatnonzero(kind == factor)[PICTURED // 4 :]] = -1
    return dataclasses.replace(codes, kind=kind)
