"""The poses of a shard send points of the model to the pixels that show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcign.data.dataset.reader import FaceDataset
from dcign.data.shard.pose import poses
from dcign.data.shard.reader import Shard
from dcign.errors import DataError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.draw.scene import HeadFrame, view_matrices
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range
from tests.support.data_sets import draw

pytestmark = pytest.mark.usefixtures("drawn_here")

SMALL = RenderConfiguration(Splits(train=4, test=4, iid=1, sweep_levels=(1, 1, 1)), size=32, truth=("landmarks",))
LENSES = {
    "default": SMALL,
    "field of view": replace(SMALL, field_of_view=Range(8.0, 45.0)),
    "distance": replace(SMALL, distance=Range(750.0, 1300.0)),
    "fixed distance": replace(
        SMALL,
        field_of_view=Range(8.0, 45.0),
        scene=replace(SMALL.scene, camera=replace(SMALL.scene.camera, distance_mm=900.0)),
    ),
}


@pytest.mark.parametrize("lens", LENSES)
def test_projected_points_of_the_model_are_the_landmarks_of_the_pictures(
    lens: str, model: MorphableModel, tmp_path: Path
) -> None:
    """Right: x, y and depth of truth/landmarks, which the renderer's own matrices gave."""
    draw(tmp_path / "faces", model, LENSES[lens])
    people = model.at_level(SMALL.level_of_detail)
    for shard in FaceDataset(tmp_path / "faces").shards("iid"):
        batch, names = shard.batch(0), shard.header.truth_names["landmarks"]
        assert batch.identity_shape is not None
        assert batch.identity_attributes is not None
        positions = people.shapes(batch.identity_shape, batch.identity_attributes)
        points = positions[:, [people.landmarks[name] for name in names]].astype(np.float64)  # (20, L, 3)
        pose, lens_matrix = shard.poses[0], shard.intrinsics[0]
        seen = np.einsum("nij,nlj->nli", pose[:, :3, :3], points) + pose[:, None, :3, 3]
        projected = np.einsum("nij,nlj->nli", lens_matrix, seen)
        depth = projected[..., 2]
        truth = batch.truth["landmarks"]
        np.testing.assert_allclose(projected[..., 0] / depth, truth[..., 0], atol=0.02)
        np.testing.assert_allclose(projected[..., 1] / depth, truth[..., 1], atol=0.02)
        np.testing.assert_allclose(depth, truth[..., 2], atol=0.1)


def test_poses_are_the_renderer_s_views(small_faces: Path) -> None:
    with Shard(small_faces / "iid" / "shard-00000.h5") as shard:
        camera, labels = shard.header.camera, shard.labels
        head = HeadFrame(tuple(camera["centre"]), camera["radius"])
        for row, found in enumerate(shard.poses):
            wanted = view_matrices(labels["azimuth"][row], labels["elevation"][row], head, camera["distance"])
            np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_signs_of_the_rotations_are_the_documented_ones(small_faces: Path) -> None:
    """Azimuth turns the nose (+z) to the right of the picture, elevation raises the camera: it sees more of the top."""
    with Shard(small_faces / "iid" / "shard-00000.h5") as shard:
        header = replace(shard.header, camera={**shard.header.camera, "centre": [0.0, 0.0, 0.0]})
    turned, raised = np.zeros((2, 1, 20), np.float32)
    turned[:], raised[:] = 90, 0
    pose = poses(header, {"azimuth": turned, "elevation": raised})[0, 0]
    np.testing.assert_allclose(pose[:3, :3] @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    pose = poses(header, {"azimuth": raised, "elevation": turned})[0, 0]
    np.testing.assert_allclose(pose[:3, :3] @ [0, 1, 0], [0, 0, 1], atol=1e-12)


def test_without_a_camera_or_an_angle_there_are_no_poses(small_faces: Path) -> None:
    with Shard(small_faces / "iid" / "shard-00000.h5") as shard:
        header, labels = shard.header, shard.labels
    with pytest.raises(DataError, match="expected a camera with centre, radius and distance"):
        poses(replace(header, camera={}), labels)
    with pytest.raises(DataError, match="expected a label azimuth for poses, found elevation"):
        poses(header, {"elevation": labels["elevation"]})
