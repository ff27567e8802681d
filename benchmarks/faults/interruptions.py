"""`dcign render` killed, starved of disk and robbed of its files, run again, and compared with a folder left alone."""

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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.faults.dask_cluster import Cluster

BATCHES = 200  # 4 shards of train and 7 of the other splits
SIZE = 16  # pixels: what is drawn does not matter here
WORKERS = 2
HIRED = 4  # dask workers
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
WHO = ("all", "all", "a worker", "the parent")
DISK_BYTES = 12_000_000  # room for the face model and a few shards


@dataclass
class Campaign:
    """A folder to be ill-treated, and one that was left alone: file -> SHA-256."""

    folder: Path
    wanted: dict[str, str]
    chance: random.Random
    seconds: float  # that a run takes that nobody kills, the last of them
    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    faults: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """Start a run and kill it, all of it or a part, at a random moment; look at what is left."""
        run = subprocess.Popen(_command(self.folder), start_new_session=True, **QUIET)
        began, who = time.monotonic(), self.chance.choice(WHO)
        until = began + self.chance.uniform(0, self.seconds)
        try:
            while time.monotonic() < until and run.poll() is None:
                time.sleep(0.005)
            if run.poll() is None:
                self.kills[self._strike(run, who)] += 1
            _, said = run.communicate()
        finally:
            run.kill()  # nothing, unless this is interrupted
        if run.returncode == 0:
            self.finished += 1
            self.seconds = time.monotonic() - began
        elif run.returncode > 0 and (run.returncode != 1 or "Error: " not in said or "Traceback" in said):
            self.faults.append(f"exit code {run.returncode} and no sentence: {said[-300:]}")
        self._look()

    def _strike(self, run: subprocess.Popen[str], who: str) -> str:
        workers = _workers(run.pid)
        if who == "a worker" and workers:
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        elif who == "the parent":
            run.kill()
        else:
            os.killpg(run.pid, signal.SIGKILL)
            return "all"
        return who

    def _look(self) -> None:
        """Whole shards or none, and a dataset.json only when all are there. A whole folder is robbed."""
        found = digests(self.folder)
        for name, digest in found.items():
            if name.endswith(".h5") and not Path(name).name.startswith(".") and digest != self.wanted.get(name):
                self.faults.append(f"{name} is there and is not whole")
        missing = self.wanted.keys() - found.keys()
        if "dataset.json" in found and missing:
            self.faults.append(f"dataset.json is there and {', '.join(sorted(missing)[:3])} not")
        if not missing:
            rob(self.folder, self.chance)

    def end(self) -> list[str]:
        """One clean run; what is then unlike the folder that was left alone."""
        subprocess.run(_command(self.folder), check=True, capture_output=True)
        return self.faults + unlike(self.folder, self.wanted)


