"""The truth of light: visibility agrees with rays and has no stripes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.ndimage import median_filter

from benchmarks.render.rays import reached
from benchmarks.render.visibility import Shown, agreements, people
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, HeadFrame, light_directions

SIZE = 256
SOFT = DEFAULT_SCENE.skin.scatter_red  # light goes around the terminator as far as n.l = -SOFT
LIGHTS = {"azimuth": np.array([-20.0, 25, 0]), "elevation": np.zeros(3), "light_azimuth": np.array([60.0, -60, 75])}


@pytest.fixture(scope="module")
def three(model: MorphableModel) -> Shown:
    return replace(people(model, SIZE, 3, np.random.default_rng(5)), labels=LIGHTS)


def test_visibility_agrees_with_rays_where_surfaces_face_the_light(three: Shown) -> None:
    found = np.array(list(agreements(three, SIZE, 1000, np.random.default_rng(0))))
    assert np.average(found[:, 0], weights=found[:, 1]) > 0.985
    assert found[:, 0].min() > 0.97


def test_skin_that_turns_from_the_light_has_no_stripes(three: Shown) -> None:
    with AtlasRenderer(size=SIZE, channels=1, mesh=three.mesh, head=three.head, scene=three.scene,
                       truth=("normals", "parts", "visibility")) as renderer:  # fmt: skip
        truth = renderer.draw(three.faces, three.labels).truth
    lights = light_directions(LIGHTS["light_azimuth"], three.scene.light.elevation_degrees)
    cosine = np.einsum("nhwc,nc->nhw", truth["normals"].astype(np.float64), lights)
    visible = truth["visibility"].astype(float)
    stripes = np.abs(visible - median_filter(visible, size=(1, 7, 7))) > 20
    skin = np.isin(truth["parts"], (1, 2)) & (cosine < -0.02) & (cosine > -SOFT)
    assert skin.sum() > 5_000
    assert stripes[skin].mean() < 0.1  # edges of shadows


@pytest.mark.parametrize("light_azimuth", [-80.0, 35.0])
@pytest.mark.parametrize("size", [64, SIZE, 400])
def test_all_light_reaches_a_ball_which_has_nothing_but_its_own_shade(size: int, light_azimuth: float) -> None:
    ball = trimesh.creation.icosphere(4, 90.0)
    rest = ball.vertices.astype(np.float32)
    mesh = Mesh(ball.faces.astype(np.int32), rest, np.zeros(len(rest), np.uint8), ("skin",))
    faces = Faces(rest[None], (rest / 90)[None], np.full_like(rest, 0.5)[None])
    labels = {"azimuth": np.zeros(1), "elevation": np.zeros(1), "light_azimuth": np.array([light_azimuth])}
    with AtlasRenderer(size=size, channels=1, mesh=mesh, head=HeadFrame((0.0, 0.0, 0.0), 100.0), scene=DEFAULT_SCENE,
                       truth=("depth", "normals", "visibility")) as renderer:  # fmt: skip
        truth = renderer.draw(faces, labels).truth
    light = light_directions(labels["light_azimuth"], DEFAULT_SCENE.light.elevation_degrees)[0]
    cosine = truth["normals"][0].astype(float) @ light
    whole = (truth["depth"][0] > 0) & (np.abs(cosine) > 0.05)  # at n.l = 0 a flat triangle may face away
    assert (cosine[whole] < 0).sum() > 100
    assert truth["visibility"][0][whole].min() == 255


def test_rays_find_the_shadow_of_a_square_and_its_border() -> None:
    square = np.array([[-1, -1, -900], [1, -1, -900], [1, 1, -900], [-1, 1, -900]], float)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    points = np.array([[0, 0, -906], [0.98, 0.98, -906], [1.02, 0, -906], [0, 0, -899], [6, 0, -906]], float)
    assert reached(points, square, triangles, np.array([0.0, 0, 1])).tolist() == [False, False, True, True, True]
    slanted = np.array([-1.0, 0, 1]) / np.sqrt(2)
    assert reached(points, square, triangles, slanted).tolist() == [True, True, True, True, False]
