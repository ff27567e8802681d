"""Tiny data sets in the layouts of others: a bright square whose place, brightness and size are the factors."""

from __future__ import annotations

import csv
import itertools
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from dcign.arrays import Float64, UInt8

SIDE = 32


def drawn(shares: Float64, channels: int = 3, side: int = SIDE) -> UInt8:
    """Draw images (N, S, S, C) from shares 0..1 (N, up to 4): x, y, brightness, size."""
    padded = np.full((len(shares), 4), 0.5)
    padded[:, : min(4, shares.shape[1])] = shares[:, :4]
    across, down, bright, size = padded.T[:, :, None, None]
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]
    half = 0.08 + 0.08 * size
    inside = (np.abs(x - 0.25 - 0.5 * across) < half) & (np.abs(y - 0.25 - 0.5 * down) < half)
    gray = np.where(inside, 100 + 150 * bright, 20)
    return np.repeat(gray[..., None], channels, axis=-1).astype(np.uint8)


def grid(*sizes: int) -> NDArray[np.int64]:
    """Return all combinations of levels (N, F), the last factor fastest."""
    return np.array([*itertools.product(*map(range, sizes))])


def shares(codes: NDArray[np.int64]) -> Float64:
    """Return levels as shares 0..1."""
    return np.asarray(codes / np.maximum(codes.max(axis=0), 1))


def write_pictures(folder: Path, images: UInt8, names: Sequence[str]) -> None:
    for name, image in zip(names, images, strict=True):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file)


def write_csv(file: Path, heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([heading, *rows])


def picture_folder(
    folder: Path, sizes: Sequence[int] = (4, 5, 6), table: str = "labels.csv", channels: int = 3
) -> Path:
    """A grid of pictures with factors x, y and tone, or scattered ones where a size is 0; with a CSV or JSON lines."""
    scattered = np.random.default_rng(0).uniform(0, 1, (200, 3))
    values = scattered if 0 in sizes else shares(grid(*sizes))
    names = [f"pictures/{row:04d}.png" for row in range(len(values))]
    write_pictures(folder, drawn(values, channels), names)
    heading = ["file_name", "x", "y", "tone"]
    rows = [[name, *map(float, value)] for name, value in zip(names, values, strict=True)]
    if table.endswith(".csv"):
        write_csv(folder / table, heading, rows)
    else:
        (folder / table).write_text("".join(json.dumps(dict(zip(heading, row, strict=True))) + "\n" for row in rows))
    return folder


def dsprites(path: Path) -> Path:
    """dSprites' keys with a pickled metadata, 3 x 3 x 5 x 4 x 4 images of 0 and 1."""
    codes = grid(1, 3, 3, 5, 4, 4)
    values = np.column_stack([
        codes[:, 0] + 1.0, codes[:, 1] + 1.0, 0.5 + codes[:, 2] / 4, codes[:, 3] * 2 * np.pi / 4,
        codes[:, 4] / 3, codes[:, 5] / 3,
    ])  # fmt: skip
    images = drawn(shares(codes[:, [4, 5, 3, 2]]), 1)[..., 0] > 50
    np.savez_compressed(
        path, imgs=images.astype(np.uint8), latents_values=values, latents_classes=codes,
        metadata=np.array({"title": "dSprites"}, dtype=object),
    )  # fmt: skip
    return path


def shapes3d(path: Path, sizes: Sequence[int] = (3, 3, 3, 4, 4, 3)) -> Path:
    """3D Shapes' keys."""
    codes = grid(*sizes)
    hues = codes[:, :3] / 10
    labels = np.column_stack([hues, 0.75 + codes[:, 3] / 14, codes[:, 4], -30 + 30.0 * codes[:, 5]])
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "images", data=drawn(shares(codes[:, [0, 5, 2, 3]])), chunks=(7, SIDE, SIDE, 3), compression=1
        )
        file["labels"] = labels
    return path


