"""Time to quality: runs train in turn, as by `dcign train`; only their steps are timed; a missed mark is named."""

import dataclasses
import itertools
import json
import re
import sys

import pytest
import torch

from benchmarks.errors import BenchmarkError
from benchmarks.speedrun import measure, timed_run
from benchmarks.speedrun.rows import table
from dcign.inputs.source import DataSource
from dcign.recipes.registry import RECIPES
from dcign.run.checkpoint import read_checkpoint
from dcign.run.configuration import TrainConfiguration
from dcign.train.trainer import Trainer
from dcign.train.training import train

STEPS, FACTORS = 40, ["azimuth", "elevation", "light_azimuth"]


@pytest.fixture(scope="module")
def evaluate_once():
    """Evaluate the first run, and give its evaluation to all later ones: it takes longer than their training."""
    found = []

    def evaluate(run, data, threads):
        if not found:
            measured(run, data, threads)
            found.append((run.folder / "evaluation.json").read_text())
        (run.folder / "evaluation.json").write_text(found[0])

    measured = measure.evaluate
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measure, "evaluate", evaluate)
        yield


@pytest.fixture
def speedrun(small_faces, evaluate_once, monkeypatch, capsys):
    """Run the benchmark with some options. Returns what it prints, and its messages."""

    def run(*words):
        plain = ["--precision", "float32", "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", ["speedrun", str(small_faces), *plain, *map(str, words)])
        capsys.readouterr()
        measure.main()
        return capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def kept(small_faces, evaluate_once, tmp_path_factory):
    """A folder with a finished run of each recipe, and the rows of a mark that both reached."""
    out = tmp_path_factory.mktemp("speedrun") / "runs"
    settings = {"device": "cpu", "precision": "float32", "threads": 1}
    runs = [
        TrainConfiguration(str(small_faces), str(out / f"{name},{STEPS}-0"), RECIPES[name], STEPS, 0, **settings)
        for name in ("swap-1", "swap")
    ]
    return out, measure.measure(DataSource(small_faces), [(1.0, runs)])


def weights(folder):
    return {name: value for name, value in read_checkpoint(folder)[1].items() if name.startswith("average.")}


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_recipes_train_in_turn(speedrun, tmp_path):
    told = speedrun("--marks", 1, "--steps", STEPS, "--out", tmp_path / "new").err
    turns = re.findall(r"^(\S+), seed 0: step (\d+) of 40, CPU", told, re.M)
    assert turns == [(name, str(step)) for step in range(2, STEPS + 1, 2) for name in ("swap-1", "swap")]


@pytest.mark.parametrize("recipe", ["swap-1", "swap"])
def test_a_run_in_turn_ends_in_the_weights_of_dcign_train(kept, small_faces, tmp_path, recipe):
    settings = {"device": "cpu", "precision": "float32", "threads": 1}
    train(TrainConfiguration(str(small_faces), str(tmp_path / "alone"), RECIPES[recipe], STEPS, 0, **settings))
    assert same(weights(kept[0] / f"{recipe},{STEPS}-0"), weights(tmp_path / "alone"))


def test_a_row_tells_how_long_and_how_good(kept):
    _, rows = kept
    assert [(row["recipe"], row["seed"], row["mark_db"], row["steps"]) for row in rows] == [
        ("swap-1", 0, 1.0, STEPS),
        ("swap", 0, 1.0, STEPS),
    ]
    first, second = rows
    assert first["ratio_cpu"] == first["ratio_wall"] == 1
    for clock in ("cpu", "wall"):
        ratio = first[f"{clock}_seconds"] / second[f"{clock}_seconds"]
        assert second[f"ratio_{clock}"] == pytest.approx(ratio, abs=1e-3)
    assert second["ms_per_step"] == pytest.approx(1000 * second["cpu_seconds"] / STEPS, rel=1e-2)
    assert all(list(second[name]) == FACTORS for name in ("r2", "leakage_sampled", "leakage_alive", "swap"))
    assert (second["clock"], second["threads"], second["precision"]) == ("cpu", 1, "float32")
    assert second["device"]
    assert second["reached"] is True


def test_only_the_steps_of_the_run_are_timed(small_faces, tmp_path, monkeypatch, speedrun):
    clock = {"now": 0.0}
    step = Trainer.step

    def slow_step(trainer):
        clock["now"] += 1
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", slow_step)
    monkeypatch.setattr(timed_run, "_now", lambda device: (clock["now"], 2 * clock["now"]))
    (row,) = json.loads(speedrun("--marks", 1, "--recipes", "swap", "--steps", 5, "--json").out)
    assert (row["cpu_seconds"], row["wall_seconds"], row["ms_per_step"]) == (5, 10, 1000)
    assert clock["now"] == 5 + timed_run.WARM_UP


def test_wall_seconds_count_with_several_threads(speedrun):
    (row,) = json.loads(speedrun("--marks", 1, "--recipes", "swap", "--steps", 2, "--threads", 2, "--json").out)
    assert (row["clock"], row["threads"]) == ("wall", 2)
    assert row["ms_per_step"] == pytest.approx(1000 * row["wall_seconds"] / 2, rel=1e-2)


