"""The hair layer: one closed, mirrored surface for every cut, outside the head, on plausible people."""

from __future__ import annotations

import numpy as np
import pytest

from dcign.facegen.hair.grid import AZIMUTHS, COLUMNS, SCALP_RINGS, globe
from dcign.facegen.hair.layer import HairLayer, hair_layer
from dcign.facegen.hair.strands import HIDDEN, drape, head_radius
from dcign.facegen.haircuts import CUT_NAMES, CUTS, HAIR_EDGE_HEIGHT, cut_probabilities
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person
from dcign.facegen.sculpture.head import bare_head_distance, head_distance
from dcign.facegen.template.mesh import Template
from dcign.facegen.template.regions import find_regions

SURFACE = globe()
HAIRY = [index for index, name in enumerate(CUT_NAMES) if name != "bald"]


@pytest.fixture(scope="module")
def layer(model: MorphableModel) -> HairLayer:
    head = model.without_hair()
    nothing = np.zeros(head.vertices, np.int64)
    vertices = head.mean.astype(np.float64)
    template = Template(vertices, vertices, head.triangles.astype(np.int64), head.mirror, nothing)
    return hair_layer(template, find_regions(template))


@pytest.fixture(scope="module")
def carried(layer: HairLayer, model: MorphableModel) -> np.ndarray:
    return np.asarray((layer.weights[..., None] * model.mean[layer.anchors]).sum(1))


def test_it_is_one_closed_surface() -> None:
    edges = SURFACE.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    forward = set(map(tuple, edges.tolist()))
    assert len(forward) == len(edges)
    assert forward == {(b, a) for a, b in forward}
    vertices = len(SURFACE.ring)
    assert vertices - len(edges) // 2 + len(SURFACE.triangles) == 2
    assert set(SURFACE.triangles.ravel().tolist()) == set(range(vertices))


def test_it_is_its_own_mirror_image() -> None:
    np.testing.assert_array_equal(SURFACE.mirror[SURFACE.mirror], np.arange(len(SURFACE.mirror)))
    mirrored = SURFACE.mirror[SURFACE.triangles][:, [0, 2, 1]]
    assert _rolled(SURFACE.triangles) == _rolled(mirrored)


@pytest.mark.parametrize("name", CUT_NAMES)
def test_cuts_are_mirror_symmetric_and_enclose_a_volume(layer: HairLayer, carried: np.ndarray, name: str) -> None:
    cut = CUT_NAMES.index(name)
    surface = carried + layer.offsets[cut]
    np.testing.assert_allclose(surface[layer.mirror] * (-1, 1, 1), surface, atol=1e-3)
    for slope in (layer.by_length, layer.by_volume):
        np.testing.assert_allclose(slope[cut][layer.mirror] * (-1, 1, 1), slope[cut], atol=1e-9)
    a, b, c = surface[layer.triangles].transpose(1, 0, 2)
    assert np.einsum("tc,tc->t", a, np.cross(b, c)).sum() > 0  # six times the volume: triangles face outwards


def test_bald_people_show_no_hair(layer: HairLayer, carried: np.ndarray) -> None:
    assert CUT_NAMES[0] == "bald"
    assert head_distance(carried + layer.offsets[0]).max() < -8
    assert not layer.by_length[0].any()
    assert not layer.by_volume[0].any()