def mpi3d(path: Path, sizes: Sequence[int]) -> Path:
    """MPI3D's key; sizes: of the grid."""
    codes = grid(*sizes)
    np.savez(path, images=drawn(shares(codes[:, [5, 6, 0, 2]]), side=16))
    return path


def cars3d(folder: Path, cars: int = 12) -> Path:
    """Cars3D: a file per car, 6 azimuths, 4 elevations."""
    folder.mkdir()
    for car in range(cars):
        codes = grid(6, 4)
        values = np.column_stack([shares(codes), np.full(len(codes), car / cars)])
        images = drawn(values).reshape(6, 4, SIDE, SIDE, 3)
        savemat(folder / f"car_{car:03d}_mesh.mat", {"im": np.moveaxis(images, (0, 1), (3, 4))})
    return folder


def small_norb(folder: Path) -> Path:
    """smallNORB: two parts of 10 toys each, 3 elevations, 4 azimuths, 3 lights, two cameras."""
    folder.mkdir()
    for part, instances in (("5x46789x9x18x6x2x96x96-training", (4, 6)), ("5x01235x9x18x6x2x96x96-testing", (0, 1))):
        codes = grid(5, len(instances), 3, 4, 3)
        codes = np.random.default_rng(1).permutation(codes)
        left = drawn(shares(codes[:, [3, 2, 4, 0]]), 1)[..., 0]
        info = np.column_stack([np.array(instances)[codes[:, 1]], codes[:, 2], 2 * codes[:, 3], codes[:, 4]])
        name = folder / f"smallnorb-{part}"
        _matrix(Path(f"{name}-dat.mat"), 0x1E3D4C55, np.stack([left, 255 - left], axis=1))
        _matrix(Path(f"{name}-cat.mat"), 0x1E3D4C54, codes[:, 0].astype("<i4"))
        _matrix(Path(f"{name}-info.mat"), 0x1E3D4C54, info.astype("<i4"))
    return folder


def _matrix(file: Path, magic: int, values: NDArray[Any]) -> None:
    sizes = [*values.shape, 1, 1, 1][: max(3, values.ndim)]
    file.write_bytes(struct.pack(f"<ii{len(sizes)}i", magic, values.ndim, *sizes) + values.tobytes())


def falcor3d(folder: Path) -> Path:
    """Falcor3D with few pictures: two levels of each of the last factors."""
    strides = np.array([46656, 7776, 1296, 216, 36, 6, 1])
    codes = grid(1, 1, 1, 2, 3, 3, 4)
    numbers = codes @ strides
    write_pictures(folder / "images", drawn(shares(codes[:, 3:])), [f"{number:06d}.png" for number in numbers])
    return folder


def table_rows(sizes: Sequence[int] = (4, 5, 6)) -> tuple[list[bytes], dict[str, list[Any]]]:
    """Pictures as PNG files, and the columns of their labels."""
    from dcign.data.export.png_bytes import png_bytes

    codes = grid(*sizes)
    pictures = [png_bytes(image) for image in drawn(shares(codes))]
    return pictures, {"x": codes[:, 0].tolist(), "kind": codes[:, 1].tolist(), "tone": (codes[:, 2] / 10).tolist()}


def parquet(path: Path) -> Path:
    """A Parquet file as Hugging Face's datasets writes it, with names of classes."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(_table(pa), path, row_group_size=50)
    return path


def saved_to_disk(folder: Path) -> Path:
    """A folder as `datasets.save_to_disk` writes it."""
    import pyarrow as pa

    folder.mkdir()
    table = _table(pa)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table, max_chunksize=50)
    (folder / "dataset_info.json").write_text("{}")
    return folder


def _table(pa: Any) -> Any:
    pictures, labels = table_rows()
    names = ["ant", "bee", "cat", "dog", "eel"]
    features = {"kind": {"names": names, "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    structs = pa.array([{"bytes": each, "path": None} for each in pictures])
    table = pa.table({"image": structs, **labels})
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
