"""Read the elements of a PLY file, of text or binary: columns of numbers, and lists of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Int64
from dcign.errors import ModelError
from dcign.facegen.objects.formats.text import numbers
from dcign.printable import printable

TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8",
}  # fmt: skip
ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
Numbers = NDArray[Any]  # of the type that the file says


@dataclass(frozen=True, eq=False)
class Ragged:
    """Lists of different lengths: counts (N,), and all their values, one list after another."""

    counts: Int64
    values: Numbers


@dataclass(frozen=True)
class Property:
    """A property of an element. length: the type of a list's length, or None for a single number."""

    name: str
    kind: str
    length: str | None


@dataclass(eq=False)
class Element:
    """An element: its properties in the header's order, and what was read of them, by name in small letters."""

    count: int
    properties: list[Property] = field(default_factory=list)
    values: dict[str, Numbers] = field(default_factory=dict)
    lists: dict[str, Ragged] = field(default_factory=dict)

    def kind(self, name: str) -> np.dtype[Any]:
        """Return the type that the header declares for a property: values of a text are read as wider ones."""
        return np.dtype(next(each.kind for each in self.properties if each.name == name))


def read_elements(content: bytes) -> tuple[dict[str, Element], list[str]]:
    """Return the elements of a file by name, and the pictures that its comments name as textures.

    Raises ModelError, whose text is a clause.
    """
    order, elements, pictures, body = _header(content)
    source: _Source = _Binary(body, order) if order else _Text(numbers(body, np.float64))
    for name, element in elements.items():
        try:
            if element.count and not _read_alike(element, source):
                _read_in_turn(element, source)
        except (IndexError, ValueError, OverflowError, MemoryError):
            raise ModelError(f"it is cut short in its element {name}, of which it announces {element.count}") from None
    if source.left():
        raise ModelError(f"it has {source.left()} numbers more than its header announces")
    return elements, pictures


def _header(content: bytes) -> tuple[str, dict[str, Element], list[str], bytes]:
    """Return the byte order, "" for text, the elements without values, the textures, and the rest of the file."""
    head, end, body = content.partition(b"end_header")
    if not content.startswith(b"ply") or not end:
        raise ModelError("it does not begin with the header of a PLY file")
    body = body.lstrip(b" ")
    body = body[2:] if body[:2] == b"\r\n" else body[1:]
    order, twice, elements, pictures = "", "", {}, []  # type: str, str, dict[str, Element], list[str]
    for line in head.decode("utf-8", "surrogateescape").splitlines()[1:]:
        words = line.split()
        try:
            if words[:1] == ["format"]:
                order = ORDERS[words[1]]
            elif words[:1] == ["element"]:
                element, name = Element(int(words[2])), words[1].lower()
                twice = twice or (name if name in elements else "")
                elements[name] = element
            elif words[:2] == ["property", "list"]:
                element.properties.append(Property(words[4].lower(), TYPES[words[3].lower()], TYPES[words[2].lower()]))
            elif words[:1] == ["property"]:
                element.properties.append(Property(words[2].lower(), TYPES[words[1].lower()], None))
            elif words[:2] == ["comment", "TextureFile"]:
                pictures.append(line.split(None, 2)[2].strip())
        except (KeyError, IndexError, ValueError, UnboundLocalError):
            raise ModelError(f"it has a line {printable(line)[:60]!r} in its header, which says nothing") from None
    if twice:
        raise ModelError(f"it has two elements {printable(twice)[:40]}")
    return order, elements, pictures, body


class _Source(Protocol):
    """Where the numbers of the elements come from. `start` is what is read already."""

    start: int

    def take(self, kind: str, count: int) -> Numbers:
        """Return the next numbers of a type. Raises ValueError if there are fewer."""

    def columns(self, kinds: Sequence[tuple[str, int]], count: int) -> list[Numbers] | None:
        """Return `count` rows of columns (N, width), each of a type and a width, or None if there are fewer."""

    def left(self) -> int:
        """Return how many numbers of a text are not read; 0 of binary files, behind which anything may stand."""


class _Text:
    def __init__(self, words: NDArray[np.float64]) -> None:
        self._words = words
        self.start = 0

    def take(self, kind: str, count: int) -> Numbers:
        found = self._words[self.start : self.start + count]
        if len(found) < count:
            raise ValueError("cut short")
        self.start += count
        return found.astype(kind if kind[0] == "f" else "i8")

    def columns(self, kinds: Sequence[tuple[str, int]], count: int) -> list[Numbers] | None:
        ends = np.cumsum([width for _, width in kinds])
        size = int(ends[-1]) * count
        if self.start + size > len(self._words):
            return None
        rows = self._words[self.start : self.start + size].reshape(count, -1)
        self.start += size
        return [
            rows[:, end - width : end].astype(kind if kind[0] == "f" else "i8")
            for (kind, width), end in zip(kinds, ends.tolist(), strict=True)
        ]

    def left(self) -> int:
        return len(self._words) - self.start


class _Binary:
    def __init__(self, body: bytes, order: str) -> None:
        self._body = body
        self._order = order
        self.start = 0

    def take(self, kind: str, count: int) -> Numbers:
        found = np.frombuffer(self._body, self._order + kind, count, self.start) if count else np.empty(0, kind)
        self.start += found.nbytes
        return found.astype(kind)

    def left(self) -> int:
        return 0

    def columns(self, kinds: Sequence[tuple[str, int]], count: int) -> list[Numbers] | None:
        row = np.dtype([(f"p{place}", self._order + kind, (width,)) for place, (kind, width) in enumerate(kinds)])
        if self.start + row.itemsize * count > len(self._body):
            return None
        rows = np.frombuffer(self._body, row, count, self.start)
        self.start += row.itemsize * count
        return [rows[f"p{place}"].astype(kind) for place, (kind, _) in enumerate(kinds)]


def _read_alike(element: Element, source: _Source) -> bool:
    """Read an element whose lists are all as long as those of its first row. Returns whether they are."""
    begin = source.start
    kinds: list[tuple[str, int]] = []
    lengths: list[int] = []
    for each in element.properties:
        if each.length is not None:
            lengths.append(int(source.take(each.length, 1)[0]))
            kinds.append((each.length, 1))
        kinds.append((each.kind, 1 if each.length is None else lengths[-1]))
        source.take(*kinds[-1])
    source.start = begin
    columns = source.columns(kinds, element.count)
    if columns is None:
        return False
    found = iter(columns)
    alike = True
    for each in element.properties:
        counts = next(found)[:, 0].astype(np.int64) if each.length is not None else None
        values = next(found)
        if counts is None:
            element.values[each.name] = values[:, 0]
        else:
            alike &= bool((counts == values.shape[1]).all())
            element.lists[each.name] = Ragged(counts, values.ravel())
    if not alike:
        source.start = begin
    return alike


def _read_in_turn(element: Element, source: _Source) -> None:
    """Read an element row by row."""
    rows: list[list[Numbers]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for each, column in zip(element.properties, rows, strict=True):
            count = 1 if each.length is None else int(source.take(each.length, 1)[0])
            column.append(source.take(each.kind, count))
    for each, column in zip(element.properties, rows, strict=True):
        if each.length is None:
            element.values[each.name] = np.concatenate(column)
        else:
            element.lists[each.name] = Ragged(np.array([len(row) for row in column], np.int64), np.concatenate(column))
