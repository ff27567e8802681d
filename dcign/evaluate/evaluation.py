"""The evaluation: is each latent its own factor, and nothing else, for people never seen?

Everything is measured on identities held out of training; calibrations and probes are fitted on training
identities alone. What each figure means is in docs/training.md.
"""

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Floating, IntP
from dcign.device import refuse_threads, threads
from dcign.evaluate.codes import ALIVE_NATS, Codes, encode_split, evenly, thinning
from dcign.evaluate.directions import Baselines, measure_baselines, save_directions
from dcign.evaluate.disentanglement import measure_disentanglement, tree_operations
from dcign.evaluate.identification import identify
from dcign.evaluate.leakage import measure_leakage
from dcign.evaluate.rerendering import measure_sweep, sweep_operations
from dcign.evaluate.scores import FactorScore, measure_dial
from dcign.evaluate.swaps import measure_reconstruction, measure_swap, swap_errors
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.metrics import best_latent, invariance_ratio, linear_leakage, r_squared
from dcign.metrics.probes import probe_operations
from dcign.network.autoencoder import count_parameters
from dcign.network.halves import network_built
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.run.json_files import write_result
from dcign.trained.calibration import FactorCalibration, calibrate, write_calibrations
from dcign.trained.codec import Codec
from dcign.trained.evaluation_file import FILE, FORMAT, FORMAT_VERSION
from dcign.trained.trained_run import TrainedRun

TRAINING_IMAGES = 7200  # that calibrations and probes are fitted on, evenly out of all training batches
BASELINE_BATCHES = 30  # of each factor, evenly out of those in which it varies, for what varies most in them
SEED = 0  # of what figures draw: the same for every run that is compared
TEST_BATCHES = 400  # that pictures are compared on: the first ones, as kinds take turns


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What evaluation.json says, and what it rests on, in the data set's order of factors."""

    report: dict[str, Any]  # JSON
    calibrations: tuple[FactorCalibration, ...]
    baselines: tuple[Baselines, ...]


