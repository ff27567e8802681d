"""A dask scheduler and workers, processes of this machine, to draw with and to kill."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and the workers that were hired. Close it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers: list[subprocess.Popen[bytes]] = []

    def hire(self, count: int) -> None:
        """Start some workers of one thread."""
        for _ in range(count):
            started = self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard")
            self.workers.append(started)

    def close(self) -> None:
        """End them all."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=quiet, stderr=quiet)
