"""A stand-in for 3D Shapes: its grid, its order and its HDF5 layout, drawn by our own renderer.

An object stands in the corner of a room. Factors: hues of floor, wall and object, the object's scale, its shape, and
the direction from which the room is seen. Light that diffuse surfaces reflect is linear in their colours, so the
renderer draws the light on floor, walls and object once per scale, shape and direction; an image is the sum of the
three, each times its colour.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import trimesh

from dcign.arrays import Float32, Float64, UInt8
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import Camera, Gloss, HeadFrame, Light, Scene, Skin
from dcign.storage.atomic import atomic_file

UPRIGHT = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # trimesh's axis is z, ours y
SHAPES = ("cube", "cylinder", "sphere", "capsule")
HUES, SCALES, ORIENTATIONS = 10, 8, 15
SIZE = 64  # pixels
PARTS = ("floor", "wall", "object")
CORNER, REACH, HEIGHT = 400.0, 900.0, 900.0  # mm: the corner's distance behind the object, length and height of walls
FRAME = HeadFrame(centre=(0.0, 85.0, 0.0), radius=215.0)
SCENE = Scene(
    camera=Camera(),
    light=Light(elevation_degrees=40.0, ambient=0.30, diffuse=0.70, fill=0.2, shadows=False),
    skin=Skin(0.001, 0.001),  # the shader divides by them
    gloss=(Gloss("floor", 0.0, 0.0),),
)
ELEVATION = 18.0  # degrees
SATURATION = 0.85
LEVELS = 4096  # of linear light, in the table that encodes it

Progress = Callable[[float], None]


def make_stand_in(
    path: Path, *, hues: int = HUES, scales: int = SCALES, orientations: int = ORIENTATIONS, size: int = SIZE,
    progress: Progress = lambda fraction: None,
) -> int:  # fmt: skip
    """Write the HDF5 file with all combinations, the last factor fastest; return the number of images.

    hues: of floor, wall and object each, equidistant on the circle. At the defaults 480,000 images.
    """
    light = np.stack([_light(shape, scales, orientations, size) for shape in SHAPES], axis=1)
    light = light.reshape(-1, *light.shape[3:])  # scale, shape, orientation -> (M, 3, S, S)
    each = len(light)
    colours = np.array([_linear_rgb(number / hues) for number in range(hues)])
    table = (linear_to_srgb(np.linspace(0, 1, LEVELS)) * 255).round().astype(np.uint8)
    with atomic_file(path) as part, h5py.File(part, "w") as file:
        shape = (hues**3 * each, size, size, 3)
        images = file.create_dataset("images", shape, np.uint8, chunks=(min(each, 60), *shape[1:]), compression=1)
        file["labels"] = _labels(hues, scales, orientations)
        file.attrs["about"] = "a stand-in for 3D Shapes, drawn by dcign"
        for number, (floor, wall, thing) in enumerate(np.ndindex(hues, hues, hues)):
            rgb = colours[[floor, wall, thing]]
            images[number * each : (number + 1) * each] = _coloured(light, rgb, table)
            progress((number + 1) / hues**3)
        part.check()
    return int(shape[0])


def _labels(hues: int, scales: int, orientations: int) -> Float64:
    """Return floor, wall and object hue (0 to 1), scale, shape and orientation in degrees (N, 6)."""
    hue = np.arange(hues) / hues
    axes = (hue, hue, hue, _scales(scales), np.arange(len(SHAPES)), _orientations(orientations))
    grid: Float64 = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes)).astype(np.float64)
    return grid


def _scales(count: int) -> Float64:
    return np.linspace(0.75, 1.25, count)


def _orientations(count: int) -> Float64:
    return np.linspace(-30, 30, count)


def _coloured(light: Float32, rgb: Float64, table: UInt8) -> UInt8:
    """Return images: light (M, 3, S, S) of the parts, times their colours (3, 3) -> (M, S, S, 3)."""
    linear = np.einsum("mpyx,pc->myxc", light, rgb.astype(np.float32))
    coded: UInt8 = table[(np.clip(linear, 0, 1) * (LEVELS - 1)).astype(np.int32)]
    return coded


def _light(shape: str, scales: int, orientations: int, size: int) -> Float32:
    """Return how much light comes from each part (scales, orientations, 3, S, S), linear, 0..1."""
    positions, normals, part = _room_with(shape)
    mesh = Mesh(np.arange(len(positions), dtype=np.int32).reshape(-1, 3), positions, part, PARTS)
    angles = _orientations(orientations)
    found = []
    with AtlasRenderer(size=size, channels=1, mesh=mesh, head=FRAME, scene=SCENE) as renderer:
        for scale in _scales(scales):
            grown = np.where((part == PARTS.index("object"))[:, None], positions * scale, positions)
            maps = []
            for number in range(len(PARTS)):
                white = np.repeat((part == number).astype(np.float32)[:, None], 3, axis=1)
                faces = Faces(grown[None].astype(np.float32), normals[None], white[None])
                maps.append(np.concatenate([*_drawn(renderer, faces, angles)]))
            found.append(srgb_to_linear(np.stack(maps, axis=1) / np.float32(255)))
    return np.stack(found).astype(np.float32)


def _drawn(renderer: AtlasRenderer, faces: Faces, angles: Float64) -> Iterator[UInt8]:
    """Yield pictures (n, S, S) from all directions, at most 20 at a time."""
    for first in range(0, len(angles), 20):
        some = angles[first : first + 20]
        labels = {"azimuth": some, "elevation": np.full(len(some), ELEVATION), "light_azimuth": np.zeros(len(some))}
        yield renderer.draw(faces, labels).images[..., 0]


def _room_with(shape: str) -> tuple[Float32, Float32, UInt8]:
    """Return the triangles' corners of a room and an object on its floor: positions, normals (V, 3), parts (V,)."""
    corner = np.array([0.0, 0.0, -CORNER])
    quads = [  # corner, two edges; counter-clockwise seen from inside
        (np.array([-REACH, 0.0, REACH]), np.array([2 * REACH, 0, 0]), np.array([0, 0, -2 * REACH])),
        (corner, np.array([REACH, 0, REACH]), np.array([0, HEIGHT, 0])),
        (corner + np.array([-REACH, 0, REACH]), np.array([REACH, 0, -REACH]), np.array([0, HEIGHT, 0])),
    ]
    positions = [np.array([o, o + a, o + a + b, o, o + a + b, o + b]) for o, a, b in quads]
    normals = [np.tile(np.cross(a, b) / np.linalg.norm(np.cross(a, b)), (6, 1)) for _, a, b in quads]
    points, directions = _solid(shape)
    parts = np.repeat([0, 1, 1, 2], [6, 6, 6, len(points)]).astype(np.uint8)
    return (
        np.concatenate([*positions, points]).astype(np.float32),
        np.concatenate([*normals, directions]).astype(np.float32),
        parts,
    )


