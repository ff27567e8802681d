"""`python -m benchmarks.same`: what it compares, and what it refuses in one sentence before anything is made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import trimesh
from safetensors.numpy import save_file

from benchmarks import same
from benchmarks.errors import BenchmarkError
from dcign.recipes.registry import RECIPES


def write_checkpoint(path: Path, step: int, **tensors: np.ndarray) -> Path:
    save_file(tensors, path, {"dcign": json.dumps({"step": step})})
    return path


def worktrees() -> str:
    return subprocess.run(["git", "worktree", "list"], cwd=same.ROOT, capture_output=True, text=True).stdout


@pytest.fixture
def stand_in(tmp_path: Path) -> same.Side:
    """A revision whose command line writes a checkpoint and waits if it is told to, and fails otherwise."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "cli.py").write_text(
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from safetensors.numpy import save_file\n"
        "if 'vae' not in sys.argv:\n    sys.exit('Error: there is no such recipe.')\n"
        "folder = Path(sys.argv[-1])\n"
        "folder.mkdir(parents=True)\n"
        f"meta = {{'dcign': json.dumps({{'step': {same.STEPS}}})}}\n"
        "save_file({'w': np.ones(3)}, folder / 'part', meta)\n"
        "(folder / 'part').replace(folder / 'checkpoint.safetensors')\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "then").mkdir()
    return same.Side(code, tmp_path / "then")


def test_a_file_of_other_bytes_and_a_file_of_one_side_alone_are_not_equal() -> None:
    then, now = {"a": "1", "b": "2", "lost": "3"}, {"a": "1", "b": "9", "added": "4"}
    assert same.compare(then, now) == {"a": "equal", "added": "NEW", "b": "DIFFERS", "lost": "MISSING"}


def test_every_recipe_is_compared() -> None:
    assert set(same.RECIPES) == set(RECIPES) - {"wild"}  # it needs masks in train, which these data sets lack


def test_the_hash_of_a_checkpoint_follows_from_its_tensors_and_their_names(tmp_path: Path) -> None:
    ones, twos = np.ones(3, np.float32), np.full(3, 2, np.float32)
    plain, again, exchanged, other = (
        same._state(write_checkpoint(tmp_path / f"{number}.safetensors", same.STEPS, **tensors))
        for number, tensors in enumerate(
            ({"a": ones, "b": twos}, {"b": twos, "a": ones}, {"a": twos, "b": ones}, {"a": ones, "c": twos})
        )
    )
    assert plain == again
    assert len({plain, exchanged, other}) == 3


def test_before_the_last_step_there_is_no_hash(tmp_path: Path) -> None:
    assert same._state(tmp_path / "missing.safetensors") is None
    assert same._state(write_checkpoint(tmp_path / "early.safetensors", same.STEPS - 1, a=np.ones(3))) is None


def test_a_training_is_stopped_at_its_last_step(stand_in: same.Side) -> None:
    assert same._trained(stand_in, "vae") == same._state(stand_in.folder / "runs" / "vae" / "checkpoint.safetensors")


def test_a_training_that_fails_is_reported_with_its_code_and_its_sentence(stand_in: same.Side) -> None:
    with pytest.raises(BenchmarkError, match=rf"failed with the code in {stand_in.code}: Error: there is no such rec"):
        same._trained(stand_in, "nope")


def test_the_objects_are_different_meshes_and_the_same_every_time(tmp_path: Path) -> None:
    same.write_objects(tmp_path / "one")
    same.write_objects(tmp_path / "two")
    files = sorted((tmp_path / "one").iterdir())
    contents = [file.read_bytes() for file in files]
    assert contents == [(tmp_path / "two" / file.name).read_bytes() for file in files]
    assert len(set(contents)) == len(files) == same.OBJECTS
    assert all(trimesh.load(file, process=False).is_watertight for file in files[:2])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--against", "no-such-revision"], "found 'no-such-revision': name a commit, a branch or a tag."),
        (["--against", "HEAD", "--keep", "{folder}"], "found {folder}: remove it or choose another --keep."),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    before = worktrees()
    monkeypatch.setattr(sys, "argv", ["same", *(word.format(folder=tmp_path) for word in words)])
    with pytest.raises(SystemExit) as refusal:
        same.main()
    assert str(refusal.value).startswith("Error: expected a ")
    assert str(refusal.value).endswith(sentence.format(folder=tmp_path))
    assert "\n" not in str(refusal.value)
    assert worktrees() == before


@pytest.mark.parametrize(("made", "code"), [("2", 1), ("1", None)])
def test_the_exit_code_is_1_if_anything_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], made: str, code: int | None
) -> None:
    sides = same.Side(tmp_path / "code", tmp_path / "then"), same.Side(same.ROOT, tmp_path / "now")

    @contextmanager
    def two_sides(revision: str, keep: Path | None) -> Iterator[tuple[same.Side, same.Side]]:
        yield sides

    monkeypatch.setattr(same, "_two_sides", two_sides)
    monkeypatch.setattr(same, "_make", lambda side: {"shard.h5": "1" if side is sides[0] else made})
    monkeypatch.setattr(sys, "argv", ["same", "--against", "HEAD", "--no-reading"])
    if code:
        with pytest.raises(SystemExit) as end:
            same.main()
        assert end.value.code == code
    else:
        same.main()
    assert capsys.readouterr().out.startswith("DIFFERS" if code else "equal")
