"""The arrays of a glTF file: buffers, buffer views and accessors, also sparse and normalised ones."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float64, Int64
from dcign.errors import ModelError
from dcign.facegen.objects.formats.gltf.schema import Accessor, Document
from dcign.facegen.objects.formats.pictures import find_file
from dcign.printable import printable

Entry = TypeVar("Entry")
Decoded = TypeVar("Decoded")
READABLE = ("1.0", "2.0")  # what files of version 2 may expect of their readers
COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
UNSIGNED = (5121, 5123, 5125)  # the only components of indices
MOST_ZEROS = 2**24  # entries of an accessor without bytes of its own: they are made here, whatever the file says
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
COMPRESSED_VIEWS = ("EXT_meshopt_compression", "KHR_meshopt_compression")


def entry(entries: Sequence[Entry], index: int, noun: str) -> Entry:
    """Return an entry of one of the file's lists. Raises ModelError, whose text is a clause, if there is none."""
    if not 0 <= index < len(entries):
        raise ModelError(f"it names {noun} {index}, and it has {len(entries)}, counted from 0")
    return entries[index]


def extension(extensions: dict[str, Any], name: str, kind: type[Decoded]) -> Decoded:
    """Return an extension as its definition says, its defaults if the file does not use it. Raises ModelError."""
    try:
        return msgspec.convert(extensions.get(name, {}), kind)
    except (msgspec.ValidationError, RecursionError):
        raise ModelError(f"its extension {name} does not fit the extension's definition") from None


class GltfArrays:
    """A file, opened: its document, and its arrays when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the JSON and, of GLB, the binary chunk. Raises ModelError, whose text is a clause."""
        content = path.read_bytes()
        self._folder = path.parent
        self._chunk, text = _chunks(content) if content[:4] == b"glTF" else (None, content)
        try:
            self.document = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0 "), type=Document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if re.search(rb'"version"\s*:\s*"?1\.', text) or (b'"asset"' not in text and b'"techniques"' in text):
                raise ModelError("it is glTF 1.0, and only 2.0 is read") from None
            raise ModelError(_invalid(error)) from None
        asset = self.document.asset
        newer = asset.version.startswith("2") and asset.min_version not in READABLE
        if newer or not asset.version.startswith("2"):
            needed = asset.min_version if newer else asset.version
            raise ModelError(f"it is glTF {printable(needed)[:20]}, and only 2.0 is read")
        self._buffers: dict[int, bytes] = {}

    def floats(self, index: int, width: int, *, normalised: bool = False) -> Float64:
        """Return an accessor (count, width) of numbers; normalised integers become 0..1 or -1..1.

        normalised: integers are, whether the file says so or not.
        """
        accessor = self._accessor(index, width)
        values = self._values(accessor, index).astype(np.float64)
        kind = np.dtype(COMPONENTS[accessor.component_type])
        if (accessor.normalized or normalised) and kind.kind != "f":
            values = np.maximum(values / np.iinfo(kind).max, -1.0)
        return values

    def integers(self, index: int, width: int = 1) -> Int64:
        """Return an accessor (count, width) of indices."""
        accessor = self._accessor(index, width)
        _check_unsigned(accessor.component_type, index)
        return self._values(accessor, index).astype(np.int64)

    def width(self, index: int) -> int:
        """Return how many numbers an entry of an accessor has."""
        return WIDTHS.get(entry(self.document.accessors, index, "accessor").type, 0)

    def view(self, index: int) -> bytes:
        """Return the bytes of a buffer view."""
        view = entry(self.document.buffer_views, index, "buffer view")
        packed = next((name for name in COMPRESSED_VIEWS if name in view.extensions), None)
        if packed and self._lacks_fallback(view.buffer):
            raise ModelError(f"it is compressed with {packed}, which is not read")
        content = self._buffer(view.buffer)[view.byte_offset : view.byte_offset + view.byte_length]
        if len(content) < view.byte_length:
            raise ModelError(f"buffer view {index} reaches beyond the end of its buffer")
        return content

    def _accessor(self, index: int, width: int) -> Accessor:
        accessor = entry(self.document.accessors, index, "accessor")
        if WIDTHS.get(accessor.type) != width or accessor.component_type not in COMPONENTS:
            raise ModelError(
                f"accessor {index} has entries of {printable(accessor.type)[:20]} {accessor.component_type}, where "
                f"{width} numbers are expected"
            )
        return accessor

    def _values(self, accessor: Accessor, index: int) -> NDArray[Any]:
        """Return the entries (count, width) as the file has them."""
        shape, kind = (accessor.count, WIDTHS[accessor.type]), COMPONENTS[accessor.component_type]
        if accessor.buffer_view is None:
            if accessor.count > MOST_ZEROS:
                raise ModelError(
                    f"accessor {index} has {accessor.count} entries without bytes, and at most {MOST_ZEROS} are read"
                )
            values = np.zeros(shape, kind)
        else:
            stride = entry(self.document.buffer_views, accessor.buffer_view, "buffer view").byte_stride
            values = self._strided(accessor.buffer_view, accessor.byte_offset, shape, kind, stride, index)
        if accessor.sparse is None:
            return values
        sparse, values = accessor.sparse, values.copy()
        count = sparse.count
        _check_unsigned(sparse.indices.component_type, index)
        of_indices = COMPONENTS[sparse.indices.component_type]
        places = self._strided(
            sparse.indices.buffer_view, sparse.indices.byte_offset, (count, 1), of_indices, None, index
        )
        if count and int(places.max()) >= accessor.count:
            raise ModelError(f"accessor {index} replaces entry {places.max()} of {accessor.count}")
        values[places[:, 0]] = self._strided(
            sparse.values.buffer_view, sparse.values.byte_offset, (count, shape[1]), kind, None, index
        )
        return values

    def _strided(
        self, view: int, offset: int, shape: tuple[int, int], kind: str, stride: int | None, index: int
    ) -> NDArray[Any]:
        content, size = self.view(view), np.dtype(kind).itemsize
        step = stride or size * shape[1]
        if shape[0] and offset + step * (shape[0] - 1) + size * shape[1] > len(content):
            raise ModelError(f"accessor {index} reaches beyond the end of its buffer view")
        return np.ndarray(shape, kind, content, offset if shape[0] else 0, (step, size))

    def _buffer(self, index: int) -> bytes:
        if index not in self._buffers:
            buffer = entry(self.document.buffers, index, "buffer")
            if buffer.uri is None:
                content = self._chunk if index == 0 else None
            else:
                content = uri_content(buffer.uri, self._folder)
            if content is None:
                named = printable(buffer.uri)[:80] if buffer.uri else "without a name"
                raise ModelError(f"its buffer {named} is missing")
            if len(content) < buffer.byte_length:
                raise ModelError(f"buffer {index} has {len(content)} of {buffer.byte_length} bytes")
            self._buffers[index] = content
        return self._buffers[index]

    def _lacks_fallback(self, index: int) -> bool:
        """Return whether a buffer has no bytes of its own, only compressed views."""
        return entry(self.document.buffers, index, "buffer").uri is None and not (index == 0 and self._chunk)


