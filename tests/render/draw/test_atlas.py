"""The batch renderer against its slow twins, and its own laws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from benchmarks.render.stock_pyrender import StockScene, stock_renderer
from dcign.data.schema import GRAY_WEIGHTS
from dcign.errors import RenderError
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.scene import DEFAULT_SCENE
from dcign.render.produce.batch_renderer import batch_mesh, head_frame
from tests.support.heads import one_pose, posed
from tests.support.rasteriser import rasterise

POSES = np.array([[0, 0, 0], [40, 20, -60], [-86, -23, 80], [15, -10, 30]], np.float32)


class People:
    """Four people on the coarsest level."""

    def __init__(self, model: MorphableModel) -> None:
        rng = np.random.default_rng(1)
        self.level = model.at_level(2500)
        self.mesh, self.head = batch_mesh(self.level), head_frame(model)
        shape = rng.standard_normal((4, model.shape_modes), dtype=np.float32)
        shape[:, model.size_mode] = 0
        positions = self.level.shapes(shape)
        normals = VertexNormals(self.level.triangles, self.level.vertices)(positions)
        albedos = srgb_to_linear(self.level.albedos(rng.standard_normal((4, model.albedo_modes), dtype=np.float32)))
        self.faces = Faces(positions, normals, albedos)

    def one(self, person: int) -> Faces:
        each = slice(person, person + 1)
        return Faces(self.faces.positions[each], self.faces.normals[each], self.faces.albedos[each])

    def renderer(self, size: int, channels: int) -> AtlasRenderer:
        return AtlasRenderer(size=size, channels=channels, mesh=self.mesh, head=self.head, scene=DEFAULT_SCENE)


@pytest.fixture(scope="module")
def people(model: MorphableModel) -> People:
    return People(model)


@pytest.fixture(scope="module")
def gray64(people: People) -> Iterator[AtlasRenderer]:
    with people.renderer(64, 1) as renderer:
        yield renderer


def bare(faces: Faces) -> tuple[np.ndarray, ...]:
    """All but textures."""
    return faces.positions, faces.normals, faces.albedos


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boolean masks."""
    return float((one & other).sum() / (one | other).sum())


