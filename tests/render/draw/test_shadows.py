"""Shadows fall where geometry says, and nowhere else."""

from __future__ import annotations

from dataclasses import asdict, replace

import msgspec
import numpy as np
import pytest
import trimesh

from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces, Pictures
from dcign.render.draw.mesh import Mesh, shadow_triangles
from dcign.render.draw.scene import DEFAULT_SCENE, GLOSS, Gloss, HeadFrame, Scene, light_directions
from dcign.render.produce.batch_renderer import batch_mesh
from tests.support.heads import one_pose, posed
from tests.support.rasteriser import rasterise

HEAD = HeadFrame((0.0, 0.0, 0.0), 100.0)
MATT = replace(DEFAULT_SCENE, gloss=(Gloss("skin", 0.0, 0.0),))
DARK = replace(MATT, light=replace(MATT.light, shadows=False))
BALL = 20.0  # mm, its radius


def mesh_from(solid: trimesh.Trimesh) -> Mesh:
    vertices = solid.vertices.astype(np.float32)
    return Mesh(solid.faces.astype(np.int32), vertices, np.zeros(len(vertices), np.uint8), ("skin",))


def ball_over_slab(height: float = 45.0) -> Mesh:
    """A slab that faces the camera, front at z = 0, finely divided, and a ball with its centre `height` mm before."""
    slab = trimesh.creation.box((180, 180, 20))
    for _ in range(5):
        slab = slab.subdivide()
    slab.apply_translation((0, 0, -10))
    ball = trimesh.creation.icosphere(3, BALL)
    ball.apply_translation((0, 0, height))
    return mesh_from(trimesh.util.concatenate([slab, ball]))


def drawn(mesh: Mesh, scene: Scene, light_azimuth: float, size: int = 150, azimuth: float = 0.0) -> Pictures:
    rest = mesh.rest[None]
    faces = Faces(rest, VertexNormals(mesh.triangles, mesh.vertices)(rest), np.full_like(rest, 0.5))
    with AtlasRenderer(size=size, channels=1, mesh=mesh, head=HEAD, scene=scene) as renderer:
        return renderer.draw(faces, posed(np.array([[azimuth, 0.0, light_azimuth]])))


