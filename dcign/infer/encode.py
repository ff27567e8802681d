"""The codes of a data set as one file of arrays, from which every metric can be computed again.

A .npz with one row per image, in the data set's order: mu, logvar (N, Z) float32; factors (N, F) float32, named by
factor_names (F,) in factor_units (F,), of the factor_types (F,) number, class or angle; split (N,), its name; batch
(N,), its number within the split; varies (N,), what varies in the batch; identity_index (N,), the number of the person.
blocks (Z,), the name of each latent's block of the code, such as `hair`: files of runs without assigned latents, and of
earlier versions, do not have it.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Float32, Int64, Str
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import Batch
from dcign.data.shard.reader import Shard
from dcign.device import refuse_threads, threads
from dcign.errors import DataError, TrainingError
from dcign.foreign import archive_fault
from dcign.inputs.scaling import scaled_batches
from dcign.metrics.tables import NUMBER, factor_types
from dcign.progress import StageProgress, no_stage_progress
from dcign.storage.atomic import refuse_taken_file, write_atomic, write_errors
from dcign.trained.codec import Codec
from dcign.trained.trained_run import TrainedRun

FORMAT_VERSION = 1
AT_ONCE = 500  # images in memory: 34 MB of pixels at 150 px, in colour


@dataclass(frozen=True, eq=False)
class Encoding:
    """The content of the file; see above."""

    mu: Float32
    logvar: Float32
    factors: Float32
    split: Str
    batch: Int64
    varies: Str
    identity_index: Int64
    factor_names: Str
    factor_units: Str
    factor_types: Str
    blocks: Str | None = None

    def block(self, name: str) -> Float32:
        """Return mu of the latents of one block: (N, K). Raises TrainingError if the code has no such block."""
        known = [] if self.blocks is None else list(dict.fromkeys(self.blocks.tolist()))
        if self.blocks is None or name not in known:
            raise TrainingError(
                f"expected a block of the code, found {name!r}: "
                + (f"choose from {', '.join(known)}." if known else "encode with a run that has assigned latents.")
            )
        return self.mu[:, self.blocks == name]

    def of(self, split: str) -> Encoding:
        """Return the rows of one split."""
        rows = self.split == split
        chosen = {name: getattr(self, name)[rows] for name in PER_IMAGE}
        return dataclasses.replace(self, **chosen)


BLOCKS = "blocks"  # the array that may be absent
TYPES = "factor_types"
FINITE = ("mu", "logvar", "factors")
PER_IMAGE = ("mu", "logvar", "factors", "split", "batch", "varies", "identity_index")


def encode_dataset(
    run: TrainedRun,
    folder: str | Path,
    splits: Sequence[str] = (),
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> Encoding:
    """Encode every image of a data set folder, or of some of its splits.

    Raises TrainingError or DataError if the run or the data set cannot be read, or if the images do not suit the run.
    """
    refuse_threads(thread_count)
    dataset, codec = FaceDataset(folder), run.codec
    held = [name for name, entries in dataset.splits.items() if entries]
    unknown = [name for name in splits if name not in held]
    if unknown:
        raise DataError(
            f"expected one of the splits {', '.join(held)} of {folder}, found {unknown[0]!r}: choose one of these."
        )
    names = [name for name in held if not splits or name in splits]
    whole = sum(entry.batches for name in names for entry in dataset.splits[name])
    parts: list[dict[str, NDArray[Any]]] = []  # of several element types
    done = 0
    with threads(thread_count):
        for split in names:
            for part in _encoded(codec, _batches(codec, dataset, split, run.folder), split):
                parts.append(part)
                done += len(np.unique(part["batch"]))
                progress(f"encoding {split}", done / whole)
    return Encoding(
        **{name: np.concatenate([part[name] for part in parts]) for name in PER_IMAGE},
        factor_names=np.array([factor.name for factor in dataset.factors]),
        factor_units=np.array([factor.units for factor in dataset.factors]),
        blocks=_blocks(codec),
        factor_types=np.array(
            factor_types(
                [factor.circular for factor in dataset.factors], [len(factor.classes) for factor in dataset.factors]
            )
        ),
    )


def save_encoding(encoding: Encoding, path: str | Path) -> None:
    """Write the arrays atomically. An existing file is not replaced."""
    where = refuse_encoding_file(path)
    content = io.BytesIO()
    arrays = {field.name: getattr(encoding, field.name) for field in dataclasses.fields(encoding)}
    np.savez(content, version=FORMAT_VERSION, **{name: held for name, held in arrays.items() if held is not None})
    write_atomic(where, content.getvalue())


def refuse_encoding_file(path: str | Path, suffixes: Sequence[str] = (".npz",)) -> Path:
    """Return the path. Raises TrainingError or DataError if codes cannot be written to it, before minutes of encoding.

    suffixes: the endings of files that can be written.
    """
    where = Path(path)
    if where.suffix not in suffixes:
        names = ", ".join(f"NAME{suffix}" for suffix in suffixes)
        raise TrainingError(f"expected a file {names} for codes, found {where}: choose another --out.")
    refuse_taken_file(where)
    with (
        write_errors(where),
        tempfile.TemporaryFile(dir=next(folder for folder in where.absolute().parents if folder.exists())),
    ):
        return where


def load_encoding(path: str | Path) -> Encoding:
    """Read a file of `save_encoding`. Raises TrainingError if it is damaged or of another version."""
    wanted = [field.name for field in dataclasses.fields(Encoding) if field.name != BLOCKS]
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as found:
            version, held = int(found["version"]), dict(found)
            if TYPES not in held and "factor_names" in held:  # of version 0.2, which took every factor for a number
                held[TYPES] = np.full(len(held["factor_names"]), NUMBER)
            arrays = {name: held[name] for name in wanted} if version == FORMAT_VERSION else {}
            arrays |= {BLOCKS: held[BLOCKS]} if arrays and BLOCKS in held else {}
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        found_there = archive_fault(Path(path), error)
        raise TrainingError(
            f"expected a file of `dcign encode` in {path}, found {found_there}: choose another file."
        ) from None
    if not arrays:
        raise TrainingError(f"expected version {FORMAT_VERSION} of codes in {path}, found {version}: encode again.")
    rows = {name: len(arrays[name]) for name in PER_IMAGE if arrays[name].ndim}
    if len(set(rows.values())) != 1 or len(rows) != len(PER_IMAGE):
        raise TrainingError(f"expected tables of one length in {path}, found {rows}: encode again.")
    for name in FINITE:
        if arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all():
            raise TrainingError(f"expected finite numbers as {name} in {path}, found others: encode again.")
    blocks = arrays.get(BLOCKS)
    if blocks is not None and (blocks.dtype.kind != "U" or blocks.shape != arrays["mu"].shape[1:]):
        raise TrainingError(f"expected the name of each latent's block in {path}, found other {BLOCKS}: encode again.")
    return Encoding(**arrays)


def _blocks(codec: Codec) -> Str | None:
    """Return the name of each latent's block (Z,), or None without assigned latents."""
    if not codec.configuration.recipe.assigned:
        return None
    return np.array([block.name for block in codec.layout.blocks for _ in block.latents])