# A texel of shadow may fall to the other side of a crease in the twin; shading itself may not differ.
@pytest.mark.parametrize(("shadows", "differing"), [(True, 0.01), (False, 0.0005)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [64, 150])
def test_pictures_equal_those_of_the_numpy_rasteriser(
    people: People, size: int, channels: int, shadows: bool, differing: float
) -> None:
    scene = replace(DEFAULT_SCENE, light=replace(DEFAULT_SCENE.light, shadows=shadows))
    with AtlasRenderer(size=size, channels=channels, mesh=people.mesh, head=people.head, scene=scene) as renderer:
        drawn = renderer.draw(people.faces, posed(POSES))
    for person, pose in enumerate(POSES):
        image, mask = rasterise(
            people.faces.positions[person], people.faces.normals[person], people.faces.albedos[person],
            people.mesh, size=size, channels=channels, labels=one_pose(pose), head=people.head,
            scene=scene,
        )  # fmt: skip
        assert overlap(mask > 127, drawn.mask[person] > 127) >= 0.995
        interior = binary_erosion((mask == 255) & (drawn.mask[person] == 255))
        difference = np.abs(image.astype(int) - drawn.images[person])[interior]
        assert interior.sum() > 0.2 * size**2
        assert (difference > 2).mean() < differing


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_silhouettes_equal_those_of_stock_pyrender(people: People) -> None:
    size = 150
    with people.renderer(size, 1) as renderer:
        ours = renderer.draw(people.faces, posed(POSES)).mask > 127
    with stock_renderer(2 * size) as stock:  # its pixels are our samples
        for person, pose in enumerate(POSES):
            scene = StockScene(people.faces.positions[person], people.faces.normals[person],
                               np.ones_like(people.faces.albedos[person]), people.level.triangles, people.head,
                               DEFAULT_SCENE)  # fmt: skip
            coverage = scene.coverage(stock, pose).reshape(size, 2, size, 2).mean(axis=(1, 3))
            assert overlap(coverage >= 0.5, ours[person]) >= 0.995


def test_one_face_in_many_instances_equals_as_many_faces(people: People, gray64: AtlasRenderer) -> None:
    alone = gray64.draw(people.one(2), posed(POSES))
    copies = Faces(*(np.repeat(part, 4, axis=0) for part in bare(people.one(2))))
    np.testing.assert_array_equal(alone.images, gray64.draw(copies, posed(POSES)).images)


def test_a_picture_does_not_depend_on_its_place_in_the_atlas(people: People, gray64: AtlasRenderer) -> None:
    poses = np.tile(POSES[1], (20, 1))
    drawn = gray64.draw(people.one(0), posed(poses))
    assert (np.abs(drawn.images.astype(int) - drawn.images[:1]) <= 1).mean() > 0.999
    assert drawn.mask.any(axis=(1, 2)).all()


def test_nothing_of_the_last_batch_is_left_in_the_next(people: People, gray64: AtlasRenderer) -> None:
    fresh = gray64.draw(people.one(1), posed(POSES[:1]))
    gray64.draw(people.faces, posed(POSES))
    again = gray64.draw(people.one(1), posed(POSES[:1]))
    np.testing.assert_array_equal(fresh.images, again.images)


def test_a_symmetric_face_mirrors_with_azimuth_and_light_negated(people: People, gray64: AtlasRenderer) -> None:
    level = people.level
    shape = level.shapes(np.zeros((1, level.shape_modes), np.float32))
    positions = (shape + shape[:, level.mirror] * np.array([-1, 1, 1], np.float32)) / 2
    normals = VertexNormals(level.triangles, level.vertices)(positions)
    mean = level.albedos(np.zeros((1, level.albedo_modes), np.float32))
    albedo = (mean + mean[:, level.mirror]) / 2
    face = Faces(positions, normals, albedo.astype(np.float32))
    pose = np.array([[35, 12, -50], [-35, 12, 50]], np.float32)
    drawn = gray64.draw(face, posed(pose))
    flipped = drawn.images[1][:, ::-1].astype(int)
    inside = binary_erosion((drawn.mask[0] == 255) & (drawn.mask[1][:, ::-1] == 255))
    assert np.abs(flipped - drawn.images[0])[inside].mean() < 2  # triangles themselves are not mirrored everywhere
    assert overlap(drawn.mask[0] > 127, drawn.mask[1][:, ::-1] > 127) > 0.99


def test_gray_is_the_luminance_of_colour(people: People, gray64: AtlasRenderer) -> None:
    gray = gray64.draw(people.faces, posed(POSES))
    with people.renderer(64, 3) as renderer:
        colour = srgb_to_linear(renderer.draw(people.faces, posed(POSES)).images / 255)
    wanted = 255 * linear_to_srgb(colour @ np.array(GRAY_WEIGHTS))
    difference = np.abs(gray.images[..., 0] - wanted)[gray.mask == 255]
    assert difference.max() < 3  # colour saturates a channel at a time
    assert difference.mean() < 0.6


def test_pictures_too_large_for_one_pass_are_drawn_in_several(people: People) -> None:
    size, count = 400, 10  # 8 a pass
    poses = np.tile(POSES[1], (count, 1))
    faces = Faces(*(np.concatenate([part, part, part])[:count] for part in bare(people.faces)))
    with people.renderer(size, 1) as renderer:
        many = renderer.draw(faces, posed(poses))
        last = renderer.draw(people.one((count - 1) % 4), posed(poses[:1]))
    assert (many.mask > 127).mean(axis=(1, 2)).min() > 0.15
    assert (np.abs(many.images[-1].astype(int) - last.images[0]) <= 1).mean() > 0.999


def test_a_brighter_light_makes_a_brighter_face(people: People, gray64: AtlasRenderer) -> None:
    bright = replace(DEFAULT_SCENE, light=replace(DEFAULT_SCENE.light, diffuse=1.5))
    base = gray64.draw(people.one(0), posed(POSES[:1])).images.mean()
    with AtlasRenderer(size=64, channels=1, mesh=people.mesh, head=people.head, scene=bright) as renderer:
        assert renderer.draw(people.one(0), posed(POSES[:1])).images.mean() > base + 3


def test_a_wrong_number_of_faces_is_refused(people: People, gray64: AtlasRenderer) -> None:
    with pytest.raises(RenderError, match="found 4 faces for 2 pictures"):
        gray64.draw(people.faces, posed(POSES[:2]))


def front_uv(people: People) -> np.ndarray:
    """(V, 2): u to the right of a picture from the front, v up."""
    mean = people.level.mean[:, :2] - np.asarray(people.head.centre[:2])
    return np.asarray(0.5 + mean / (2.5 * people.head.radius), np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_texture_of_one_colour_draws_like_vertices_of_it(people: People, channels: int) -> None:
    colour = np.array([180, 120, 90], np.uint8)
    linear = srgb_to_linear(colour / np.float32(255)).astype(np.float32)
    plain = replace(people.one(0), albedos=np.broadcast_to(linear, people.one(0).albedos.shape))
    painted = replace(people.one(0), textures=np.broadcast_to(colour, (1, 64, 64, 3)))
    mesh = replace(people.mesh, uv=front_uv(people))
    with people.renderer(96, channels) as renderer:
        wanted = renderer.draw(plain, posed(POSES))
    with AtlasRenderer(size=96, channels=channels, mesh=mesh, head=people.head, scene=DEFAULT_SCENE) as renderer:
        drawn = renderer.draw(painted, posed(POSES))
    assert np.abs(drawn.images.astype(int) - wanted.images).max() <= 2
    np.testing.assert_array_equal(drawn.mask, wanted.mask)


def test_textures_are_upright_and_each_person_has_their_own(people: People) -> None:
    count, size = 7, 128  # 5 a pass
    textures = np.full((count, 64, 64, 3), 60, np.uint8)
    textures[::2, :32, :, 0] = 200  # even people: red above
    textures[1::2, :, 32:, 2] = 200  # odd people: blue to the right
    face = people.one(0)
    faces = Faces(*(np.repeat(part, count, axis=0) for part in bare(face)), textures)
    mesh = replace(people.mesh, uv=front_uv(people))
    with AtlasRenderer(size=size, channels=3, mesh=mesh, head=people.head, scene=DEFAULT_SCENE) as renderer:
        drawn = renderer.draw(faces, posed(np.zeros((count, 3), np.float32))).images.astype(int)
    red, blue = drawn[..., 0] - drawn[..., 1], drawn[..., 2] - drawn[..., 1]
    places = [(40, 50), (40, 78), (90, 50), (90, 78)]  # row, column
    for person in range(count):
        seen = [(red[person, r, c] > 30, blue[person, r, c] > 30) for r, c in places]
        above, right = (True, False), (False, True)
        none = (False, False)
        assert seen == ([above, above, none, none] if person % 2 == 0 else [none, right, none, right])


def test_textures_without_places_on_them_are_refused(people: People, gray64: AtlasRenderer) -> None:
    painted = replace(people.one(0), textures=np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(RenderError, match="give both or neither"):
        gray64.draw(painted, posed(POSES[:1]))
