"""The record of a run: log.jsonl, one JSON object a line, and the same for TensorBoard in tensorboard/."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from dcign.storage.atomic import write_atomic

FILE = "log.jsonl"


class RunLog:
    """Both logs, open. Use it in a `with`; lines beyond `step`, of a sitting cut off, are dropped.

    TensorBoard's file is written by tensorboardX's plain writer, not by its SummaryWriter: that hands events to a
    thread, which dies on a full disk without a word while the training waits for it.
    """

    def __init__(self, folder: str | Path, step: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter  # heavy, and wanted only while training
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._path = Path(folder) / FILE
        _drop_after(self._path, step)
        board = Path(folder) / "tensorboard"
        board.mkdir(exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        self._board = EventsWriter(str(board / "events"))
        restart = SessionLog(status=SessionLog.START)  # tells TensorBoard to forget what came after this step
        self._board.write_event(Event(wall_time=time.time(), step=step + 1, session_log=restart))

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._board.close()

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Record numbers as of a step."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        self._file.write(json.dumps({"step": step, **numbers}) + "\n")
        self._file.flush()
        for name, value in numbers.items():
            self._board.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        self._board.flush()


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    write_atomic(path, b"".join(line for line in lines if _step_of(line) <= step))


def _step_of(line: bytes) -> float:
    """Return the step of a whole line; one that a dying machine left is of none."""
    try:
        step = json.loads(line)["step"] if line.endswith(b"\n") else math.inf
    except (ValueError, KeyError, TypeError, RecursionError):
        return math.inf
    return step if isinstance(step, int) else math.inf
