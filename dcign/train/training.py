"""Train a run: the call behind `dcign train`.

The folder of a run: configuration.json (written before training starts), checkpoint.safetensors, log.jsonl,
tensorboard/; with a refiner also refiner.safetensors and refiner_log.jsonl.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import torch

from dcign.device import choose_precision, refuse_threads, threads
from dcign.errors import DataError, DcignError, TrainingError, TrainingInterrupted
from dcign.inputs.batches import ImageBatches
from dcign.inputs.memory import choose_storage, free_memory
from dcign.inputs.source import ChunkedBatches, DataSource
from dcign.machine import keep_freed_memory
from dcign.recipes.registry import changed
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import REFINER as REFINER_FILE
from dcign.run.checkpoint import load_checkpoint
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.log import RunLog
from dcign.stop_signals import deferred_stop
from dcign.storage.lock import folder_lock
from dcign.storage.paths import to_path
from dcign.train.distributed import (
    Ranks,
    device_name,
    device_of_rank,
    finish_other_processes,
    is_lost_rank,
    this_process,
)
from dcign.train.feed import ReadAhead
from dcign.train.loop import Report, TrainingLoop
from dcign.train.refinement import REFINER, RefinerTrainer
from dcign.train.trainer import Trainer


def train(configuration: TrainConfiguration, progress: Report | None = None, resume: bool = False) -> int:
    """Train as configured, from the last checkpoint if `resume`. Returns the number of the last step.

    Under torchrun every process calls it. On an error, all processes but the first end without a message.

    Raises
    ------
    TrainingError
        If training cannot start, or the loss is not finite.
    TrainingInterrupted
        After a stop signal: Ctrl-C, TERM or HUP.
    """
    with _ranks(configuration) as (configuration, ranks), _locked(Path(configuration.out), ranks, resume):
        with ranks.together():
            if resume and not to_path(configuration.data).exists():
                raise TrainingError(
                    f"expected the data set of the run in {configuration.data}, found nothing there: name its folder, "
                    f"dcign train FACES --resume --out {configuration.out}"
                )
            source = DataSource(configuration.data, configuration.recipe.size)
            source.check(("test", "iid", "sweep"))  # the evaluation reads them, after hours of training
            description = source.description()
            masks = configuration.recipe.backgrounds > 0
            needed = source.training_bytes(masks) * ranks.process.local_count
            data_in = choose_storage(configuration.data_in, needed, free_memory())
            configuration = dataclasses.replace(configuration, data_in=data_in)
            batches = source.training(data_in, ranks.device, masks)
        return _train(batches, description, configuration, ranks, progress, resume)


def train_on(
    batches: ImageBatches,
    description: ImageDescription,
    configuration: TrainConfiguration,
    progress: Report | None = None,
    resume: bool = False,
) -> int:
    """Train on the given batches, as `train` does on those of a data set."""
    with _ranks(configuration) as (configuration, ranks), _locked(Path(configuration.out), ranks, resume):
        return _train(batches, description, configuration, ranks, progress, resume)


@contextmanager
def _ranks(configuration: TrainConfiguration) -> Iterator[tuple[TrainConfiguration, Ranks]]:
    """Join the processes of a run, and replace each "auto" by what it means here, so that the record says it."""
    process = this_process()
    try:
        refuse_threads(configuration.threads)
        device = device_of_rank(configuration.device, process)
        precision = choose_precision(configuration.precision, device)
        configuration = dataclasses.replace(
            configuration,
            device=device_name(device, process),
            precision="bfloat16" if precision == torch.bfloat16 else "float32",
        )
        with Ranks(device, precision, process) as ranks:
            yield configuration, ranks
    except (DcignError, TrainingInterrupted):
        finish_other_processes(process)
        raise
    except RuntimeError as error:
        if not is_lost_rank(error):
            raise
        finish_other_processes(process)
        raise TrainingError(
            f"expected {process.count} processes to the end, found one stopped by the error above: correct its cause "
            "and use --resume."
        ) from None


@contextmanager
def _locked(folder: Path, ranks: Ranks, resume: bool) -> Iterator[None]:
    """Check that a run can start or resume in a folder, and lock it. The first rank does so for all."""
    with ExitStack() as stack:
        with ranks.together():
            if ranks.process.first:
                try:
                    stack.enter_context(folder_lock(folder))
                except DataError as error:
                    raise TrainingError(str(error)) from None
                run_configuration.check_run_folder(folder, resume)
        yield


def _train(
    batches: ImageBatches,
    description: ImageDescription,
    configuration: TrainConfiguration,
    ranks: Ranks,
    progress: Report | None,
    resume: bool,
) -> int:
    folder, recipe = Path(configuration.out), configuration.recipe
    if description.open_kinds and recipe.images > batches.size:  # other people's batches are as large as they can be
        configuration = dataclasses.replace(configuration, recipe=changed(recipe, {"images": batches.size}))
    try:
        with ranks.together():
            if resume:
                _refuse_other_run(configuration, description)
            elif configuration.recipe.images > batches.size:
                raise TrainingError(
                    f"expected images of at most {batches.size}, as many as a batch has, found "
                    f"{configuration.recipe.images}: lower it with --set images=..."
                )
            trainer: TrainingLoop = Trainer(batches, description, configuration, ranks)
        if ranks.process.first:
            folder.mkdir(parents=True, exist_ok=True)
            if not resume or run_configuration.read(folder)[0] != configuration:  # as after the data set has moved
                run_configuration.write(configuration, description)
        _run(trainer, batches, progress)
        if configuration.refine:
            with ranks.together():
                refiner = RefinerTrainer(batches, description, configuration, ranks)
            _run(refiner, batches, progress, REFINER)
    except OSError as error:
        raise TrainingError(
            f"cannot write into {folder} ({error.strerror or error}): correct that and use --resume, or choose another "
            "--out."
        ) from None
    return trainer.state.step


def _refuse_other_run(configuration: TrainConfiguration, description: ImageDescription) -> None:
    """Raise TrainingError unless the run in the folder computes what is asked for, as far as it is already computed."""
    folder = Path(configuration.out)
    found, found_description = run_configuration.read(folder)
    run_configuration.refuse_difference((found, found_description), (configuration, description))
    if configuration.refine != found.refine and (folder / REFINER_FILE).exists():
        raise TrainingError(
            f"expected refine to be {found.refine}, as for the refiner in {folder}, found {configuration.refine}: ask "
            f"for the same, or delete {folder / REFINER_FILE} to train another."
        )


def _run(trainer: TrainingLoop, batches: ImageBatches, progress: Report | None, part: str = "") -> None:
    """Train from the last checkpoint, or from the beginning if there is none; part: the name of its log."""
    configuration, ranks, state = trainer.configuration, trainer.ranks, trainer.state
    folder = Path(configuration.out)
    with ranks.together():
        if (folder / state.file).exists():
            load_checkpoint(folder, state)
            if state.step > trainer.steps:
                raise TrainingError(
                    f"expected a checkpoint of at most step {trainer.steps}, found step {state.step} in "
                    f"{folder / state.file}: it is another run's; train again into a new folder."
                )
    keep_freed_memory()
    feed = trainer.feed
    with (
        threads(configuration.threads, ranks.process.local_count),
        ReadAhead(feed, trainer.steps) if isinstance(batches, ChunkedBatches) else nullcontext(feed) as feed,
        RunLog(folder, state.step, part) if ranks.process.first else nullcontext() as log,
        deferred_stop() as stop_requested,
    ):
        trainer.feed = feed
        trainer.train(log, progress, stop_requested)
