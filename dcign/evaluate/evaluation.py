"""The evaluation: does each factor have its own latent, and no other, for identities that were not trained on?

Everything is measured on identities held out of training. Calibrations and probes are fitted on training identities
alone. docs/metrics.md explains each number.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Bool
from dcign.device import refuse_threads, threads
from dcign.errors import TrainingError
from dcign.evaluate.chance import measure_chance
from dcign.evaluate.codes import ALIVE_NATS, encode_split, evenly, thinning
from dcign.evaluate.directions import Baselines, measure_baselines, save_directions
from dcign.evaluate.disentanglement import (
    Disentanglement,
    label_ranges,
    measure_disentanglement,
    tree_operations,
    unmeasurable_bins,
)
from dcign.evaluate.held_out import SPLITS, held_out_names, read_held_out
from dcign.evaluate.identification import identify_first
from dcign.evaluate.person_parts import PartSample, measure_parts, read_parts
from dcign.evaluate.pictures.recombination import measure_recombination
from dcign.evaluate.pictures.reconstruction import measure_reconstruction
from dcign.evaluate.pictures.refinement import measure_refiner, refined_images
from dcign.evaluate.pictures.rerendering import sweep_operations
from dcign.evaluate.robustness import IMAGES as ROBUSTNESS_IMAGES
from dcign.evaluate.robustness import measure_robustness
from dcign.evaluate.scores import (
    EncodedSplits,
    latent_blocks,
    measure_factors,
    metric_types,
    other_latents,
    own_calibrations,
)
from dcign.evaluate.sweeps import refuse_unswept
from dcign.inputs.source import DataSource, LabelledBatches, MixedBatches, PartLabels
from dcign.machine import keep_freed_memory
from dcign.metrics.leakage import probe_operations
from dcign.network.autoencoder import count_parameters
from dcign.network.halves import network_built
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.run.json_files import write_result
from dcign.trained.altered_pictures import WORDS as ALTERATIONS
from dcign.trained.calibration import Calibration, write_calibrations
from dcign.trained.codec import Codec
from dcign.trained.evaluation_file import FILE, FORMAT, FORMAT_VERSION
from dcign.trained.marks import all_marks
from dcign.trained.trained_run import TrainedRun, subjects_of

TRAINING_IMAGES = 7200  # for calibrations and probes, spread evenly over all training batches
BASELINE_BATCHES = 30  # per factor, spread evenly over the batches in which it varies
SEED = 0  # of metrics that draw at random: the same for all runs, so that they can be compared
TEST_BATCHES = 400  # for comparisons of images: the first ones, as the kinds of batches alternate


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The contents of evaluation.json, and the fits behind it, in the data set's order of factors."""

    report: dict[str, Any]  # JSON
    calibrations: tuple[Calibration, ...]
    baselines: tuple[Baselines, ...]