@pytest.mark.parametrize("length", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("volume", [-2.0, 0.0, 2.0])
def test_hanging_hair_stays_outside_of_ears_jaw_and_neck(length: float, volume: float) -> None:
    for cut in CUTS:
        if cut.hangs is not None:
            hanging = drape(cut, length, volume).positions[cut.hangs <= AZIMUTHS, SCALP_RINGS:-1].reshape(-1, 3)
            in_the_picture = hanging[:, 1] > -180  # further down, the neck is cut off
            assert bare_head_distance(hanging[in_the_picture]).min() > 1.0, cut.name


@pytest.mark.parametrize("name", [CUTS[index].name for index in HAIRY])
def test_hair_covers_the_skull_it_grows_on(name: str) -> None:
    cut = CUTS[CUT_NAMES.index(name)]
    covered = drape(cut).positions[int(0.55 * COLUMNS) :, :4]
    if cut.crown:
        assert bare_head_distance(covered.reshape(-1, 3)).min() > 1.0


def test_a_parting_has_no_gap() -> None:
    for cut in CUTS:
        if cut.parted:
            assert (drape(cut).positions[1:-1, 0, 0] < 0).all(), cut.name  # the sides overlap


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut.hangs is not None], ids=lambda cut: cut.name)
def test_longer_hair_hangs_lower(cut: object) -> None:
    heights = [drape(cut, length).positions[-1, -2, 1] for length in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert (np.diff(heights) < -5).all()


def test_more_volume_is_more_hair() -> None:
    for cut in CUTS[1:]:
        if cut.crown:
            flat, full = (
                np.linalg.norm(drape(cut, volume=volume).positions[COLUMNS * 5 // 8 :, 3], axis=-1)
                for volume in (-1.0, 1.0)
            )
            # Thin hair lies as flat as its flat quads allow at any volume, here and there.
            assert full.mean() > flat.mean() + 0.1, cut.name
            assert (full > flat).mean() > 0.7, cut.name


def test_the_table_of_head_radii_agrees_with_the_distance() -> None:
    angle, height = np.random.default_rng(0).uniform((95, -150), (178, 60), (200, 2)).T
    radius = head_radius(angle, height, ears=False)
    turn = np.radians(angle)
    points = np.stack([radius * np.sin(turn), height, radius * np.cos(turn) - 12], 1)
    assert np.abs(bare_head_distance(points)).max() < 2.0


def test_no_scalp_shows_through_the_hair_of_200_people(model: MorphableModel) -> None:
    """Rays from inside the skull hit the scalp before the hair, except for a few millimetres under clipped hair."""
    coarse = model.at_level(5_000)
    assert coarse.hair is not None
    rng = np.random.default_rng(0)
    scalp = _under_hair(coarse)
    tried = [index for index in HAIRY if CUTS[index].crown]
    deepest, bare = dict.fromkeys(tried, 0.0), dict.fromkeys(tried, 0.0)
    for number in range(200):
        person = sample_person(model, rng, keep_size=True)
        cut = tried[number % len(tried)]
        person.attributes[2:] = (cut, *rng.uniform(-2, 2, 2))
        shape = coarse.shapes(*(part[None] for part in (person.shape, person.attributes)))[0].astype(np.float64)
        out = _out_of_hair(shape, scalp, coarse.triangles[(coarse.triangles >= coarse.hair.first).all(1)])
        deepest[cut], bare[cut] = max(deepest[cut], float(out.max())), max(bare[cut], float((out > 0).mean()))
    thin = [index for index in tried if CUTS[index].sides < 9]  # there the scalp is painted in hair's colour too
    for cut in tried:
        assert deepest[cut] < (3.0 if cut in thin else 1.0), (CUT_NAMES[cut], deepest[cut])
        assert bare[cut] < (0.05 if cut in thin else 0.01), (CUT_NAMES[cut], bare[cut])


def test_haircuts_usually_but_not_always_reveal_the_sex() -> None:
    women, men = cut_probabilities(-1.0, 35), cut_probabilities(1.0, 35)
    for chances in (women, men):
        assert chances.sum() == pytest.approx(1)
    likelier = np.maximum(women, men).sum() / 2
    assert 0.75 < likelier < 0.95
    short, tied = CUT_NAMES.index("short"), CUT_NAMES.index("tied")
    assert min(women[short], men[short], women[tied], men[tied]) > 0.01


def test_men_lose_hair_with_age_and_women_wear_it_shorter() -> None:
    bare = [CUT_NAMES.index("bald"), CUT_NAMES.index("balding")]
    assert cut_probabilities(1.0, 65)[bare].sum() > 3 * cut_probabilities(1.0, 25)[bare].sum()
    long = [index for index, name in enumerate(CUT_NAMES) if name.startswith("long")]
    assert cut_probabilities(-1.0, 70)[long].sum() < 0.7 * cut_probabilities(-1.0, 25)[long].sum()


def _rolled(triangles: np.ndarray) -> set[tuple[int, ...]]:
    """Start each triangle at its smallest vertex, so that its first corner does not matter."""
    return {tuple(np.roll(triangle, -int(np.argmin(triangle))).tolist()) for triangle in triangles}


def _under_hair(model: MorphableModel) -> np.ndarray:
    """Return vertices of the head well inside the edge of the hair, without ears and parting."""
    assert model.hair is not None
    x, y, z = model.mean[: model.hair.first].T
    away = np.abs(x)
    ear = model.parts[: model.hair.first] == model.part_names.index("ear")
    ear |= np.linalg.norm(np.stack([away, y, z], 1) - (80, -5, -15), axis=1) < 25
    return np.flatnonzero((y > HAIR_EDGE_HEIGHT(np.degrees(np.arctan2(away, z))) + 18) & (y > -45) & (away > 3) & ~ear)


def _out_of_hair(vertices: np.ndarray, scalp: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return how far scalp vertices stick out of the hair, mm, on rays from the centre of the skull; < 0 inside."""
    rays = vertices[scalp] - HIDDEN
    corner, second, third = vertices[triangles].transpose(1, 0, 2)
    edge, other, start = second - corner, third - corner, HIDDEN - corner
    # Moeller and Trumbore 1997, every ray against every triangle.
    facing = rays @ np.cross(other, edge).T
    facing = np.where(np.abs(facing) < 1e-9, np.inf, facing)
    u, v = rays @ np.cross(other, start).T / facing, rays @ np.cross(start, edge).T / facing
    reach = np.einsum("tc,tc->t", other, np.cross(start, edge)) / facing
    met = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (reach > 0)
    return np.asarray((1 - np.where(met, reach, 0).max(1)) * np.linalg.norm(rays, axis=1))
