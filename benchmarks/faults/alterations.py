"""Random alterations of labels, attributes and chunks of a finished data set: every command that reads it must say so.

Each alteration leaves a valid HDF5 file. A command passes if it exits with 1 and names the shard; of labels that are
not finite or out of range it must also name batch and column. Altered shards are not listed again in dataset.json.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from click.testing import CliRunner

from dcign import cli
from dcign.data.shard.columns import is_per_pixel
from dcign.facegen.build import procedural_model
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.ranges import Range
from dcign.render.produce.production import render_dataset

FACES = RenderConfiguration(
    Splits(train=5, test=5, iid=2, sweep_levels=(1, 1, 1)),
    size=32,
    truth=("depth", "parts", "landmarks"),
    light_elevation=Range(0.0, 40.0),
)
EXPORTS = ("png", "npz", "3dshapes", "webdataset")
VERIFIED = 20  # every so many alterations are also checked with --verify, which draws everything again
IMPOSSIBLE = (np.nan, np.inf, -np.inf, 1e6, -1e30)
# Columns of labels -> what findings call them.
LABELS = ("factors", "nuisance/light_elevation")  # the latter only where it is sampled
COEFFICIENTS = (
    *("identity/shape", "identity/albedo", "identity/attributes", "identity/own_shape", "identity/source"),
    *("identity/index", "varies", "batch"),
)
TEXTS = ("split", "configuration", "configuration_sha256", "model_sha256", "renderer", "ranges", "camera", "format")


@dataclass(frozen=True)
class Alteration:
    """What was changed, and the words that every command must print besides the shard's name."""

    what: str
    words: tuple[str, ...] = ()


