"""A dask scheduler and its workers, as processes of this machine that a test may kill."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and the workers that were started. Close it after use."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_workers(self, count: int, memory_limit: str = "") -> None:
        """Start workers of one thread each, with a nanny that kills one that exceeds its memory limit, if given."""
        nanny = ("--memory-limit", memory_limit) if memory_limit else ("--no-nanny",)
        options = (self.address, *nanny, "--nthreads", "1", "--no-dashboard")
        self.workers += [self._start("worker", *options) for _ in range(count)]

    def close(self) -> None:
        """Kill the workers and the scheduler."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=quiet, stderr=quiet)
