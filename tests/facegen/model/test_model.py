"""Laws that every morphable model obeys, checked on the procedural one; and its cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dcign.errors import ModelError
from dcign.facegen.build import build_model, cache_path, procedural_model
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.levels.levels import HEADS
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.shape.prior import centroid_size_slope


@pytest.fixture(scope="module")
def head(model: MorphableModel) -> MorphableModel:
    return model.without_hair()


@pytest.fixture(scope="module")
def every_level(head: MorphableModel) -> list[MorphableModel]:
    return [head.at_level(vertices) for vertices in (13_500, 5_000, 2_500)]


def coefficients(model: MorphableModel, people: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((people, model.shape_modes)), rng.standard_normal((people, model.albedo_modes))


def test_every_level_is_closed_and_has_no_handles(every_level: list[MorphableModel]) -> None:
    for level in every_level:
        mesh = trimesh.Trimesh(level.mean, level.triangles, process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.euler_number == 2
        assert mesh.volume > 0  # outward


def test_hair_is_a_second_closed_surface_at_every_level(model: MorphableModel) -> None:
    for vertices in (13_500, 5_000, 2_500):
        level = model.at_level(vertices)
        mesh = trimesh.Trimesh(level.mean, level.triangles, process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.body_count == 2
        assert mesh.euler_number == 4


def test_levels_have_about_the_promised_size(every_level: list[MorphableModel]) -> None:
    counts = [level.vertices for level in every_level]
    assert counts == pytest.approx([13_000, *HEADS], rel=0.03)


def test_the_mean_face_is_its_own_mirror_image(every_level: list[MorphableModel]) -> None:
    for level in every_level:
        np.testing.assert_allclose(level.mean[level.mirror], level.mean * (-1, 1, 1), atol=1e-4)
        np.testing.assert_array_equal(level.mirror[level.mirror], np.arange(level.vertices))


def test_triangles_are_mirrored_too(every_level: list[MorphableModel]) -> None:
    for level in every_level:
        there = {tuple(sorted(triangle)) for triangle in level.triangles.tolist()}
        back = {tuple(sorted(triangle)) for triangle in level.mirror[level.triangles].tolist()}
        assert there == back


def test_the_same_coefficients_give_the_same_face_on_every_level(model: MorphableModel) -> None:
    shape, albedo = coefficients(model, 3)
    for level, count in zip(model.levels, HEADS, strict=True):
        coarse = model.at_level(count)
        away = np.linalg.norm(coarse.shapes(shape) - model.shapes(shape)[:, level.vertices], axis=2)
        assert away.max() < 2.0
        assert away.mean() < 0.1
        assert np.abs(coarse.albedos(albedo) - model.albedos(albedo)[:, level.vertices]).mean() < 0.01


def test_a_level_lies_on_both_sides_of_the_finest_surface(head: MorphableModel) -> None:
    """Triangles between points of a skull lie inside it: a level of such triangles would be smaller than the skull."""
    for level in head.levels:
        chords = trimesh.Trimesh(head.mean[level.vertices], level.triangles, process=False).volume
        coarse = head.at_level(len(level.vertices))
        fitted, whole = (trimesh.Trimesh(m.mean, m.triangles, process=False).volume for m in (coarse, head))
        assert chords < whole
        assert abs(fitted - whole) < 0.3 * (whole - chords)


def test_landmarks_are_kept_by_every_level(model: MorphableModel, every_level: list[MorphableModel]) -> None:
    for level in every_level:
        assert set(level.landmarks) == set(model.landmarks)
        for name, vertex in level.landmarks.items():
            np.testing.assert_array_equal(level.mean[vertex], model.mean[model.landmarks[name]])


def test_zero_weights_leave_the_mean_face_untouched(head: MorphableModel) -> None:
    np.testing.assert_array_equal(head.shapes(np.zeros((1, head.shape_modes)))[0], head.mean)


def test_the_variance_of_faces_is_the_sum_over_independent_modes(model: MorphableModel) -> None:
    shape, _ = coefficients(model, 3000)
    coarse = model.at_level(2_500)
    sampled = coarse.shapes(shape).var(0).sum()
    assert sampled == pytest.approx((coarse.shape_basis.astype(np.float64) ** 2).sum(), rel=0.05)


def test_without_the_size_mode_every_head_is_equally_large(head: MorphableModel) -> None:
    shape, _ = coefficients(head, 200)
    mean = head.mean.astype(np.float64)
    slope = centroid_size_slope(mean)

    def sizes(weights: np.ndarray) -> np.ndarray:
        return ((head.shapes(weights) - mean) * slope).sum((1, 2)) / (mean * slope).sum()

    with_size = sizes(shape)
    shape[:, head.size_mode] = 0
    assert with_size.std() > 0.015
    assert sizes(shape).std() < 0.0005


def test_no_face_folds_over_itself_in_front(head: MorphableModel) -> None:
    coarse = head.at_level(5_000)
    corners = coarse.mean[coarse.triangles]
    upright = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    fine = {"sclera", "iris", "lip", "nostril", "ear"}
    open_skin = ~np.isin(coarse.parts, [coarse.part_names.index(name) for name in fine])
    checked = open_skin[coarse.triangles].all(1) & (corners[..., 2].min(1) > 60)
    moved = coarse.shapes(coefficients(head, 50)[0])[:, coarse.triangles]
    normals = np.cross(moved[:, :, 1] - moved[:, :, 0], moved[:, :, 2] - moved[:, :, 0])
    folded = (((normals * upright).sum(2) <= 0) & checked).sum(1)
    # A few may: nothing in the prior forbids it, and a level has long ones below the brow.
    assert folded.max() <= 0.004 * checked.sum()
    assert folded.mean() <= 0.0003 * checked.sum()


def test_no_mode_alone_folds_a_face_at_two_and_a_half_deviations(head: MorphableModel) -> None:
    coarse = head.at_level(5_000)
    alone = 2.5 * np.concatenate([np.eye(coarse.shape_modes), -np.eye(coarse.shape_modes)])
    folded = (_upward(coarse.shapes(alone), coarse.triangles) * _upward(coarse.mean[None], coarse.triangles)).sum(
        2
    ) <= 0
    assert folded.sum(1).max() <= 2  # of 10,000 triangles, lids, lips, nostrils and ears included


def _upward(shapes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Normals (N, T, 3) of triangles, not of unit length."""
    corners = shapes[:, triangles]
    return np.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])


