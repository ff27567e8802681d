"""The record of a run: log.jsonl, one JSON object a line, and the same for TensorBoard in tensorboard/."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

FILE = "log.jsonl"


class RunLog:
    """Both logs, open. Use it in a `with`; lines beyond `step`, of a sitting cut off, are dropped."""

    def __init__(self, folder: str | Path, step: int) -> None:
        from tensorboardX import SummaryWriter  # heavy, and wanted only while training

        self._path = Path(folder) / FILE
        _drop_after(self._path, step)
        self._file = self._path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(Path(folder) / "tensorboard"), purge_step=step + 1)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Record numbers as of a step."""
        self._file.write(json.dumps({"step": step, **numbers}) + "\n")
        self._file.flush()
        for name, value in numbers.items():
            self._board.add_scalar(name, value, step)


def _drop_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    part = path.with_name(f".{FILE}.part")
    part.write_text("".join(kept), encoding="utf-8")
    part.replace(path)