def evaluate(
    run: TrainedRun,
    data: str | Path | None = None,
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> Evaluation:
    """Evaluate a run's last checkpoint. Write evaluation.json, calibration.json and directions.json into its folder.

    data: the data set's folder, if it has moved since training.
    progress: called with each stage and the fraction of the whole evaluation that is done.

    Raises TrainingError if a split cannot be evaluated, or a file cannot be written.
    """
    refuse_threads(thread_count)
    keep_freed_memory()  # DCI's trees take nearly half as long
    source = run.data(data)
    progress("reading", 0.0)
    refuse_unevaluable(source)
    train = read_sample(source, len(run.description.factors))
    held = read_held_out(source, run.description)
    parts = source.parts(held.test_name, TEST_BATCHES)
    people = PeopleSample(read_parts(source, run.description, TEST_BATCHES), source.mixed())
    with threads(thread_count):
        sharp = run.sharp_codec if run.has_refiner else None
        evaluation = evaluate_codec(run.codec, train, held.iid, held.test, held.sweep, progress, parts, people, sharp)
    evaluation.report["left_out"] = [*held.left_out] or None
    write_calibrations(run.folder, evaluation.calibrations)
    save_directions(run.folder, evaluation.baselines)
    write_result(run.folder / FILE, (json.dumps(evaluation.report, indent=2) + "\n").encode())
    return evaluation


def refuse_unevaluable(source: DataSource) -> None:
    """Raise TrainingError unless the splits can be evaluated: before hours of training. Reads labels alone."""
    if source.rendered:
        source.refuse_missing(SPLITS)
    else:
        source.refuse_missing(("train",))
        held_out_names(source)
    splits = {name: source.chunked(name).chunks for name in SPLITS if source.has(name)}
    for name, chunks in splits.items():
        if chunks.shape != splits["train"].shape:
            raise TrainingError(
                f"expected images of one size in all splits, found {chunks.shape[1:]} in {name} and "
                f"{splits['train'].shape[1:]} in train: render the data set again."
            )
    for factor in range(splits["train"].factors.shape[2] if source.rendered else 0):
        refuse_unswept(splits["sweep"].factors, factor)


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """The part of the training split that fits need, as the split may not fit into memory.

    few: images of all kinds, for calibrations and probes; varying: per factor, whole batches in which it varies.
    """

    few: LabelledBatches
    varying: tuple[LabelledBatches, ...]


@dataclass(frozen=True, eq=False)
class PeopleSample:
    """The batches that vary one part of a person, and the mixtures of people, as far as a data set has them."""

    parts: tuple[PartSample, ...] = ()
    mix: MixedBatches | None = None


NOBODY = PeopleSample()


def read_sample(source: DataSource, factors: int) -> TrainingSample:
    """Read the part of the training split that fits need."""
    train = source.chunked("train")
    whole = np.arange(train.size)
    kinds = (np.flatnonzero(train.kind == factor) for factor in range(factors))
    varying = tuple(train.labelled(kind[evenly(len(kind), BASELINE_BATCHES)], whole) for kind in kinds)
    return TrainingSample(train.labelled(*thinning(len(train.kind), train.size, TRAINING_IMAGES)), varying)


def evaluate_codec(
    codec: Codec,
    train: TrainingSample,
    iid: LabelledBatches,
    test: LabelledBatches,
    sweep: LabelledBatches,
    progress: StageProgress = no_stage_progress,
    parts: PartLabels | None = None,
    people: PeopleSample = NOBODY,
    sharp: Codec | None = None,
) -> Evaluation:
    """Evaluate a network on splits that were read: `evaluate` without files.

    parts: the part labels of the test split's first TEST_BATCHES batches, if it has any; people: what is known of the
    traits of people that batches vary; sharp: the same network with its refiner, if it has one.
    """
    started, rng = time.monotonic(), np.random.default_rng(SEED)
    factors = codec.description.factors
    test = test.chosen(np.arange(min(TEST_BATCHES, len(test.images))))
    meter = _meter(codec, sharp, train.few, iid, test, sweep, progress)
    fitted, held, tested = (
        encode_split(codec, split, meter.part(f"encoding {name}"))
        for name, split in (("train", train.few), ("iid", iid), ("test", test))
    )
    fits = own_calibrations(codec, fitted)
    nats = held.mean_divergence()
    alive = nats > ALIVE_NATS
    plain = measure_reconstruction(codec, test, tested, meter.part("reconstructing"), parts)
    splits = EncodedSplits(test, sweep, fitted, held, tested)
    scores = measure_factors(codec, splits, fits, alive, plain, rng, meter)
    baselines = measure_baselines(codec, train.varying, fitted)
    too_small = splits.unmeasurable()
    ranges, types = label_ranges(held.flat_factors), metric_types(codec)
    unmeasured = too_small or unmeasurable_bins(held.flat_factors, ranges, types, factors)
    literature = Disentanglement()
    disentangling = meter.part("disentangling")
    if not unmeasured:
        own = [latent for fit in fits for latent in fit.own]
        literature = measure_disentanglement(
            held.flat_mu,
            held.flat_factors,
            ranges,
            own,
            latent_blocks(codec, fits),
            rng,
            disentangling,
            types=types,
        )
    intrinsic = other_latents(codec, fits)
    intrinsic = intrinsic[alive[intrinsic]]
    identity = identify_first(tested, factors, intrinsic)
    chance = measure_chance(
        codec, train.few, train.varying, iid, splits, fits, alive, plain, meter.part("measuring chance")
    )
    robustness = measure_robustness(codec, iid, fits, np.random.default_rng(SEED), meter.part("altering"))
    refiner = None
    if sharp is not None:
        codecs, refining = {"decoded": codec, "refined": sharp}, meter.part("refining")
        refiner = measure_refiner(codecs, test, tested, sweep, fits, intrinsic, parts, refining)
        refiner["steps"] = codec.configuration.refine
    report = {
        **_provenance(codec),
        "units": dict(zip(factors, codec.description.units, strict=True)),
        "factors": scores,
        "parts": measure_parts(codec, people.parts, test, tested, plain),
        "recombination": measure_recombination(codec, people.mix),
        "reconstruction": plain.figures,
        "refiner": refiner,
        "robustness": robustness,
        "latents": {"count": len(nats), "alive": int(alive.sum()), "kl_nats": nats.tolist()},
        "blocks": _blocks(codec, alive),
        "identity": dataclasses.asdict(identity) if identity else None,
        "entangled": {
            name: {} if too_small else each.score(held.flat_mu, truth)
            for name, each, truth in zip(factors, baselines, held.flat_factors.T, strict=False)
        },
        "mig": literature.metrics["latents"]["mig"]["value"] if literature.metrics else None,
        **dataclasses.asdict(literature),
        "unmeasured": unmeasured or None,
        "chance": chance,
        "images": {"calibration": len(fitted.flat_mu), "iid": len(held.flat_mu), "test": len(tested.flat_mu)},
        "evaluation_seconds": time.monotonic() - started,
    }
    rounded = _rounded(report)
    return Evaluation(rounded | {"marks": all_marks(rounded)}, fits, baselines)


def _meter(
    codec: Codec,
    sharp: Codec | None,
    train: LabelledBatches,
    iid: LabelledBatches,
    test: LabelledBatches,
    sweep: LabelledBatches,
    progress: StageProgress,
) -> PartProgress:
    """Weight the stages by their floating-point operations."""
    encoding, decoding = codec.operations()
    factors, latents = codec.description.factors, codec.layout.size
    images = {
        name: split.kind.size * split.images.shape[1]
        for name, split in (("train", train), ("iid", iid), ("test", test))
    }
    work = {f"encoding {name}": float(encoding * count) for name, count in images.items()}
    work["altering"] = float(encoding * ROBUSTNESS_IMAGES * len(ALTERATIONS))
    work["probing"] = probe_operations(3 * len(factors), images["train"], latents)
    work["measuring chance"] = work["disentangling"] = tree_operations(images["iid"], latents, len(factors))
    work["reconstructing"] = decoding * images["test"]
    if sharp is not None:
        work["refining"] = (decoding + sharp.operations()[1]) * refined_images(test, sweep, len(factors))
    for index, name in enumerate(factors):
        work[f"swapping {name}"] = decoding * test.images.shape[1] * int((test.kind == index).sum())
        work[f"sweeping {name}"] = sweep_operations(encoding, decoding, sweep, len(factors)) / len(factors)
    return PartProgress(progress, work)


def _provenance(codec: Codec) -> dict[str, Any]:  # JSON
    configuration, description = codec.configuration, codec.description
    recipe = configuration.recipe
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "recipe": recipe.name,
        "network": network_built(recipe.network, description.size),
        "assigned_latents": recipe.assigned,
        "image": {"size": description.size, "channels": description.channels},
        "subjects": subjects_of(description),
        "steps": codec.step,
        "images_seen": codec.step * recipe.groups * recipe.images,
        "parameters": count_parameters(codec.model),
        "seconds": codec.seconds,
        "seed": configuration.seed,
        "precision": configuration.precision,
        "data_sha256": description.data_sha256,
    }


def _blocks(codec: Codec, alive: Bool) -> dict[str, dict[str, int]]:
    """Return where each block of the code starts, how many latents it has, and how many of them are alive."""
    if not codec.configuration.recipe.assigned:
        return {}
    return {
        block.name: {
            "first": block.latents[0],
            "count": len(block.latents),
            "alive": int(alive[list(block.latents)].sum()),
        }
        for block in codec.layout.blocks
    }


def _rounded(value: Any) -> Any:  # JSON in, JSON out
    """Return JSON values with five digits, as further ones are noise. Numbers that are not finite become null."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value
