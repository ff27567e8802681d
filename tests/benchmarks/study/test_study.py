"""The studies of docs/results.md: what they train, in which order, and how they continue."""

import shlex
import stat
import sys

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.study import run as study
from benchmarks.study.trainings import ABLATIONS, STEPS, STUDIES, Training, command
from dcign.recipes.fields import read_settings
from dcign.recipes.registry import RECIPES, changed

FAKE = """#!/bin/sh
# Replaces `python -m dcign.cli train FACES ... --out FOLDER [--resume]`. It appends its arguments to FOLDER/words, and
# fails or waits if the folder's name says so.
for word in "$@"; do [ "$before" = --out ] && folder=$word; before=$word; done
[ "$3" = evaluate ] && folder=$4
mkdir -p "$folder" && echo "$*" >> "$folder/words"
case ${folder##*/} in *fails*) exit 1;; *slow*) trap 'exit 75' INT; touch "$folder/begun"; sleep 20 & wait;; esac
touch "$folder/configuration.json" "$folder/evaluation.json"
"""


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """No training: a script in place of Python."""
    path = tmp_path / "python"
    path.write_text(FAKE)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(sys, "executable", str(path))
    return tmp_path


def test_every_recipe_and_every_training_has_a_folder_of_its_own():
    assert set(STEPS) == set(RECIPES) - {"wild"}  # it trains for other pictures than the study measures
    for trainings in (each(2) for each in STUDIES.values()):
        names = [training.name for training in trainings]
        assert len(set(names)) == len(names)


def test_the_first_seeds_of_all_come_before_the_second_of_any():
    seeds = [training.name.rsplit("-", 1)[1] for training in STUDIES["recipes"](3)]
    assert seeds == sorted(seeds)


@pytest.mark.parametrize("options", [options for options in ABLATIONS.values() if options.startswith("--set")])
def test_every_ablation_is_a_change_of_the_default(options):
    recipe = changed(RECIPES["swap"], read_settings(tuple(options.split()[1::2]), RECIPES["swap"]))
    assert recipe.name != "swap", "this is the default now: give the row what it was before"


def test_what_is_evaluated_is_not_run_again_and_what_was_begun_goes_on(quick):
    trainings = [Training("recipes/a-0", ("--recipe", "a")), Training("recipes/b-0", ("--recipe", "b"))]
    begun = quick / "recipes" / "b-0"
    begun.mkdir(parents=True)
    (begun / "configuration.json").touch()
    for _ in range(2):
        assert study.run_all(trainings, quick / "faces", quick, workers=2)
    first, second = ((quick / each.name / "words").read_text().splitlines() for each in trainings)
    assert first == [" ".join(["-m", "dcign.cli", *command(trainings[0], quick / "faces", quick)])]
    assert len(second) == 1
    assert second[0].endswith("--resume")


def test_a_training_that_fails_is_told_and_keeps_no_other_from_being_run(quick, capsys):
    assert not study.run_all([Training("x/fails-0", ()), Training("x/good-0", ())], quick / "faces", quick, workers=1)
    assert (quick / "x" / "good-0" / "evaluation.json").exists()
    assert f"x/fails-0: failed, see {quick}/x/fails-0.log" in capsys.readouterr().out


def test_a_run_that_another_study_trains_is_left_to_it(quick, capsys):
    import fcntl

    (quick / "x").mkdir()
    with (quick / "x" / "a-0.log").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not study.run_all([Training("x/a-0", ())], quick / "faces", quick, workers=1)
    assert "another study" in capsys.readouterr().out
    assert not (quick / "x" / "a-0").exists()


def test_what_is_evaluated_is_evaluated_again_on_demand(quick, capsys):
    for name in ("recipes/a-0", "swap/fails-1"):
        (quick / name).mkdir(parents=True)
        (quick / name / "evaluation.json").touch()
    (quick / "swap" / "begun-2").mkdir()
    assert not study.evaluate_all(quick / "faces", quick, workers=1)
    words = f"-m dcign.cli evaluate {quick}/recipes/a-0 --data {quick}/faces --threads 1\n"
    assert (quick / "recipes" / "a-0" / "words").read_text() == words
    assert f"{quick}/swap/fails-1: failed, see {quick}/swap/fails-1.log" in capsys.readouterr().out
    assert not (quick / "swap" / "begun-2" / "words").exists()


def test_a_name_that_is_no_run_is_refused_with_all_there_are():
    with pytest.raises(BenchmarkError, match=r"found 'vea': choose from ada-gvae, beta-vae, .* vae"):
        study._only(STUDIES["recipes"](1), ["vea"])


def test_every_name_can_be_chosen_those_with_commas_too():
    trainings = STUDIES["ablation"](1)
    for training in trainings:
        name = training.name.split("/")[1].rsplit("-", 1)[0]
        assert [each.name for each in study._only(trainings, [name])] == [training.name]
    assert len(study._only(trainings, ["swap,mirror=false", "detail=0"])) == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["swap", "f", "o", "--workers", "0"], "--workers: expected 1 or more, found 0"),
        (["swap", "f", "o", "--seeds", "-1"], "--seeds: expected 1 or more, found -1"),
        (["evaluate", "f", "nothere"], "found none in nothere"),
        (["tables", "f", "nothere"], "found none in nothere"),
        (["evaluate", "f", "o", "--list"], "or --seeds with evaluate, found one"),
    ],
)
def test_what_cannot_be_studied_is_refused_in_a_sentence(monkeypatch, capsys, words, sentence):
    monkeypatch.setattr(sys, "argv", ["study", *words])
    with pytest.raises(SystemExit) as end:
        study.main()
    assert end.value.code not in (0, None)
    assert sentence in f"{end.value.code} {capsys.readouterr().err}"


def test_commands_can_be_pasted_whatever_the_folders_are_called(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["study", "swap", "my faces", "out", "--list", "--seeds", "1"])
    study.main()
    assert shlex.split(capsys.readouterr().out)[:3] == ["dcign", "train", "my faces"]


def test_stopped_it_stops_its_trainings_and_says_how_to_go_on(quick):
    import signal
    import subprocess
    import time

    script = (
        "import sys; from pathlib import Path; from benchmarks.study import run as study;"
        "from benchmarks.study.trainings import Training;"
        f"sys.executable = {sys.executable!r};"
        f"study.run_all([Training(n, ()) for n in ('x/slow-0', 'x/other-0')], Path('f'), Path({str(quick)!r}), 1)"
    )
    python = sys._base_executable
    path = [entry for entry in sys.path if entry]
    with subprocess.Popen(
        [python, "-c", script], stderr=subprocess.PIPE, env={"PYTHONPATH": ":".join(path), "PATH": "/usr/bin:/bin"}
    ) as process:
        until = time.monotonic() + 10
        while not (quick / "x" / "slow-0" / "begun").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert (process.returncode, said.decode().strip()) == (1, "Stopped. Run the same command again to continue.")
    assert not (quick / "x" / "other-0").exists()