def test_hair_raises_the_camera_a_little_so_that_none_is_cut_off(model: MorphableModel, head: MorphableModel) -> None:
    (with_hair, wider), (without, radius) = head_sphere(model), head_sphere(head)
    assert with_hair[1] > without[1] + 5
    assert radius + 5 < wider < radius + 25
    np.testing.assert_array_equal(with_hair[[0, 2]], without[[0, 2]])  # heads turn about the same line
    worn = model.mean[model.hair.first :] + model.hair.offsets[1:]
    highest = np.array([cut[np.argmax(cut[:, 1])] for cut in worn])
    assert (np.linalg.norm(highest - with_hair, axis=1) <= wider + 1e-3).all()


def test_the_head_fits_its_sphere_and_the_neck_leaves_it(head: MorphableModel) -> None:
    centre, radius = head_sphere(head)
    away = np.linalg.norm(head.mean - centre, axis=1)
    skull = head.mean[:, 1] > 0
    assert (away[skull] <= radius + 1e-2).all()
    assert head.mean[:, 1].min() < -200
    assert 110 < radius < 140


def test_saving_and_loading_loses_nothing(model: MorphableModel, tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(model_bytes(model))
    loaded = read_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.shape_basis, model.shape_basis)
    np.testing.assert_array_equal(loaded.mean, model.mean)
    assert loaded.landmarks == model.landmarks
    assert model_bytes(loaded) == model_bytes(model)


@pytest.mark.parametrize(("content", "said"), [(b"", "cannot be read"), (b"PK not a zip", "cannot be read")])
def test_a_file_that_is_no_model_is_refused_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        read_model(path)


def test_coefficients_of_another_model_are_refused(model: MorphableModel) -> None:
    with pytest.raises(ModelError, match=r"expected coefficients of shape \(N, 80\)"):
        model.shapes(np.zeros((1, 79)))


def test_a_model_without_landmarks_counts_as_all_head(model: MorphableModel) -> None:
    _, radius = head_sphere(replace(model, landmarks={}))
    assert radius > head_sphere(model)[1]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: MorphableModel) -> Path:
    monkeypatch.setenv("DCIGN_CACHE", str(tmp_path))
    monkeypatch.setattr("dcign.facegen.build.build_model", lambda progress: model)
    return tmp_path


def test_a_damaged_cache_is_built_again(own_cache: Path, model: MorphableModel) -> None:
    procedural_model()
    whole = cache_path().read_bytes()
    cache_path().write_bytes(whole[: len(whole) // 2])
    procedural_model()
    assert cache_path().read_bytes() == whole
    assert list(own_cache.iterdir()) == [cache_path()]  # no temporary file is left


def test_a_whole_cache_is_not_built_again(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    procedural_model()
    monkeypatch.setattr("dcign.facegen.build.build_model", lambda progress: pytest.fail("built twice"))
    procedural_model()


def test_a_cache_that_cannot_be_written_names_the_environment_variable(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_cache / "file").write_text("in the way")
    monkeypatch.setenv("DCIGN_CACHE", str(own_cache / "file"))
    with pytest.raises(ModelError, match="set DCIGN_CACHE"):
        procedural_model()


def test_two_builds_give_the_same_bytes_and_report_their_progress(model: MorphableModel, tmp_path: Path) -> None:
    fractions: list[float] = []
    again = build_model(lambda stage, fraction: fractions.append(fraction))
    assert model_bytes(again) == model_bytes(model)
    (tmp_path / "model.npz").write_bytes(model_bytes(again))
    assert list(read_model(tmp_path / "model.npz").landmarks) == list(again.landmarks)  # rows of truth/landmarks
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
