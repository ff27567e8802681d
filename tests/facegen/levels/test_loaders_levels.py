"""Coarser levels of models read from files: a subset of their vertices on the same surface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.morphable import MorphableModel
from tests.support.heads import head
from tests.support.model_files import write_h5

LANDMARK = "center.nose.tip"


@pytest.fixture
def fine(tmp_path: Path, own_cache: Path) -> MorphableModel:
    """A head of 10,242 vertices."""
    return load_model(write_h5(tmp_path / "fine.h5", head(subdivisions=5)))


def test_a_fine_mesh_gets_levels_for_small_pictures(fine: MorphableModel) -> None:
    assert [len(level.vertices) for level in fine.levels] == pytest.approx([5000, 2500], rel=0.02)
    for level in fine.levels:
        np.testing.assert_array_equal(np.unique(level.vertices), np.sort(level.vertices))


def test_a_coarse_mesh_gets_none(tmp_path: Path, own_cache: Path) -> None:
    assert load_model(write_h5(tmp_path / "coarse.h5", head())).levels == ()


def test_a_level_is_a_closed_surface_that_faces_outward(fine: MorphableModel) -> None:
    for count in (5000, 2500):
        level = fine.at_level(count)
        corners = level.mean[level.triangles].astype(np.float64)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert (np.einsum("tc,tc->t", normals, corners.mean(1)) > 0).mean() > 0.997
        assert trimesh.Trimesh(level.mean, level.triangles, process=False).is_watertight


def test_a_level_lies_on_the_surface(fine: MorphableModel) -> None:
    whole = trimesh.Trimesh(fine.mean, fine.triangles, process=False)
    for count in (5000, 2500):
        level = fine.at_level(count)
        volume = trimesh.Trimesh(level.mean, level.triangles, process=False).volume
        assert volume == pytest.approx(whole.volume, rel=0.005)


def test_levels_share_people_and_landmarks(fine: MorphableModel) -> None:
    person = np.random.default_rng(0).standard_normal((1, fine.shape_modes)).astype(np.float32)
    for count, level in zip((5000, 2500), fine.levels, strict=True):
        coarse = fine.at_level(count)
        np.testing.assert_allclose(coarse.shapes(person)[0], fine.shapes(person)[0][level.vertices], atol=1e-4)
        assert coarse.mean[coarse.landmarks[LANDMARK]].tolist() == fine.mean[fine.landmarks[LANDMARK]].tolist()


def test_landmarks_are_kept_where_edges_collapse(tmp_path: Path, own_cache: Path, fine: MorphableModel) -> None:
    from dcign.facegen.levels.decimation import coarser_levels

    rng = np.random.default_rng(0)
    landmarks = {str(place): int(place) for place in rng.choice(fine.vertices, 40, replace=False)}
    for level in coarser_levels(fine.mean, fine.triangles, landmarks):
        assert len(set(level.vertices.tolist()) & set(landmarks.values())) >= 38  # two may fall together
