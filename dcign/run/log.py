"""The log of a run: log.jsonl, with one JSON object per line, and the same numbers for TensorBoard in tensorboard/.

A refiner has a log of its own: refiner_log.jsonl, and tensorboard/refiner/.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from dcign.storage.atomic import write_atomic

FILE = "log.jsonl"


class RunLog:
    """Both logs, open: use it in a `with`. Drops lines after `step`, from before the run was interrupted.

    tensorboardX's plain writer writes TensorBoard's file, not its SummaryWriter: that passes events to a thread, which
    dies silently when the disk is full, while the training waits for it.
    """

    def __init__(self, folder: str | Path, step: int, part: str = "") -> None:
        """Open the logs of a run's folder, or those of a part of the run that has its own."""
        from tensorboardX.event_file_writer import EventsWriter  # slow to import, and needed only while training
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._path = Path(folder) / (f"{part}_{FILE}" if part else FILE)
        if self._path.exists():
            lines = self._path.read_bytes().splitlines(keepends=True)
            write_atomic(self._path, b"".join(line for line in lines if _step_of(line) <= step))
        events = Path(folder) / "tensorboard" / part
        events.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        self._tensorboard = EventsWriter(str(events / "events"))
        restart = SessionLog(status=SessionLog.START)  # makes TensorBoard discard what came after this step
        self._tensorboard.write_event(Event(wall_time=time.time(), step=step + 1, session_log=restart))

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._file.close()
        finally:
            self._tensorboard.close()

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Log the numbers of a step."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        self._file.write(json.dumps({"step": step, **numbers}) + "\n")
        self._file.flush()
        for name, value in numbers.items():
            self._tensorboard.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        self._tensorboard.flush()


class _Line(msgspec.Struct):
    step: int


def _step_of(line: bytes) -> float:
    """Return the step of a line, infinite for a line that was not written completely."""
    try:
        return msgspec.json.decode(line, type=_Line).step if line.endswith(b"\n") else math.inf
    except (ValueError, RecursionError):
        return math.inf
