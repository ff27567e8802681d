"""Training: what the command line calls. A run has a folder, begins once, and can go on.

The folder of a run: configuration.json (written before work begins), checkpoint.safetensors, log.jsonl,
tensorboard/.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from dcign.device import choose_precision, refuse_threads, threads
from dcign.errors import DataError, DcignError, TrainingError, TrainingInterrupted
from dcign.inputs.batches import ImageBatches
from dcign.inputs.memory import choose_storage, free_memory
from dcign.inputs.source import ChunkedBatches, DataSource
from dcign.malloc import keep_freed_memory
from dcign.run import configuration as run_configuration
from dcign.run.checkpoint import FILE as CHECKPOINT
from dcign.run.checkpoint import load_checkpoint
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.run.interrupt import deferred_interrupt
from dcign.run.log import RunLog
from dcign.storage.lock import folder_lock
from dcign.storage.paths import to_path
from dcign.train.distributed import (
    ALONE,
    Process,
    Ranks,
    device_name,
    device_of_rank,
    finish_other_processes,
    is_lost_rank,
    this_process,
)
from dcign.train.feed import ReadAhead
from dcign.train.loop import Report, Trainer


def train(configuration: TrainConfiguration, progress: Report | None = None, resume: bool = False) -> int:
    """Train as configured, from the last checkpoint if `resume`; returns the steps done.

    Under torchrun every process calls it, and those but the first end without a word where it raises. Raises
    TrainingError if it cannot start or the loss is not finite, TrainingInterrupted after Ctrl-C.
    """
    with _ranks(configuration) as (configuration, ranks), _folder_held(Path(configuration.out), ranks, resume):
        with ranks.together():
            if resume and not to_path(configuration.data).exists():
                raise TrainingError(
                    f"there is no {configuration.data} to go on with: name where that data set is now, "
                    f"dcign train FACES --resume --out {configuration.out}"
                )
            source = DataSource(configuration.data)
            description = source.description()
            needed = source.training_bytes() * ranks.place.local_count
            data_in = choose_storage(configuration.data_in, needed, free_memory())
            configuration = dataclasses.replace(configuration, data_in=data_in)
            batches = source.training(data_in, ranks.device)
        return _train(batches, description, configuration, ranks, progress, resume)


def train_on(
    batches: ImageBatches,
    description: ImageDescription,
    configuration: TrainConfiguration,
    progress: Report | None = None,
    resume: bool = False,
) -> int:
    """Train on batches at hand; `train` without the reading."""
    with _ranks(configuration) as (configuration, ranks), _folder_held(Path(configuration.out), ranks, resume):
        return _train(batches, description, configuration, ranks, progress, resume)


def _train(
    batches: ImageBatches,
    description: ImageDescription,
    configuration: TrainConfiguration,
    ranks: Ranks,
    progress: Report | None,
    resume: bool,
) -> int:
    folder, first = Path(configuration.out), ranks.place.first
    try:
        with ranks.together():
            if resume:
                run_configuration.refuse_difference(run_configuration.read(folder), (configuration, description))
            elif configuration.recipe.images > batches.size:
                raise TrainingError(
                    f"images is {configuration.recipe.images}, and a batch has {batches.size} images: wanted as many "
                    "or fewer"
                )
            run = Trainer(batches, description, configuration, ranks)
            if resume and (folder / CHECKPOINT).exists():  # else it was cut off before the first, and begins again
                load_checkpoint(folder, run.state)
                if run.state.step > configuration.steps:
                    raise TrainingError(
                        f"{folder / CHECKPOINT} is of step {run.state.step} of {configuration.steps}: it is another "
                        "run's; train again into a new folder"
                    )
        keep_freed_memory()
        if first and not resume:
            folder.mkdir(parents=True, exist_ok=True)
            run_configuration.write(configuration, description)
        with (
            threads(configuration.threads, ranks.place.local_count),
            ReadAhead(run.feed, configuration.steps) if isinstance(batches, ChunkedBatches) else nullcontext() as ahead,
            RunLog(folder, run.state.step) if first else nullcontext() as log,
            deferred_interrupt() as asked,
        ):
            run.feed = ahead or run.feed
            run.train(log, progress, asked)
    except OSError as error:
        raise TrainingError(
            f"cannot write into {folder} ({error.strerror or error}): mend that and --resume, or choose another --out"
        ) from None
    return run.state.step


@contextmanager
def _ranks(configuration: TrainConfiguration) -> Iterator[tuple[TrainConfiguration, Ranks]]:
    """Join the processes of a run; what all of them find is raised by the first."""
    process = this_process()
    try:
        configuration = resolved(configuration, process)
        device = device_of_rank(configuration.device, process)
        with Ranks(device, choose_precision(configuration.precision, device), process) as ranks:
            yield configuration, ranks
    except (DcignError, TrainingInterrupted):
        finish_other_processes(process)
        raise
    except RuntimeError as error:
        if not is_lost_rank(error):
            raise
        finish_other_processes(process)
        raise TrainingError(
            f"another of the {process.count} processes ended, for a reason that it gave above: mend that and --resume"
        ) from None


@contextmanager
def _folder_held(folder: Path, ranks: Ranks, resume: bool) -> Iterator[None]:
    """Keep other trainings out of a folder in which this one can begin; the first rank does it for all."""
    with ExitStack() as stack:
        with ranks.together():
            if ranks.place.first:
                try:
                    stack.enter_context(folder_lock(folder))
                except DataError as error:
                    raise TrainingError(str(error)) from None
                run_configuration.check_run_folder(folder, resume)
        yield


def resolved(configuration: TrainConfiguration, process: Process = ALONE) -> TrainConfiguration:
    """Return the configuration with what "auto" means here, so that the record says what was computed.

    Raises TrainingError where this machine has no such device, or not cores enough for so many threads.
    """
    refuse_threads(configuration.threads)
    device = device_of_rank(configuration.device, process)
    precision = str(choose_precision(configuration.precision, device)).removeprefix("torch.")
    return dataclasses.replace(configuration, device=device_name(device, process), precision=precision)
