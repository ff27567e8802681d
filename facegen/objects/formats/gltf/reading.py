"""Read glTF 2.0 and GLB: the default scene, its materials' base colours, morph targets and skins as they are at rest.

trimesh reads neither sparse accessors, fans, instances nor texture transforms, and drops what it does not know. Here,
what would change the shape is read or refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float64, Int64
from dcign.errors import ModelError
from dcign.facegen.objects.formats.gltf.arrays import GltfArrays, entry, extension
from dcign.facegen.objects.formats.gltf.materials import Surfaces, shaded, tinted
from dcign.facegen.objects.formats.gltf.schema import Instances, Mesh, Node, Primitive
from dcign.facegen.objects.formats.part import NOT_FINITE, Content, Part, check_coordinates
from dcign.facegen.objects.formats.pictures import Pictures
from dcign.facegen.objects.formats.polygons import strips_cut
from dcign.printable import printable

DRACO, INSTANCES = "KHR_draco_mesh_compression", "EXT_mesh_gpu_instancing"
QUANTISED = "KHR_mesh_quantization"  # the only way to texture coordinates that are integers and not normalised
# Extensions that a file may require: those that are read, and those that change neither shape nor base colour.
READ = (INSTANCES, "KHR_texture_transform", QUANTISED, "EXT_texture_webp", "EXT_texture_avif")
WITHOUT_EFFECT = ("KHR_materials_", "KHR_lights_", "EXT_lights_", "KHR_xmp", "KHR_animation", "EXT_mesh_features")
PACKED = (DRACO, "EXT_meshopt_compression", "KHR_meshopt_compression")  # refused only where they are used
POINTS_AND_LINES, TRIANGLES, STRIP, FAN = range(4), 4, 5, 6
MOST_INSTANCES = 100_000


def read_gltf(path: Path) -> Content:
    """Read a file. Raises ModelError, whose text is a clause."""
    arrays = GltfArrays(path)
    for name in arrays.document.extensions_required:
        if name not in (*READ, *PACKED) and not name.startswith(WITHOUT_EFFECT):
            raise ModelError(f"it requires {printable(name)[:60]}, which is not read")
    surfaces = Surfaces(arrays, path.parent)
    worlds = _worlds(arrays.document.nodes, _roots(arrays))
    parts: list[Part] = []
    for index, world in worlds.items():
        node = arrays.document.nodes[index]
        if node.mesh is not None:
            mesh = entry(arrays.document.meshes, node.mesh, "mesh")
            for primitive in mesh.primitives:
                parts += _parts(arrays, surfaces, primitive, _weights(mesh, node), _placed(arrays, node, world, worlds))
    return Content(tuple(parts), tuple(surfaces.pictures.missing), tuple(surfaces.pictures.unread))


def _roots(arrays: GltfArrays) -> Sequence[int]:
    """Return the nodes of the default scene; without scenes, all that are no node's children."""
    document = arrays.document
    if document.scenes:
        return entry(document.scenes, document.scene, "scene").nodes
    children = {child for node in document.nodes for child in node.children}
    return [index for index in range(len(document.nodes)) if index not in children]


def _worlds(nodes: Sequence[Node], roots: Sequence[int]) -> dict[int, Float64]:
    """Return the matrix (4, 4) to the scene of each node that it shows, parents first."""
    found: dict[int, Float64] = {}
    waiting = [(root, np.eye(4)) for root in reversed(roots)]
    while waiting:
        index, above = waiting.pop()
        node = entry(nodes, index, "node")
        if index in found:
            raise ModelError(f"node {index} is in its scene twice")
        found[index] = above @ _local(node)
        waiting += [(child, found[index]) for child in reversed(node.children)]
    return found


def _local(node: Node) -> Float64:
    if node.matrix is not None:
        if len(node.matrix) != 16:
            raise ModelError(f"a node has a matrix of {len(node.matrix)} numbers")
        return np.array(node.matrix, np.float64).reshape(4, 4).T
    return np.asarray(_matrices(np.array([node.translation]), np.array([node.rotation]), np.array([node.scale]))[0])


