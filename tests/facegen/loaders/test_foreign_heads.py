"""Models of others look right at every level: irises in frontal views, all landmarks, named parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.loaders.flame import IBUG_68
from dcign.facegen.loaders.flame import VERTICES as FLAME_VERTICES
from dcign.facegen.loaders.ict_facekit import MULTI_PIE_68
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.scene import DEFAULT_SCENE
from dcign.render.produce.batch_renderer import batch_mesh, head_frame

pytestmark = pytest.mark.usefixtures("own_cache")

BALL = trimesh.creation.icosphere(subdivisions=3)  # 642 vertices
CORNEA, RADIUS = 1.4, 12.7  # mm
SIDES = {"left": 1, "right": -1}
MODES = 4
ICT_VERTICES = 26_719
ICT_BALLS = {"left": (21_451, 22_221), "right": (23_021, 23_791)}  # the outer ball with its clear cornea, the inner


def eyeball(side: int, *, cornea: float, radius: float = RADIUS) -> np.ndarray:
    """Return an eyeball (642, 3) mm of the mean head; a cornea stands out by `cornea` mm."""
    points = np.array(BALL.vertices)
    bulge = np.exp(-((1 - points[:, 2:]) / 0.05))
    centre = np.array(LANDMARKS["eyeball"]) * (side, 1, 1)
    return np.asarray(centre + radius * points + cornea * bulge * points)


def write_ict(folder: Path, head: MorphableModel) -> Path:
    """Write a folder like ICT-FaceKit's: centimetres, quads and triangles, a white outer ball around each iris."""
    folder.mkdir()
    vertices = np.zeros((ICT_VERTICES, 3))
    vertices[: head.vertices] = head.mean
    faces = [head.triangles]
    for side, (outer, inner) in ICT_BALLS.items():
        for first, ball in ((outer, eyeball(SIDES[side], cornea=CORNEA)), (inner, eyeball(SIDES[side], cornea=0))):
            vertices[first : first + 770] = ball.mean(0)
            vertices[first : first + len(ball)] = ball
            faces.append(np.array(BALL.faces) + first)
    for number, vertex in enumerate(MULTI_PIE_68, 1):  # the first of the template's vertices are used as landmarks
        assert vertex < head.vertices, number
    text = "".join(f"f {a} {b} {c}\n" for a, b, c in np.concatenate(faces) + 1)
    for mode in (None, *range(MODES)):
        moved = vertices.copy()
        if mode is not None:
            moved[: head.vertices] += head.shape_basis[:, :, mode]
        name = "generic_neutral_mesh.obj" if mode is None else f"identity{mode:03d}.obj"
        points = "".join("v {:.6f} {:.6f} {:.6f}\n".format(*point) for point in moved / 10)
        (folder / name).write_text(points + text)
    return folder


