"""The command line: what it prints, refuses, and does not import."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from PIL import Image

from dcign import __version__, cli
from dcign.commands import export, train
from dcign.data.dataset.manifest import read_manifest
from dcign.data.export.dataset import FORMATS as DATASET_FORMATS
from dcign.data.schema import MORE_FACTORS, SPLITS
from dcign.infer.write_pictures import LARGEST_SCALE
from dcign.publish.onnx import FORMATS as RUN_FORMATS
from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import BOUNDS
from dcign.render.produce.card import data_set_card
from dcign.render.produce.person_file import MOST_PEOPLE
from dcign.terminal import options
from tests.support.commands import ROOT, dcign, imported_by, refused
from tests.support.drawing import in_this_process


def test_help_imports_neither_torch_nor_numpy_nor_pyrender() -> None:
    found = imported_by("--help")
    assert not found & {"torch", "numpy", "pyrender", "h5py", "OpenGL", "rich", "msgspec"}
    assert not found & {"ctypes", "hashlib", "random", "tempfile"}  # a tenth of its time


def test_inspect_imports_no_torch_and_no_opengl(small_faces: Path) -> None:
    assert not imported_by("inspect", small_faces, "--quick") & {"torch", "pyrender", "OpenGL"}


def test_inspect_verify_imports_no_torch(small_faces: Path) -> None:
    assert "torch" not in imported_by("inspect", small_faces, "--verify", "--workers", "1")


def test_train_imports_neither_pyrender_nor_the_face(small_faces: Path, tmp_path: Path) -> None:
    found = imported_by("train", small_faces, "--out", tmp_path / "run", "--steps", "2", "--threads", "1")
    assert "torch" in found
    assert not found & {"pyrender", "OpenGL", "trimesh", "dcign.facegen", "dcign.render"}


def test_a_command_imports_no_other_command() -> None:
    script = (
        "import sys; from dcign import cli; cli.dcign(['inspect', '--help'], standalone_mode=False); "
        "print('MODULES', *(name for name in sys.modules if name.startswith('dcign.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.rpartition("MODULES")[2].split() == ["dcign.commands.inspect"]


def test_the_version_is_told_without_any_command() -> None:
    assert dcign("--version").output == f"dcign {__version__}\n"
    assert not imported_by("--version") & {"dcign.commands", "email"}  # importlib.metadata imports email


def test_the_help_lists_every_command_under_its_own_name() -> None:
    for name, command in cli.dcign.commands.items():
        assert command.name == name
        assert f"\n  {name} " in dcign("--help").output


@pytest.mark.parametrize("command", sorted(cli.dcign.commands))
def test_every_command_s_help_ends_its_text_with_an_example(command: str) -> None:
    text = dcign(command, "--help").output
    assert text.index("Example:") < text.index(f"dcign {command} ", text.index("Example:")) < text.index("Options:")


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "faces"
    result = dcign("render", "--batches", "12000", "--out", out, "--dry-run")
    assert "240,000 images    5,400.0 MB of pixels\n" in result.output
    assert result.exit_code == 0
    assert not out.exists()


def test_a_dry_run_counts_the_truth_and_looks_at_the_folder(small_faces: Path) -> None:
    words = ("render", "--batches", "12000", "--out", small_faces, "--dry-run")
    layers = dcign(*words[:3], "--truth", "depth,normals,landmarks", "--dry-run").output
    assert "5,400.0 MB of pixels and 54,000.0 of truth" in layers
    assert "another configuration" in refused(*words)
    assert "expected a folder that can be written" in refused(
        "render", "--batches", "4", "--out", small_faces / "model.npz", "--dry-run"
    )


def test_a_broken_promise_of_many_batches_is_said_five_times_and_counted(small_faces: Path, tmp_path: Path) -> None:
    shard = Path(shutil.copy(small_faces / "train" / "shard-00000.h5", tmp_path))
    with h5py.File(shard, "r+") as file:
        file["identity/shape"][:, 3] = np.nan
    said = dcign("inspect", shard, "--quick").output
    assert said.count("identity shape is not a finite number") == 6
    assert "WRONG  in 3 more batches or images: identity shape is not a finite number in every image" in said
    every = json.loads(dcign("inspect", shard, "--quick", "--json").stdout)["findings"]
    assert sum("identity shape is not a finite" in finding for finding in every) == 8


@pytest.mark.parametrize(
    ("options", "wanted"), [([], True), (["--shadows"], True), (["--no-shadows"], False)], ids=["default", "on", "off"]
)
def test_render_draws_shadows_unless_told_not_to(
    options: list[str], wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RenderConfiguration] = []

    def made(_: Path, configuration: RenderConfiguration, *__: object, **___: object) -> SimpleNamespace:
        asked.append(configuration)
        return SimpleNamespace(made=0, kept=0)

    monkeypatch.setattr("dcign.render.produce.production.render_dataset", made)
    assert dcign("render", "--batches", "1", "--out", tmp_path / "faces", *options).exit_code == 0
    assert [configuration.scene.light.shadows for configuration in asked] == [wanted]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--batches", "0"], "0 is not in the range x>=1"),
        (["--batches", "5", "--size", "15"], "15 is not in the range 16<=x<=1024"),
        (["--batches", "5", "--channels", "2"], "'2' is not one of '1', '3'"),
        (["--batches", "5", "--workers", "0"], "0 is not in the range x>=1"),
        (["--batches", "5", "--workers", "0", "--dry-run"], "0 is not in the range x>=1"),
        (
            ["--batches", "5", "--workers", "2", "--cluster", "tcp://here:1"],
            "expected --workers or --cluster, found both",
        ),
        (["--batches", "5", "--azimuth", "-200", "0"], "-200.0 is not in the range -180<=x<=180"),
        (["--batches", "5", "--elevation", "10", "-10"], "expected LO < HI within -90 to 90"),
        (["--batches", "5", "--light-azimuth", "0", "0"], "expected LO < HI within -180 to 180"),
        (["--batches", "five"], "'five' is not a valid integer"),
        (["--batches", "5", "--up", "z"], "expected --meshes beside --up z, found none: give --meshes"),
        (["--batches", "5", "--truth", "depth,colour"], "found truth 'colour': give --truth some of them"),
    ],
)
def test_render_refuses_what_is_out_of_bounds(options: list[str], sentence: str, tmp_path: Path) -> None:
    assert sentence in refused("render", "--out", tmp_path / "faces", *options)
    assert not (tmp_path / "faces").exists()


def test_fewer_batches_than_kinds_are_not_said_to_be_trainable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"test": 2, "iid": 1, "sweep_levels": (1, 1, 1)}
    monkeypatch.setattr(Splits, "in_paper_proportions", lambda train, *_: Splits(train=train, **few))
    made = dcign("render", "--batches", "1", "--size", "16", "--out", tmp_path / "faces", "--workers", "1")
    assert "it takes 4 batches" in made.output
    assert "dcign train" not in made.output
    refusal = refused("render", "--batches", "2", "--size", "16", "--out", tmp_path / "faces")
    assert "splits train 1; asked for: splits train 2" in refusal.replace("\n", " ")


def test_the_card_says_who_the_people_are(small_faces: Path) -> None:
    card = (small_faces / "README.md").read_text()
    assert "sex (negative women, positive men), age (years), hair_cut (0 bald; 1 cropped" in card


def test_the_card_of_our_own_model_from_a_file_is_that_of_our_model(small_faces: Path) -> None:
    manifest = read_manifest(small_faces)
    of_a_file = {"source": "model.npz: a dcign model", "source_sha256": "0" * 64}
    card = data_set_card(replace(manifest, model=manifest.model | of_a_file))
    added = [line for line in card.splitlines() if line not in data_set_card(manifest).splitlines()]
    assert added == [f"- Read from model.npz: a dcign model. SHA-256 {'0' * 64}"]
    foreign = data_set_card(replace(manifest, model=manifest.model | of_a_file | {"name": "another"}))
    assert "Before you share this folder" in foreign


def test_inspect_describes_a_folder_and_a_shard(small_faces: Path) -> None:
    assert "azimuth" in dcign("inspect", small_faces).output
    about = json.loads(dcign("inspect", small_faces / "train" / "shard-00000.h5", "--json").stdout)
    assert about["batches"] == 8 if isinstance(about.get("batches"), int) else True
    assert json.loads(dcign("inspect", small_faces, "--json").stdout)


def test_inspect_writes_a_contact_sheet_and_overwrites_nothing(small_faces: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    assert dcign("inspect", small_faces, "--sheet", sheet).exit_code == 0
    with Image.open(sheet) as picture:
        assert picture.width > 20 * 32
    assert "is there already" in refused("inspect", small_faces, "--sheet", sheet)
    assert "give --sheet PNG" in refused("inspect", small_faces, "--truth", "mask")
    assert "holds no truth/depth" in refused("inspect", small_faces, "--sheet", tmp_path / "b.png", "--truth", "depth")
    assert dcign("inspect", small_faces, "--sheet", tmp_path / "b.png", "--truth", " mask ,").exit_code == 0
    assert dcign("inspect", small_faces, "--sheet", tmp_path / "c.png", "--truth", " all ").exit_code == 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()


def test_inspect_verify_passes_an_honest_data_set(small_faces: Path) -> None:
    result = dcign("inspect", small_faces, "--verify", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert "nothing wrong" in result.output


def test_inspect_drops_no_option(small_faces: Path) -> None:
    said = refused("inspect", small_faces, "--verify", "--quick")
    assert "expected --verify or --quick, found both: leave --quick out" in said
    assert "Verified" not in said
    assert "expected --workers beside --verify or --quick, found neither" in refused(
        "inspect", small_faces, "--workers", 2
    )


def test_inspect_verify_names_the_batch_that_lies(small_faces: Path, tmp_path: Path) -> None:
    shutil.copytree(small_faces, tmp_path / "faces")
    shard = tmp_path / "faces" / "test" / "shard-00000.h5"
    with h5py.File(shard, "r+") as file:
        labels = file["factors"][1]
        labels[:, 2] += 5 if labels[0, 2] < 0 else -5
        file["factors"][1] = labels
    result = dcign("inspect", shard, "--verify", "--workers", "1")
    assert result.exit_code == 1
    assert "batch 1: image 0 to 19 is not" in result.output
    report = json.loads(dcign("inspect", shard, "--verify", "--workers", "1", "--json").stdout)
    assert report["verified"] is False


def test_inspect_verify_of_a_folder_names_the_batch_whatever_else_is_wrong(small_faces: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    (folder / "iid" / "shard-00000.h5").unlink()
    with h5py.File(folder / "train" / "shard-00000.h5", "r+") as file:
        labels = file["factors"][1]
        labels[3, 2] += 5 if labels[3, 2] < 0 else -5
        file["factors"][1] = labels
    result = dcign("inspect", folder, "--verify", "--workers", "1")
    assert result.exit_code == 1
    assert "iid/shard-00000.h5" in result.output
    assert "batch 1: image 3 is not what the labels say" in result.output


@pytest.mark.parametrize("command", [["inspect"], ["inspect", "--verify"], ["train", "--steps", "1"]])
def test_what_is_not_a_data_set_is_refused(command: list[str], tmp_path: Path) -> None:
    text = tmp_path / "notes.h5"
    text.write_text("not HDF5")
    (tmp_path / "empty").mkdir()
    for path in (text, tmp_path / "missing", tmp_path / "empty"):
        assert "Error: " in refused(*command, path)


def test_a_truncated_shard_is_refused(small_faces: Path, tmp_path: Path) -> None:
    shard = Path(shutil.copy(small_faces / "train" / "shard-00000.h5", tmp_path))
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size // 2)
    assert "Error: " in refused("inspect", shard)


def test_render_refuses_a_folder_of_another_configuration(
    small_faces: Path, small_configuration: RenderConfiguration
) -> None:
    before = (small_faces / "dataset.json").read_bytes()
    sentence = refused("render", "--batches", "9", "--out", small_faces, "--size", small_configuration.size)
    assert "another configuration (size" not in sentence
    assert "splits train 8, splits test 4" in sentence
    assert "asked for: splits train 9, splits test" in sentence
    assert (small_faces / "dataset.json").read_bytes() == before


def test_without_egl_render_says_what_to_install(tmp_path: Path) -> None:
    nowhere = tmp_path / "no-drivers"
    nowhere.mkdir()
    environment = {**os.environ, "__EGL_VENDOR_LIBRARY_DIRS": str(nowhere)}
    command = [sys.executable, "-m", "dcign.cli", "render", "--batches", "1", "--size", "16", "--workers", "1"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "faces")],
        capture_output=True, text=True, check=False, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no off-screen OpenGL here" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_edits_and_explores_does_not_wait_for_scikit_learn() -> None:
    script = "import sys, dcign.infer.edit, dcign.explore.network; print({'sklearn', 'scipy.stats'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_a_stopped_render_says_how_to_go_on_and_going_on_works(
    tmp_path: Path, number: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"test": 4, "iid": 1, "sweep_levels": (1, 1, 1)}
    folder = tmp_path / "faces"
    script = f"""
