"""What is no model, or no longer one: the error names it, in one sentence without the text of a library."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.files.model_file import model_bytes
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.morphable import MorphableModel
from tests.support.commands import dcign
from tests.support.heads import head
from tests.support.model_files import flame, python2, write_h5, write_ict, write_mat

pytestmark = pytest.mark.usefixtures("own_cache")

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345678\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please log in</body></html>"


@pytest.mark.parametrize("name", ["flame.npz", "flame.pkl", "bfm.h5", "01_MorphableModel.mat"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (POINTER, "which is a Git LFS pointer without the file itself (`git lfs pull` gets it): download"),
        (PAGE, "which is a web page"),
        (b"\xef\xbb\xbf\n<html>", "which is a web page"),
        (b"", "which is an empty file: download the file again from its publisher."),
        (bytes(1000), "which is a file of zeros"),
    ],
)
def test_failed_downloads_are_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / name)
    assert said in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("content", [POINTER, PAGE, b""])
def test_failed_downloads_in_a_folder_are_named(tmp_path: Path, content: bytes) -> None:
    folder = write_ict(tmp_path / "ict", head())
    (folder / "identity002.obj").write_bytes(content)
    with pytest.raises(ModelError, match=r"expected an \.obj mesh, found .*identity002\.obj, which is a"):
        load_model(folder)


def as_pickle(path: Path, protocol: int) -> Path:
    given = head()
    arrays = flame(given) | {
        "f": given.triangles.astype(np.uint32),
        "noise": np.random.default_rng(0).normal(size=9999),
    }
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_in_text_mode_is_named(tmp_path: Path, protocol: int) -> None:
    path = as_pickle(tmp_path / "flame.pkl", protocol)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\n", b"\r\n"))
    with pytest.raises(ModelError, match="cannot be read because its line ends were altered, as by a transfer"):
        load_model(path)
    path.write_bytes(content)
    load_model(path)


def test_a_pickle_of_python_2_in_text_mode_is_named(tmp_path: Path) -> None:
    path = tmp_path / "flame.pkl"
    path.write_bytes(python2(flame(head()), wrapped="chumpy").replace(b"\n", b"\r\n"))
    with pytest.raises(ModelError, match="because its line ends were altered"):
        load_model(path)


def test_a_pickle_that_lost_its_carriage_returns_is_named(tmp_path: Path) -> None:
    path = tmp_path / "flame.pkl"
    noise = np.random.default_rng(0).normal(size=300_000)
    content = pickle.dumps(flame(head()) | {"a": noise, "z": np.ones(3)}, protocol=2)
    assert content.count(b"\r\n") > 16
    path.write_bytes(content.replace(b"\r\n", b"\n"))
    with pytest.raises(ModelError, match="because its line ends were altered"):
        load_model(path)


@pytest.mark.parametrize("write", [write_h5, write_mat])
def test_other_formats_in_text_mode_are_named(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path / "model", head())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(ModelError, match="because its line ends were altered"):
        load_model(path)


def test_a_broken_name_in_a_pickle_is_damage_not_code(tmp_path: Path) -> None:
    path = as_pickle(tmp_path / "flame.pkl", 2)
    path.write_bytes(path.read_bytes().replace(b"multiarray\n", b"mul\x1b[31m\n", 1))
    with pytest.raises(ModelError, match="which cannot be read because it is damaged: download") as caught:
        load_model(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["v_template", "shapedirs", "weights"])
@pytest.mark.parametrize("value", [1e200, 1e30, np.inf, np.nan])
def test_values_without_measure_are_named(tmp_path: Path, key: str, value: float) -> None:
    arrays = flame(head())
    arrays[key] = np.array(arrays[key])
    arrays[key].flat[7] = value
    np.savez(tmp_path / "flame.npz", **arrays)
    with pytest.raises(ModelError, match=rf"expected (finite numbers|numbers up to 1e\+09) in {key} in .*flame\.npz"):
        load_model(tmp_path / "flame.npz")


@pytest.mark.parametrize("value", ["1e200", "1e39", "nan", "-inf"])
def test_values_without_measure_in_a_mesh_are_named(tmp_path: Path, value: str) -> None:
    path = write_ict(tmp_path / "ict", head()) / "identity001.obj"
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([first, others[0], f"v 1 {value} 2\n", *others[2:]]))
    with pytest.raises(ModelError, match=r"expected finite numbers up to .* in vertex 2 of .*identity001\.obj"):
        load_model(tmp_path / "ict")


def test_names_that_are_not_utf_8_can_be_used(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/lat\xe9.h5"))
    model = load_model(write_h5(tmp_path / "m.h5", head()).rename(path))
    model.source.encode()
    model.name.encode()
    assert "lat\\xe9.h5" in model.source


@pytest.mark.parametrize("name", [b"lat\xe9.npz", b"red\x1b[31m.npz", b"two\nlines.npz"])
def test_the_terminal_gets_printable_names(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(PAGE)
    made = dcign("face", "--model", path, "--out", tmp_path / "face.png")
    assert made.exit_code == 1
    said = made.output[made.output.index("Error: ") :].removesuffix("\n")
    assert said.isprintable()
    assert "which is a web page" in said


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("mean", np.nan),
        ("shape_basis", np.inf),
        ("triangles", 10**6),
        ("parts", 200),
        ("level_1/triangles", 10**6),
    ],
)
def test_a_damaged_model_of_dcign_is_named(tmp_path: Path, model: MorphableModel, array: str, value: float) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(model_bytes(model))
    with np.load(path) as file:
        arrays = dict(file)
    arrays[array].flat[5] = value
    np.savez(path, **arrays)
    with pytest.raises(ModelError, match=rf"expected .* in {array} in .*model\.npz, found others: make it again"):
        load_model(path)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "npz": lambda path: np.savez(path, **flame(head())),
    "pkl": lambda path: as_pickle(path, 2),
    "pickle": lambda path: as_pickle(path, 5),
    "h5": lambda path: write_h5(path, head()),
    "mat": lambda path: write_mat(path, head()),
}


def refusal(path: Path) -> str:
    """Return what is said about a file, or nothing if its damage does no harm."""
    try:
        load_model(path)
    except ModelError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", WRITERS)
def test_random_damage_is_reported_in_one_sentence_of_ours(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"model.{kind}"
    WRITERS[kind](path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    said = []
    for _ in range(25):
        altered = bytearray(content)
        for place in rng.integers(0, min(len(content), rng.choice([200, 3000, len(content)])), 8):
            altered[place] = rng.integers(256)
        path.write_bytes(altered)
        said.append(refusal(path))
    refusals = [text for text in said if text]
    assert len(refusals) > 5
    for text in refusals:
        assert text.isprintable()
        assert text.startswith("expected ")
        assert f"model.{kind}" in text
        assert not any(word in text for word in ("Unable", "invalid load", "Error -", "broadcast", "buffer"))