def killed(out: Path, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Kill `count` runs at random moments, then let one end."""
    seconds, wanted = _left_alone(out)
    campaign = Campaign(out / "killed", wanted, random.Random(seed), seconds)
    while campaign.kills.total() < count:
        campaign.kill()
        _tell(f"{campaign.kills.total()} kills, {len(digests(campaign.folder))} of {len(wanted)} files")
    return {
        "kills": dict(campaign.kills),
        "runs that ended before": campaign.finished,
        "faults": campaign.end(),
        "files compared": len(wanted),
    }


def robbed(out: Path, seed: int) -> dict[str, Any]:  # JSON
    """Shards deleted, cut and changed, the model and dataset.json lost: each is named, and it alone made again."""
    _, wanted = _left_alone(out)
    folder, chance = out / "robbed", random.Random(seed)
    faults, harms = [], 0
    for harm in (*HARMS, *HARMS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out / "alone", folder)
        victim = folder / chance.choice(sorted(name for name in wanted if name.endswith(".h5")))
        before = inodes(folder)
        HARMS[harm](victim, chance)
        name = LOST.get(harm, victim.relative_to(folder).as_posix())
        harms += 1
        said = _run("inspect", folder, "--quick")
        if said.returncode != 1 or "Traceback" in said.stderr or name not in _in_one_line(said.stdout + said.stderr):
            faults.append(
                f"{harm}: inspect ended with {said.returncode}, wanted {name} named, and said {said.stdout[-300:]}"
                f"{said.stderr[-300:]}"
            )
        made = _run("render", "--batches", BATCHES, "--size", SIZE, "--workers", WORKERS, "--out", folder)
        if made.returncode:
            faults.append(f"{harm}: the repair ended with {made.returncode} and said {made.stderr[-300:]}")
        faults += [f"{harm}: {fault}" for fault in unlike(folder, wanted)]
        faults += [f"{harm}: {other} was made again, too" for other in made_again(folder, before) - {name, *REWRITTEN}]
        _tell(f"{harm}: mended")
    return {"harms": harms, "faults": faults}


def starved(out: Path) -> dict[str, Any]:  # JSON
    """A disk that fills up: a sentence, nothing half-written, and with more room the same bytes."""
    _, wanted = _left_alone(out)
    with _small_disk(out / "disk") as grow:
        folder = out / "disk" / "faces"
        done = _run("render", "--batches", BATCHES, "--size", SIZE, "--workers", WORKERS, "--out", folder)
        faults = []
        if done.returncode != 1 or "disk is full" not in done.stderr or "Traceback" in done.stderr:
            faults.append(f"exit code {done.returncode} and {done.stderr[-300:]!r}")
        faults += [f"{path.name} is left" for path in folder.rglob(".*.part")]
        kept = sum(name.endswith(".h5") for name in digests(folder))
        grow()
        _run("render", "--batches", BATCHES, "--size", SIZE, "--workers", WORKERS, "--out", folder)
        return {"shards before it was full": kept, "faults": faults + unlike(folder, wanted)}


def lost_workers(out: Path, seed: int) -> dict[str, Any]:  # JSON
    """Two of four dask workers killed at random moments of a run."""
    seconds, wanted = _left_alone(out)
    folder, chance = out / "cluster", random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    cluster = Cluster(out)
    try:
        cluster.hire(HIRED)
        with subprocess.Popen([*_command(folder, local=False), "--cluster", cluster.address], **QUIET) as run:
            killed = 0
            for victim in chance.sample(cluster.workers, HIRED // 2):
                while run.poll() is None and not (any(folder.glob("*/.*.part")) and len(_shards(folder)) >= killed):
                    time.sleep(0.02)
                time.sleep(chance.uniform(0, seconds / 20))
                killed += run.poll() is None
                victim.kill()
                _tell(f"{killed} workers killed, {len(_shards(folder))} shards are there")
            _, said = run.communicate()
    finally:
        cluster.close()
    faults = [] if run.returncode == 0 else [f"exit code {run.returncode}: {said[-300:]}"]
    if killed != HIRED // 2:
        faults.append(f"{killed} workers killed during the run, which was to lose {HIRED // 2}")
    return {"workers": HIRED, "killed during the run": killed, "faults": faults + unlike(folder, wanted)}


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its name in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def unlike(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Files that are missing, left over, or of other bytes."""
    found = digests(folder)
    return [f"{name} is not as in the folder left alone" for name in found.keys() ^ wanted.keys()] + [
        f"{name} has other bytes" for name in found.keys() & wanted.keys() if found[name] != wanted[name]
    ]


def inodes(folder: Path) -> dict[str, int]:
    """The inode of every file, by its name in the folder: a file that is made again has another."""
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def made_again(folder: Path, before: dict[str, int]) -> set[str]:
    """Files that are there and are not those of before."""
    return {name for name, inode in inodes(folder).items() if before.get(name) != inode}


def rob(folder: Path, chance: random.Random) -> None:
    """Make a whole folder one that is not finished."""
    (folder / "dataset.json").unlink()
    shards = sorted(folder.glob("*/*.h5"))
    for victim in chance.sample(shards, len(shards) * 2 // 3):
        victim.unlink()


def _cut(shard: Path, chance: random.Random) -> None:
    with shard.open("r+b") as file:
        file.truncate(chance.randrange(shard.stat().st_size))


def _change_a_byte(shard: Path, chance: random.Random) -> None:
    content = bytearray(shard.read_bytes())
    content[chance.randrange(len(content))] ^= 1 + chance.randrange(255)
    shard.write_bytes(content)


def _lose(name: str) -> Any:  # a harm
    return lambda shard, chance: (shard.parents[1] / name).unlink(missing_ok=True)


HARMS: dict[str, Any] = {
    "deleted": lambda shard, chance: shard.unlink(missing_ok=True),
    "cut": _cut,
    "a byte changed": _change_a_byte,
    "emptied": lambda shard, chance: shard.write_bytes(b""),
    "the model lost": _lose("model.npz"),
    "dataset.json lost": _lose("dataset.json"),
}


LOST = {"the model lost": "model.npz", "dataset.json lost": "dataset.json"}  # harms that are not a shard's
REWRITTEN = ("dataset.json", "preview.png", "README.md")  # by every run that ends


def _left_alone(out: Path) -> tuple[float, dict[str, str]]:
    """Make the folder that nobody disturbs, if need be; seconds that a run takes, and its digests."""
    alone, note = out / "alone", out / "seconds"
    if not note.exists():
        shutil.rmtree(alone, ignore_errors=True)
        began = time.monotonic()
        subprocess.run(_command(alone), check=True, capture_output=True)
        note.write_text(str(time.monotonic() - began))
    return float(note.read_text()), digests(alone)


def _command(folder: Path, *, local: bool = True) -> list[str]:
    words = ["render", "--batches", BATCHES, "--size", SIZE, "--out", folder]
    return [sys.executable, "-m", "dcign.cli", *(str(word) for word in [*words, *["--workers", WORKERS] * local])]


def _shards(folder: Path) -> list[Path]:
    return list(folder.glob("*/shard-*.h5"))


def _run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dcign.cli", *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _in_one_line(said: str) -> str:
    """What a terminal's width broke, whole again."""
    return "".join(said.split())


def _workers(parent: int) -> list[int]:
    """The processes that a run has spawned to draw."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            process, rest = int(status.parent.name), status.read_text().rsplit(")", 1)[1].split()
            if int(rest[1]) == parent and b"spawn_main" in (status.parent / "cmdline").read_bytes():
                found.append(process)
    return found


@contextmanager
def _small_disk(folder: Path) -> Iterator[Any]:
    """A disk that is soon full; yields what makes it large."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        raise BenchmarkError("a small disk cannot be mounted here: run as root, or leave `disk` out.")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
