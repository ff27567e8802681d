"""Truth is true: against numpy, against geometry, and against the picture through the documented formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import trimesh
from scipy.ndimage import binary_erosion

from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import GRAY_WEIGHTS, TRUTH_LAYERS
from dcign.data.shard.truth_layers import truth_faults
from dcign.errors import RenderError
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces, Pictures
from dcign.render.draw.landmarks import place_landmarks
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, Gloss, HeadFrame, Scene, light_directions
from dcign.render.draw.truth_pass import checked_truth, parse_truth, truth_names
from dcign.render.draw.views import make_views
from dcign.render.gl.context import Context
from dcign.render.plan.backdrops import parse_background
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range
from dcign.render.produce.batch_renderer import BatchRenderer, batch_mesh, head_frame
from dcign.render.produce.production import render_dataset
from dcign.render.produce.verification import verify_pixels
from tests.support.data_sets import list_again
from tests.support.rasteriser import rasterise_truth

LABELS = {
    "azimuth": np.array([0.0, 40, -86, 15]),
    "elevation": np.array([0.0, 20, -23, -10]),
    "light_azimuth": np.array([0.0, -60, 80, 30]),
}
PIXELS = tuple(name for name in TRUTH_LAYERS if name not in ("mask", "landmarks"))


class People:
    """Four people with hair on the coarsest level."""

    def __init__(self, model: MorphableModel) -> None:
        rng = np.random.default_rng(1)
        self.level = model.at_level(2500)
        self.mesh, self.head = batch_mesh(self.level), head_frame(model)
        attributes = np.array([[sex, 30, cut, 0, 0] for sex, cut in ((1, 0), (-1, 8), (1, 3), (-1, 7))], np.float32)
        shape = rng.standard_normal((4, model.shape_modes), dtype=np.float32)
        albedo = rng.standard_normal((4, model.albedo_modes), dtype=np.float32)
        positions = self.level.shapes(shape, attributes)
        normals = VertexNormals(self.level.triangles, self.level.vertices)(positions)
        self.faces = Faces(positions, normals, srgb_to_linear(self.level.albedos(albedo, attributes)))
        taken = make_views(LABELS, self.head, DEFAULT_SCENE)
        self.views, self.projections = taken.views.astype(np.float64), taken.projections.astype(np.float64)

    def drawn(
        self, size: int, channels: int = 1, truth: tuple[str, ...] = TRUTH_LAYERS, scene: Scene = DEFAULT_SCENE
    ) -> Pictures:
        with AtlasRenderer(
            size=size, channels=channels, mesh=self.mesh, head=self.head, scene=scene, truth=truth
        ) as renderer:
            return renderer.draw(self.faces, LABELS)


@pytest.fixture(scope="module")
def people(model: MorphableModel) -> People:
    return People(model)


@pytest.fixture(scope="module")
def at96(people: People) -> Pictures:
    return people.drawn(96)


def points(depth: np.ndarray) -> np.ndarray:
    """What docs/shard.md says of unprojecting: (N, H, W) mm -> camera space (N, H, W, 3)."""
    size = depth.shape[1]
    half = np.tan(np.radians(DEFAULT_SCENE.camera.field_of_view_degrees) / 2)
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    return np.stack([(2 * column / size - 1) * half * depth, (1 - 2 * row / size) * half * depth, -depth], axis=-1)


@pytest.mark.parametrize("channels", [1, 3])
def test_asking_for_truth_changes_no_pixel(people: People, channels: int) -> None:
    plain, with_truth = people.drawn(64, channels, ()), people.drawn(64, channels)
    np.testing.assert_array_equal(plain.images, with_truth.images)
    np.testing.assert_array_equal(plain.mask, with_truth.mask)
    assert plain.truth == {}
    assert set(with_truth.truth) == {*PIXELS, "landmarks"}


def test_each_layer_is_the_same_whichever_others_are_asked_for(people: People, at96: Pictures) -> None:
    for names in (("depth",), ("visibility",), ("albedo", "landmarks")):
        alone = people.drawn(96, 3, names).truth
        assert tuple(alone) == names
        for name in names:
            np.testing.assert_array_equal(alone[name], at96.truth[name])


def test_depth_normals_albedo_and_parts_agree_with_the_numpy_rasteriser(people: People, at96: Pictures) -> None:
    for person in range(len(people.views)):
        twin = rasterise_truth(
            people.faces.positions[person], people.faces.normals[person], people.faces.albedos[person], people.mesh,
            size=96, view=people.views[person], projection=people.projections[person],
        )  # fmt: skip
        found = {name: at96.truth[name][person] for name in twin}
        assert ((found["parts"] > 0) != (twin["parts"] > 0)).mean() < 0.0005
        both = (found["parts"] > 0) & (twin["parts"] > 0)
        for name, near in (("depth", 0.02), ("normals", 0.002), ("albedo", 1.0), ("parts", 0)):
            off = np.abs(found[name].astype(np.float64) - twin[name])[both]
            assert (off > near).mean() < 0.005, name
        assert not any(found[name][~both & (found["parts"] == 0)].any() for name in found)


def test_a_ball_s_depth_and_normals_are_those_of_geometry() -> None:
    radius, head = 90.0, HeadFrame((0.0, 0.0, 0.0), 100.0)
    ball = trimesh.creation.icosphere(5, radius)
    rest = ball.vertices.astype(np.float32)
    mesh = Mesh(ball.faces.astype(np.int32), rest, np.zeros(len(rest), np.uint8), ("skin",))
    faces = Faces(rest[None], (rest / radius)[None], np.full_like(rest, 0.5)[None])
    scene = replace(DEFAULT_SCENE, gloss=(Gloss("skin", 0.0, 0.0),))
    with AtlasRenderer(size=150, channels=1, mesh=mesh, head=head, scene=scene, truth=PIXELS) as renderer:
        truth = renderer.draw(faces, {name: values[1:2] for name, values in LABELS.items()}).truth
    seen = binary_erosion(truth["depth"][0] > 0)
    outwards = points(truth["depth"])[0] + (0, 0, scene.camera.distance(head.radius))
    assert np.abs(np.linalg.norm(outwards, axis=-1)[seen] - radius).max() < 0.1
    assert np.abs(outwards / radius - truth["normals"][0])[seen].max() < 0.01
    assert seen.sum() > 10_000


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shadows", [True, False])
def test_albedo_normals_visibility_and_specular_make_the_picture_through_the_formula(
    people: People, channels: int, shadows: bool
) -> None:
    size, scene = 96, replace(DEFAULT_SCENE, light=replace(DEFAULT_SCENE.light, shadows=shadows))
    picture, samples = people.drawn(size, channels, scene=scene), people.drawn(2 * size, scene=scene).truth
    light = {name: picture.truth[name] for name in ("visibility", "specular")}
    # Pixels of a picture twice as large are this one's samples, which it averages.
    fine = shaded(samples, {name: np.repeat(np.repeat(layer, 2, 1), 2, 2) for name, layer in light.items()})
    means = fine.reshape(len(fine), size, 2, size, 2, 3).mean(axis=(2, 4))
    coarse = shaded(picture.truth, light)
    inside = np.stack([binary_erosion(mask == 255) for mask in picture.mask])
    one_surface = inside & np.stack([one_part(parts) for parts in picture.truth["parts"]])
    # What is left without shadows is the 8 bits that the renderer keeps of a sample's n.l. A picture's own shadows are
    # coarser than visibility, in half light most.
    fewer = 0.1 if shadows else 0.0
    for radiance, where, within_2, within_4 in ((means, inside, 0.95, 0.98), (coarse, one_surface, 0.9, 0.95)):
        if channels == 1:
            radiance = radiance @ np.array(GRAY_WEIGHTS)[:, None]
        again = 255 * linear_to_srgb(radiance)
        off = np.abs(again - picture.images).max(axis=-1)[where]
        assert (off <= 2).mean() > within_2 - fewer
        assert (off <= 4).mean() > within_4 - fewer


def shaded(truth: dict[str, np.ndarray], light: dict[str, np.ndarray]) -> np.ndarray:
    """docs/shard.md's formula: radiance (N, H, W, 3)."""
    scene = DEFAULT_SCENE
    lights = light_directions(LABELS["light_azimuth"], scene.light.elevation_degrees)
    cosine = np.einsum("nhwc,nc->nhw", truth["normals"].astype(np.float64), lights)[..., None]
    k = np.array([scene.skin.scatter_red, scene.skin.scatter_green_blue, scene.skin.scatter_green_blue])
    soft = np.clip(cosine + k, 0, 2 * k) ** 2 / (4 * k) + np.maximum(cosine - k, 0)
    albedo, specular = (srgb_to_linear(layer / 255) for layer in (truth["albedo"], light["specular"][..., None]))
    visible = light["visibility"][..., None] / 255
    ambient = scene.light.ambient * (1 + scene.light.fill * cosine)
    return np.asarray(albedo * (ambient + scene.light.diffuse * visible * soft) + visible * specular)


