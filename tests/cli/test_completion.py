"""Completion in a shell: what the shells are given, and that it is quick."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dcign import cli
from tests.support.commands import ROOT, dcign, refused

MAIN = "import sys; from dcign.start import main; main()"
# Ends as a completion does, and then prints the top-level modules that it has imported.
IMPORTED = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted({name.partition(".")[0] for name in sys.modules})))
from dcign.start import main
main()
"""


def completed(words: str, shell: str = "bash", script: str = MAIN) -> str:
    """What `dcign` answers a shell whose line so far is `words`, the last of which is completed."""
    count = len(words.split(" ")) - 1
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(count), "_DCIGN_COMPLETE": f"{shell}_complete"}
    if shell == "fish":
        asked["COMP_CWORD"] = words.split(" ")[-1]
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **asked}, capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_commands_options_and_choices_are_completed() -> None:
    every = {line.partition(",")[2] for line in completed("dcign ").splitlines()}
    assert every == {*cli.dcign.commands}
    assert "plain,--truth" in completed("dcign render --tr").splitlines()
    assert completed("dcign export faces --to par").splitlines() == ["plain,parquet"]
    assert completed("dcign inspect fa").splitlines() == ["file,fa"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_the_help_of_each_command_too(shell: str) -> None:
    said = completed("dcign rend", shell)
    assert "render" in said
    assert "Render a data set of faces or meshes." in said


def test_completing_the_options_of_edit_imports_no_torch(tmp_path: Path) -> None:
    said = completed(f"dcign edit {tmp_path} photo.png --gr", script=IMPORTED)
    assert "plain,--grid" in said
    assert not {"torch", "numpy"} & set(said.rpartition("MODULES")[2].split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_dcign_for_completions(shell: str) -> None:
    result = dcign("completion", shell)
    assert result.exit_code == 0
    assert f"_DCIGN_COMPLETE={shell}_complete" in result.output
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=result.output, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    program = tmp_path / "dcign"
    program.write_text(f"#!{sys.executable}\nimport sys; sys.path.insert(0, {str(ROOT)!r}); {MAIN}\n")
    program.chmod(0o755)
    script = dcign("completion", "bash").output
    ask = f'COMP_WORDS=(dcign comp); COMP_CWORD=1; _dcign_completion {program}; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["compare", "completion"], done.stderr


def test_another_shell_is_refused_with_those_there_are() -> None:
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in refused("completion", "tcsh")
