"""Open shards with HDF5 in a process of its own, so that a malicious file cannot harm this one.

A file can be made to crash HDF5's C library, or to exploit it. Each process that reads shards starts one server, and
the server forks a child per file, which has little memory and time. Each file gets a fresh child, so one file cannot
affect the next. If a child dies, the caller gets one error sentence. The pixels are then read here as plain bytes,
without HDF5 (`dcign.data.shard.contents`).

`DCIGN_SANDBOX=off` opens shards in this process. docs/sandbox.md says what that saves and what it risks.
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
from typing import IO

import msgspec

from dcign.data.damage import AGAIN
from dcign.data.shard.columns import ShardLayout
from dcign.errors import DataError
from dcign.printable import printable
from dcign.stop_signals import ignore_stop_signals, stop_signals_blocked

ReadLayout = Callable[[Path], ShardLayout]

VARIABLE, OFF = "DCIGN_SANDBOX", "off"
MEMORY = 1 << 30  # bytes of address space
CPU_SECONDS = 20  # a shard takes a few milliseconds
WALL_SECONDS = 120  # for a slow disk
LARGEST_ANSWER = 64 << 20  # bytes; a shard of 50 batches has 5 kB

SERVER = ("-P", "-m", "dcign.data.shard.sandbox")  # arguments of Python; -P: import nothing from the working folder
SINGLE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before a fork


def read_layout(path: Path) -> ShardLayout:
    """Return `dcign.data.shard.hdf5_layout.read_layout` of a shard, found out by a child of the server.

    Raises DataError if the file is not a complete shard, or if HDF5 crashes on it.
    """
    if os.environ.get(VARIABLE) == OFF:
        from dcign.data.shard import hdf5_layout  # h5py: only the server needs it otherwise

        return hdf5_layout.read_layout(path)
    answer = _servers.setdefault(os.getpid(), _Server()).ask(path)
    if answer.layout is None:
        raise DataError(answer.refused or f"{path} is damaged (HDF5 {answer.died}); {AGAIN}")
    return answer.layout


def close() -> None:
    """End this process's server, if it has one; the next file starts another."""
    server = _servers.pop(os.getpid(), None)
    if server is not None:
        server.close()


class _Answer(msgspec.Struct, omit_defaults=True):
    """What a child found, why it refused the file, or how it died: one of the three."""

    layout: ShardLayout | None = None
    refused: str = ""
    died: str = ""


class _Server:
    """The connection of this process to its server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: Path) -> _Answer:
        """Return the answer for one file; a server that has died is started again."""
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
                return msgspec.json.decode(process.stdout.readline(), type=_Answer)
            except (OSError, ValueError):
                self.close()
                raise DataError(
                    f"{path} was not read: the process that opens shards has died, most likely for lack of memory; "
                    "free some, and run the same command again."
                ) from None
            except BaseException:  # Ctrl-C came before the answer: stop, or the next call would read this stale answer
                self.close()
                raise

    def close(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            atexit.unregister(self.close)

    def _start(self) -> None:
        self.close()
        folder = _working_folder()
        with stop_signals_blocked():
            self._process = subprocess.Popen(
                [sys.executable, *SERVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=os.sep,  # Python does not start in a folder that was removed
                env=os.environ
                | SINGLE_THREAD
                | {"PYTHONPATH": os.pathsep.join(str(Path(folder, entry)) for entry in sys.path)},
            )
        atexit.register(self.close)


_servers: dict[int, _Server] = {}  # by process ID: a forked child must not share its parent's


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was removed: only absolute paths lead anywhere now
        return os.sep


def serve(read: ReadLayout) -> None:
    """Run the server until stdin ends: read lines of JSON [working folder, path] and answer each by a line of JSON."""
    ignore_stop_signals()  # they are for the process that asks
    with suppress(ValueError, OSError):  # some systems lack these limits; time is limited there, too
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for question in sys.stdin.buffer:
        folder, path = json.loads(question)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _write_answer(read, folder, Path(path), writing)
        os.close(writing)
        sys.stdout.buffer.write(_read_answer(child, reading) + b"\n")
        sys.stdout.buffer.flush()


def _write_answer(read: ReadLayout, folder: str, path: Path, pipe: int) -> None:
    """Write the answer into the pipe and end the process. This runs in the child."""
    status = 1
    with suppress(BaseException):
        os.chdir(folder)  # so that sentences name the file as the user does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # hide what C libraries print when they crash
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        try:
            answer = _Answer(layout=read(path))
        except DataError as error:
            answer = _Answer(refused=printable(str(error)))  # a name that is not UTF-8 is no JSON
        with os.fdopen(pipe, "wb") as file:
            file.write(msgspec.json.encode(answer))
        status = 0
    os._exit(status)


def _read_answer(child: int, pipe: int) -> bytes:
    """Return what a child wrote, or how it died. This runs in the server."""
    with os.fdopen(pipe, "rb") as file:
        answer, ended = _read_all(file)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if ended and code == 0:
        return answer
    if not ended or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return msgspec.json.encode(_Answer(died="does not finish with it"))
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return msgspec.json.encode(_Answer(died=f"crashes on it, {name}"))


def _read_all(file: IO[bytes]) -> tuple[bytes, bool]:
    """Return all that a child writes, and whether it ended in time and within bounds."""
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


if __name__ == "__main__":
    from dcign.data.shard import hdf5_layout

    serve(hdf5_layout.read_layout)