def one_part(parts: np.ndarray) -> np.ndarray:
    """Where all of a pixel's neighbours are of its part."""
    inside = np.zeros(parts.shape, bool)
    for part in np.unique(parts):
        inside |= binary_erosion(parts == part, np.ones((3, 3)))
    return inside


def test_a_landmark_unprojected_is_its_vertex(people: People, at96: Pictures) -> None:
    x, y, depth, _ = np.moveaxis(at96.truth["landmarks"].astype(np.float64), -1, 0)
    half = np.tan(np.radians(DEFAULT_SCENE.camera.field_of_view_degrees) / 2)
    found = np.stack([(2 * x / 96 - 1) * half * depth, (1 - 2 * y / 96) * half * depth, -depth], axis=-1)
    vertices = people.faces.positions[:, list(people.mesh.landmarks.values())]
    wanted = np.einsum("nij,nlj->nli", people.views[:, :3, :3], vertices) + people.views[:, None, :3, 3]
    assert np.abs(found - wanted).max() < 0.01


def test_landmarks_are_seen_where_rays_reach_them(people: People, at96: Pictures) -> None:
    vertices = list(people.mesh.landmarks.values())
    for person, view in enumerate(people.views):
        camera = people.faces.positions[person] @ view[:3, :3].T + view[:3, 3]
        corners = camera[people.mesh.triangles]
        facing = np.einsum("tc,tc->t", np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                           corners[:, 0]) < 0  # fmt: skip
        reached = np.array([
            vertex in people.mesh.triangles[facing] and not blocked(camera[vertex], corners[facing])
            for vertex in vertices
        ])  # fmt: skip
        pixels = at96.truth["landmarks"][person, :, :2]
        reached &= ((pixels >= 0) & (pixels < 96)).all(axis=1)
        visible = at96.truth["landmarks"][person, :, 3] == 1
        assert (visible != reached).sum() <= 1
        assert 10 < visible.sum() < len(vertices)


