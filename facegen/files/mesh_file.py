"""Write one person as a mesh file with vertex colours, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from dcign.arrays import Float32, Int32
from dcign.errors import ModelError
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.storage.atomic import write_atomic

METRES_PER_MILLIMETRE = 0.001
EXTENSIONS = (".glb", ".obj", ".ply")


def export_face(path: Path, model: MorphableModel, person: Person) -> None:
    """Write a face, +y up, facing +z: .obj and .ply in millimetres and sRGB, .glb in metres and linear colour (glTF).

    Raises ModelError for any other extension, and DataError if the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in EXTENSIONS:
        accepted = ", ".join(EXTENSIONS)
        raise ModelError(f"expected one of {accepted}, found {kind or 'no extension'}: rename {path}.")
    vertices = model.shapes(person.shape[None], person.attributes[None])[0]
    albedo = model.albedos(person.albedo[None], person.attributes[None])[0]
    triangles = model.triangles
    if kind == ".glb":
        mesh = _mesh(METRES_PER_MILLIMETRE * vertices, triangles, srgb_to_linear(albedo.astype(np.float64)))
        content = mesh.export(file_type="glb", include_normals=True, tree_postprocessor=_make_matt)
    else:
        content = _mesh(vertices, triangles, albedo).export(file_type=kind[1:])
    write_atomic(path, content.encode() if isinstance(content, str) else content)


# trimesh and glTF's JSON tree are untyped.
def _mesh(vertices: Float32, triangles: Int32, colours: Any) -> Any:
    opaque = np.concatenate([np.clip(colours, 0, 1), np.ones((len(colours), 1))], 1)
    rgba = np.round(255 * opaque).astype(np.uint8)
    return trimesh.Trimesh(vertices, triangles, vertex_colors=rgba, process=False)


def _make_matt(tree: dict[str, Any]) -> None:
    """Add a material to the mesh: glTF's default is bare metal, which viewers show nearly black."""
    tree["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.8}}]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0