def _matrices(translation: Float64, rotation: Float64, scale: Float64) -> Float64:
    """Return matrices (N, 4, 4) of translations (N, 3), quaternions x y z w (N, 4) and scales (N, 3)."""
    x, y, z, w = (rotation / np.maximum(np.linalg.norm(rotation, axis=1, keepdims=True), 1e-300)).T
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    found = np.tile(np.eye(4), (len(x), 1, 1))
    found[:, :3, :3] = np.moveaxis(np.array(turn), -1, 0) * scale[:, None]
    found[:, :3, 3] = translation
    return found


def _placed(
    arrays: GltfArrays, node: Node, world: Float64, worlds: dict[int, Float64]
) -> tuple[Float64, Float64 | None]:
    """Return where a node's mesh is: matrices (N, 4, 4) of its copies, and those of its skin's joints (J, 4, 4)."""
    if node.skin is not None:  # the joints alone place the mesh
        skin = entry(arrays.document.skins, node.skin, "skin")
        joints = np.stack([worlds.get(joint, np.eye(4)) for joint in skin.joints]) if skin.joints else np.eye(4)[None]
        if skin.inverse_bind_matrices is not None:
            inverse = arrays.floats(skin.inverse_bind_matrices, 16).reshape(-1, 4, 4).transpose(0, 2, 1)
            if len(inverse) < len(joints):
                raise ModelError("a skin has fewer matrices than joints")
            joints = joints @ inverse[: len(joints)]
        return np.eye(4)[None], joints
    return np.asarray(world @ _instances(arrays, node)), None


def _instances(arrays: GltfArrays, node: Node) -> Float64:
    """Return the matrices (N, 4, 4) of a node's copies: one that leaves it where it is, unless the file says more."""
    attributes = extension(node.extensions, INSTANCES, Instances).attributes
    widths = {"TRANSLATION": 3, "ROTATION": 4, "SCALE": 3}
    found = {name: arrays.floats(attributes[name], width) for name, width in widths.items() if name in attributes}
    if not found:
        return np.eye(4)[None]
    count = len(next(iter(found.values())))
    if count > MOST_INSTANCES or any(len(values) != count for values in found.values()):
        raise ModelError(f"its extension {INSTANCES} places {count} copies, or not as many of each kind")
    still = {"TRANSLATION": (0.0, 0.0, 0.0), "ROTATION": (0.0, 0.0, 0.0, 1.0), "SCALE": (1.0, 1.0, 1.0)}
    return _matrices(*(found.get(name, np.tile(values, (count, 1))) for name, values in still.items()))


def _weights(mesh: Mesh, node: Node) -> Sequence[float]:
    return mesh.weights if node.weights is None else node.weights


def _parts(
    arrays: GltfArrays,
    surfaces: Surfaces,
    primitive: Primitive,
    weights: Sequence[float],
    placed: tuple[Float64, Float64 | None],
) -> list[Part]:
    """Return one part for each copy of a primitive."""
    if primitive.mode in POINTS_AND_LINES or "POSITION" not in primitive.attributes:
        return []
    if primitive.mode not in (TRIANGLES, STRIP, FAN):
        raise ModelError(f"it has a primitive of mode {primitive.mode}, which glTF does not have")
    position = primitive.attributes["POSITION"]
    if DRACO in primitive.extensions and entry(arrays.document.accessors, position, "accessor").buffer_view is None:
        raise ModelError(f"it is compressed with {DRACO}, which is not read")
    copies, joints = placed
    points = _morphed(arrays, primitive, arrays.floats(position, 3), weights)
    triangles = _triangles(arrays, primitive, len(points))
    if joints is not None:
        points = _skinned(arrays, primitive, points, joints)
    surface = surfaces.of(primitive.material)
    light = _vertex_colours(arrays, primitive, triangles, len(points), surfaces.pictures)
    name = f"TEXCOORD_{surface.coordinates}"
    if surface.texture is not None and name in primitive.attributes:
        normalised = QUANTISED not in arrays.document.extensions_required
        places = _attribute(arrays, primitive, name, 2, len(points), normalised=normalised)
        if not np.isfinite(places[triangles]).all():
            surfaces.pictures.lost("texture coordinates")
        uv = surface.places(np.nan_to_num(places[triangles]))
        look: dict[str, Any] = {"texture": surface.texture, "uv": uv}  # arguments of Part
        look["tint"] = tinted(surface.factor, light, len(triangles))
    else:
        if surface.texture is not None:
            surfaces.pictures.lost("texture coordinates")
        look = {"colours": shaded(surface.mean(), light, len(triangles))}
    parts = []
    for copy in copies:
        moved = points @ copy[:3, :3].T + copy[:3, 3]
        check_coordinates(moved[triangles])
        parts.append(Part(moved, triangles, **look))
    return parts