def blocked(target: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a triangle (T, 3, 3) lies between the origin and the target, .05 mm before it (Moller, Trumbore 1997)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(target, second)
    scale = 1 / (first * across).sum(1)
    u = -(corners[:, 0] * across).sum(1) * scale
    other = np.cross(-corners[:, 0], first)
    v = other @ target * scale
    along = (second * other).sum(1) * scale
    before = along < 1 - 0.05 / -target[2]
    return bool(((u > 0) & (v > 0) & (u + v < 1) & (along > 0) & before).any())


def test_depth_at_a_visible_landmark_is_its_vertex_s(people: People) -> None:
    size = 512
    truth = people.drawn(size, 1, ("depth", "landmarks")).truth
    off, at_contour = [], 0
    for depth, rows in zip(truth["depth"], truth["landmarks"], strict=True):
        for x, y, wanted, visible in rows:
            if visible:
                around = depth[max(round(y) - 1, 0) : round(y) + 1, max(round(x) - 1, 0) : round(x) + 1]
                contour = np.ptp(around) > 3  # mm; a pixel is half a millimetre wide
                at_contour += contour
                if not contour:
                    off.append(np.abs(around - wanted).min())
    assert max(off) < 1
    assert at_contour < 0.3 * len(off)


def test_hair_hides_a_landmark_and_a_turned_head_the_other_ear(people: People, at96: Pictures) -> None:
    names = list(people.mesh.landmarks)
    visible = {name: at96.truth["landmarks"][:, names.index(name), 3] for name in names}
    assert (visible["trichion"][0], visible["trichion"][3]) == (1, 0)  # bald; a fringe
    assert visible["pronasale"].tolist() == [1, 1, 0, 1]  # in profile it lies behind the outline
    assert (visible["pupil_left"][2], visible["pupil_right"][2]) == (1, 0)  # turned to its right


def test_a_landmark_outside_the_picture_is_not_visible() -> None:
    triangle = np.array([[[0, 0, 0], [60, 0, 0], [0, 60, 0]]], np.float32)
    head = HeadFrame((40.0, 0.0, 0.0), 30.0)
    taken = make_views({name: values[:1] for name, values in LABELS.items()}, head, DEFAULT_SCENE)
    rows = place_landmarks(triangle, np.array([[0, 1, 2]], np.int32), np.arange(3), taken.seen, 100)[0]
    assert rows[:, 3].tolist() == [0, 1, 0]


def test_parts_and_landmarks_are_named(people: People) -> None:
    names = truth_names(people.mesh, TRUTH_LAYERS)
    assert names["parts"] == ("background", *people.mesh.part_names)
    assert names["landmarks"] == tuple(people.mesh.landmarks)
    assert truth_names(people.mesh, ("depth",)) == {}


def test_layers_are_named_in_any_order_and_unknown_ones_refused() -> None:
    assert parse_truth(" parts,depth, parts") == ("depth", "parts")
    assert parse_truth("all") == TRUTH_LAYERS
    assert parse_truth("") == ()
    with pytest.raises(RenderError, match=r"expected layers of mask,depth.* found truth 'dept'"):
        checked_truth(["dept"])


def test_landmarks_of_what_has_none_are_refused(people: People) -> None:
    with pytest.raises(RenderError, match="expected landmarks"):
        AtlasRenderer(size=32, channels=1, mesh=replace(people.mesh, landmarks={}), head=people.head,
                      scene=DEFAULT_SCENE, truth=("landmarks",))  # fmt: skip


def test_thirteen_parts_are_refused_where_they_must_be_told_apart_and_no_context_stays_open(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(f"part {number}" for number in range(13))

    def renderer(truth: tuple[str, ...]) -> AtlasRenderer:
        return AtlasRenderer(size=32, channels=1, mesh=replace(people.mesh, part_names=names), head=people.head,
                             scene=DEFAULT_SCENE, truth=truth)  # fmt: skip

    with pytest.raises(RenderError, match="expected at most 12 parts for truth/parts, found a model with 13"):
        renderer(("depth", "parts"))
    closed = []
    monkeypatch.setattr(Context, "close", lambda context: closed.append(context))
    with renderer(("depth",)):
        pass
    assert len(closed) == 1
    monkeypatch.setattr("dcign.render.draw.atlas.make_framebuffer", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        renderer(())
    assert len(closed) == 2


def test_large_pictures_of_several_passes_have_their_own_truth(people: People) -> None:
    truth = ("depth", "landmarks", "specular")
    several = people.drawn(600, 1, truth).truth  # three pictures a pass
    with AtlasRenderer(
        size=600, channels=1, mesh=people.mesh, head=people.head, scene=DEFAULT_SCENE, truth=truth
    ) as renderer:
        last = Faces(*(part[3:] for part in (people.faces.positions, people.faces.normals, people.faces.albedos)))
        alone = renderer.draw(last, {name: values[3:] for name, values in LABELS.items()}).truth
    for name in truth:
        np.testing.assert_array_equal(several[name][3], alone[name][0])


@pytest.mark.usefixtures("drawn_here")
def test_a_data_set_with_truth_verifies_and_a_changed_layer_is_found(model: MorphableModel, tmp_path: Path) -> None:
    configuration = RenderConfiguration(
        Splits(train=4, test=4, iid=1, sweep_levels=(1, 1, 1)), size=24, seed=2, truth=("landmarks", "depth", "normals")
    )
    folder = tmp_path / "faces"
    render_dataset(folder, configuration, lambda: model, worker_count=1, progress=lambda made, wanted: None)
    dataset = FaceDataset(folder)
    assert RenderConfiguration.from_dict(dataset.manifest.configuration) == configuration
    assert check_dataset(dataset) == []
    shards = [folder / entry.file for entries in dataset.splits.values() for entry in entries]
    assert verify_pixels(shards, worker_count=1, progress=lambda done: None) == []
    assert "`truth/mask`, `truth/depth`, `truth/normals`, `truth/landmarks`" in (folder / "README.md").read_text()
    with h5py.File(shards[0], "r+") as file:
        assert set(file["truth"]) == {"depth", "normals", "landmarks"}
        assert file["truth/depth"].shape == (4, 20, 24, 24)
        assert file["truth/landmarks"].attrs["names"][0] == next(iter(model.landmarks)).encode()
        depth = file["truth/depth"][1]
        depth[3][depth[3] > 0] += 2
        file["truth/depth"][1] = depth
    (finding,) = verify_pixels(shards[:1], worker_count=1, progress=lambda done: None)
    assert (finding.batch, "the depth of image 3 is not what the labels say" in finding.what) == (1, True)
    with h5py.File(shards[0], "r+") as file:
        file.move("truth/depth", "truth/albedo")
        file.move("truth/normals", "truth/warmth")  # somebody's own
    list_again(folder)
    missing = [finding.what for finding in check_shard(shards[0]) if finding.batch is None]
    assert missing == [f"has no truth/{name}, which its configuration promises" for name in ("depth", "normals")]
    found = verify_pixels(shards[:1], worker_count=1, progress=lambda done: None)
    assert [finding.what for finding in found] == ["has truth/albedo, which its configuration does not promise"]


def test_truth_is_the_same_whatever_is_behind_and_follows_the_lens(model: MorphableModel) -> None:
    behind, _ = parse_background("random", 48)
    plain = RenderConfiguration(
        Splits(8, 5, 1, (1, 1, 1, 1)), size=48, field_of_view=Range(10.0, 40.0), vary=("field_of_view",),
        truth=TRUTH_LAYERS,
    )  # fmt: skip
    with BatchRenderer(model, plain) as one, BatchRenderer(model, replace(plain, background=behind)) as other:
        plan = plan_batch(plain, one.model, "train", 3)
        assert plan.varies == "field_of_view"
        batch = one.draw_batch(plan)
        before = other.draw_batch(plan_batch(replace(plain, background=behind), other.model, "train", 3))
    assert batch.truth.keys() == set(TRUTH_LAYERS)
    assert (batch.images != before.images).any()
    for name in TRUTH_LAYERS:
        np.testing.assert_array_equal(batch.truth[name], before.truth[name])
    assert list(truth_faults(batch.truth, one.truth_names)) == []
    nearest = [layer[layer > 0].min() for layer in batch.truth["depth"]]  # a long lens is used from farther away
    assert np.argsort(nearest).tolist() == np.argsort(-plan.factors[:, 3]).tolist()


def test_a_data_set_without_truth_has_the_configuration_that_it_always_had() -> None:
    configuration = RenderConfiguration(Splits(4, 4, 1))
    assert "truth" not in configuration.as_dict()
    assert RenderConfiguration.from_dict(configuration.as_dict()).truth == ()
    assert replace(configuration, truth=("parts", "depth")).truth == ("depth", "parts")