from dcign.render.plan.configuration import Splits
Splits.in_paper_proportions = classmethod(lambda cls, train, *_: cls(train, **{few}))
from dcign.start import main
main()
"""
    words = ["render", "--batches", "60", "--size", "16", "--out", str(folder)]
    command = [sys.executable, "-c", script, *words]
    first = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(folder.glob("*/.*.part")) and time.monotonic() < deadline:  # the first shard has just begun
        time.sleep(0.02)
    (os.kill if number == signal.SIGKILL else os.killpg)(first.pid, number)  # its helpers outlive a killed command
    _, said = first.communicate(timeout=60)
    assert first.returncode == code
    assert "Traceback" not in said
    assert "leaked" not in said
    if number != signal.SIGKILL:
        assert said.rstrip().endswith("run the same command again to continue.")  # no progress after it
        assert not list(folder.glob("**/.*.part"))
    monkeypatch.setattr(Splits, "in_paper_proportions", lambda train, *_: Splits(train, **few))
    with in_this_process():
        again = dcign(*words)
    assert again.exit_code == 0, again.output
    assert (folder / "dataset.json").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_before_a_command_has_begun_has_its_line_and_its_code(number: int, code: int) -> None:
    script = f"""
import os, sys
class SendsSignal:
    def find_spec(self, name, *_):  # while the command line imports its modules
        if name == "dcign.cli":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, SendsSignal())
