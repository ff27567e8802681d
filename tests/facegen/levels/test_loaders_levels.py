"""Coarser levels of models read from files: a subset of their vertices on the same surface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from dcign.facegen.levels.decimation import coarser_levels
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.albedo import LinearAlbedo
from dcign.facegen.model.morphable import MorphableModel
from tests.support.heads import head
from tests.support.model_files import write_h5

LANDMARK = "center.nose.tip"


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> MorphableModel:
    """A head of 10,242 vertices."""
    folder = tmp_path_factory.mktemp("fine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DCIGN_CACHE", str(folder / "cache"))
        return load_model(write_h5(folder / "fine.h5", head(subdivisions=5)))


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


def test_all_landmarks_stay_even_where_they_are_neighbours(fine: MorphableModel) -> None:
    rng = np.random.default_rng(0)
    apart = rng.choice(fine.vertices, 40, replace=False)
    together = fine.triangles[rng.choice(len(fine.triangles), 10, replace=False)].ravel()
    landmarks = {str(vertex): int(vertex) for vertex in {*apart.tolist(), *together.tolist()}}
    marked = replace(fine, landmarks=landmarks)
    marked = replace(marked, levels=coarser_levels(marked))
    assert len(marked.levels) == 2
    for level in marked.levels:
        assert marked.at_level(len(level.vertices)).landmarks.keys() == landmarks.keys()


def test_a_spot_of_colour_stays_at_every_level(fine: MorphableModel) -> None:
    assert isinstance(fine.albedo, LinearAlbedo)
    dark = np.linalg.norm(fine.mean - fine.mean[fine.landmarks[LANDMARK]], axis=1) < 7
    plain = np.where(dark[:, None], 0.1, 0.8).astype(np.float32).repeat(3, 1)
    spotted = replace(fine, albedo=replace(fine.albedo, mean=plain, basis=np.zeros_like(fine.albedo.basis)))
    spotted = replace(spotted, levels=coarser_levels(spotted))
    area = _dark_area(spotted)
    for count in (5000, 2500):
        assert _dark_area(spotted.at_level(count)) == pytest.approx(area, rel=0.1)


def _dark_area(model: MorphableModel) -> float:
    """Return the area of the mean, mm^2, weighted by how dark its triangles are."""
    corners = model.mean[model.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    albedo = model.albedos(np.zeros((1, model.albedo_modes), np.float32))[0]
    return float(areas @ (0.8 - albedo[model.triangles].mean((1, 2))))


def test_the_border_of_an_open_mesh_stays_a_border(fine: MorphableModel) -> None:
    in_front = (fine.mean[fine.triangles][..., 2] > -40).all(1)
    face = replace(fine, triangles=fine.triangles[in_front], landmarks={})
    border = trimesh.Trimesh(face.mean, face.triangles, process=False)
    for level in coarser_levels(face):
        coarse = trimesh.Trimesh(face.mean[level.vertices], level.triangles, process=False)
        assert _border_length(coarse) == pytest.approx(_border_length(border), rel=0.1)  # less ragged


def _border_length(mesh: trimesh.Trimesh) -> float:
    once = trimesh.grouping.group_rows(mesh.edges_sorted, require_count=1)
    ends = mesh.vertices[mesh.edges_sorted[once]]
    return float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum())
