"""Lens, distance, light and background of each picture: laws, and the twin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from dcign.errors import RenderError
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.scene import DEFAULT_SCENE, HeadFrame
from dcign.render.draw.views import make_views
from dcign.render.produce.batch_renderer import batch_mesh, head_frame
from tests.support.heads import posed
from tests.support.rasteriser import rasterise

HEAD = HeadFrame((3.0, -5.0, 10.0), 120.0)
SIZE = 64
POSES = np.array([[0, 0, 0], [40, 20, -60], [-60, -23, 80], [15, -10, 30]], np.float32)
LABELS = posed(POSES) | {
    "light_elevation": np.array([-30, 70, 20, 0], np.float32),
    "distance": np.array([600, 900, 1500, 870], np.float32),
    "field_of_view": np.array([30, 20, 12, 40], np.float32),
    "light_to_ambient": np.array([1, 12, 3.8, 0.5], np.float32),
}


def on_screen(points: np.ndarray, labels: dict[str, np.ndarray]) -> np.ndarray:
    """Where points of model space (M, 3) are in the first picture, -1..1 (M, 2)."""
    clip = np.c_[points, np.ones(len(points))] @ make_views(labels, HEAD, DEFAULT_SCENE).seen[0].T
    return clip[:, :2] / clip[:, 3:]


def test_a_head_keeps_its_size_through_any_lens_unless_it_is_at_a_distance() -> None:
    rng = np.random.default_rng(0)
    sphere = rng.standard_normal((4000, 3))
    sphere = np.asarray(HEAD.centre) + HEAD.radius * sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
    pose = posed(POSES[:1])
    reach = {}
    for degrees in (4.0, 20.0, 50.0):
        wide = pose | {"field_of_view": np.array([degrees])}
        reach[degrees] = np.linalg.norm(on_screen(sphere, wide), axis=1).max()
        far = wide | {"distance": np.array([900.0])}
        outline = np.tan(np.arcsin(HEAD.radius / 900)) / np.tan(np.radians(degrees) / 2)
        assert np.linalg.norm(on_screen(sphere, far), axis=1).max() == pytest.approx(outline, rel=0.01)
    np.testing.assert_allclose(list(reach.values()), 0.9, atol=0.01)


def test_a_light_stands_as_high_as_its_elevation_says_and_the_light_from_everywhere_is_its_share() -> None:
    taken = make_views(LABELS, HEAD, DEFAULT_SCENE)
    np.testing.assert_allclose(np.degrees(np.arcsin(taken.lights[:, 1])), LABELS["light_elevation"], atol=1e-4)
    np.testing.assert_allclose(np.degrees(np.arctan2(taken.lights[:, 0], taken.lights[:, 2])), POSES[:, 2], atol=1e-4)
    np.testing.assert_allclose(DEFAULT_SCENE.light.diffuse / taken.ambient, LABELS["light_to_ambient"], rtol=1e-6)


def test_what_is_not_said_is_the_scene_s() -> None:
    usual = {"light_elevation": 20.0, "field_of_view": 20.0, "distance": DEFAULT_SCENE.camera.distance(HEAD.radius),
             "light_to_ambient": DEFAULT_SCENE.light.diffuse / DEFAULT_SCENE.light.ambient}  # fmt: skip
    said = posed(POSES) | {name: np.full(4, value) for name, value in usual.items()}
    one, other = (make_views(labels, HEAD, DEFAULT_SCENE) for labels in (posed(POSES), said))
    for name in ("views", "projections", "lights", "ambient", "distances", "light_spaces"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


class Four:
    """Four people and what is behind them."""

    def __init__(self, model: MorphableModel) -> None:
        rng = np.random.default_rng(1)
        level = model.at_level(2500)
        self.mesh, self.head = batch_mesh(level), head_frame(model)
        positions = level.shapes(rng.standard_normal((4, model.shape_modes), dtype=np.float32))
        normals = VertexNormals(level.triangles, level.vertices)(positions)
        albedos = srgb_to_linear(level.albedos(rng.standard_normal((4, model.albedo_modes), dtype=np.float32)))
        self.faces = Faces(positions, normals, albedos)
        self.behind = rng.integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)

    def renderer(self, channels: int, *, background: bool = True) -> AtlasRenderer:
        return AtlasRenderer(
            size=SIZE, channels=channels, mesh=self.mesh, head=self.head, scene=DEFAULT_SCENE, background=background
        )


@pytest.fixture(scope="module")
def four(model: MorphableModel) -> Four:
    return Four(model)


@pytest.fixture(scope="module")
def colour(four: Four) -> Iterator[AtlasRenderer]:
    with four.renderer(3) as renderer:
        yield renderer


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_with_all_labels_and_backgrounds_equal_the_twin_s(four: Four, channels: int) -> None:
    with four.renderer(channels) as renderer:
        drawn = renderer.draw(four.faces, LABELS, four.behind)
    for person in range(4):
        image, mask = rasterise(
            four.faces.positions[person], four.faces.normals[person], four.faces.albedos[person], four.mesh,
            size=SIZE, channels=channels, labels={name: float(values[person]) for name, values in LABELS.items()},
            head=four.head, scene=DEFAULT_SCENE, background=four.behind[person],
        )  # fmt: skip
        same = drawn.mask[person] == mask
        assert same.mean() > 0.99
        off = np.abs(image.astype(int) - drawn.images[person]).max(axis=-1)
        inside = binary_erosion(same & (mask == 255))
        assert inside.sum() > 0.05 * SIZE**2
        assert (off[inside] > 2).mean() < 0.01
        assert off[same & (mask == 0)].max() <= 1
        assert (off[same & (mask % 255 != 0)] > 2).mean() < 0.1  # edges, where samples' own shadows may differ


def test_a_background_shows_through_as_much_as_the_head_leaves_uncovered(four: Four, colour: AtlasRenderer) -> None:
    black, white = (np.full((4, SIZE, SIZE, 3), level, np.uint8) for level in (0, 255))
    dark, bright = (colour.draw(four.faces, LABELS, behind) for behind in (black, white))
    np.testing.assert_array_equal(dark.mask, bright.mask)
    through = srgb_to_linear(bright.images / 255) - srgb_to_linear(dark.images / 255)
    uncovered = np.broadcast_to(1 - dark.mask[..., None] / 255, through.shape)
    unclipped = bright.images < 255
    assert np.abs(through - uncovered)[unclipped].max() < 0.02
    assert (bright.images[dark.mask == 0] == 255).all()


def test_black_behind_is_as_nothing_behind(four: Four, colour: AtlasRenderer) -> None:
    with four.renderer(3, background=False) as plain:
        nothing = plain.draw(four.faces, posed(POSES)).images
        with pytest.raises(RenderError, match="give both or neither"):
            plain.draw(four.faces, posed(POSES), four.behind)
    black = colour.draw(four.faces, posed(POSES), np.zeros_like(four.behind)).images
    np.testing.assert_array_equal(nothing, black)


def test_a_gray_picture_s_background_is_the_luminance_of_the_colour(four: Four) -> None:
    with four.renderer(1) as renderer:
        drawn = renderer.draw(four.faces, LABELS, four.behind)
    wanted = 255 * linear_to_srgb(srgb_to_linear(four.behind / 255) @ np.array([0.21, 0.72, 0.07]))
    outside = drawn.mask == 0
    assert np.abs(drawn.images[..., 0] - wanted)[outside].max() < 1