def test_finished_runs_are_not_trained_again_and_a_missed_mark_is_named(kept, speedrun, monkeypatch):
    out, rows = kept
    monkeypatch.setattr(measure, "train_in_turn", None)
    told = speedrun("--marks", "1,99.5", "--steps", STEPS, "--out", out).out
    lines = [re.split(r"  +", line) for line in told.splitlines()]
    assert lines[0][:4] == ["recipe", "seed", "mark, dB", "steps"]
    column = lines[0].index("reached")
    assert [line[column] for line in lines[1:3]] == ["yes", "yes"]
    short = [f"no, {99.5 - row['head_db']:.2f} dB short" for row in rows]
    assert [line[column] for line in lines[3:5]] == short
    assert lines[-1][0].endswith(", one thread, float32; cpu seconds count")
    again = json.loads(speedrun("--marks", "1", "--steps", STEPS, "--out", out, "--json").out)
    assert again == rows


def test_the_table_shows_what_is_unknown_and_the_number_of_threads(kept):
    row = {**kept[1][1], "fine": None, "threads": 0, "clock": "wall"}
    lines = table([row]).splitlines()
    assert re.split(r"  +", lines[1])[re.split(r"  +", lines[0]).index("fine")] == "-"
    assert lines[-1].endswith(", one thread per core, float32; wall seconds count")


def test_an_interrupted_run_continues_with_the_seconds_it_had(kept, speedrun, tmp_path, monkeypatch):
    out, folder = tmp_path / "interrupted", tmp_path / "interrupted" / f"swap,{STEPS}-0"
    words = ("--marks", 1, "--recipes", "swap", "--steps", STEPS, "--out", out)
    step = Trainer.step

    def stopped_step(trainer):
        if trainer.state.step == 21:
            raise KeyboardInterrupt
        return step(trainer)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", stopped_step)
        with pytest.raises(SystemExit, match="Stopped"):
            speedrun(*words)
    before = json.loads((folder / "seconds.json").read_text())["seconds"]
    assert [each[0] for each in before] == list(range(0, 21, 2))
    first = re.search(r"step (\d+)", speedrun(*words).err)
    assert first is not None
    assert first[1] == "22"
    after = json.loads((folder / "seconds.json").read_text())["seconds"]
    assert after[: len(before)] == before
    assert all(later[1] >= earlier[1] for earlier, later in itertools.pairwise(after))
    assert same(weights(folder), weights(kept[0] / f"swap,{STEPS}-0"))


def test_only_the_last_recipe_is_changed(speedrun):
    words = ("--marks", 1, "--recipes", "swap,swap", "--set", "latents=16", "--steps", 1, "--json")
    assert [row["recipe"] for row in json.loads(speedrun(*words).out)] == ["swap", "swap,latents=16"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--threads", 2], r"--threads 2, found one on .* with --threads 1 in .*: choose another --out\."),
        (["--precision", "bfloat16"], 'expected precision to be "float32", as in the run in .*, found "bfloat16"'),
    ],
)
def test_runs_timed_in_another_way_are_refused(kept, speedrun, words, sentence):
    with pytest.raises(SystemExit, match=sentence):
        speedrun("--marks", 1, "--steps", STEPS, "--out", kept[0], *words)


def test_a_data_set_without_masks_is_refused(speedrun, monkeypatch):
    labelled = DataSource.labelled
    monkeypatch.setattr(
        DataSource, "labelled", lambda source, split: dataclasses.replace(labelled(source, split), mask=None)
    )
    with pytest.raises(SystemExit, match="expected masks of the head in the test split, found none"):
        speedrun("--marks", 1, "--steps", STEPS)


def test_a_run_without_readable_seconds_is_refused(tmp_path):
    (tmp_path / "seconds.json").write_text("[")
    with pytest.raises(BenchmarkError, match=r"expected the seconds of a run in .*seconds.json, found none"):
        timed_run.seconds_of(tmp_path, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipes", "swap,nope"], "expected the name of a recipe, found 'nope'"),
        (["--recipes", "swap,swap", "--steps", "1"], "expected different --recipes, found swap,swap: name each once."),
        (["--marks", "25.7,high"], "expected --marks in dB, found '25.7,high': give numbers"),
        (["--marks", "nan"], "expected --marks in dB, found 'nan'"),
        (["--seeds", "0"], "expected --seeds 1 or more, found 0"),
        (["--threads", "-1"], "expected 1 to "),
        (["--steps", "0"], "expected steps to be .*, found 0"),
        (["--set", "speed=9", "--steps", "1"], "expected a field of the recipe, found 'speed'"),
        ([], "expected images of 64 px, for which STEPS holds numbers of steps, found 32 px: give --steps N."),
        (["--device", "tpu"], "expected a device of this machine, found 'tpu'"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(speedrun, words, sentence):
    with pytest.raises(SystemExit, match=f"^Error: {sentence}") as refusal:
        speedrun(*words)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("swap", r"STEPS holds the steps of swap, found 26: give --steps N, or choose from 25.7, 27.2, 28.2\."),
        ("vae", r"STEPS holds the steps of vae, found 26: give --steps N\."),
    ],
)
def test_a_mark_without_steps_is_refused(recipe, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        measure._steps(RECIPES[recipe], 26.0, measure.SIZE)


def test_a_folder_that_is_not_there_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["speedrun", "nowhere"])
    with pytest.raises(SystemExit, match=r"^Error: nowhere is not there"):
        measure.main()


def test_the_table_of_steps_names_recipes():
    assert measure.STEPS.keys() <= RECIPES.keys()
    assert measure._steps(RECIPES["swap"], 25.7, measure.SIZE) == measure.STEPS["swap"][25.7]