def _solid(shape: str) -> tuple[Float64, Float64]:
    """Return the triangles' corners of an object that stands at the origin, and normals with its sharp edges."""
    creation: Any = trimesh.creation  # it has no types
    made = {
        "cube": lambda: creation.box((150.0, 150.0, 150.0)),
        "cylinder": lambda: creation.cylinder(80.0, 170.0, sections=64),
        "sphere": lambda: creation.icosphere(4, 95.0),
        "capsule": lambda: creation.capsule(80.0, 62.0, count=(32, 32)),
    }[shape]()
    made.apply_transform(UPRIGHT)
    made.apply_translation([0.0, -made.bounds[0, 1], 0.0])
    flat = np.repeat(made.face_normals, 3, axis=0)
    smooth = made.vertex_normals[made.faces].reshape(-1, 3)
    if shape == "cube":
        smooth = flat
    elif shape == "cylinder":
        side = made.vertices[made.faces].reshape(-1, 3) * [1, 0, 1]
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        smooth = np.where(np.abs(flat[:, 1:2]) > 0.5, flat, side)
    return made.vertices[made.faces].reshape(-1, 3), smooth


def _linear_rgb(hue: float) -> Float64:
    return np.asarray(srgb_to_linear(np.array(colorsys.hsv_to_rgb(hue, SATURATION, 1.0))))
