"""Inject faults into `dcign render`, run it again, and compare the folder with that of an undisturbed run."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.faults.dask_cluster import Cluster

RENDER = ("render", "--batches", 200, "--size", 16)  # 4 shards of train and 7 of the other splits
LOCAL = ("--workers", 2)
DASK_WORKERS = 4
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
TARGETS = ("all", "all", "a worker", "the parent")  # of a kill
DISK_BYTES = 12_000_000  # room for the face model and a few shards
REWRITTEN = ("dataset.json", "preview.png", "README.md")  # every complete run writes them


@dataclass
class KillCampaign:
    """A folder whose runs are killed, and the SHA-256 of every file of an undisturbed folder."""

    folder: Path
    expected: dict[str, str]
    rng: random.Random
    seconds: float  # duration of the last run that was not killed
    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    faults: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """Start a run, kill all of it or a part at a random moment, and check what it leaves."""
        run = subprocess.Popen(dcign_command(*RENDER, *LOCAL, "--out", self.folder), start_new_session=True, **QUIET)
        began, target = time.monotonic(), self.rng.choice(TARGETS)
        until = began + self.rng.uniform(0, self.seconds)
        try:
            while time.monotonic() < until and run.poll() is None:
                time.sleep(0.005)
            if run.poll() is None:
                self.kills[self._strike(run, target)] += 1
            _, errors = run.communicate()
        finally:
            run.kill()  # has an effect only if this process is interrupted
        if run.returncode == 0:
            self.finished += 1
            self.seconds = time.monotonic() - began
        elif run.returncode > 0 and (run.returncode != 1 or "Error: " not in errors or "Traceback" in errors):
            self.faults.append(f"exit code {run.returncode} and no sentence: {errors[-300:]}")
        self._check()

    def _strike(self, run: subprocess.Popen[str], target: str) -> str:
        workers = _workers(run.pid)
        if target == "a worker" and workers:
            os.kill(self.rng.choice(workers), signal.SIGKILL)
        elif target == "the parent":
            run.kill()
        else:
            os.killpg(run.pid, signal.SIGKILL)
            return "all"
        return target

    def _check(self) -> None:
        """Shards must be complete, and dataset.json present only with all shards. Remove files of a complete folder."""
        found = digests(self.folder)
        for name, digest in found.items():
            if name.endswith(".h5") and not Path(name).name.startswith(".") and digest != self.expected.get(name):
                self.faults.append(f"{name} is present and incomplete")
        missing = self.expected.keys() - found.keys()
        if "dataset.json" in found and missing:
            self.faults.append(f"dataset.json is present without {', '.join(sorted(missing)[:3])}")
        if not missing:
            remove_files(self.folder, self.rng)

    def finish(self) -> list[str]:
        """Run to the end, and return all faults and the differences from the undisturbed folder."""
        subprocess.run(dcign_command(*RENDER, *LOCAL, "--out", self.folder), check=True, capture_output=True)
        return self.faults + differences(self.folder, self.expected)


def kill_runs(out: Path, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Kill `count` runs at random moments, then let one run to the end."""
    seconds, expected = undisturbed(out)
    campaign = KillCampaign(out / "killed", expected, random.Random(seed), seconds)
    while campaign.kills.total() < count:
        campaign.kill()
        _report(f"{campaign.kills.total()} kills, {len(digests(campaign.folder))} of {len(expected)} files")
    return {
        "kills": dict(campaign.kills),
        "runs that ended before": campaign.finished,
        "faults": campaign.finish(),
        "files compared": len(expected),
    }


def damage_files(out: Path, seed: int) -> dict[str, Any]:  # JSON
    """Damage or delete one file at a time: `inspect` must name it, and the next run must make it alone again."""
    _, expected = undisturbed(out)
    folder, rng = out / "damaged", random.Random(seed)
    faults = []
    for harm in (*HARMS, *HARMS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out / "undisturbed", folder)
        shard = folder / rng.choice(sorted(name for name in expected if name.endswith(".h5")))
        before = inodes(folder)
        HARMS[harm](shard, rng)
        name = LOST.get(harm, shard.relative_to(folder).as_posix())
        inspected = _run("inspect", folder, "--quick")
        printed = inspected.stdout + inspected.stderr
        in_one_line = "".join(printed.split())  # the terminal's width breaks names
        if inspected.returncode != 1 or "Traceback" in inspected.stderr or name not in in_one_line:
            faults.append(
                f"{harm}: expected inspect to name {name}, found exit {inspected.returncode}: {printed[-600:]}"
            )
        repaired = _run(*RENDER, *LOCAL, "--out", folder)
        if repaired.returncode:
            faults.append(f"{harm}: the repair ended with exit code {repaired.returncode}: {repaired.stderr[-300:]}")
        faults += [f"{harm}: {fault}" for fault in differences(folder, expected)]
        faults += [f"{harm}: {other} was made again, too" for other in made_again(folder, before) - {name, *REWRITTEN}]
        _report(f"{harm}: repaired")
    return {"harms": 2 * len(HARMS), "faults": faults}


