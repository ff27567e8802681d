"""Loading models of any format: recognition, conversion, the cache, and data sets made from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.files.model_file import model_bytes
from dcign.facegen.loaders import basel_hdf5
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import Splits
from tests.support.commands import dcign
from tests.support.heads import Head, check_same_head, head
from tests.support.model_files import flame, write_h5

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_dcign_model_is_read_unchanged(tmp_path: Path, model: MorphableModel) -> None:
    (tmp_path / "own.npz").write_bytes(model_bytes(model))
    loaded = load_model(tmp_path / "own.npz")
    np.testing.assert_array_equal(loaded.mean, model.mean)
    assert loaded.attributes == model.attributes
    assert len(loaded.source_sha256) == 64


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.h5", None, r"expected a face model .*, found no file"),
        ("notes.txt", b"hello", "of another format: give BFM 2009"),
        ("note.npz", b"404: Not Found", r'npz, a text file that begins "404: Not Found", of another format: give'),
        ("cut.npz", b"PK\x03\x04abc", "cut short"),
        ("newer.mat", b"MATLAB 7.3 MAT-file" + bytes(500), "expected a MATLAB file of version 5, found"),
    ],
)
def test_a_path_without_a_model_is_reported_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        load_model(tmp_path / name)


def test_an_unknown_npz_is_reported_with_the_expected_keys(tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", weights=np.zeros(3))
    with pytest.raises(ModelError, match=r"expected v_template .*, found weights"):
        load_model(tmp_path / "foreign.npz")


def test_an_unknown_folder_is_reported_with_the_expected_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected an ICT-FaceKit folder, found no file generic_neutral_mesh\.obj"):
        load_model(tmp_path)


def test_a_second_load_reads_the_cache(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_h5(tmp_path / "m.h5", head())
    first = load_model(path)
    (kept,) = own_cache.iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(basel_hdf5, "read_basel_hdf5", pytest.fail)
        again = load_model(path)
        assert model_bytes(again) == model_bytes(first)
        assert list(again.landmarks) == list(first.landmarks)
    kept.write_bytes(kept.read_bytes()[:1000])  # a damaged one is made again
    assert model_bytes(load_model(path)) == model_bytes(first)
    assert list(own_cache.iterdir()) == [kept]
    write_h5(path, head(left_ear=False))
    assert not np.array_equal(load_model(path).mean, first.mean)  # another file of the same name
    assert len(list(own_cache.iterdir())) == 2


def test_only_a_symmetric_head_has_a_mirror(tmp_path: Path) -> None:
    even = load_model(write_h5(tmp_path / "even.h5", head(left_ear=False)))
    np.testing.assert_allclose(even.mean[even.mirror], even.mean * (-1, 1, 1), atol=1e-3)
    assert (even.mirror != np.arange(even.vertices)).any()
    uneven = load_model(write_h5(tmp_path / "uneven.h5", head()))
    np.testing.assert_array_equal(uneven.mirror, np.arange(uneven.vertices))


def test_vertices_of_no_triangle_are_left_out(tmp_path: Path) -> None:
    given = head()
    far = np.concatenate([[[900.0, 900, 900]], given.vertices])
    loose = Head(far, np.concatenate([given.modes[:1], given.modes]), given.triangles + 1,
                 np.concatenate([given.colours[:1], given.colours]),
                 np.concatenate([given.colour_modes[:1], given.colour_modes]), given.nose, given.left)  # fmt: skip
    check_same_head(load_model(write_h5(tmp_path / "m.h5", loose)), given)


def test_the_camera_aims_at_the_head_not_at_the_shoulders(tmp_path: Path) -> None:
    given = head(subdivisions=4, left_ear=False)
    bust = given.vertices.copy()
    below = bust[:, 1] < -70  # the lower part drawn down and out: a neck and a chest
    bust[below, 1] = -70 + 4 * (bust[below, 1] + 70)
    bust[below, 0] *= np.interp(-bust[below, 1], [70, 150, 250], [1, 1, 6])
    bust[below, 2] = np.interp(-bust[below, 1], [70, 90, 250], [1, 0.8, 1.5]) * bust[below, 2] - 35
    model = flame(given) | {"v_template": bust / 1000}
    np.savez(tmp_path / "bust.npz", **model)
    loaded = load_model(tmp_path / "bust.npz")
    centre, radius = head_sphere(loaded)
    np.testing.assert_allclose(centre, 0, atol=2)
    assert 100 < radius < 150
    assert np.ptp(loaded.mean[:, 1]) > 290


@pytest.mark.usefixtures("drawn_here")
def test_a_data_set_of_a_model_is_verified_and_carries_its_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Splits(train=1, test=4, iid=2, sweep_levels=(2, 2, 2))
    monkeypatch.setattr(Splits, "in_paper_proportions", lambda *_: few)
    given, out = write_h5(tmp_path / "tiny.h5", head()), tmp_path / "faces"
    made = dcign("render", "--model", given, "--batches", "1", "--size", "16", "--out", out, "--workers", "1")
    assert made.exit_code == 0, made.output
    verified = dcign("inspect", out, "--verify", "--workers", "1")
    assert verified.exit_code == 0, verified.output
    assert "Verified" in verified.output
    card = (out / "README.md").read_text()
    assert "no redistribution" in card
    assert "tiny.h5: orthonormal columns" in card
    assert "Before you share this folder" in card

    again = dcign("render", "--model", given, "--batches", "1", "--size", "16", "--out", out)
    assert "0 batches made" in again.output
    other = write_h5(tmp_path / "other.h5", head(left_ear=False))
    for words in (["--model", other], []):
        refused = dcign("render", *words, "--batches", "1", "--size", "16", "--out", out)
        assert refused.exit_code == 1
        assert "was started with, tiny.h5" in refused.output


def test_a_bad_model_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    made = dcign("render", "--model", tmp_path / "bad.h5", "--batches", "1", "--out", tmp_path / "faces")
    assert made.exit_code == 1
    assert "Traceback" not in made.output
    assert "of another format" in made.output
    assert not (tmp_path / "faces").exists()


def test_one_person_of_a_model_becomes_a_mesh(tmp_path: Path) -> None:
    given, out = write_h5(tmp_path / "tiny.h5", head()), tmp_path / "face.ply"
    made = dcign("face", "--model", given, "--seed", "3", "--out", out)
    assert made.exit_code == 0, made.output
    assert "162 vertices" in made.output
