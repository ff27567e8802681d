"""The commands of README and docs/: each is understood, and each that is quick runs, at small size."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.support.commands import dcign, parsed
from tests.support.pages import ROOT, commands

pytestmark = pytest.mark.usefixtures("quick_evaluations")

SHIPPED = ROOT / "dcign" / "trained" / "networks" / "face"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EVERY = sorted({line for page in PAGES for line in commands(page)})
# Commands that do not run here, by what they contain, and why. All are parsed.
NOT_RUN = {
    "s3://": "an object store; tests/render/produce and tests/dcign/storage have one",
    "--cluster": "a cluster; tests/render/produce/test_cluster.py has one",
    "/shared/": "a disk of many machines",
    "--model": "face models whose licences do not let us have them; tests/facegen/loaders makes some",
    "chairs": "meshes that nobody here has; tests/cli/test_meshes.py makes some",
    "import ": "sources of others; tests/data/importing and the notebook make some",
    "--data faces": "the same",
    "train": "minutes of training; the workplace and tests/cli/test_train.py train for some steps",
    "evaluate": "part of every training",
    "people": "a run and crowds of 80 people or more; tests/cli/test_traits.py and test_face.py make them",
    "--verify": "renders everything again; tests/cli/test_commands.py does it",
    "--truth depth": "layers that the small data set does not have",
    "export face ": "ONNX; tests/dcign/publish/test_onnx.py exports",
    "--to onnx": "the same",
    "compare runs/swap-*": "a pattern that the shell replaces",
    "explore": "a server that runs until it is stopped",
    "--recipe wild": "the same as train",
    "--eyes": "photographs",
    "--box": "photographs",
    "--detect": "photographs",
    "--photos": "photographs",
    "wild photos": "photographs; tests/dcign/infer/test_encode_pictures.py encodes some",
}
# Words whose place something smaller takes.
SMALLER = {"--gallery 64": "--gallery 2", "--gallery 200": "--gallery 2", "iid:17": "iid:3"}


def quick(line: str) -> bool:
    return not any(word in line for word in NOT_RUN)


@pytest.fixture
def in_workplace(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with what the examples name, as the working directory."""
    monkeypatch.chdir(workplace)
    return workplace


@pytest.fixture
def beside_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory whose runs are the network of the package: `edit` has options for their factors."""
    (tmp_path / "runs").mkdir()
    for name in ("swap", "first", "people", "wild"):
        (tmp_path / "runs" / name).symlink_to(SHIPPED)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("line", EVERY)
def test_a_command_of_the_pages_is_understood(line: str, beside_runs: None) -> None:
    _, name, *words = shlex.split(line)
    try:
        parsed(name, *words)
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.message}")


@pytest.mark.parametrize("line", [line for line in EVERY if quick(line)])
def test_a_quick_command_of_the_pages_runs(line: str, in_workplace: Path, tmp_path: Path) -> None:
    for words, smaller in SMALLER.items():
        line = line.replace(words, smaller)
    _, *arguments = shlex.split(line)
    if "--out" in arguments:  # what another line of the pages wrote is not in the way
        place = arguments.index("--out") + 1
        arguments[place] = str(tmp_path / arguments[place])
    elif arguments[0] in ("render", "export"):
        arguments += ["--out", str(tmp_path / "out")]
    if arguments[0] == "render":
        arguments += ["--dry-run"]
    if "her.json" in line and "--person" in line:
        dcign("face", "--seed", "4", "--out", tmp_path / "her.json")
        arguments[arguments.index("her.json")] = str(tmp_path / "her.json")
    result = dcign(*arguments)
    assert result.exit_code == 0, result.output
    if "--out" in arguments and "--dry-run" not in arguments:
        assert Path(arguments[arguments.index("--out") + 1]).exists()


def test_every_exclusion_is_of_a_command_that_is_there_or_documented_later() -> None:
    assert all(len(reason) > 5 for reason in NOT_RUN.values())
    assert sum(map(quick, EVERY)) > 25


def test_a_line_that_is_a_command_ends_where_its_comment_begins(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("    dcign face --describe faces/iid:3 > p.json   # a person\n    dcign train  # all\n\ndcign no\n")
    assert commands(page) == ["dcign face --describe faces/iid:3", "dcign train"]
    assert not re.search("no", " ".join(commands(page)))
