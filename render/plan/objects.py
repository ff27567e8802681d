"""Objects before the camera: the scene that suits them, which are shown when, and their meshes as a batch of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dcign.arrays import Int64
from dcign.data.schema import BATCH_SIZE, LANDMARKS
from dcign.errors import RenderError
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.objects.collection import Collection
from dcign.facegen.objects.soup import RADIUS
from dcign.render.draw.atlas import Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, Gloss, HeadFrame, Scene, Skin

FEWEST = 2 * BATCH_SIZE  # an identity batch shows 20, and those of test, iid and sweep none that is in train
HELD_OUT = 0.2  # share of the objects that train never shows; not fewer than one batch needs
FRAME = HeadFrame((0.0, 0.0, 0.0), RADIUS)  # every object fills the same sphere
# Triangles by picture size: up to so many pixels, so many of an object. More are simplified when they are packed.
TRIANGLES = ((96, 10_000), (256, 20_000))
MOST_TRIANGLES = 40_000


def object_scene(scene: Scene = DEFAULT_SCENE) -> Scene:
    """A scene lit in the same proportions, in which white is white, not more; no surface scatters red."""
    light = scene.light
    brightest = light.ambient * (1 + light.fill) + light.diffuse
    return replace(
        scene,
        light=replace(light, ambient=light.ambient / brightest, diffuse=light.diffuse / brightest),
        skin=Skin(0.04, 0.04),
        gloss=(Gloss("object", 0.030, 0.020),),
    )


def check_object_options(*, model: bool, hair: bool, keep_head_size: bool, truth: Sequence[str]) -> None:
    """Raise RenderError if options for faces, of which each says whether it was given, come with those for objects."""
    if LANDMARKS in truth:
        raise RenderError("--meshes and --truth landmarks asked for together; objects have none: name other layers.")
    options = {"--model": model, "--hair": hair, "--keep-head-size": keep_head_size}
    wrong = [option for option, given in options.items() if given]
    if wrong:
        raise RenderError(
            f"--meshes and {' and '.join(wrong)} asked for together; objects are no faces: leave one out."
        )


def triangles_for(size: int) -> int:
    """How many triangles of an object pictures of `size` pixels are drawn with, at most."""
    return next((triangles for pixels, triangles in TRIANGLES if size <= pixels), MOST_TRIANGLES)


def choose_objects(
    count: int, split: str, varies: str, *, order: np.random.Generator, rng: np.random.Generator
) -> Int64:
    """Which of `count` objects a batch shows: one, or 20 different ones; in the sweep always the same.

    order: the same for all batches of a data set, deals the objects out to the splits; rng: the batch's own.
    """
    dealt = order.permutation(count)
    held_out = max(BATCH_SIZE, round(HELD_OUT * count))
    if split == "sweep":
        return np.asarray(dealt[:BATCH_SIZE])
    pool = dealt[held_out:] if split == "train" else dealt[:held_out]
    return np.asarray(rng.choice(pool, BATCH_SIZE if varies in ("identity", "all") else 1, replace=False))


def object_mesh(collection: Collection) -> Mesh:
    """A mesh with room for each object; each brings its own triangles."""
    vertices, triangles = collection.extent
    rest, part = np.zeros((vertices, 3), np.float32), np.zeros(vertices, np.uint8)
    return Mesh(np.zeros((triangles, 3), np.int32), rest, part, ("object",), own_triangles=True)


def object_faces(collection: Collection, objects: Sequence[int], room: Mesh) -> Faces:
    """Some of the objects, as what the atlas draws."""
    drawn = [collection.solids[number].drawn() for number in objects]
    positions, normals, albedos = (np.zeros((len(drawn), room.vertices, 3), np.float32) for _ in range(3))
    triangles = np.zeros((len(drawn), max(len(each[3]) for each in drawn), 3), np.int32)
    for place, (points, facing, colours, corners) in enumerate(drawn):
        positions[place, : len(points)], normals[place, : len(points)] = points, facing
        albedos[place, : len(points)] = srgb_to_linear(colours)
        triangles[place, : len(corners)] = corners
    return Faces(positions, normals, albedos, triangles=triangles)
