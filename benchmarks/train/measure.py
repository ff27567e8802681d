"""Images per second of a whole training step from a data set on disk: ours and a plain eager loop, in one run.

    python -m benchmarks.train [--json] [--sizes 64,150] [--faces64 FACES] [--faces150 FACES] [--rounds 5] [--seconds 5]

eager is `benchmarks.train.eager`, with the plain network of `Case.plain`; eager_same_network is that loop with our
network. ours is the training step of `dcign train` with whole batches, 8 or 1 per step, in
the precision and memory layout that it chooses. ours_as_recipe is the same with the few images per step of the recipe.
Each loop runs in a process of its own, in turn, and the median over the rounds counts. On a CPU each loop has one
thread, and seconds are CPU time, so that other users of the machine matter less. loader is our data loader alone, from
where the images lie (memory, device or disk). loader_from_disk is the same from shards. matrix_share is the fraction of
this device's best rate of matrix products that a training step reaches.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below

if TYPE_CHECKING:
    import torch

    from dcign.train.trainer import Trainer

BATCHES = 120  # in the data sets made here
WARM_UP = 2  # steps before the measurement
LOOPS = ("eager", "eager_same_network", "ours", "ours_as_recipe", "loader", "loader_from_disk")
Loop = Callable[[], int]  # takes a step and returns its number of images


@dataclass(frozen=True)
class Case:
    """A network at an image size: its name in the table, its recipe, and the batches of 20 per step of our loop.

    plain: the recipe of the eager loop, whose network is built of PyTorch's own layers.
    """

    network: str
    recipe: str
    size: int
    groups: int
    plain: str


CASES = (Case("patch, 64 px", "swap", 64, 8, "swap-1"), Case("paper, 150 px", "paper", 150, 1, "paper"))


@one_sentence()
def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per network")
    parser.add_argument("--faces64", type=Path, help="a data set of 64 px  [default: a new one]")
    parser.add_argument("--faces150", type=Path, help="a data set of 150 px  [default: a new one]")
    parser.add_argument("--sizes", default="64,150", help="image sizes of the networks to measure, pixels")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each loop in each round")
    arguments = parser.parse_args()
    refuse_below(1, rounds=arguments.rounds)
    refuse_below(0.001, seconds=arguments.seconds)
    asked = [(case, getattr(arguments, f"faces{case.size}")) for case in _cases(arguments.sizes.split(","))]
    for case, faces in asked:
        _refuse(case, faces, arguments.device)
    rows = []
    with tempfile.TemporaryDirectory(prefix="dcign-benchmark-") as folder:
        for case, given in asked:
            faces = given or _rendered(Path(folder) / str(case.size), case.size)
            rows.append(measure(case, faces, arguments.device, arguments.rounds, arguments.seconds))
    print(json.dumps(rows, indent=1) if arguments.json else _table(rows))


def _cases(sizes: list[str]) -> list[Case]:
    """Return the networks of these image sizes."""
    known = {str(case.size): case for case in CASES}
    unknown = [size for size in sizes if size not in known]
    if unknown:
        raise BenchmarkError(f"expected a network's image size, found {unknown[0]!r}: choose from {', '.join(known)}.")
    return [case for size, case in known.items() if size in sizes]


def _refuse(case: Case, faces: Path | None, device: str) -> None:
    """Raise unless the device exists and a given data set has images of this size."""
    from dcign.device import choose_device
    from dcign.inputs.source import DataSource

    choose_device(device)
    if faces and (size := DataSource(faces).description().size) != case.size:
        raise BenchmarkError(
            f"expected images of {case.size} px, found {size} px in {faces}: choose another --faces{case.size}."
        )


def measure(case: Case, faces: Path, device: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Return one row: images per second of each loop."""
    context = multiprocessing.get_context("spawn")
    rates: dict[str, list[float]] = {name: [] for name in LOOPS}
    about: dict[str, Any] = {}
    workers = []
    for name in LOOPS:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, name, case, faces, device), daemon=True)
        process.start()
        theirs.close()  # only the process holds it now, so the pipe ends if the process dies
        workers.append((name, ours, process))
        about |= _answer(name, ours)
    for _ in range(rounds):
        for name, pipe, _ in workers:
            pipe.send(seconds)
            rates[name].append(_answer(name, pipe))
    for _, pipe, process in workers:
        pipe.send(None)
        process.join()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "network": case.network,
        **{key: about[key] for key in ("device", "precision", "images_a_step", "data_in")},
        **{name: round(rate, 1) for name, rate in medians.items()},
        "ratio": round(medians["ours"] / medians["eager"], 2),
        "loader_over_step": round(medians["loader"] / medians["ours"], 1),
        "matrix_share": round(about["operations_an_image"] * medians["ours"] / about["operations_a_second"], 3),
    }


def _answer(name: str, pipe: Connection) -> Any:  # what `_work` sent
    try:
        return pipe.recv()
    except EOFError:
        raise BenchmarkError(
            f"expected an answer of the loop {name}, found that its process ended: see its error above."
        ) from None


