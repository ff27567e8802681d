"""The checks of `dcign doctor` that every stage needs: Python, packages, cores, disk.

This module imports only the standard library. What may fail, hang or crash runs in a child process: `ask_subprocess`.
"""

from __future__ import annotations

import configparser
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

GOOD, SLOW, MISSING = "good", "slow", "missing"
ROOT = Path(__file__).absolute().parents[2]  # not resolved: dcign/data is a link in a checkout
LEAST_DISK, PAPERS_DISK = 0.5e9, 3e9  # bytes: for a small data set and a run; for the paper's data set at 150 px
EXTRAS_OF_DEVELOPERS = ("dev",)


class Unanswered(Exception):
    """A child process gave no answer; the text says why."""


@dataclass(frozen=True)
class Check:
    """One finding.

    name: what was checked; verdict: good, slow or missing; found: a phrase; mend: what to do, "" if it is good; needed:
    whether anything fails without it; facts: the same as `found`, as JSON-able values.
    """

    name: str
    verdict: str
    found: str
    mend: str = ""
    needed: bool = True
    facts: dict[str, Any] = field(default_factory=dict)  # JSON


def guarded(name: str, mend: str, look: Callable[[], Check]) -> Check:
    """Return what `look` finds, or that it failed and why, so that the other checks still run."""
    try:
        return look()
    except Exception as error:
        return Check(name, MISSING, _reason(error), mend)


def ask_subprocess(module: str, function: str, seconds: float) -> Any:  # JSON
    """Call a function of ours in a child process and return its JSON-able answer.

    Raises Unanswered if it raised, died, or took longer, in which case it and its children are killed.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "dcign.data.doctor", module, function],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Unanswered(f"no answer within {seconds:g} s") from None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # a process that waits for a driver cannot be killed
                child.communicate(timeout=2)
    try:
        outcome = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise Unanswered(f"its process died ({_ending(child.returncode)})") from None
    if "failed" in outcome:
        raise Unanswered(outcome["failed"])
    return outcome["answer"]


def check_machine(cores: int, folder: Path) -> Iterator[Check]:
    """Check Python, each package, the cores that may be used, and the disk of `folder`."""
    yield guarded("python", "Install Python 3.11 or later.", _python)
    yield from _packages()
    few = "Rendering runs one worker per core, and training one thread per core: a machine with more is faster."
    yield Check("cores", GOOD if cores > 1 else SLOW, str(cores), "" if cores > 1 else few, facts={"cores": cores})
    yield guarded("disk", "Change to a folder that can be written.", lambda: _disk(folder))


def requirements() -> dict[str, list[str]]:
    """Return the required packages by extra; "" stands for those that are always needed.

    They come from setup.cfg, or without a checkout from the installed record.

    Raises Unanswered if there is neither.
    """
    file = ROOT / "setup.cfg"
    if file.exists():  # newer than the record of an editable installation
        parser = configparser.ConfigParser()
        parser.read(file)
        extras = {name: text.split("\n") for name, text in parser["options.extras_require"].items()}
        asked = {"": parser["options"]["install_requires"].split("\n"), **extras}
    else:
        try:
            lines = metadata.requires("dcign") or []
        except metadata.PackageNotFoundError:
            raise Unanswered("dcign is not installed") from None
        asked = {}
        for line in lines:
            extra = re.search(r"""extra\s*==\s*["']([^"']+)""", line)
            asked.setdefault(extra[1] if extra else "", []).append(line.partition(";")[0])
    return {extra: [line.strip() for line in lines if line.strip()] for extra, lines in asked.items()}


def satisfies(version: str, wanted: str) -> bool:
    """Return whether a version meets bounds such as ">=4.8,<5"."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _python() -> Check:
    version = platform.python_version()
    good = [int(number) for number in version.split(".")[:2]] >= [3, 11]
    mend = "" if good else "Install Python 3.11 or later, and install dcign into a new environment of it."
    return Check("python", GOOD if good else MISSING, f"{version}, {sys.executable}", mend, facts={"version": version})


def _packages() -> Iterator[Check]:
    try:
        from packaging.requirements import Requirement

        asked = {extra: [Requirement(line) for line in lines] for extra, lines in requirements().items()}
    except Exception as error:
        yield Check("packages", MISSING, str(error), "Run `pip install -c constraints.txt -e .` in the checkout.")
        return
    for extra, wanted in asked.items():
        if extra not in EXTRAS_OF_DEVELOPERS:
            for each in wanted:
                yield _package(each.name, str(each.specifier), extra)


def _package(name: str, wanted: str, extra: str) -> Check:
    asked = f"dcign[{extra}]" if extra else f"{name}{wanted}"
    mend = f"Run `pip install '{asked}'`" + (f", if you want what the extra {extra} brings." if extra else ".")
    try:
        version = metadata.version(name)
    except Exception:  # it is not installed, or its record is damaged
        version = ""
    good = bool(version) and satisfies(version, wanted)
    return Check(
        f"{name} [{extra}]" if extra else name,
        GOOD if good else MISSING,
        f"{version or 'not installed'}, wanted {wanted or 'any'}",
        "" if good else mend,
        needed=not extra,
        facts={"version": version, "wanted": wanted, "extra": extra},
    )


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Check("disk", MISSING, f"{folder} may not be written to", "Change to a folder that can be written.")
    verdict = MISSING if free < LEAST_DISK else SLOW if free < PAPERS_DISK else GOOD
    mend = {
        MISSING: "Free some space, or change to a folder on another disk.",
        SLOW: "Enough for --size 64; the paper's data set takes 2 GB: free some space for that.",
        GOOD: "",
    }[verdict]
    return Check("disk", verdict, f"{free / 1e9:.1f} GB free in {folder}", mend, facts={"bytes_free": free})


def _reason(error: Exception) -> str:
    """Return what an error says, after its type unless it is Unanswered."""
    kind = type(error).__name__  # by name: in a child process, __main__'s Unanswered is another class
    return str(error) if kind == Unanswered.__name__ else f"{kind}: {error}"


def _ending(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


if __name__ == "__main__":  # the child process of `ask_subprocess`
    try:
        outcome = {"answer": getattr(import_module(sys.argv[1]), sys.argv[2])()}
    except Exception as error:
        outcome = {"failed": " ".join(_reason(error).split())}
    print("\n" + json.dumps(outcome))
