"""`dcign doctor`: each verdict, and that what fails, hangs or crashes is a line and not a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import dcign.data.doctor
import dcign.doctor
import dcign.render.doctor
from dcign import cli
from dcign.data.doctor import (
    GOOD,
    MISSING,
    SLOW,
    Check,
    Unanswered,
    ask_subprocess,
    check_machine,
    guarded,
    requirements,
    satisfies,
)

Usage = namedtuple("Usage", "total used free")
DRAWN = {"vendor": "Mesa", "name": "llvmpipe", "version": "4.5", "device": 0, "devices": 1}
TORCH = {"version": "2.9", "cuda": None, "device": "cpu", "gpu": None, "precision": "float32"}
PATIENT = """
import os, signal, subprocess, time
def well(): return [1, None]
def ill(): raise KeyError("two\\nlines")
def dead(): os.kill(os.getpid(), signal.SIGSEGV)
def noisy(): print("a driver's chatter"); return "said"
def hanging(): print(subprocess.Popen(["sleep", "77.125"])); time.sleep(60)
"""


def saying(told: Any) -> Callable[..., Any]:
    """In place of `answer`: what a child process would say, or an error to raise."""

    def said(*question: object) -> Any:
        if isinstance(told, Exception):
            raise told
        return told

    return said


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "patient.py").write_text(PATIENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "patient"


def test_a_child_s_answer_comes_back_whatever_else_it_prints(patient: str) -> None:
    assert ask_subprocess(patient, "well", 60) == [1, None]
    assert ask_subprocess(patient, "noisy", 60) == "said"


@pytest.mark.parametrize(
    ("function", "sentence"), [("ill", r"^KeyError: 'two\\nlines'$"), ("dead", "its process died .SIGSEGV.")]
)
def test_a_child_that_fails_or_dies_is_a_sentence(patient: str, function: str, sentence: str) -> None:
    with pytest.raises(Unanswered, match=sentence):
        ask_subprocess(patient, function, 60)


def test_a_child_that_hangs_is_cut_off_with_its_children(patient: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unanswered, match="no answer within 3 s"):
        ask_subprocess(patient, "hanging", 3)
    assert time.monotonic() - began < 20
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert b"sleep\x0077.125\x00" not in lines


def test_one_check_s_trouble_is_a_finding() -> None:
    check = guarded("disk", "Mend it.", lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert (check.verdict, check.found, check.mend) == (MISSING, "ZeroDivisionError: division by zero", "Mend it.")


@pytest.mark.parametrize(
    ("version", "wanted", "met"),
    [
        ("2.13.0+cpu", ">=2.4", True),
        ("2.3.1", ">=2.4", False),
        ("3", ">=3.0", True),
        ("5.0", ">=4.8,<5", False),
        ("4.12.0.88", ">=4.8,<5", True),
        ("1.0", "", True),
    ],
)
def test_versions_are_compared_as_numbers(version: str, wanted: str, met: bool) -> None:
    assert satisfies(version, wanted) is met


def test_packages_are_those_of_setup_cfg_with_the_mend_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("scipy", "onnx"):
            raise metadata.PackageNotFoundError(name)
        return "1.2" if name == "torch" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = {check.name: check for check in check_machine(2, Path())}
    assert found["click"].verdict == GOOD
    assert found["scipy"].found.startswith("not installed, wanted >=")
    assert found["scipy"].mend.startswith("Run `pip install 'scipy>=")
    assert (found["torch"].verdict, found["torch"].needed) == (MISSING, True)
    assert found["torch"].found.startswith("1.2, wanted >=2")
    assert (found["onnx [onnx]"].verdict, found["onnx [onnx]"].needed) == (MISSING, False)
    assert "dcign[onnx]" in found["onnx [onnx]"].mend
    assert not any("pytest" in name for name in found)


def test_without_a_checkout_the_installed_record_says_what_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dcign.data.doctor, "ROOT", tmp_path)
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy>=1.26", 'onnx>=1.16; extra == "onnx"'])
    assert requirements() == {"": ["numpy>=1.26"], "onnx": ["onnx>=1.16"]}
    monkeypatch.setattr(metadata, "requires", saying(metadata.PackageNotFoundError("dcign")))
    (packages,) = [check for check in check_machine(2, tmp_path) if check.name == "packages"]
    assert (packages.verdict, packages.found) == (MISSING, "dcign is not installed")


@pytest.mark.parametrize(("free", "verdict"), [(60e9, GOOD), (1e9, SLOW), (1e8, MISSING)])
def test_the_disk_holds_the_paper_s_data_set_or_a_small_one_or_none(
    free: float, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage(0, 0, free))
    (disk,) = [check for check in check_machine(2, tmp_path) if check.name == "disk"]
    assert (disk.verdict, not disk.mend) == (verdict, verdict == GOOD)


def test_a_folder_that_is_not_there_or_may_not_be_written_to_is_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone,) = [check for check in check_machine(2, tmp_path / "gone") if check.name == "disk"]
    assert (gone.verdict, gone.found.split(":")[0]) == (MISSING, "FileNotFoundError")
    monkeypatch.setattr("os.access", lambda path, how: False)
    (closed,) = [check for check in check_machine(2, tmp_path) if check.name == "disk"]
    assert (closed.verdict, closed.found) == (MISSING, f"{tmp_path} may not be written to")


@pytest.mark.parametrize(("cores", "verdict"), [(1, SLOW), (2, GOOD)])
def test_one_core_is_slow(cores: int, verdict: str, tmp_path: Path) -> None:
    assert [check.verdict for check in check_machine(cores, tmp_path) if check.name == "cores"] == [verdict]


def test_an_old_python_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.10.4")
    python = next(check_machine(2, tmp_path))
    assert (python.verdict, python.mend[:27]) == (MISSING, "Install Python 3.11 or late")


def test_without_egl_the_packages_are_named_and_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGL_DEVICE_ID", "99")
    opengl, rendering = dcign.render.doctor.check_rendering(2, quick=False)
    assert opengl.found.startswith("no off-screen OpenGL here (ValueError")
    assert "apt install libegl1 libgl1 libopengl0 libgl1-mesa-dri" in opengl.mend
    assert [opengl.verdict, rendering.verdict] == [MISSING, MISSING]
    assert rendering.found == "not measured: there is no OpenGL"


@pytest.mark.parametrize(("gpu", "verdict"), [(True, SLOW), (False, GOOD)])
def test_software_drawing_beside_a_gpu_is_slow(
    gpu: bool, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dcign.render.doctor, "ask_subprocess", saying(DRAWN))
    monkeypatch.setattr(dcign.render.doctor, "NVIDIA", tmp_path if gpu else tmp_path / "none")
    (opengl,) = dcign.render.doctor.check_rendering(2, quick=True)
    assert (opengl.verdict, "EGL device 0 of 1, drawn by the CPU" in opengl.found) == (verdict, True)


@pytest.mark.parametrize(
    ("rate", "verdict"), [(900.0, GOOD), (20.0, SLOW), (Unanswered("no answer within 300 s"), MISSING)]
)
def test_the_measured_speed_is_judged(rate: Any, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcign.render.doctor, "_opengl", lambda: Check("opengl", GOOD, "drawn"))
    monkeypatch.setattr(dcign.render.doctor, "ask_subprocess", saying(rate))
    _, rendering = dcign.render.doctor.check_rendering(2, quick=False)
    assert (rendering.verdict, not rendering.mend) == (verdict, verdict == GOOD)
    if verdict == GOOD:
        assert rendering.found == "900 images/s of one worker at 64 px; 240,000 with 2 in about 2 min"


def test_a_worker_really_draws(model: object) -> None:
    assert dcign.render.doctor.images_per_second() > 1


@pytest.mark.parametrize("free", [8e9, 1e9, 1e8])
def test_memory_is_told_where_torch_is_broken(free: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: no such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(dcign.doctor, "free_memory", lambda: free)
    memory, torch = dcign.doctor.check_training()
    assert memory.verdict == {8e9: GOOD, 1e9: SLOW, 1e8: MISSING}[free]
    assert (torch.verdict, torch.found) == (MISSING, "ImportError: libtorch.so: no such file")
    assert "pytorch.org" in torch.mend


@pytest.mark.parametrize(
    ("told", "gpu", "verdict", "said"),
    [
        ({"device": "cuda", "gpu": "H100", "precision": "bfloat16"}, True, GOOD, "cuda: H100"),
        ({}, False, SLOW, "Nothing is broken"),
        ({}, True, SLOW, "built without CUDA"),
        ({"cuda": "12.4"}, True, SLOW, "`nvidia-smi` says whether its driver is too old"),
    ],
)
def test_the_device_that_training_would_use_and_why_it_is_no_gpu(
    told: dict[str, Any], gpu: bool, verdict: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dcign.doctor, "ask_subprocess", saying(TORCH | told))
    monkeypatch.setattr(dcign.doctor, "NVIDIA", tmp_path if gpu else tmp_path / "none")
    _, torch, device, bfloat16 = dcign.doctor.check_training()
    assert torch.verdict == GOOD
    assert device.verdict == bfloat16.verdict == verdict
    assert said in device.found + device.mend


def test_the_doctors_import_nothing_that_may_be_missing() -> None:
    script = "import sys, dcign.data.doctor, dcign.render.doctor, dcign.doctor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                          cwd=Path(cli.__file__).parents[1])  # fmt: skip
    assert not {"numpy", "torch", "OpenGL", "pyrender", "h5py", "scipy"} & set(done.stdout.split())


@pytest.mark.parametrize(("verdict", "needed", "code"), [(MISSING, True, 1), (MISSING, False, 0), (SLOW, True, 0)])
def test_the_exit_code_says_whether_all_that_is_needed_is_here(
    verdict: str, needed: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcign.data.doctor.check_machine", lambda cores, folder: iter([Check("python", GOOD, "3.12")]))
    monkeypatch.setattr("dcign.render.doctor.check_rendering", lambda cores, quick: iter([]))
    monkeypatch.setattr(
        "dcign.doctor.check_training", lambda: iter([Check("tea", verdict, "none", "Boil some.", needed)])
    )
    lines = CliRunner().invoke(cli.dcign, ["doctor"])
    assert lines.exit_code == code
    assert [line.split() for line in lines.output.splitlines()[:3]] == [
        ["good", "python", "3.12"], [verdict, "tea", "none"], ["Boil", "some."],
    ]  # fmt: skip
    assert lines.output.splitlines()[3] == ("Missing: tea." if code else "Everything that is needed is here.")
    told = CliRunner().invoke(cli.dcign, ["doctor", "--json"])
    assert told.exit_code == code
    about = json.loads(told.output)
    assert about["good"] is not bool(code)
    assert about["checks"][1] == {
        "name": "tea", "verdict": verdict, "found": "none", "mend": "Boil some.", "needed": needed, "facts": {},
    }  # fmt: skip