def evaluate(
    run: TrainedRun,
    data: str | Path | None = None,
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> Evaluation:
    """Evaluate a run's last checkpoint; writes evaluation.json, calibration.json and directions.json there.

    data is the data set's folder if it has moved since training; progress is told each stage
    and the fraction of the whole evaluation that is done. Raises TrainingError where a file cannot be written.
    """
    refuse_threads(thread_count)
    source = run.data(data)
    progress("reading", 0.0)
    train = read_sample(source, len(run.description.factors))
    iid, test, sweep = map(source.labelled, ("iid", "test", "sweep"))
    with threads(thread_count):
        evaluation = evaluate_codec(run.codec, train, iid, test, sweep, progress)
    write_calibrations(run.folder, evaluation.calibrations)
    save_directions(run.folder, evaluation.baselines)
    _write_json(run.folder / FILE, evaluation.report)
    return evaluation


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """What is fitted on, of a training split that need not fit into memory.

    few: images of all kinds, for calibrations and probes; varying: of each factor, whole batches in which it varies.
    """

    few: LabelledBatches
    varying: tuple[LabelledBatches, ...]


def read_sample(source: DataSource, factors: int) -> TrainingSample:
    """Read of the training split what is fitted on, and no more."""
    train = source.chunked("train")
    whole = np.arange(train.size)
    owns = (np.flatnonzero(train.kind == place) for place in range(factors))
    varying = tuple(train.labelled(own[evenly(len(own), BASELINE_BATCHES)], whole) for own in owns)
    return TrainingSample(train.labelled(*thinning(len(train.kind), train.size, TRAINING_IMAGES)), varying)


def evaluate_codec(
    codec: Codec,
    train: TrainingSample,
    iid: LabelledBatches,
    test: LabelledBatches,
    sweep: LabelledBatches,
    progress: StageProgress = no_stage_progress,
) -> Evaluation:
    """Evaluate a network on what was read; `evaluate` without the files."""
    started, rng = time.monotonic(), np.random.default_rng(SEED)
    test = test.chosen(np.arange(min(TEST_BATCHES, len(test.images))))
    meter = _meter(codec, train.few, iid, test, sweep, progress)
    fitted, held, tested = (
        encode_split(codec, split, meter.part(f"encoding {name}"))
        for name, split in (("train", train.few), ("iid", iid), ("test", test))
    )
    best = [best_latent(fitted.flat_mu, values) for values in fitted.flat_factors.T]
    assigned = codec.configuration.recipe.assigned
    own = tuple(range(len(best))) if assigned else tuple(best)
    nats = held.mean_divergence()
    leaks = measure_leakage(fitted, held, own, nats > ALIVE_NATS, meter.part("probing"))
    linear = linear_leakage(fitted.flat_mu, fitted.flat_factors, held.flat_mu, held.flat_factors, own)
    plain = measure_reconstruction(codec, test, tested, meter.part("reconstructing"))
    intrinsic = np.setdiff1d(np.arange(len(nats)), own)
    telling = intrinsic[nats[intrinsic] > ALIVE_NATS]
    baselines = measure_baselines(codec, train.varying, fitted)
    scores, fits = {}, []
    for place, name in enumerate(codec.description.factors):
        fits.append(_calibrate(fitted, name, place, own[place]))
        swaps = swap_errors(codec, test, tested, plain, place, own[place], meter.part(f"swapping {name}"))
        swap = measure_swap(swaps)
        leak, leak_linear = leaks[place], float(linear[place])
        still = invariance_ratio(tested.mu[tested.kind == place], held.flat_mu, intrinsic.tolist())
        turned, curve = measure_sweep(codec, sweep, place, fits[place], telling, meter.part(f"sweeping {name}"))
        scores[name] = FactorScore(
            **measure_dial(held, fits[place], place, rng),
            leakage_r2=leak.sampled,
            leakage_active_r2=leak.active,
            leakage_all_r2=leak.everything,
            leakage_linear_r2=leak_linear,
            swap_ratio=swap.ratio,
            copy_ratio=swap.copy_ratio,
            invariance_ratio=still,
            r2_assigned=_r2_of(held, fitted, place, place),
            best_latent=best[place],
            r2_best=_r2_of(held, fitted, place, best[place]),
            rerender=turned,
            invariance_curve=curve,
        )
    literature = measure_disentanglement(
        held.flat_mu, held.flat_factors, _ranges(fitted), own, rng, meter.part("disentangling")
    )
    report = {
        **_provenance(codec),
        "factors": {name: dataclasses.asdict(score) for name, score in scores.items()},
        "reconstruction": plain.psnr,
        "latents": {"count": len(nats), "alive": int((nats > ALIVE_NATS).sum()), "kl_nats": nats.tolist()},
        "identity": _identity(tested, codec.description.factors, telling),
        "entangled": {
            name: each.score(held.flat_mu, truth)
            for name, each, truth in zip(codec.description.factors, baselines, held.flat_factors.T, strict=True)
        },
        "mig": literature.metrics["latents"]["mig"]["value"],
        "dci": literature.dci,
        "metrics": literature.metrics,
        "images": {"calibration": len(fitted.flat_mu), "iid": len(held.flat_mu), "test": len(tested.flat_mu)},
        "evaluation_seconds": time.monotonic() - started,
    }
    return Evaluation(_rounded(report), tuple(fits), baselines)


def _identity(tested: Codes, factors: tuple[str, ...], intrinsic: IntP) -> dict[str, Any] | None:  # JSON
    """Tell who is who across the first factor whose range has room for it."""
    asked = (identify(tested, place, name, intrinsic) for place, name in enumerate(factors))
    found = next((each for each in asked if each), None)
    return dataclasses.asdict(found) if found else None


def _meter(
    codec: Codec,
    train: LabelledBatches,
    iid: LabelledBatches,
    test: LabelledBatches,
    sweep: LabelledBatches,
    told: StageProgress,
) -> PartProgress:
    """Weigh the stages by their floating-point operations."""
    encoding, decoding = codec.operations()
    images = {name: split.images.shape[0] * split.images.shape[1] for name, split in (("train", train), ("iid", iid))}
    images["test"], batch = test.images.shape[0] * test.images.shape[1], test.images.shape[1]
    factors = codec.description.factors
    probed = probe_operations(3 * len(factors), images["train"], codec.configuration.recipe.latents)
    swept = sweep_operations(encoding, decoding, sweep, len(factors)) / len(factors)
    swapped = {name: batch * int((test.kind == place).sum()) for place, name in enumerate(factors)}
    return PartProgress(
        told,
        {f"encoding {name}": encoding * count for name, count in images.items()}
        | {
            "probing": probed,
            "disentangling": tree_operations(images["iid"], codec.configuration.recipe.latents, len(factors)),
        }
        | {f"swapping {name}": decoding * count for name, count in swapped.items()}
        | dict.fromkeys((f"sweeping {name}" for name in factors), swept)
        | {"reconstructing": decoding * images["test"]},
    )


def _r2_of(held: Codes, fitted: Codes, place: int, latent: int) -> float:
    fit = _calibrate(fitted, "", place, latent)
    return r_squared(held.flat_factors[:, place], fit.value(held.flat_mu[:, latent]))


def _calibrate(fitted: Codes, name: str, place: int, latent: int) -> FactorCalibration:
    return calibrate(name, latent, fitted.flat_mu[:, latent], fitted.flat_factors[:, place])


def _ranges(codes: Codes) -> Floating:
    """Return the range that each factor took: (F, 2)."""
    return np.stack([codes.flat_factors.min(axis=0), codes.flat_factors.max(axis=0)], axis=1)


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
        "steps": codec.step,
        "images_seen": codec.step * recipe.groups * recipe.images,
        "parameters": count_parameters(codec.model),
        "seconds": codec.seconds,
        "seed": configuration.seed,
        "precision": configuration.precision,
        "data_sha256": description.data_sha256,
    }


def _rounded(value: Any) -> Any:  # JSON in, JSON out
    """Return JSON values with five digits: more are noise. What is not a number is null."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def _write_json(path: Path, value: Any) -> None:  # JSON
    write_result(path, (json.dumps(value, indent=2) + "\n").encode())
