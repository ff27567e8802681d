"""One process at a time writes into a folder; a killed one keeps nobody out."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from dcign import cli
from dcign.errors import DataError, TrainingError
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.produce.production import render_dataset
from dcign.storage import lock
from dcign.storage.lock import LOCK_FILE, UnlockedWarning, folder_lock
from tests.support.processes import train_noise

HOLDING = (
    "import sys\nfrom pathlib import Path\nfrom dcign.storage.lock import folder_lock\n"
    "with folder_lock(Path(sys.argv[1])):\n"
)


@contextmanager
def holder(folder: Path, then: str = "sys.stdin.read()") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a folder, until its standard input is closed."""
    words = [sys.executable, "-c", f"{HOLDING}    print('held', flush=True)\n    {then}", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_process_is_refused_with_who_holds_the_folder_and_since_when(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        since = json.loads((tmp_path / LOCK_FILE).read_text())["since"]
        sentence = rf"written to by process {other.pid} on {socket.gethostname()}, since {since.split('+')[0]}"
        with pytest.raises(DataError, match=sentence), folder_lock(tmp_path):
            pass
    with folder_lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_two_threads_of_one_process_keep_each_other_out(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(DataError, match=f"process {os.getpid()}"), folder_lock(tmp_path):
        pass


def test_a_killed_process_leaves_a_file_and_no_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (tmp_path / LOCK_FILE).exists()
        with folder_lock(tmp_path):
            assert json.loads((tmp_path / LOCK_FILE).read_text())["process"] == os.getpid()


def test_a_child_does_not_keep_the_lock_of_its_parent_that_was_killed(tmp_path: Path) -> None:
    child = (
        "import subprocess; print(subprocess.Popen(['sleep', '60'], close_fds=False).pid, flush=True); sys.stdin.read()"
    )
    with holder(tmp_path, child) as other:
        assert other.stdout is not None
        sleeper = int(other.stdout.readline())
        try:
            other.kill()
            other.wait()
            with folder_lock(tmp_path):
                os.kill(sleeper, 0)  # it lives
        finally:
            os.kill(sleeper, signal.SIGKILL)


def test_a_folder_made_for_nothing_is_removed_with_its_parents(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "runs" / "first"):
        assert (tmp_path / "runs" / "first" / LOCK_FILE).exists()
    assert not (tmp_path / "runs").exists()


def test_what_is_written_meanwhile_stays(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "faces"):
        (tmp_path / "faces" / "shard").touch()
    assert [path.name for path in (tmp_path / "faces").iterdir()] == ["shard"]


def test_a_lock_whose_file_was_removed_before_it_was_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, removed = fcntl.flock, []

    def flock_of_a_removed_file(file: int, how: int) -> None:
        if not removed:
            removed.append((tmp_path / LOCK_FILE).unlink())
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", flock_of_a_removed_file)
    with folder_lock(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()
        with pytest.raises(DataError), folder_lock(tmp_path):
            pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_a_warning_is_given_and_work_goes_on(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: int, how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.warns(UnlockedWarning, match="cannot be locked .*: make sure that"),
        folder_lock(tmp_path),
    ):
        (tmp_path / "shard").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]


def test_the_command_line_says_the_warning_as_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_locked", lambda folder: lock.warnings.warn("no locks here", UnlockedWarning))
    words = ["train", "no-faces", "--out", str(tmp_path / "run")]
    said = CliRunner().invoke(cli.dcign, words).stderr
    assert said.startswith("Warning: no locks here\n")
    assert "UnlockedWarning" not in said


def test_another_user_of_a_shared_folder_can_open_the_lock_file(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        assert (tmp_path / LOCK_FILE).stat().st_mode & 0o777 == 0o666


def test_a_lock_file_that_cannot_be_opened_is_warned_of_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LOCK_FILE).write_text("another user's")

    def refuse(*given: object, **named: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.warns(UnlockedWarning, match=r"cannot be locked \(.*Permission denied"), folder_lock(tmp_path):
        pass
    monkeypatch.undo()
    assert (tmp_path / LOCK_FILE).read_text() == "another user's"


def test_a_damaged_lock_file_names_nobody_and_keeps_out_all_the_same(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        (tmp_path / LOCK_FILE).write_bytes(b"\xff\0{")
        with pytest.raises(DataError, match="written to by another process: wait"), folder_lock(tmp_path):
            pass


def test_a_second_render_is_refused_and_touches_nothing(
    tmp_path: Path, small_configuration: RenderConfiguration
) -> None:
    def model() -> None:
        raise AssertionError("the model was asked for")

    with holder(tmp_path / "faces") as other:
        words = ["render", "--batches", "4", "--size", "16", "--out", str(tmp_path / "faces")]
        result = CliRunner().invoke(cli.dcign, words)
        assert result.exit_code == 1
        assert f"is being written to by process {other.pid} on " in result.stderr
        with pytest.raises(DataError, match="is being written to"):
            render_dataset(
                tmp_path / "faces", small_configuration, model, worker_count=1, progress=lambda made, wanted: None
            )
        assert [path.name for path in (tmp_path / "faces").iterdir()] == [LOCK_FILE]


def test_a_second_training_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.support.processes", str(tmp_path / "run"), "100000"]
    root = Path(cli.__file__).parents[1]
    with ExitStack() as stack:
        first = stack.enter_context(subprocess.Popen(words, cwd=root))
        stack.callback(first.kill)
        log = tmp_path / "run" / "log.jsonl"
        deadline = time.monotonic() + 120
        while not log.exists() and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        for resume in (False, True):
            with pytest.raises(TrainingError, match=f"is being written to by process {first.pid} "):
                train_noise(str(tmp_path / "run"), 100000, resume=resume)
        assert first.poll() is None


def test_a_lock_left_behind_does_not_make_a_folder_another_s(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK_FILE).write_text("{}")
    train_noise(str(tmp_path / "run"), 1)
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()
    assert not (tmp_path / "run" / LOCK_FILE).exists()