def _batches(codec: Codec, dataset: FaceDataset, split: str, run: str | Path) -> Iterator[Batch]:
    """Yield the batches of a split. Raises TrainingError if a shard's images are not the network's."""
    for shard in dataset.shards(split):
        _refuse_other_images(codec, shard, run)
        yield from (shard.batch(row) for row in range(len(shard)))


def _encoded(
    codec: Codec, of_split: Iterator[Batch], split: str
) -> Iterator[dict[str, NDArray[Any]]]:  # of several element types
    """Encode a split, some batches at a time, in the passes of the whole split. Yields tables of name -> rows.

    Passes of other images round differently, and an evaluation encodes the whole split.
    """
    first = next(of_split)
    of_split = itertools.chain([first], of_split)
    whole_passes = math.lcm(len(first.images), codec.pass_images)  # images
    at_once = whole_passes * max(1, AT_ONCE // whole_passes) // len(first.images)  # batches
    while batches := list(itertools.islice(of_split, at_once)):
        size = codec.description.size
        mu, logvar = codec.encode(np.concatenate([scaled_batches(batch.images[None], size)[0] for batch in batches]))
        sizes = [len(batch.images) for batch in batches]
        yield {
            "mu": mu.astype(np.float32),
            "logvar": logvar.astype(np.float32),
            "factors": np.concatenate([batch.factors for batch in batches]).astype(np.float32),
            "split": np.full(sum(sizes), split),
            "batch": np.repeat(np.array([batch.number for batch in batches], np.int64), sizes),
            "varies": np.repeat(np.array([batch.varies for batch in batches]), sizes),
            "identity_index": np.concatenate([batch.identity_index for batch in batches]).astype(np.int64),
        }


def _refuse_other_images(codec: Codec, shard: Shard, run: str | Path) -> None:
    """Raise TrainingError unless the shard's images have the network's channels and size, or are scaled down to it.

    They are where the recipe has a size of its own, as in training.
    """
    size, channels = codec.description.size, codec.description.channels
    height, width, found = shard.image_shape
    if codec.configuration.recipe.size and (height, found) == (width, channels) and height > size:
        return
    if (height, width, found) != (size, size, channels):
        raise TrainingError(
            f"expected images of {size} x {size} px and {channels} channels, on which {run} was trained, found "
            f"{width} x {height} px and {found} channels in {shard.path}: name a data set rendered with --size {size} "
            f"--channels {channels}."
        )
