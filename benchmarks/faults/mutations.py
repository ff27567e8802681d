"""Random mutations of shards and of dataset.json. A mutation follows from its seed and its number alone.

Bytes are flipped, cut off, exchanged, or overwritten with numbers that point elsewhere. In every third shard HDF5
itself changes the content (`benchmarks.faults.malformed_shards`). In two of three dataset.json the JSON values change.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.faults.malformed_shards import malformations

ByteMutation = Callable[[bytearray, np.ndarray, np.random.Generator], bytearray]


@dataclass(frozen=True)
class Original:
    """The bytes of a valid file, and the offsets that may be mutated."""

    content: bytes
    offsets: np.ndarray  # (N,)
    shape: tuple[int, ...] = ()  # of a shard's images


def read_shard(path: Path) -> Original:
    """Read a valid shard. Its pixels are not mutated, because no check reads them."""
    content = path.read_bytes()
    mutable = np.ones(len(content), bool)
    with h5py.File(path) as file:
        images = file["images"]
        for row in range(len(images)):
            chunk = images.id.get_chunk_info(row)
            mutable[chunk.byte_offset : chunk.byte_offset + chunk.size] = False
        return Original(content, np.flatnonzero(mutable), images.shape)


def read_text(path: Path) -> Original:
    """Read a valid text. Every byte may be mutated."""
    content = path.read_bytes()
    return Original(content, np.arange(len(content)))


def mutate_shard(original: Original, path: Path, seed: int, number: int) -> str:
    """Write mutation `number` of a shard to `path`, beside the file that it may link to. Returns what changed."""
    rng = np.random.default_rng([seed, number])
    if number % 3:
        content, description = _mutate_bytes(original, rng)
        path.write_bytes(content)
        return description
    changes = malformations(original.shape)
    name = list(changes)[number // 3 % len(changes)]
    path.write_bytes(original.content)
    if not path.with_name("elsewhere.h5").exists():
        shutil.copy(path, path.with_name("elsewhere.h5"))
    try:
        with h5py.File(path, "r+") as file:
            changes[name](file)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        name = f"{name} (half: {type(error).__name__})"  # h5py refused the rest; the half-changed file is tested
    if number // 3 // len(changes) % 2:  # in every second round some bytes are changed, too
        again, description = _mutate_bytes(Original(path.read_bytes(), np.arange(min(path.stat().st_size, 6000))), rng)
        path.write_bytes(again)
        name = f"{name}; {description}"
    return name


def mutate_text(original: Original, path: Path, seed: int, number: int) -> str:
    """Write mutation `number` of a dataset.json to `path`. Returns its description."""
    rng = np.random.default_rng([seed, number])
    if number % 3 == 0:
        content, description = _mutate_bytes(original, rng)
        path.write_bytes(content)
        return description
    document = json.loads(original.content)
    description = "; ".join(_other_value(document, rng) for _ in range(1 + number % 2))
    text = json.dumps(document)
    for mark, value in PLACEHOLDERS.items():
        text = text.replace(f'"{mark}"', value)
    path.write_text(text, encoding="utf-8")
    return description


def _mutate_bytes(original: Original, rng: np.random.Generator) -> tuple[bytearray, str]:
    change = BYTE_MUTATIONS[int(rng.integers(len(BYTE_MUTATIONS)))]
    return change(bytearray(original.content), original.offsets, rng), change.__name__.strip("_").replace("_", " ")


def _flipped_bits(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    for offset in rng.choice(offsets, int(rng.integers(1, 9))):
        content[offset] ^= 1 << int(rng.integers(8))
    return content


def _flipped_bit_of_any_byte(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    return _flipped_bits(content, np.arange(len(content)), rng)


def _cut_off(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    return content[: int(rng.integers(len(content)))]


def _zeros_from_somewhere(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    offset = int(rng.choice(offsets))
    count = min(int(rng.integers(1, 400)), len(content) - offset)
    content[offset : offset + count] = bytes([int(rng.choice([0, 255]))]) * count
    return content


def _exchanged_pieces(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    size = int(rng.choice([2, 8, 16, 64, 512]))
    one, other = sorted(int(offset) for offset in rng.choice(offsets[offsets <= len(content) - size], 2))
    content[one : one + size], content[other : other + size] = content[other : other + size], content[one : one + size]
    return content


def _numbers_that_point_elsewhere(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    """Overwrite eight bytes that may be an address or a size with another one, inside or outside the file."""
    aligned = offsets[(offsets % 8 == 0) & (offsets <= len(content) - 8)]
    if not len(aligned):
        return content
    for offset in rng.choice(aligned, int(rng.integers(1, 4))):
        known = [0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, len(content), int(offset), int(rng.choice(aligned))]
        content[offset : offset + 8] = known[int(rng.integers(len(known)))].to_bytes(8, "little")
    return content


def _noise(content: bytearray, offsets: np.ndarray, rng: np.random.Generator) -> bytearray:
    offset = int(rng.choice(offsets))
    count = min(int(rng.integers(1, 64)), len(content) - offset)
    content[offset : offset + count] = rng.bytes(count)
    return content


BYTE_MUTATIONS: tuple[ByteMutation, ...] = (
    _flipped_bits,
    _flipped_bits,
    _flipped_bit_of_any_byte,
    _cut_off,
    _zeros_from_somewhere,
    _exchanged_pieces,
    _numbers_that_point_elsewhere,
    _numbers_that_point_elsewhere,
    _noise,
)

# Placeholder in the JSON text -> a text that json.dumps does not write.
PLACEHOLDERS = {
    "@deep": "[" * 50_000 + "]" * 50_000,
    "@digits": "1" + "0" * 50_000,
    "@infinity": "Infinity",
    "@nan": "NaN",
}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 20, 10**6, 10**12, 2**63, 2**70, 1e308, -0.5, "", " ", "train", "../x.h5",
    "/etc/passwd", "train/", ".", "/", "test/shard-00000.h5", "model.npz", "\x00", "a\nb", "\x1b[2J", "[/red]",
    "x" * 100_000, "\udc80", [], {}, [[]], [{}], {"": 0}, ["azimuth"], *PLACEHOLDERS,
)  # fmt: skip


def _other_value(document: dict[str, Any], rng: np.random.Generator) -> str:
    """Change, remove or double a random value in a JSON object. Returns a description."""
    at: Any = document
    path: list[str] = []
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = keys[int(rng.integers(len(keys)))]
        path.append(str(key))
        if not (isinstance(at[key], dict | list) and at[key]) or rng.random() < 0.15:
            break
        at = at[key]
    chance = rng.random()
    if chance < 0.1:
        del at[key]
        return f"no {'/'.join(path)}"
    if chance < 0.2 and isinstance(at, list):
        at.append(at[key])
        return f"{'/'.join(path)} twice"
    value = VALUES[int(rng.integers(len(VALUES)))]
    at[key] = value
    return f"{'/'.join(path)} = {str(value)[:20]!r}"