def _work(pipe: Connection, name: str, case: Case, faces: Path, device: str) -> None:
    """Prepare a loop, send its description, then run it for each number of seconds received and send its rate."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    torch.set_num_threads(1)
    loop, about = _loop(name, case, faces, device)
    for _ in range(WARM_UP):
        loop()
    pipe.send(about)
    while (seconds := pipe.recv()) is not None:
        images, began, started = 0, _clock(), time.monotonic()
        while time.monotonic() - started < seconds:
            images += loop()
        pipe.send(images / (_clock() - began))


def _clock() -> float:
    """Return seconds of CPU time, or on a GPU of wall time after all queued work is done."""
    import torch

    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return time.process_time()
    torch.cuda.synchronize()
    return time.monotonic()


def _loop(name: str, case: Case, faces: Path, asked: str) -> tuple[Loop, dict[str, Any]]:
    from dataclasses import replace

    from benchmarks.machine import device_name
    from benchmarks.train.eager import eager_step
    from dcign.device import choose_device, choose_precision
    from dcign.inputs.memory import choose_storage, free_memory
    from dcign.inputs.source import DataSource
    from dcign.machine import keep_freed_memory
    from dcign.recipes.registry import RECIPES
    from dcign.run.configuration import TrainConfiguration
    from dcign.train.distributed import ALONE, Ranks
    from dcign.train.feed import ReadAhead
    from dcign.train.trainer import Trainer

    source, recipe, device = DataSource(faces), RECIPES[case.recipe], choose_device(asked)
    description, precision = source.description(), choose_precision("auto", device)
    if name.startswith("eager"):
        return eager_step(faces, RECIPES[case.plain] if name == "eager" else recipe, description, device), {}
    if name != "ours_as_recipe":
        recipe = replace(recipe, groups=case.groups, images=20)
    data_in = "disk" if name.endswith("disk") else choose_storage("auto", source.training_bytes(), free_memory())
    configuration = TrainConfiguration(str(faces), "", recipe, 10**9, seed=0, device=str(device))
    keep_freed_memory()
    ranks = Ranks(device, precision, ALONE)
    run = Trainer(source.training(data_in, device), description, configuration, ranks)
    if name.startswith("loader"):
        return lambda: _advance(run, lambda: run.feed(run.state.step).to(device)), {}
    about: dict[str, Any] = {}
    if name == "ours":
        if data_in == "disk":
            run.feed = ReadAhead(run.feed, configuration.steps)
        operations = _operations(run) / run.images_per_step
        about = {
            "device": device_name(device) if device.type == "cuda" else f"one thread of {device_name(device)}",
            "precision": str(precision).removeprefix("torch."),
            "images_a_step": run.images_per_step,
            "data_in": data_in,
            "operations_an_image": operations,
            "operations_a_second": _products(device, precision),
        }
    return lambda: _advance(run, run.step), about


def _advance(run: Trainer, do: Callable[[], object]) -> int:
    """Do something as part of a step, and advance to the next step."""
    do()
    run.state.step += 1
    return run.images_per_step


def _operations(run: Trainer) -> int:
    """Return the floating-point operations of one step, forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        run.step()
    return int(counter.get_total_flops())


def _products(device: torch.device, precision: torch.dtype) -> float:
    """Return floating-point operations per second in large matrix products: the best of 20."""
    import torch

    size = 8192 if device.type == "cuda" else 1024
    left, right = (torch.randn(size, size, device=device).to(precision) for _ in range(2))
    best = float("inf")
    for _ in range(20):
        began = _clock()
        left @ right
        best = min(best, _clock() - began)
    return float(2 * size**3 / best)


def _rendered(folder: Path, size: int) -> Path:
    words = ["render", "--batches", str(BATCHES), "--size", str(size), "--out", str(folder)]
    # It gets its own session, so that Ctrl-C in the terminal reaches it only once, from here.
    with subprocess.Popen([sys.executable, "-m", "dcign.cli", *words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as render:  # fmt: skip
        try:
            _, errors = render.communicate()
        except KeyboardInterrupt:
            render.send_signal(signal.SIGINT)  # `dcign render` stops its workers
            render.communicate()
            raise
    if render.returncode:
        raise BenchmarkError(f"expected a data set of {size} px, found that dcign render failed: {errors.strip()}")
    return folder


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'':16}" + "".join(f"{name:>20}" for name in (*LOOPS, "ratio", "loader/step", "matrix share"))]
    for row in rows:
        rates = "".join(f"{row[name]:20,.0f}" for name in LOOPS)
        lines.append(
            f"{row['network']:16}{rates}{row['ratio']:20.2f}{row['loader_over_step']:20.1f}{row['matrix_share']:20.3f}"
        )
        lines.append(
            f"  {row['device']}, {row['precision']}, {row['images_a_step']} images per step, data in {row['data_in']}"
        )
    return "\n".join(lines)
