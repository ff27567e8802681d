"""Training: what the command line calls. A run has a folder, begins once, and can go on.

The folder of a run: configuration.json (written before work begins), checkpoint.safetensors, log.jsonl,
tensorboard/.
"""

import dataclasses
from pathlib import Path

from dcign import configuration as run_configuration
from dcign.batches import TrainingBatches
from dcign.checkpoint import FILE as CHECKPOINT
from dcign.checkpoint import load_checkpoint
from dcign.configuration import ImageDescription, TrainConfiguration
from dcign.device import choose_device, choose_precision, refuse_threads, threads
from dcign.errors import TrainingError
from dcign.interrupt import deferred_interrupt
from dcign.runlog import RunLog
from dcign.source import DataSource
from dcign.trainer import Report, Trainer


def train(configuration: TrainConfiguration, progress: Report | None = None, resume: bool = False) -> int:
    """Train as configured, from the last checkpoint if `resume`; returns the steps done.

    Raises TrainingError if it cannot start or the loss is not finite, TrainingInterrupted after Ctrl-C.
    """
    _refuse_folder(Path(configuration.out), resume)
    resolved(configuration)  # refuses a device that is not here before a long reading
    batches, description = DataSource(configuration.data).training()
    return train_on(batches, description, configuration, progress, resume)


def train_on(
    batches: TrainingBatches,
    description: ImageDescription,
    configuration: TrainConfiguration,
    progress: Report | None = None,
    resume: bool = False,
) -> int:
    """Train on batches in memory; `train` without the reading."""
    folder = Path(configuration.out)
    _refuse_folder(folder, resume)
    configuration = resolved(configuration)
    if resume:
        run_configuration.refuse_difference(run_configuration.read(folder), (configuration, description))
    run = Trainer(batches, description, configuration)
    if resume and (folder / CHECKPOINT).exists():  # else it was cut off before the first, and begins again
        load_checkpoint(folder, run.state)
    try:
        if not resume:
            folder.mkdir(parents=True, exist_ok=True)
            run_configuration.write(configuration, description)
        with threads(configuration.threads), RunLog(folder, run.state.step) as log, deferred_interrupt() as asked:
            run.train(log, progress, asked)
    except OSError as error:
        raise TrainingError(
            f"cannot write into {folder} ({error.strerror or error}): mend that and --resume, or choose another --out"
        ) from None
    return run.state.step


def configuration_to_resume(out: str | Path, **given: object) -> TrainConfiguration:
    """Return the configuration of the run in `out`, with what was given anew (not None) in its place.

    `train` refuses what would change where the run is going; the folder of the data set, the device, the threads
    and how often to save may change.
    """
    _refuse_folder(Path(out), resume=True)
    found, _ = run_configuration.read(out)
    anew = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(found, out=str(out), **anew)  # type: ignore[arg-type]  # the caller's own fields


def resolved(configuration: TrainConfiguration) -> TrainConfiguration:
    """Return the configuration with what "auto" means here, so that the record says what was computed.

    Raises TrainingError where this machine has no such device, or not cores enough for so many threads.
    """
    refuse_threads(configuration.threads)
    device = choose_device(configuration.device)
    precision = choose_precision(configuration.precision, device)
    return dataclasses.replace(configuration, device=str(device), precision=str(precision).removeprefix("torch."))


def _refuse_folder(folder: Path, resume: bool) -> None:
    """Raise where a run cannot begin, or, if `resume`, where there is none to go on with."""
    if run_configuration.holds_run(folder):
        if not resume:
            raise TrainingError(f"{folder} already holds a run: go on with --resume, or choose another --out")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainingError(f"{folder} is there already and holds no run: choose an --out that is new or empty")
    elif resume:
        raise TrainingError(f"there is no run in {folder} to go on with: train without --resume to begin one")