def _with_balls(head: MorphableModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices (V, 3) mm, triangles and modes (V, 3, MODES) of the head and its eyeballs, left first."""
    balls = [eyeball(side, cornea=0) for side in SIDES.values()]
    vertices = np.concatenate([head.mean, *balls])
    triangles = np.concatenate(
        [head.triangles, *(np.array(BALL.faces) + head.vertices + len(balls[0]) * number for number in range(2))]
    )
    modes = np.zeros((len(vertices), 3, MODES))
    modes[: head.vertices] = head.shape_basis[:, :, :MODES]
    return vertices, triangles, modes


def write_flame(folder: Path, head: MorphableModel) -> Path:
    """Write an .npz with the keys of FLAME's: metres, a joint for each eye."""
    vertices, triangles, modes = _with_balls(head)
    joints = np.repeat([1, 3, 4], [head.vertices, len(BALL.vertices), len(BALL.vertices)])
    np.savez(
        folder.with_suffix(".npz"),
        v_template=vertices / 1000,
        shapedirs=modes / 1000,
        f=triangles,
        weights=np.eye(5)[joints],
    )
    return folder.with_suffix(".npz")


def write_gnm(folder: Path, head: MorphableModel) -> Path:
    """Write an .npz like GNM's: metres, named groups, a clear shell over each eye."""
    vertices, triangles, modes = _with_balls(head)
    eyes = np.arange(len(vertices)) >= head.vertices
    shells = np.concatenate([eyeball(side, cornea=CORNEA, radius=RADIUS + 0.5) for side in SIDES.values()])
    count = len(vertices)
    groups = {
        "skin": ~eyes,
        "scleras": eyes,
        "irises": eyes & (vertices[:, 2] > LANDMARKS["eyeball"][2] + 11.2),
        "eye_exteriors": np.zeros(count, bool),
    }
    everything = np.stack([np.concatenate([group, np.full(len(shells), name == "eye_exteriors")])
                           for name, group in groups.items()])  # fmt: skip
    np.savez(
        folder.with_suffix(".npz"),
        template_vertex_positions=np.concatenate([vertices, shells]) / 1000,
        vertex_identity_basis=np.moveaxis(np.concatenate([modes, np.zeros((len(shells), 3, MODES))]), 2, 0) / 1000,
        triangles=np.concatenate([triangles, triangles[-2 * len(BALL.faces) :] + 2 * len(BALL.vertices)]),
        vertex_groups=everything.astype(float),
        vertex_group_names=np.array(list(groups)),
    )
    return folder.with_suffix(".npz")


def seen_in_front(model: MorphableModel, head: Any, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the mean person from the front: sRGB image (size, size, 3) and part names (size, size)."""
    none = np.zeros((1, model.shape_modes), np.float32)
    positions = model.shapes(none)
    colours = model.albedos(np.zeros((1, model.albedo_modes), np.float32))
    normals = VertexNormals(model.triangles, model.vertices)(positions)
    labels = {name: np.zeros(1) for name in ("azimuth", "elevation", "light_azimuth")}
    with AtlasRenderer(
        size=size, channels=3, mesh=batch_mesh(model), head=head, scene=DEFAULT_SCENE, truth=("parts",)
    ) as renderer:
        drawn = renderer.draw(Faces(positions, normals, srgb_to_linear(colours)), labels)
    names = np.array(["background", *model.part_names])
    return drawn.images[0], names[drawn.truth["parts"][0]]


@pytest.mark.parametrize(("write", "vertices"), [(write_ict, 20_000), (write_flame, 3_500), (write_gnm, 3_500)])
def test_frontal_views_show_irises_at_every_level(
    tmp_path: Path, model: MorphableModel, write: Callable[[Path, MorphableModel], Path], vertices: int
) -> None:
    loaded = load_model(write(tmp_path / "model", model.without_hair().at_level(vertices)))
    assert set(np.array(loaded.part_names)[loaded.parts]) - {"mouth"} == {"skin", "sclera", "iris"}
    assert len(loaded.levels) == (2 if vertices > 6_500 else 1)
    shares = []
    for count in (loaded.vertices, *(len(level.vertices) for level in loaded.levels)):
        level = loaded.at_level(count)
        check_landmarks(level, loaded)
        image, parts = seen_in_front(level, head_frame(loaded), 256)
        iris, sclera = parts == "iris", parts == "sclera"
        for half in (slice(None, 128), slice(128, None)):
            assert iris[:, half].sum() > 40
            assert sclera[:, half].sum() > 10
        assert image[iris].mean() < 0.6 * image[sclera].mean()
        shares.append(iris.sum())
    assert min(shares) > 0.7 * max(shares)
    if write is not write_gnm:
        left, right = (loaded.mean[loaded.landmarks[f"pupil_{side}"]] for side in SIDES)
        assert left[0] - right[0] == pytest.approx(63, abs=0.5)
    assert write is not write_ict or {f"ibug_{number}" for number in range(1, 69)} <= loaded.landmarks.keys()


def check_landmarks(level: MorphableModel, finest: MorphableModel) -> None:
    assert level.landmarks.keys() == finest.landmarks.keys()
    for name, vertex in level.landmarks.items():
        np.testing.assert_array_equal(level.mean[vertex], finest.mean[finest.landmarks[name]])


@pytest.mark.parametrize("vertices", [MULTI_PIE_68, IBUG_68])
def test_the_published_68_points_are_68_vertices(vertices: tuple[int, ...]) -> None:
    assert len(set(vertices)) == 68


def test_flames_68_points_exist_at_its_coarse_level(tmp_path: Path, model: MorphableModel) -> None:
    path = write_flame(tmp_path / "model", model.without_hair().at_level(2500))
    arrays = dict(np.load(path))
    missing = FLAME_VERTICES - len(arrays["v_template"])
    for name in ("v_template", "shapedirs", "weights"):  # copies of the first vertex, each in a triangle of its own
        arrays[name] = np.concatenate([arrays[name], np.repeat(arrays[name][:1], missing, 0)])
    copies = np.arange(FLAME_VERTICES - missing, FLAME_VERTICES)
    arrays["f"] = np.concatenate([arrays["f"], np.stack([copies, 0 * copies, 0 * copies + 1], 1)])
    np.savez(path, **arrays)
    loaded = load_model(path)
    assert len({name for name in loaded.landmarks if name.startswith("ibug_")}) == 68
    (level,) = loaded.levels
    check_landmarks(loaded.at_level(len(level.vertices)), loaded)
