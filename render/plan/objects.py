"""What a data set shows, people or objects, and what only objects need: their scene, choice and meshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dcign.arrays import Int64
from dcign.data.schema import BATCH_SIZE, LANDMARKS
from dcign.errors import RenderError
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.traits import TRAITS
from dcign.facegen.objects.collection import Collection, collection_bytes, is_collection, read_collection
from dcign.facegen.objects.soup import RADIUS
from dcign.render.draw.atlas import Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, Gloss, HeadFrame, Scene, Skin

FEWEST = 2 * BATCH_SIZE  # an identity batch shows 20, and the objects of the other splits are not in train
HELD_OUT = 0.2  # share of the objects that train never shows, but at least one batch of them
FRAME = HeadFrame((0.0, 0.0, 0.0), RADIUS)  # every object fills the same sphere
# (picture size up to, most triangles of an object). Packing simplifies objects with more.
TRIANGLES = ((96, 10_000), (256, 20_000))
MOST_TRIANGLES = 40_000

Subject = MorphableModel | Collection


def read_subject(path: Path) -> Subject:
    """Read a model.npz. Raises ModelError if it is missing or damaged."""
    return read_collection(path) if is_collection(path) else read_model(path)


def subject_bytes(subject: Subject) -> bytes:
    """Return the bytes of model.npz, which depend on the subject only."""
    return collection_bytes(subject) if isinstance(subject, Collection) else model_bytes(subject)


def object_scene(scene: Scene = DEFAULT_SCENE) -> Scene:
    """Return a scene with the same proportions of light, in which white stays just white and skin does not redden."""
    light = scene.light
    brightest = light.ambient * (1 + light.fill) + light.diffuse
    return replace(
        scene,
        light=replace(light, ambient=light.ambient / brightest, diffuse=light.diffuse / brightest),
        skin=Skin(0.04, 0.04),
        gloss=(Gloss("object", 0.030, 0.020),),
    )


def check_object_options(*, truth: Sequence[str], vary: Sequence[str] = (), **given: bool) -> None:
    """Raise RenderError if options for faces come with those for objects. given: name -> whether it was given."""
    wrong = [f"--{name.replace('_', '-')}" for name, each in given.items() if each]
    wrong += ["--truth landmarks"] if LANDMARKS in truth else []
    wrong += [f"--vary {name}" for name in vary if name in TRAITS]
    if wrong:
        raise RenderError(
            f"expected no options for faces beside --meshes, found {' and '.join(wrong)}: leave one or the other out."
        )


def triangles_for(size: int) -> int:
    """Return the most triangles of an object that pictures of `size` pixels are drawn with."""
    return next((triangles for pixels, triangles in TRIANGLES if size <= pixels), MOST_TRIANGLES)


def choose_objects(
    count: int, split: str, varies: str, *, order: np.random.Generator, rng: np.random.Generator
) -> Int64:
    """Choose which of `count` objects a batch shows: one, or 20 different ones; in the sweep always the same.

    order: the same for all batches of a data set, assigns the objects to the splits; rng: the batch's own.
    """
    dealt = order.permutation(count)
    held_out = max(BATCH_SIZE, round(HELD_OUT * count))
    if split == "sweep":
        return np.asarray(dealt[:BATCH_SIZE])
    pool = dealt[held_out:] if split == "train" else dealt[:held_out]
    return np.asarray(rng.choice(pool, BATCH_SIZE if varies in ("identity", "all") else 1, replace=False))


def object_mesh(collection: Collection) -> Mesh:
    """Return a mesh large enough for each object; each object has its own triangles."""
    vertices, triangles = collection.extent
    rest, part = np.zeros((vertices, 3), np.float32), np.zeros(vertices, np.uint8)
    return Mesh(np.zeros((triangles, 3), np.int32), rest, part, ("object",), own_triangles=True)


def object_faces(collection: Collection, objects: Sequence[int], mesh: Mesh) -> Faces:
    """Return some of the objects as the atlas draws them."""
    drawn = [collection.solids[number].drawn() for number in objects]
    positions, normals, albedos = (np.zeros((len(drawn), mesh.vertices, 3), np.float32) for _ in range(3))
    triangles = np.zeros((len(drawn), max(len(each[3]) for each in drawn), 3), np.int32)
    for row, (points, facing, colours, corners) in enumerate(drawn):
        positions[row, : len(points)], normals[row, : len(points)] = points, facing
        albedos[row, : len(points)] = srgb_to_linear(colours)
        triangles[row, : len(corners)] = corners
    return Faces(positions, normals, albedos, triangles=triangles)
