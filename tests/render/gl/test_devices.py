"""Which EGL device a worker draws with: each GPU in turn, the CPU where there is none, and what the user says first."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcign.data.doctor import Unanswered
from dcign.render.gl import devices
from dcign.render.gl.context import Renderer

CLAIM = (
    "import sys, time; from pathlib import Path; from dcign.render.gl.devices import least_used\n"
    "print(least_used((0, 3), Path(sys.argv[1])), flush=True); time.sleep(60)"
)


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(devices.VARIABLE, "")  # so that what a claim sets is undone
    monkeypatch.delenv(devices.VARIABLE)
    devices.gpus.cache_clear()
    yield
    devices.gpus.cache_clear()


def with_gpus(monkeypatch: pytest.MonkeyPatch, *found: int) -> None:
    monkeypatch.setattr(devices, "SIGNS", ("/dev/null",))
    monkeypatch.setattr(devices, "ask_subprocess", lambda *question: list(found))


def test_where_there_is_no_gpu_nobody_is_asked_and_a_worker_has_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "SIGNS", ("/dev/none-of-this-name*",))
    monkeypatch.setattr(devices, "ask_subprocess", lambda *question: pytest.fail("asked"))
    assert devices.worker_count(6) == 6
    devices.claim_gpu()
    assert devices.VARIABLE not in os.environ


def test_one_worker_a_gpu_and_each_takes_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_gpus(monkeypatch, 1, 2, 4)
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    assert devices.worker_count(64) == 3
    devices.claim_gpu()
    assert os.environ[devices.VARIABLE] == "1"


def test_a_user_s_choice_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 1, 2)
    monkeypatch.setenv(devices.VARIABLE, "7")
    devices.claim_gpu()
    assert os.environ[devices.VARIABLE] == "7"


def test_a_driver_that_crashes_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*question: object) -> None:
        raise Unanswered("its process died (SIGSEGV)")

    with_gpus(monkeypatch)
    monkeypatch.setattr(devices, "ask_subprocess", crash)
    assert devices.worker_count(2) == 2


def test_software_is_no_gpu_here_and_what_cannot_be_opened_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(devices.VARIABLE, "0")  # Mesa's, on a machine without a GPU
    assert 0 in devices.drawing_gpus() or devices.describe_renderer().software
    monkeypatch.setenv(devices.VARIABLE, "99")
    assert devices.drawing_gpus() == []


@pytest.mark.parametrize(
    ("name", "software"),
    [("llvmpipe (LLVM 15.0.6, 256 bits)", True), ("NVIDIA H100 80GB HBM3/PCIe/SSE2", False), ("AMD Radeon", False)],
)
def test_who_is_software_is_known_by_name(name: str, software: bool) -> None:
    assert Renderer("", name, "").software is software


def test_processes_take_the_device_that_fewest_have_and_give_it_back_when_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    started: list[subprocess.Popen[str]] = []

    def one_more() -> int:
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        return int(started[-1].stdout.readline())

    try:
        assert [one_more() for _ in range(3)] == [0, 3, 0]
        killed = started.pop(1)
        killed.kill()
        killed.communicate()
        assert one_more() == 3
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("reason", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_a_device_is_taken_all_the_same(
    reason: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(file: int, how: int) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(devices, "PLACES", 3)
    assert devices.least_used((1, 4), tmp_path) in (1, 4)
    assert len(list(tmp_path.iterdir())) == 1
    assert devices.least_used((1, 4), tmp_path / "not there") in (1, 4)