def _triangles(arrays: GltfArrays, primitive: Primitive, count: int) -> Int64:
    """Return the triangles (T, 3) of a primitive of `count` vertices."""
    index = np.arange(count) if primitive.indices is None else arrays.integers(primitive.indices)[:, 0]
    if len(index) and index.max() >= count:
        raise ModelError(f"accessor {primitive.indices} names vertex {index.max()} (from 0) of {count}")
    if primitive.mode == TRIANGLES:
        return np.asarray(index[: len(index) // 3 * 3].reshape(-1, 3))
    if primitive.mode == STRIP:
        return strips_cut(index)
    return np.stack([np.full(max(len(index) - 2, 0), index[0] if len(index) else 0), index[1:-1], index[2:]], axis=1)


def _attribute(
    arrays: GltfArrays, primitive: Primitive, name: str, width: int, count: int, *, normalised: bool = False
) -> Float64:
    """Return an attribute (count, width). Raises ModelError if it does not have `count` entries.

    normalised: its integers are, whether the file says so or not.
    """
    values = arrays.floats(primitive.attributes[name], width, normalised=normalised)
    if len(values) < count:
        raise ModelError(f"its {name} has {len(values)} entries, and its POSITION {count}")
    return values[:count]


def _vertex_colours(
    arrays: GltfArrays, primitive: Primitive, triangles: Int64, count: int, pictures: Pictures
) -> Float64 | None:
    """Return the vertex colours of corners (T, 3, 3), linear light, or None. Those that are not finite are noted."""
    if "COLOR_0" not in primitive.attributes:
        return None
    width = arrays.width(primitive.attributes["COLOR_0"])
    values = _attribute(arrays, primitive, "COLOR_0", 4 if width == 4 else 3, count, normalised=True)[:, :3]
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        pictures.unread_colour(NOT_FINITE)
        values[~finite] = 1  # the surface alone
    return values[triangles]


def _morphed(arrays: GltfArrays, primitive: Primitive, points: Float64, weights: Sequence[float]) -> Float64:
    """Move points (P, 3) by the morph targets that are applied at rest."""
    for target, weight in zip(primitive.targets, weights, strict=False):
        if weight and "POSITION" in target:
            moves = arrays.floats(target["POSITION"], 3)
            if len(moves) != len(points):
                raise ModelError(f"a morph target has {len(moves)} entries, and its POSITION {len(points)}")
            points = points + weight * moves
    return points


def _skinned(arrays: GltfArrays, primitive: Primitive, points: Float64, joints: Float64) -> Float64:
    """Place points (P, 3) by the joints (J, 4, 4) that they hang on, by weight."""
    total, weight_sum = np.zeros((len(points), 4, 4)), np.zeros(len(points))
    for number in range(len(primitive.attributes)):
        if f"JOINTS_{number}" not in primitive.attributes or f"WEIGHTS_{number}" not in primitive.attributes:
            break
        index = arrays.integers(primitive.attributes[f"JOINTS_{number}"], 4)
        weight = _attribute(arrays, primitive, f"WEIGHTS_{number}", 4, len(points), normalised=True)
        if len(index) < len(points) or (len(index) and index.max() >= len(joints)):
            raise ModelError(f"its JOINTS_{number} does not fit its vertices or its skin")
        for column in range(4):
            total += weight[:, column, None, None] * joints[index[: len(points), column]]
        weight_sum += weight.sum(axis=1)
    total[weight_sum == 0] = np.eye(4)
    total /= np.where(weight_sum == 0, 1, weight_sum)[:, None, None]
    return np.asarray(np.einsum("pij,pj->pi", total[:, :3, :3], points) + total[:, :3, 3])