def _check_unsigned(component_type: int, index: int) -> None:
    if component_type not in UNSIGNED:
        raise ModelError(
            f"accessor {index} has indices of component type {component_type}, where {', '.join(map(str, UNSIGNED))} "
            "are expected"
        )


def uri_content(uri: str, folder: Path) -> bytes | None:
    """Return what a URI names, in the file itself or beside it, or None. Nothing is fetched from elsewhere."""
    if not uri.startswith("data:"):
        path = find_file(uri, folder)
        return path.read_bytes() if path else None
    head, _, data = uri.partition(",")
    try:
        return base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)
    except (binascii.Error, ValueError):
        return None


def _chunks(content: bytes) -> tuple[bytes | None, bytes]:
    """Return the binary chunk, if any, and the JSON of GLB."""
    version = int.from_bytes(content[4:8], "little")
    if version != 2:
        raise ModelError(f"it is binary glTF {version}, and only 2 is read")
    found: dict[bytes, bytes] = {}
    start = 12
    while start + 8 <= len(content):
        length, kind = int.from_bytes(content[start : start + 4], "little"), content[start + 4 : start + 8]
        found.setdefault(kind, content[start + 8 : start + 8 + length])
        if len(found[kind]) < length and start + 8 + length > len(content):
            raise ModelError("it is cut short")
        start += 8 + length
    if JSON_CHUNK not in found:
        raise ModelError("it is cut short")
    return found.get(BINARY_CHUNK), found[JSON_CHUNK]


def _invalid(error: Exception) -> str:
    """Return what is wrong with the JSON: msgspec names the place, as in "Expected `int` - at `$.nodes[0].mesh`"."""
    if isinstance(error, msgspec.ValidationError):
        _, _, place = str(error).partition("`$.")
        return f"its JSON does not fit glTF at {printable(place.rstrip('`'))[:80] or 'its beginning'}"
    return "it does not contain the JSON of glTF"
