"""What `dcign doctor` finds out, and of that what every stage needs: Python, packages, cores, disk.

Imports nothing that may be missing. What may fail, hang or crash is asked in a child process: `answer`.
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
LEAST_DISK, PAPERS_DISK = 0.5e9, 3e9  # bytes: a small data set and a run; the paper's at 150 px, with room to work
EXTRAS_OF_DEVELOPERS = ("dev",)


class Unanswered(Exception):
    """A child process gave no answer; the text says why."""


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, what was found, the mend in a sentence, empty if it is good.

    verdict: good, slow or missing; needed: whether anything fails without it; facts: the same as JSON-able values.
    """

    name: str
    verdict: str
    found: str
    mend: str = ""
    needed: bool = True
    facts: dict[str, Any] = field(default_factory=dict)  # JSON


def guarded(name: str, mend: str, look: Callable[[], Check]) -> Check:
    """What `look` finds, or that it failed and why: one check's trouble is not the next one's."""
    try:
        return look()
    except Unanswered as error:
        return Check(name, MISSING, str(error), mend)
    except Exception as error:
        return Check(name, MISSING, f"{type(error).__name__}: {error}", mend)


def ask_subprocess(module: str, function: str, seconds: float) -> Any:  # JSON
    """Call a function of ours in a process of its own and return its JSON-able answer.

    Raises Unanswered if it raised, died, or took longer: then it and its children are killed.
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
            with suppress(subprocess.TimeoutExpired):  # one that a driver holds cannot be killed
                child.communicate(timeout=2)
    try:
        outcome = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        raise Unanswered(f"its process died ({_ending(child.returncode)})") from None
    if "failed" in outcome:
        raise Unanswered(outcome["failed"])
    return outcome["answer"]


def check_machine(cores: int, folder: Path) -> Iterator[Check]:
    """Python, each package, the cores that may be used, and the disk that `folder` is on."""
    yield guarded("python", "Install Python 3.11 or later.", _python)
    yield from _packages()
    few = "Rendering runs a worker a core, and training a thread a core: a machine with more is faster."
    yield Check("cores", GOOD if cores > 1 else SLOW, str(cores), "" if cores > 1 else few, facts={"cores": cores})
    yield guarded("disk", "Change to a folder that can be written.", lambda: _disk(folder))


def requirements() -> dict[str, list[str]]:
    """What setup.cfg asks for, by extra, "" for what is always needed; of the installed record if there is no checkout.

    Raises Unanswered where neither is there.
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
    """Whether a version meets bounds such as ">=4.8,<5"."""
    compare: dict[str, Callable[[list[int], list[int]], bool]] = {
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
    }
    bounds = re.findall(r"(>=|<=|==|!=|<|>)\s*([\d.]+)", wanted)
    return all(compare[how](_numbers(version), _numbers(bound)) for how, bound in bounds)


def _numbers(version: str) -> list[int]:
    """2.13.0+cpu is 2, 13, 0; padded, so that 3 is 3.0."""
    found = re.match(r"[\d.]*", version)
    numbers = [int(part) for part in (found[0] if found else "").split(".") if part]
    return (numbers + [0] * 4)[:4]


def _python() -> Check:
    version = platform.python_version()
    good = satisfies(version, ">=3.11")
    mend = "" if good else "Install Python 3.11 or later, and dcign anew in an environment of it."
    return Check("python", GOOD if good else MISSING, f"{version}, {sys.executable}", mend, facts={"version": version})


def _packages() -> Iterator[Check]:
    try:
        asked = requirements()
    except Exception as error:
        yield Check("packages", MISSING, str(error), "Run `pip install -c constraints.txt -e .` in the checkout.")
        return
    for extra, lines in asked.items():
        if extra not in EXTRAS_OF_DEVELOPERS:
            for line in lines:
                yield _package(line, extra)


def _package(line: str, extra: str) -> Check:
    found = re.match(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*(.*)", line)
    name, wanted = (found[1], found[2]) if found else (line, "")
    asked = f"dcign[{extra}]" if extra else f"{name}{wanted}"
    mend = f"Run `pip install '{asked}'`" + (f", if you want what the extra {extra} brings." if extra else ".")
    label = f"{name} [{extra}]" if extra else name
    try:
        version = metadata.version(name)
    except Exception:  # not there, or its record is damaged
        version = ""
    good = bool(version) and satisfies(version, wanted)
    said = f"{version or 'not installed'}, wanted {wanted or 'any'}"
    facts = {"version": version, "wanted": wanted, "extra": extra}
    return Check(label, GOOD if good else MISSING, said, "" if good else mend, needed=not extra, facts=facts)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    said, facts = f"{free / 1e9:.1f} GB free in {folder}", {"bytes_free": free}
    if not os.access(folder, os.W_OK):
        return Check("disk", MISSING, f"{folder} may not be written to", "Change to a folder that can be written.")
    if free < LEAST_DISK:
        return Check("disk", MISSING, said, "Free some space, or change to a folder on another disk.", facts=facts)
    if free < PAPERS_DISK:
        mend = "Enough for --size 64; the paper's data set takes 2 GB: free some space for that."
        return Check("disk", SLOW, said, mend, facts=facts)
    return Check("disk", GOOD, said, facts=facts)


def _ending(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


if __name__ == "__main__":  # the child process of `answer`
    try:
        outcome = {"answer": getattr(import_module(sys.argv[1]), sys.argv[2])()}
    except Exception as error:
        kind = type(error).__name__  # __main__'s Unanswered is not the one that the module raises
        said = str(error) if kind == Unanswered.__name__ else f"{kind}: {error}"
        outcome = {"failed": " ".join(said.split())}
    print("\n" + json.dumps(outcome))
