"""Progress bars. Each is a context manager and yields the callback to which a library function reports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TextIO

from dcign.printable import printable
from dcign.stop_signals import stop_if_requested

BATCH_SIZE = 20  # dcign.data.schema.BATCH_SIZE, repeated so that --help need not import it
PLAIN_WIDTH = 110  # columns, where the output is not a terminal
PLAIN_SECONDS = 8.0  # from line to line, where the output is not a terminal
SHORT_NAMES = {"reconstruction": "rec", "divergence": "kl", "invariance": "inv"}


def console(stream: TextIO) -> Any:  # rich's Console
    """Return rich's console for a stream, with a fixed width where the stream is not a terminal."""
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH)


@contextmanager
def batch_progress(title: str, size: int = BATCH_SIZE) -> Iterator[Callable[..., None]]:
    """Show a bar of images, for callbacks (batches done, batches in total) or (batches done,).

    size: images per batch; 1 for callbacks that count images.
    """
    with _bar(title, "{task.completed:,.0f} images") as update:
        began = 0.0

        def progress(done: int, total: int | None = None) -> None:
            nonlocal began
            began = began or time.monotonic()  # the preparation before the first report does not count
            rate = size * done / max(time.monotonic() - began, 1e-3)
            update(size * done, total and size * total, f"{rate:,.0f} images/s")

        yield progress


@contextmanager
def step_progress() -> Iterator[Callable[[Any], None]]:
    """Show a bar of training steps with losses and images per second, for dcign.train's TrainingProgress."""
    with _bar("", "{task.completed:,.0f}/{task.total:,.0f}") as update:

        def progress(now: Any) -> None:  # TrainingProgress, whose module imports torch
            losses = " ".join(f"{SHORT_NAMES.get(name, name)} {value:.3g}" for name, value in now.losses.items())
            update(now.step, now.steps, f"{losses}, {now.images_per_second:,.0f} images/s", now.stage)

        yield progress


@contextmanager
def stage_progress(title: str) -> Iterator[Callable[[str, float], None]]:
    """Show a bar for callbacks (name of the stage, fraction done)."""
    with _bar(title, "{task.percentage:.0f} %") as update:
        yield lambda stage, fraction: update(fraction, 1.0, stage)


@contextmanager
def _bar(title: str, count: str) -> Iterator[Callable[..., None]]:
    """Show a bar with the time left on stderr, from the first report on: (done, total, further text[, title]).

    With another title the bar begins anew.
    """
    import sys

    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    texts = [TextColumn(text, markup=False) for text in (count, "{task.fields[text]}")]
    times = [TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()]
    columns = [TextColumn("{task.description}", markup=False), BarColumn(bar_width=12), *texts, *times]
    with Progress(*columns, console=console(sys.stderr)) as bar:
        task = bar.add_task(printable(title), total=None, text="", visible=False)

        def update(done: float, total: float | None, text: str, title: str = title) -> None:
            stop_if_requested()
            if bar.tasks[task].description != printable(title):
                bar.reset(task, description=printable(title))
            bar.update(task, completed=done, total=total, text=printable(text), visible=True)

        with nullcontext() if bar.console.is_terminal else _plain_lines(bar):
            yield update


@contextmanager
def _plain_lines(bar: Any) -> Iterator[None]:  # rich's Progress
    """Print the bar as a line every PLAIN_SECONDS, also while nothing is reported."""
    done = threading.Event()

    def print_lines() -> None:
        while not done.wait(PLAIN_SECONDS):
            if any(task.visible for task in bar.tasks):
                bar.console.print(bar)

    printer = threading.Thread(target=print_lines, daemon=True)
    printer.start()
    try:
        yield
    finally:
        done.set()
        printer.join()
