"""Basel Face Models, 2009 as .mat and later ones as .h5: conventions, older variants and error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.albedo import LinearAlbedo
from dcign.facegen.model.morphable import MorphableModel
from tests.support.heads import Head, check_same_head, covariance, deviations_out, head
from tests.support.model_files import write_h5, write_mat

pytestmark = pytest.mark.usefixtures("own_cache")

H5_KEYS = ("/shape/model/mean", "/shape/model/pcaBasis", "/shape/model/pcaVariance", "/shape/representer/cells",
           "/color/model/mean", "/color/model/pcaBasis", "/color/model/pcaVariance")  # fmt: skip


def check_colours(model: MorphableModel, given: Head) -> None:
    assert isinstance(model.albedo, LinearAlbedo)
    np.testing.assert_allclose(model.albedo.mean, given.colours, atol=1e-5)
    np.testing.assert_allclose(covariance(model.albedo.basis), covariance(given.colour_modes), atol=1e-5)


def test_the_model_of_2009_comes_out_in_millimetres_facing_forward(tmp_path: Path) -> None:
    given = head()
    model = load_model(write_mat(tmp_path / "01_MorphableModel.mat", given))
    check_same_head(model, given)
    check_colours(model, given)
    assert "no redistribution" in model.licence
    assert "shapeEV" in model.source


def test_a_model_in_hdf5_comes_out_the_same(tmp_path: Path) -> None:
    given = head()
    model = load_model(write_h5(tmp_path / "model2019_face12.h5", given))
    check_same_head(model, given)  # and so without the expressions' mean
    check_colours(model, given)
    assert model.landmarks["center.nose.tip"] == given.nose
    assert "of.another.mesh" not in model.landmarks


@pytest.mark.parametrize("kind", ["transposed", "uint16", "float", "clockwise"])
def test_triangles_may_be_stored_in_several_ways(tmp_path: Path, kind: str) -> None:
    given = head()
    stored = {
        "transposed": given.triangles.astype(np.int32),
        "uint16": given.triangles.T.astype(np.uint16),
        "float": given.triangles.T.astype(np.float32),
        "clockwise": given.triangles.T[::-1],
    }[kind]
    check_same_head(load_model(write_h5(tmp_path / "m.h5", given, shape__representer__cells=stored)), given)


def test_the_older_representer_is_read(tmp_path: Path) -> None:
    given, mesh = head(), "shape/representer/reference-mesh"
    path = write_h5(tmp_path / "m.h5", given, shape__representer__cells=None, shape__representer__points=None)
    with h5py.File(path, "a") as file:
        file[f"{mesh}/vertex-coordinates"] = given.vertices
        file[f"{mesh}/triangle-list"] = given.triangles
    model = load_model(path)
    check_same_head(model, given)
    assert model.landmarks["center.nose.tip"] == given.nose


@pytest.mark.parametrize("says_so", [True, False])
def test_version_08_has_its_deviations_in_the_basis(tmp_path: Path, says_so: bool) -> None:
    given = head()
    older: dict[str, Any] = {}
    for group, modes in (("shape", given.modes), ("color", given.colour_modes)):
        columns, deviations = deviations_out(modes)
        older |= {
            f"{group}__model__pcaBasis": columns * deviations,
            f"{group}__version__majorVersion": 0 if says_so else None,
            f"{group}__version__minorVersion": 8 if says_so else None,
        }
    model = load_model(write_h5(tmp_path / "m.h5", given, **older))
    check_same_head(model, given)
    check_colours(model, given)
    assert "0.8" in model.source


def test_the_version_of_a_basis_is_inferred_from_its_columns(tmp_path: Path) -> None:
    given = head()
    nothing = {f"{group}__version__{part}Version": None for group in ("shape", "color") for part in ("major", "minor")}
    check_same_head(load_model(write_h5(tmp_path / "m.h5", given, **nothing)), given)


def test_a_model_without_colours_gets_a_plain_skin(tmp_path: Path) -> None:
    given = head()
    path = write_h5(tmp_path / "m.h5", given)
    with h5py.File(path, "a") as file:
        del file["color"]
    model = load_model(path)
    colours = model.albedos(np.zeros((1, model.albedo_modes), np.float32))[0]
    assert np.ptp(colours, axis=0).max() < 1e-6
    assert (np.diff(colours[0]) < 0).all()  # redder than green, greener than blue


@pytest.mark.parametrize("key", H5_KEYS)
def test_a_missing_dataset_is_named(tmp_path: Path, key: str) -> None:
    path = write_h5(tmp_path / "m.h5", head(), **{key[1:].replace("/", "__"): None})
    with pytest.raises(ModelError, match=rf"expected {key}, which every .* in .*m\.h5, found no such array: download"):
        load_model(path)


@pytest.mark.parametrize("key", ["shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl"])
def test_a_missing_matrix_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(ModelError, match=rf"expected {key}, which every .* in .*m\.mat, found no such array: download"):
        load_model(write_mat(tmp_path / "m.mat", head(), **{key: None}))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("shape__model__pcaVariance", np.ones(3), r"expected 4 variances in .*pcaVariance.*, found 3 numbers"),
        ("shape__model__pcaVariance", np.array([1, 1, -1, 1.0]), r"expected 4 variances .*, found 4 numbers from -1"),
        ("shape__model__pcaBasis", np.ones((480, 4)), r"pcaBasis of shape \(486, any\) in .*, found shape \(480, 4\)"),
        ("shape__model__mean", np.ones(485), r"three numbers per vertex in .*mean in .*, found shape \(485,\)"),
        ("shape__model__mean", np.full(486, np.nan), r"finite numbers in .*mean in .*, found other values"),
        (
            "shape__representer__cells",
            np.full((3, 9), 162),
            r"from 0 to 161 in .*cells in .*, found numbers from 162 to 162",
        ),
        ("shape__representer__cells", np.full((3, 9), 0.5), r"expected whole numbers"),
        ("shape__representer__cells", np.ones((4, 9)), r"expected triangles"),
        ("shape__representer__cells", np.zeros((3, 9)), r"found no triangles to draw"),
        ("color__model__mean", np.ones(480), r"expected 162 rows in /color/model/mean, .*, found 160"),
        ("metadata__landmarks__json", "{", r"expected a list of named points in /metadata/landmarks/json"),
    ],
)
def test_wrong_content_is_named(tmp_path: Path, key: str, value: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        load_model(write_h5(tmp_path / "m.h5", head(), **{key: value}))


def test_another_unit_is_noticed(tmp_path: Path) -> None:
    given = head()
    path = write_h5(tmp_path / "m.h5", given, shape__model__mean=given.vertices.ravel() / 1000)
    with pytest.raises(ModelError, match=r"expected a head of 120 to 800 mm .*, found one 0\.2\d* mm high"):
        load_model(path)


def test_a_huge_array_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.h5", head(), shape__model__pcaBasis=None)
    with h5py.File(path, "a") as file:  # declares 390 GB, stores nothing
        file.create_dataset("/shape/model/pcaBasis", (486, 200_000_000), np.float32, chunks=(486, 1000))
    with pytest.raises(ModelError, match="expected at most 268,435,456 numbers in /shape/model/pcaBasis"):
        load_model(path)


@pytest.mark.parametrize("write", [write_mat, write_h5])
def test_a_truncated_file_is_reported_in_one_sentence(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path / "cut", head())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"cut, .*download") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
