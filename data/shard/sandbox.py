"""HDF5 opens a file in a process of its own, so that a file made to break its C library breaks nothing here.

A server, one for each process that reads shards and started by its first one, forks a child for every file: no file
meets what another left behind. A child has little memory and time; its death is a sentence. Reading on is then plain
reading of bytes at the places that it found (`dcign.data.shard.contents`).
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from dcign.data.damage import AGAIN
from dcign.errors import DataError

Describe = Callable[[Path], dict[str, Any]]  # JSON

MEMORY = 1 << 30  # bytes of address space
CPU_SECONDS = 20  # a shard takes a few thousandths
WALL_SECONDS = 120  # for a slow disk
LARGEST_ANSWER = 64 << 20  # bytes; a shard of 50 batches has 5 kB

START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from dcign.data.shard import hdf5_layout as layout
from dcign.data.shard import sandbox
sandbox.serve_layouts(layout.read_layout)
"""
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # a fork keeps one thread


def read_layout(path: Path) -> dict[str, Any]:  # JSON
    """Return `dcign.data.shard.hdf5_layout.read_layout` of a shard, found out elsewhere.

    Raises DataError if the file is no whole shard, or HDF5 cannot survive it.
    """
    answer = _servers.setdefault(os.getpid(), _Server()).ask(path)
    if "refused" in answer:
        raise DataError(answer["refused"])
    if "died" in answer:
        raise DataError(f"{path} is damaged (HDF5 {answer['died']}); {AGAIN}")
    return answer


def close() -> None:
    """End this process's server, if it has one; the next file starts another."""
    server = _servers.pop(os.getpid(), None)
    if server is not None:
        server.close()


class _Server:
    """This process's end of its server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: Path) -> dict[str, Any]:  # JSON
        """One question, one answer; a server that has died meanwhile is started again."""
        question = json.dumps([_working_folder(), str(path)]).encode()
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            process = self._process
            assert process is not None  # just started
            assert process.stdin is not None  # both are pipes
            assert process.stdout is not None
            try:
                process.stdin.write(question + b"\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
            except (OSError, ValueError):
                self.close()
                raise DataError(
                    f"{path} was not read: the process that reads shards has died, most likely for want of memory; "
                    "run the same command again."
                ) from None
            except BaseException:  # Ctrl-C between question and answer: the next answer would be this one
                self.close()
                raise
        return dict(answer)

    def close(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            atexit.unregister(self.close)

    def _start(self) -> None:
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ALONE,
        )
        atexit.register(self.close)


_servers: dict[int, _Server] = {}  # by process: a forked child must not share its parent's


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # removed since this process started: only whole names lead anywhere now
        return os.sep


def serve_layouts(read_layout: Describe) -> None:
    """In the server, until stdin ends: answer a line of JSON, a folder and a path from there, by a line of JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    with suppress(ValueError, OSError):  # where there are no such limits, time is limited all the same
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for question in sys.stdin.buffer:
        folder, path = json.loads(question)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _describe(read_layout, folder, Path(path), writing)
        os.close(writing)
        sys.stdout.buffer.write(_answer(child, reading) + b"\n")
        sys.stdout.buffer.flush()


def _describe(read_layout: Describe, folder: str, path: Path, pipe: int) -> None:
    """In a child, which ends here: write the answer into the pipe."""
    status = 1
    with suppress(BaseException):
        os.chdir(folder)  # so that sentences name the file as the user does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what C libraries say when they die is not for the user
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        try:
            answer = read_layout(path)
        except DataError as error:
            answer = {"refused": str(error)}
        with os.fdopen(pipe, "wb") as file:
            file.write(json.dumps(answer).encode())
        status = 0
    os._exit(status)


def _answer(child: int, pipe: int) -> bytes:
    """In the server: what a child wrote, or how it died."""
    with os.fdopen(pipe, "rb") as file:
        answer, ended = _read_all(file)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if ended and code == 0:
        return answer
    if not ended or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return json.dumps({"died": "does not come to an end with it"}).encode()
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return json.dumps({"died": f"dies of it, {name}"}).encode()


def _read_all(file: IO[bytes]) -> tuple[bytes, bool]:
    """All that comes, and whether it came to an end in time and within bounds."""
    content, until = bytearray(), time.monotonic() + WALL_SECONDS
    while len(content) <= LARGEST_ANSWER:
        ready, _, _ = select.select([file], [], [], max(until - time.monotonic(), 0))
        if not ready:
            return b"", False
        piece = os.read(file.fileno(), 1 << 20)
        if not piece:
            return bytes(content), True
        content += piece
    return b"", False