sys.argv = ["dcign", "doctor"]
from dcign.start import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == code
    assert done.stderr == "\nStopped before anything was begun: run the same command again.\n"


def test_without_click_what_is_missing_is_said() -> None:
    script = "import sys; sys.modules['click'] = None; import dcign.cli"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr == (
        "dcign: expected the package click, found none: run `pip install -e .` in the folder of dcign.\n"
    )


def test_the_choices_and_bounds_of_the_options_are_those_of_the_library() -> None:
    params = {
        (command.name, param.name): param.type for command in cli.dcign.commands.values() for param in command.params
    }
    assert (*export.RUN_FORMATS, *export.DATASET_FORMATS) == tuple(params["export", "to"].choices)
    assert (*RUN_FORMATS, "web") == export.RUN_FORMATS
    assert tuple(RECIPES) == train.RECIPES
    assert tuple(DATASET_FORMATS) == export.DATASET_FORMATS
    assert options.SPLITS == SPLITS
    for name in BOUNDS.keys() - {factor.name for factor in MORE_FACTORS if factor.of_identity}:
        bounds = BOUNDS[name]
        assert (params["render", name].min, params["render", name].max) == (bounds.lowest, bounds.highest), name
    assert params["face", "gallery"].max == MOST_PEOPLE
    assert params["edit", "scale"].max == LARGEST_SCALE
