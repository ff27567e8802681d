"""Size and axes: each published format has one of each; other ones are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.loaders.proportions import check_proportions
from dcign.facegen.model.morphable import MorphableModel
from tests.support.heads import head
from tests.support.model_files import flame, write_h5

pytestmark = pytest.mark.usefixtures("own_cache")

X, Y, Z = np.eye(3)


def check(model: MorphableModel, turn: Any = (X, Y, Z), scale: float = 1.0, modes: float = 1.0) -> None:
    """Check the mean head after a turn, whose rows (3, 3) are the new axes, in a file whose unit is a centimetre."""
    turn = np.array(turn)
    landmarks = {name: vertex for name, vertex in model.landmarks.items() if name.startswith("pupil")}
    mean = (scale * model.mean @ turn.T).astype(np.float32)
    basis = (scale * modes * np.einsum("ij,vjk->vik", turn, model.shape_basis)).astype(np.float32)
    check_proportions(mean, basis, 10.0, landmarks, "head.obj")


@pytest.fixture(scope="module")
def bare(model: MorphableModel) -> MorphableModel:
    return model.without_hair()


def test_our_own_head_and_its_people_are_faces(bare: MorphableModel) -> None:
    check(bare)
    rng = np.random.default_rng(0)
    for _ in range(3):
        person = bare.shapes(rng.standard_normal((1, bare.shape_modes)).astype(np.float32))[0]
        check_proportions(person, bare.shape_basis, 1.0, {}, "person")


def test_a_face_without_forehead_and_ears_is_a_face(bare: MorphableModel) -> None:
    _, y, z = bare.mean.T
    mask = (z > 20) & (y > -116) & (y < 40)
    check_proportions(bare.mean[mask], bare.shape_basis[mask], 1.0, {}, "mask")


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ((X, -Z, Y), "found +z up and -y out of the nose"),  # z-up
        ((X, Z, -Y), "found -z up and +y out of the nose"),
        ((-X, Y, -Z), "found +y up and -z out of the nose"),
        ((X, Y, -Z), "found +y up and -z out of the nose"),  # left-handed
        ((X, -Y, Z), "found -y up and +z out of the nose"),  # as in images
        ((-X, -Y, Z), "found -y up and +z out of the nose"),
        ((Z, Y, -X), "found +y up and +x out of the nose"),
        ((Y, Z, X), "found +x up and +y out of the nose"),
        ((-X, Y, Z), "expected the left eye at +x in head.obj, found it at -x"),
    ],
)
def test_other_axes_are_named(bare: MorphableModel, turn: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        check(bare, turn)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (1.7, "found one 1.8 times as large as usual: give the file"),
        (1 / 1.7, "found one 0.62 times as large as usual: give the file"),
        (2.2, "found one 2.3 times as large as usual: give the file"),
        (1 / 2.54, "times as large as usual: the unit seems to be the inch; give"),  # inches, read as centimetres
        (10, "expected a head of 120 to 800 mm in head.obj"),
        (0.1, "expected a head of 120 to 800 mm in head.obj"),
        (1.22, "expected pupils 54 to 72 mm apart in head.obj, found 76"),
    ],
)
def test_another_size_is_named(bare: MorphableModel, scale: float, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        check(bare, scale=scale)
    assert said in str(caught.value)


@pytest.mark.parametrize(("modes", "found"), [(1000, "5,888"), (10, "59"), (0.1, "0.59"), (0.001, "0.0059")])
def test_modes_in_another_unit_than_the_mean_are_named(bare: MorphableModel, modes: float, found: str) -> None:
    with pytest.raises(ModelError, match=f"expected modes that move vertices by 1 to 25 mm .*, found {found} mm"):
        check(bare, modes=modes)


def test_another_shape_is_no_face() -> None:
    given = head(subdivisions=4)
    flat = (given.vertices * (0.7, 1, 0.1)).astype(np.float32)  # about a hand
    with pytest.raises(ModelError, match=r"expected a face|times as large as usual"):
        check_proportions(flat, given.modes.astype(np.float32), 1.0, {}, "hand")


@pytest.mark.parametrize("factor", [1.7, 1 / 1.7, 1 / 2.54])
def test_loaders_refuse_another_size(tmp_path: Path, factor: float) -> None:
    given, large = head(), flame(head())
    np.savez(tmp_path / "large.npz", **large | {key: large[key] * factor for key in ("v_template", "shapedirs")})
    write_h5(tmp_path / "large.h5", given, shape__model__mean=(given.vertices * factor).ravel())
    for path in (tmp_path / "large.npz", tmp_path / "large.h5"):
        with pytest.raises(ModelError, match=rf"{path.name}, read as .*, found one .*(as large as usual|mm high)"):
            load_model(path)


@pytest.mark.parametrize("factor", [1000, 1e-3])
def test_loaders_refuse_a_basis_in_another_unit(tmp_path: Path, factor: float) -> None:
    arrays = flame(head())
    np.savez(tmp_path / "basis.npz", **arrays | {"shapedirs": arrays["shapedirs"] * factor})
    with pytest.raises(
        ModelError, match=r"basis\.npz, read as FLAME, found .* mm: mean and modes have different units"
    ):
        load_model(tmp_path / "basis.npz")