def alter_in(folder: Path, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Render a data set, train for one step, and alter the data set's shards."""
    faces, run = folder / "altered", folder / "run"
    _prepare(faces, run)
    return alter_shards(faces, run, count, seed)


def alter_shards(faces: Path, run: Path | None, count: int, seed: int) -> dict[str, Any]:  # JSON
    """Alter one shard at a time, and run every command on the data set; without a run none that needs torch."""
    shards = sorted(faces.glob("*/*.h5"))
    kinds: Counter[str] = Counter()
    named: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        shard = shards[int(rng.integers(len(shards)))]
        with _altered(shard, rng) as alteration:
            kinds[alteration.what.split(" ")[0]] += 1
            name = shard.relative_to(faces).as_posix()
            for command, words in _commands(faces, run, verify=number % VERIFIED == 0):
                said = _said(words)
                if said is not None and all(word in said for word in (name, *alteration.words)):
                    named[command] += 1
                else:
                    faults.append(f"{number}, {name}: {alteration.what}: {command} said {str(said)[-300:]!r}")
        print(f"{number + 1} alterations, {len(faults)} faults", file=sys.stderr, flush=True)
    return {"alterations": count, "kinds": dict(kinds), "named by": dict(named), "faults": faults}


def alter(file: h5py.File, rng: np.random.Generator) -> Alteration:
    """Change one random thing in an open shard."""
    kind = (_impossible_label, _label, _attribute, _column_attribute, _chunk)[int(rng.integers(5))]
    return kind(file, rng)


def _impossible_label(file: h5py.File, rng: np.random.Generator) -> Alteration:
    labels = [path for path in LABELS if path in file]
    path = labels[int(rng.integers(len(labels)))]
    where = tuple(int(rng.integers(size)) for size in file[path].shape)
    value = IMPOSSIBLE[int(rng.integers(len(IMPOSSIBLE)))]
    file[path][where] = value
    names = [name.decode() for name in file["factors"].attrs["names"]]
    column = names[where[-1]] if path == "factors" else path.split("/")[1]
    return Alteration(f"impossible {path}{list(where)} = {value}", (f"batch {file['batch'][where[0]]}:", column))


def _label(file: h5py.File, rng: np.random.Generator) -> Alteration:
    """Give a label, a coefficient, an index or a code a value that another image or batch has, or a little more."""
    paths = [path for path in (*LABELS, *COEFFICIENTS) if path in file]
    path = paths[int(rng.integers(len(paths)))]
    values = file[path][()].reshape(-1)
    place = int(rng.integers(len(values)))
    others = values[values != values[place]]
    value = others[int(rng.integers(len(others)))] if len(others) else values[place] + 1
    before, values[place] = values[place], value
    file[path][()] = values.reshape(file[path].shape)
    return Alteration(f"label {path}, value {place}: {before} -> {value}")


def _attribute(file: h5py.File, rng: np.random.Generator) -> Alteration:
    """Change one number or letter of an attribute of the file."""
    name = (*TEXTS, "seed", "version")[int(rng.integers(len(TEXTS) + 2))]
    value = file.attrs[name]
    if isinstance(value, bytes):
        text = bytearray(value)
        places = [place for place, letter in enumerate(text) if chr(letter).isalnum()]
        place = places[int(rng.integers(len(places)))]
        text[place] = ord("7" if text[place] != ord("7") else "3")
        file.attrs[name] = np.bytes_(bytes(text))
    else:
        file.attrs[name] = np.int64(value + 1)
    return Alteration(f"attribute {name}: {shortened(value)} -> {shortened(file.attrs[name])}")


def _column_attribute(file: h5py.File, rng: np.random.Generator) -> Alteration:
    """Change the names, units or signs of columns, parts or landmarks."""
    paths = [(path, name) for path in ("factors", "identity/attributes", "truth/parts", "truth/landmarks")
             if path in file for name in file[path].attrs]  # fmt: skip
    path, name = paths[int(rng.integers(len(paths)))]
    values = file[path].attrs[name]
    changed = -values if values.dtype.kind == "i" else np.array([b"x" + values[0], *values[1:]])
    if rng.random() < 0.5 and len({*values.tolist()}) > 1:
        changed = np.roll(values, 1)
    file[path].attrs[name] = changed
    return Alteration(f"column {path}@{name}: {shortened(values.tolist())} -> {shortened(changed.tolist())}")


def _chunk(file: h5py.File, rng: np.random.Generator) -> Alteration:
    """Replace a chunk by that of another batch, by other pixels, or by bytes that do not inflate."""
    paths = ["images", *(f"truth/{name}" for name in file.get("truth", ()) if is_per_pixel(f"truth/{name}"))]
    dataset = file[paths[int(rng.integers(len(paths)))]]
    row, way = int(rng.integers(len(dataset))), int(rng.integers(3))
    place = (row, *(0,) * (dataset.ndim - 1))
    stream = bytearray(dataset.id.read_direct_chunk(place)[1])
    if way == 0:
        stream[int(rng.integers(len(stream)))] ^= 1 << int(rng.integers(8))
    else:
        pixels = np.roll(dataset[row], 1, axis=0) if way == 1 else np.zeros_like(dataset[row])
        stream = bytearray(zlib.compress(np.ascontiguousarray(pixels).data, 1))
    dataset.id.write_direct_chunk(place, bytes(stream))
    return Alteration(f"chunk {row} of {dataset.name}: {('a bit', 'images exchanged', 'all 0')[way]}")


@contextmanager
def _altered(shard: Path, rng: np.random.Generator) -> Iterator[Alteration]:
    """Alter a shard, and write its old bytes at the end."""
    content = shard.read_bytes()
    try:
        with h5py.File(shard, "r+") as file:
            alteration = alter(file, rng)
        if shard.read_bytes() == content:
            raise AssertionError(f"{alteration.what} changed nothing")
        yield alteration
    finally:
        shard.write_bytes(content)


def _commands(faces: Path, run: Path | None, *, verify: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield each command that reads a data set, by its name, as the words of a command line."""
    yield "inspect", ["inspect", str(faces)]
    yield "inspect --quick", ["inspect", str(faces), "--quick"]
    if verify:
        yield "inspect --verify", ["inspect", str(faces), "--verify", "--workers", "1"]
    with tempfile.TemporaryDirectory(prefix="dcign-altered-") as new:
        for to in EXPORTS:
            yield f"export --to {to}", ["export", str(faces), "--to", to, "--out", f"{new}/{to}"]
        if run is None:
            return
        yield "encode", ["encode", str(run), str(faces), "--out", f"{new}/codes.npz"]
        yield "train", ["train", str(faces), "--steps", "1", "--device", "cpu", "--out", f"{new}/run"]


def _said(words: list[str]) -> str | None:
    """Run a command, and return what it printed if it failed with a sentence; else None."""
    result = CliRunner().invoke(cli.dcign, words)
    if result.exit_code != 1 or not isinstance(result.exception, SystemExit) or "Traceback" in result.output:
        return None
    return " ".join(result.output.split())


def shortened(value: object) -> str:
    """Return the beginning of a value's text."""
    return str(value)[:60]


def _prepare(faces: Path, run: Path) -> None:
    """Render the data set and train for one step, unless both are there."""
    if (run / "checkpoint.safetensors").exists():
        return
    shutil.rmtree(faces, ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)
    render_dataset(faces, FACES, procedural_model, worker_count=1, progress=lambda made, wanted: None)
    from dcign.run.configuration import TrainConfiguration
    from dcign.train.training import train

    train(TrainConfiguration.from_options(faces, run, steps=1, device="cpu", threads=1))
