"""Small glTF files, from arrays."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

COMPONENTS = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class GltfFile:
    """A glTF document that grows: add arrays and primitives, change `tree` as you like, and write it."""

    def __init__(self) -> None:
        self.content = b""
        self.tree: dict[str, Any] = {
            "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": []}], "accessors": [], "bufferViews": [],
        }  # fmt: skip

    def view(self, values: Any) -> int:
        """Add bytes as a buffer view. Returns its number."""
        content = np.ascontiguousarray(values).tobytes()
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self.content), "byteLength": len(content)})
        self.content += content + bytes(-len(content) % 4)
        return len(self.tree["bufferViews"]) - 1

    def array(self, values: Any, **more: Any) -> int:
        """Add an array (N,) or (N, width) as an accessor. Returns its number."""
        values = np.asarray(values)
        width = values.shape[1] if values.ndim == 2 else 1
        accessor = {"bufferView": self.view(values), "componentType": COMPONENTS[values.dtype.name]}
        self.tree["accessors"].append(accessor | {"count": len(values), "type": TYPES[width]} | more)
        return len(self.tree["accessors"]) - 1

    def primitive(self, points: Any, **more: Any) -> dict[str, Any]:
        """Add a primitive with positions to mesh 0. Returns its JSON."""
        found: dict[str, Any] = {"attributes": {"POSITION": self.array(np.float32(points))}} | more
        self.tree["meshes"][0]["primitives"].append(found)
        return found

    def textured(self, uri: str, **info: Any) -> None:
        """Add a material whose base colour is a picture."""
        self.tree |= {
            "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0} | info}}],
            "textures": [{"source": 0}],
            "images": [{"uri": uri}],
        }

    def write(self, path: Path) -> Path:
        """Write the file with its buffer inside."""
        uri = "data:application/octet-stream;base64," + base64.b64encode(self.content).decode()
        buffers = [{"byteLength": len(self.content), "uri": uri}]
        path.write_text(json.dumps(self.tree | {"buffers": buffers}))
        return path