def fill_disk(out: Path) -> dict[str, Any]:  # JSON
    """Render to a disk that fills up: one sentence, no incomplete files, and the expected bytes after it has grown."""
    _, expected = undisturbed(out)
    with _small_disk(out / "disk") as grow:
        folder = out / "disk" / "faces"
        done = _run(*RENDER, *LOCAL, "--out", folder)
        faults = []
        if done.returncode != 1 or "disk is full" not in done.stderr or "Traceback" in done.stderr:
            faults.append(f"exit code {done.returncode} and {done.stderr[-300:]!r}")
        faults += [f"{path.name} is left" for path in folder.rglob(".*.part")]
        kept = sum(name.endswith(".h5") for name in digests(folder))
        grow()
        _run(*RENDER, *LOCAL, "--out", folder)
        return {"shards before it was full": kept, "faults": faults + differences(folder, expected)}


def kill_workers(out: Path, seed: int) -> dict[str, Any]:  # JSON
    """Kill two of four dask workers at random moments of a run."""
    seconds, expected = undisturbed(out)
    folder, rng = out / "cluster", random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    cluster = Cluster(out)
    try:
        cluster.start_workers(DASK_WORKERS)
        with subprocess.Popen(dcign_command(*RENDER, "--out", folder, "--cluster", cluster.address), **QUIET) as run:
            killed = 0
            for worker in rng.sample(cluster.workers, DASK_WORKERS // 2):
                while run.poll() is None and not (any(folder.glob("*/.*.part")) and len(_shards(folder)) >= killed):
                    time.sleep(0.02)
                time.sleep(rng.uniform(0, seconds / 20))
                killed += run.poll() is None
                worker.kill()
                _report(f"{killed} workers killed, {len(_shards(folder))} shards are complete")
            _, errors = run.communicate()
    finally:
        cluster.close()
    faults = [] if run.returncode == 0 else [f"exit code {run.returncode}: {errors[-300:]}"]
    if killed != DASK_WORKERS // 2:
        faults.append(f"expected {DASK_WORKERS // 2} workers killed during the run, found {killed}: it was too short")
    return {"workers": DASK_WORKERS, "killed during the run": killed, "faults": faults + differences(folder, expected)}


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def differences(folder: Path, expected: dict[str, str]) -> list[str]:
    """Return a sentence for every file that is missing, unexpected, or of other bytes."""
    found = digests(folder)
    return [
        *(f"{name} is missing" for name in expected.keys() - found.keys()),
        *(f"{name} is unexpected" for name in found.keys() - expected.keys()),
        *(f"{name} has other bytes" for name in found.keys() & expected.keys() if found[name] != expected[name]),
    ]


def inodes(folder: Path) -> dict[str, int]:
    """Return the inode of every file, by its path in the folder. A file that is made again gets another one."""
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def made_again(folder: Path, before: dict[str, int]) -> set[str]:
    """Return the files that are new or were made again since `before`."""
    return {name for name, inode in inodes(folder).items() if before.get(name) != inode}


def remove_files(folder: Path, rng: random.Random) -> None:
    """Remove dataset.json and two thirds of the shards."""
    (folder / "dataset.json").unlink()
    shards = sorted(folder.glob("*/*.h5"))
    for shard in rng.sample(shards, len(shards) * 2 // 3):
        shard.unlink()


def _truncate(shard: Path, rng: random.Random) -> None:
    with shard.open("r+b") as file:
        file.truncate(rng.randrange(shard.stat().st_size))


def _change_a_byte(shard: Path, rng: random.Random) -> None:
    content = bytearray(shard.read_bytes())
    content[rng.randrange(len(content))] ^= 1 + rng.randrange(255)
    shard.write_bytes(content)


def _delete(name: str) -> Callable[[Path, random.Random], None]:
    return lambda shard, rng: (shard.parents[1] / name).unlink(missing_ok=True)


LOST = {"the model lost": "model.npz", "dataset.json lost": "dataset.json"}  # harms to other files than shards
HARMS: dict[str, Callable[[Path, random.Random], object]] = {
    "deleted": lambda shard, rng: shard.unlink(missing_ok=True),
    "truncated": _truncate,
    "a byte changed": _change_a_byte,
    "emptied": lambda shard, rng: shard.write_bytes(b""),
    **{harm: _delete(name) for harm, name in LOST.items()},
}


def undisturbed(out: Path) -> tuple[float, dict[str, str]]:
    """Render the undisturbed folder once. Returns the seconds that it took, and its digests."""
    folder, note = out / "undisturbed", out / "seconds"
    if not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
        began = time.monotonic()
        subprocess.run(dcign_command(*RENDER, *LOCAL, "--out", folder), check=True, capture_output=True)
        note.write_text(str(time.monotonic() - began))
    return float(note.read_text()), digests(folder)


def dcign_command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dcign.cli", *map(str, words)]


def _run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(dcign_command(*words), capture_output=True, text=True, check=False)


def _shards(folder: Path) -> list[Path]:
    return list(folder.glob("*/shard-*.h5"))


def _workers(parent: int) -> list[int]:
    """Return the process IDs of a run's workers."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            process, rest = int(status.parent.name), status.read_text().rsplit(")", 1)[1].split()
            if int(rest[1]) == parent and b"spawn_main" in (status.parent / "cmdline").read_bytes():
                found.append(process)
    return found


@contextmanager
def _small_disk(folder: Path) -> Iterator[Callable[[], object]]:
    """Mount a small disk. Yields a function that makes it large."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        raise BenchmarkError("expected the right to mount a small disk, found none: run as root, or leave out `disk`.")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _report(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)
