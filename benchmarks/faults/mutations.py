"""Shards and dataset.json changed at random: a mutant follows from its seed and its number alone.

Bytes are flipped, cut off, exchanged, overwritten by numbers that point elsewhere; in every third shard what HDF5 holds
is changed by HDF5 itself (`benchmarks.faults.malformed_shards`), and in every third dataset.json what JSON holds.
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

from benchmarks.faults.malformed_shards import hostile

Bytes = Callable[[bytearray, np.ndarray, np.random.Generator], bytearray]


@dataclass(frozen=True)
class Kernel:
    """What mutants are made of: a good file's bytes, and where in it is more than pixels."""

    content: bytes
    places: np.ndarray  # (N,) offsets of single bytes
    shape: tuple[int, ...] = ()  # of a shard's images


def shard_kernel(path: Path) -> Kernel:
    """A good shard; its places are all bytes but those of chunks."""
    content = path.read_bytes()
    held = np.ones(len(content), bool)
    with h5py.File(path) as file:
        images = file["images"]
        for row in range(len(images)):
            chunk = images.id.get_chunk_info(row)
            held[chunk.byte_offset : chunk.byte_offset + chunk.size] = False
        return Kernel(content, np.flatnonzero(held), images.shape)


def text_kernel(path: Path) -> Kernel:
    """A good text; every byte of it is a place."""
    content = path.read_bytes()
    return Kernel(content, np.arange(len(content)))


def mutate_shard(kernel: Kernel, path: Path, seed: int, number: int) -> str:
    """Write mutant `number` of a shard to `path`, with what it links to beside it. Returns what was done."""
    rng = np.random.default_rng([seed, number])
    if number % 3:
        content, done = _mutated(kernel, rng)
        path.write_bytes(content)
        return done
    changes = hostile(kernel.shape)
    name = list(changes)[number // 3 % len(changes)]
    path.write_bytes(kernel.content)
    if not path.with_name("elsewhere.h5").exists():
        shutil.copy(path, path.with_name("elsewhere.h5"))
    try:
        with h5py.File(path, "r+") as file:
            changes[name](file)
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        MemoryError,
    ) as error:  # h5py will not; what there is will do
        name = f"{name} (half: {type(error).__name__})"
    if number // 3 // len(changes) % 2:  # the second time round, with a flipped byte to it
        again, done = _mutated(Kernel(path.read_bytes(), np.arange(min(path.stat().st_size, 6000))), rng)
        path.write_bytes(again)
        name = f"{name}; {done}"
    return name


def mutate_text(kernel: Kernel, path: Path, seed: int, number: int) -> str:
    """Write mutant `number` of a dataset.json to `path`. Returns what was done."""
    rng = np.random.default_rng([seed, number])
    if number % 3 == 0:
        content, done = _mutated(kernel, rng)
        path.write_bytes(content)
        return done
    document = json.loads(kernel.content)
    done = "; ".join(_other_value(document, rng) for _ in range(1 + number % 2))
    text = json.dumps(document)
    for mark, value in STAND_INS.items():
        text = text.replace(f'"{mark}"', value)
    path.write_text(text, encoding="utf-8")
    return done


def _mutated(kernel: Kernel, rng: np.random.Generator) -> tuple[bytearray, str]:
    change = BYTES[int(rng.integers(len(BYTES)))]
    return change(bytearray(kernel.content), kernel.places, rng), change.__name__.strip("_").replace("_", " ")


def _flipped_bits(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    for place in rng.choice(places, int(rng.integers(1, 9))):
        content[place] ^= 1 << int(rng.integers(8))
    return content


def _flipped_bit_of_any_byte(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    return _flipped_bits(content, np.arange(len(content)), rng)


def _cut_off(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    return content[: int(rng.integers(len(content)))]


def _zeros_from_somewhere(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    place = int(rng.choice(places))
    count = min(int(rng.integers(1, 400)), len(content) - place)
    content[place : place + count] = bytes([int(rng.choice([0, 255]))]) * count
    return content


def _exchanged_pieces(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    size = int(rng.choice([2, 8, 16, 64, 512]))
    one, other = sorted(int(place) for place in rng.choice(places[places <= len(content) - size], 2))
    content[one : one + size], content[other : other + size] = (
        content[other : other + size],
        content[one : one + size],
    )
    return content


def _numbers_that_point_elsewhere(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    """Where eight bytes may be an address or a size, another one: of this file, of none, of the same place."""
    aligned = places[(places % 8 == 0) & (places <= len(content) - 8)]
    if not len(aligned):
        return content
    for place in rng.choice(aligned, int(rng.integers(1, 4))):
        known = [0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, len(content), int(place), int(rng.choice(aligned))]
        content[place : place + 8] = known[int(rng.integers(len(known)))].to_bytes(8, "little")
    return content


def _noise(content: bytearray, places: np.ndarray, rng: np.random.Generator) -> bytearray:
    place = int(rng.choice(places))
    count = min(int(rng.integers(1, 64)), len(content) - place)
    content[place : place + count] = rng.bytes(count)
    return content


BYTES: tuple[Bytes, ...] = (
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

# What json.dumps does not write, by a word that it does.
STAND_INS = {
    "@deep": "[" * 50_000 + "]" * 50_000,
    "@digits": "1" + "0" * 50_000,
    "@infinity": "Infinity",
    "@nan": "NaN",
}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 20, 10**6, 10**12, 2**63, 2**70, 1e308, -0.5, "", " ", "train", "../x.h5",
    "/etc/passwd", "train/", ".", "/", "test/shard-00000.h5", "model.npz", "\x00", "a\nb", "\x1b[2J", "[/red]",
    "x" * 100_000, "\udc80", [], {}, [[]], [{}], {"": 0}, ["azimuth"], *STAND_INS,
)  # fmt: skip


def _other_value(document: dict[str, Any], rng: np.random.Generator) -> str:
    """Change, remove or double something anywhere in a JSON object."""
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