def on_plane(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the rays of a picture's pixels meet the plane z = 0, mm: x and y (size, size)."""
    half = DEFAULT_SCENE.camera.distance(HEAD.radius) * np.tan(
        np.radians(DEFAULT_SCENE.camera.field_of_view_degrees / 2)
    )
    across = (2 * np.arange(size) + 1 - size) / size * half
    x, y = np.meshgrid(across, -across)
    return x, y


@pytest.mark.parametrize(("light_azimuth", "height"), [(-50.0, 45.0), (0.0, 45.0), (35.0, 45.0), (-55.0, 24.0)])
def test_a_ball_casts_the_ellipse_that_geometry_says(light_azimuth: float, height: float) -> None:
    size = 150
    mesh = ball_over_slab(height)
    lit, unlit = (drawn(mesh, scene, light_azimuth, size).images[0, ..., 0].astype(int) for scene in (DARK, MATT))
    # Where each pixel's ray meets the slab's front, and how far from there towards the light the ball's centre passes.
    distance = DEFAULT_SCENE.camera.distance(HEAD.radius)
    x, y = on_plane(size)
    light = light_directions(np.array([light_azimuth]), MATT.light.elevation_degrees)[0].astype(float)
    to_ball = np.array([0, 0, height]) - np.stack([x, y, 0 * x], axis=-1)
    passes = np.linalg.norm(np.cross(to_ball, light), axis=-1)
    on_slab = (np.abs(x) < 80) & (np.abs(y) < 80)
    ray = np.stack([x, y, np.full_like(x, -distance)], axis=-1)
    seen_past = np.linalg.norm(np.cross(ray, [0, 0, height - distance]), axis=-1) / np.linalg.norm(ray, axis=-1)
    on_slab &= seen_past > BALL + 3
    inside, outside = on_slab & (passes < BALL - 5), on_slab & (passes > BALL + 5)
    assert inside.sum() > 50
    assert (lit - unlit)[inside].min() > 20
    assert np.abs(lit - unlit)[outside].max() <= 1


@pytest.mark.parametrize("light_azimuth", [-80.0, -40.0, 0.0, 65.0])
@pytest.mark.parametrize("size", [64, 150, 400])
def test_a_ball_does_not_shade_itself(size: int, light_azimuth: float) -> None:
    radius = 90.0
    ball = mesh_from(trimesh.creation.icosphere(4, radius))
    shaded, free = (drawn(ball, scene, light_azimuth, size).images[0, ..., 0].astype(int) for scene in (MATT, DARK))
    x, y = on_plane(size)
    distance = DEFAULT_SCENE.camera.distance(HEAD.radius)
    ray = np.stack([x, y, np.full_like(x, -distance)], axis=-1) / np.sqrt(x**2 + y**2 + distance**2)[..., None]
    ahead = -distance * ray[..., 2]
    depth = ahead - np.sqrt(np.maximum(ahead**2 - distance**2 + radius**2, 0))
    normal = (np.array([0, 0, distance]) + depth[..., None] * ray) / radius
    cosine = normal @ light_directions(np.array([light_azimuth]), MATT.light.elevation_degrees)[0].astype(float)
    off = np.abs(shaded - free)
    assert off[cosine > 0.12].max() <= 1
    assert off.max() <= 6  # at the terminator, where light grazes
    assert (off > 1).mean() < 0.01


def test_a_large_picture_s_shadow_has_a_soft_edge() -> None:
    edge = drawn(ball_over_slab(), MATT, -40.0, 400).images[0, 230:246, 270:340, 0].astype(int)  # the shadow's, right
    depth = edge[:, -1] - edge[:, 0]
    assert depth.min() > 40
    assert (np.diff(edge, axis=1).max(axis=1) / depth).max() < 0.5


def test_the_shadow_turns_with_the_light_and_not_with_the_head() -> None:
    lathe = ball_over_slab()
    straight = drawn(lathe, MATT, -40.0).images[0, ..., 0].astype(int)
    mirrored = drawn(lathe, MATT, 40.0).images[0, :, ::-1, 0].astype(int)
    assert (np.abs(straight - mirrored) > 12).mean() < 0.01
    assert (np.abs(straight - mirrored[:, ::-1]) > 12).mean() > 0.02


def test_a_face_is_never_brighter_for_its_shadows_and_somewhere_darker(model: MorphableModel) -> None:
    level = model.at_level(2500)
    rest = level.mean[None]
    faces = Faces(rest, VertexNormals(level.triangles, level.vertices)(rest), np.full_like(rest, 0.4))
    poses = np.array([[0, 0, -60], [-40, 10, 70], [60, -15, 0]], np.float32)
    pictures = []
    for shadows in (True, False):
        scene = replace(DEFAULT_SCENE, light=replace(DEFAULT_SCENE.light, shadows=shadows))
        with AtlasRenderer(size=96, channels=1, mesh=batch_mesh(level), head=HEAD, scene=scene) as renderer:
            pictures.append(renderer.draw(faces, posed(poses)).images.astype(int))
    assert (pictures[0] - pictures[1]).max() <= 1
    assert (pictures[1] - pictures[0]).max() > 30


@pytest.mark.parametrize("size", [64, 264])
def test_the_twin_knows_shadows_too(size: int) -> None:
    mesh = ball_over_slab()
    normals = VertexNormals(mesh.triangles, mesh.vertices)(mesh.rest[None])[0]
    image, _ = rasterise(mesh.rest, normals, np.full_like(mesh.rest, 0.5), mesh, size=size, channels=1,
                         labels=one_pose((0.0, 0.0, 35.0)), head=HEAD, scene=MATT)  # fmt: skip
    other = drawn(mesh, MATT, 35.0, size).images[0].astype(int)
    assert (np.abs(image - other) > 2).mean() < 0.01


def test_the_softened_light_is_neither_more_nor_less_than_lambert_s() -> None:
    cosine = np.linspace(-1, 1, 100_001)
    for k in (DEFAULT_SCENE.skin.scatter_red, DEFAULT_SCENE.skin.scatter_green_blue):
        soft = np.clip(cosine + k, 0, 2 * k) ** 2 / (4 * k) + np.maximum(cosine - k, 0)
        assert soft[-1] == pytest.approx(1.0)
        assert soft[0] == 0.0
        # Over a sphere: Lambert's light is 1/2, what goes around the terminator k^2 / 6 on top of it.
        assert np.trapezoid(soft, cosine) == pytest.approx(0.5 + k**2 / 6, abs=1e-6)
        assert k**2 / 6 < 0.05 * 0.5


def test_a_closed_mesh_casts_its_shadow_with_a_closed_mesh_of_a_third_of_the_triangles_at_most(
    model: MorphableModel,
) -> None:
    level = model.at_level(5000).without_hair()
    triangles = shadow_triangles(batch_mesh(level))
    assert 0.15 * len(level.triangles) < len(triangles) < len(level.triangles) / 3
    edges = np.concatenate([triangles[:, pair] for pair in ((0, 1), (1, 2), (2, 0))])
    forth = {tuple(edge) for edge in edges.tolist()}
    assert sum((b, a) not in forth for a, b in forth) == 0


def test_a_scene_survives_its_dictionary() -> None:
    scene = replace(DEFAULT_SCENE, gloss=GLOSS[:3], light=replace(DEFAULT_SCENE.light, shadows=False, fill=0.4))
    assert msgspec.convert(asdict(scene), Scene) == scene


def test_a_table_of_gloss_without_rows_is_refused(model: MorphableModel) -> None:
    with pytest.raises(RenderError, match="expected 1 to 16 rows of gloss, found 0"):
        AtlasRenderer(size=32, channels=1, mesh=batch_mesh(model.at_level(2500)), head=HEAD,
                      scene=replace(DEFAULT_SCENE, gloss=()))  # fmt: skip
