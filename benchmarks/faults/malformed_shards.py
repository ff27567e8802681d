"""Malformed shards that HDF5 accepts, or nearly accepts: each is a named change of a valid shard.

A change gets the shard open for writing. Some changes write files beside it.
"""

from __future__ import annotations

import functools
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dcign.data.schema import VARIES, configuration_sha256

Change = Callable[[h5py.File], object]
MANY = 10**9


def malformations(shape: tuple[int, ...]) -> dict[str, Change]:
    """Return every change by its name, for a shard whose images have the shape (B, 20, H, W, C)."""
    batches = shape[0]
    chunk, pixels = (1, *shape[1:]), np.zeros(shape, np.uint8)
    codes = np.arange(batches, dtype=np.uint8) % 4
    return {
        "labels of another dtype": replaced("factors", np.zeros((batches, 20, 3))),
        "labels of another count": replaced("factors", np.zeros((batches, 19, 3), np.float32)),
        "flat labels": replaced("factors", np.zeros((batches, 20), np.float32)),
        "labels of NaN": replaced("factors", np.full((batches, 20, 3), np.nan, np.float32)),
        "infinite labels": replaced("factors", np.full((batches, 20, 3), np.inf, np.float32)),
        "labels of text": replaced("factors", np.full((batches, 20, 3), b"12", "S4")),
        "labels of records": replaced("factors", np.zeros((batches, 20, 3), [("a", "f4"), ("b", "i2")])),
        "labels of variable length": _variable_length,
        "labels in chunks": replaced("factors", np.zeros((batches, 20, 3), np.float32), chunks=(1, 20, 3)),
        "big-endian labels": replaced("factors", np.zeros((batches, 20, 3), ">f4")),
        "flat coefficients": replaced("identity/shape", np.zeros((batches, 20), np.float32)),
        "fewer coefficients": replaced("identity/shape", np.ones((batches, 20, 5), np.float32)),
        "fewer attributes": _fewer_attributes,
        "coefficients of 1e30": replaced("identity/albedo", np.full((batches, 20, 30), 1e30, np.float32)),
        "one more factor, with its name": _one_more_factor,
        "an unknown nuisance": _set_dataset("nuisance/tides", np.zeros((batches, 20), np.float32)),
        "a mask of floats": _set_dataset("truth/mask", np.zeros(shape[:4], np.float32)),
        "a mask of three": _mask_of_three_channels,
        "no coefficients": replaced("identity/shape", np.zeros((batches, 20, 0), np.float32)),
        "labels without names": lambda file: file["factors"].attrs.__delitem__("names"),
        "labels of one repeated name": _factor_names([b"azimuth"] * 3),
        "names that are numbers": lambda file: file["factors"].attrs.__setitem__("names", [1, 2, 3]),
        "names of control characters and markup": _factor_names([b"\x1b[31m", b"[/red]", b"\xff\xfe"]),
        "names with a line feed": _factor_names([b"azi\nmuth", b"elevation", b"light"]),
        "signs of text": lambda file: file["factors"].attrs.__setitem__("mirror_sign", b"minus"),
        "more labels than names": replaced("factors", np.zeros((batches, 20, 4), np.float32)),
        "kinds without names": replaced("varies", codes),
        "kinds out of range": replaced("varies", codes + 4, dtype=h5py.enum_dtype(VARIES, basetype=np.uint8)),
        "kinds of other names": replaced("varies", codes, dtype=h5py.enum_dtype({"up": 0, "down": 1}, np.uint8)),
        "negative batch numbers": replaced("batch", np.full(batches, -(2**63))),
        "negative people": replaced("identity/index", np.full((batches, 20), -(2**63))),
        "a group for a dataset": lambda file: (file.__delitem__("batch"), file.create_group("batch")),
        "a dataset for a group": lambda file: (file.__delitem__("identity"), file.create_dataset("identity", data=3)),
        "truth that is a dataset": _set_dataset("truth", np.zeros(MANY // 1000, np.uint8)),
        "flat images": replaced("images", pixels[..., 0], chunks=chunk[:4]),
        "no images": replaced("images", pixels[:, :, :0], chunks=None),
        "images of no batch": replaced("images", pixels[:0], chunks=chunk, maxshape=shape),
        "images in one contiguous block": replaced("images", pixels),
        "images of one number": replaced("images", np.uint8(1)),
        "empty images": _empty,
        "images of floats": replaced("images", pixels.astype(np.float32), chunks=chunk, compression="gzip"),
        "images of four channels": replaced(
            "images", np.zeros((*shape[:4], 4), np.uint8), chunks=(*chunk[:4], 4), compression="gzip"
        ),
        "chunks of two": replaced("images", pixels, chunks=(min(2, batches), *shape[1:3], 4, 1), compression="gzip"),
        "another filter": replaced("images", pixels, chunks=chunk, compression="lzf"),
        "one more filter": replaced("images", pixels, chunks=chunk, compression="gzip", shuffle=True),
        "checksums": replaced("images", pixels, chunks=chunk, compression="gzip", fletcher32=True),
        "an unknown filter": _unknown_filter,
        "images never written": shape_only("images", shape, np.uint8, chunks=chunk, compression="gzip"),
        "a chunk that is missing": _missing_chunk,
        "an uncompressed chunk": lambda file: file["images"].id.write_direct_chunk((0,) * 5, bytes(np.prod(chunk)), 1),
        "a chunk of one byte": _chunk(b"\0"),
        "a chunk of noise": _chunk(bytes(range(256)) * 3),
        "a truncated chunk": _chunk(zlib.compress(pixels[0].tobytes())[:-4]),
        "a decompression bomb in a chunk": lambda file: _chunk(zeros(100_000_000))(file),
        "a decompression bomb of the declared size": _bomb(6_000),
        "a decompression bomb that just fits": _bomb(2_500),
        "many decompression bombs": _many_bombs,
        "a billion batches": shape_only("images", (MANY, *shape[1:]), np.uint8, chunks=chunk, compression="gzip"),
        "images of a hundred megapixels": shape_only(
            "images", (batches, 20, 10**4, 10**4, 1), np.uint8, chunks=(1, 20, 10**4, 10**4, 1), compression="gzip"
        ),
        "images of the largest shape": shape_only(
            "images", (2**60, 20, 1, 1, 1), np.uint8, chunks=(1, 20, 1, 1, 1), compression="gzip"
        ),
        "a billion coefficients": shape_only("identity/shape", (batches, 20, MANY), np.float32),
        "a billion labels": shape_only("factors", (batches, 20, MANY), np.float32),
        "three thousand nuisances": _many_names,
        "a nuisance in a nuisance": lambda file: file.create_group("nuisance/deeper/still"),
        "a nuisance named with markup": _set_dataset("nuisance/[bold] ..", np.zeros((batches, 20), "f4")),
        "a group in itself": lambda file: file.__setitem__("truth/again", file),
        "a dataset under two names": lambda file: file.__setitem__("truth/twice", file["images"]),
        "images in place of labels": lambda file: _set_dataset("factors", file["images"])(file),
        "groups exchanged": _exchange("identity", "truth"),
        "labels and images exchanged": _exchange("factors", "images"),
        "a link to itself": _set_dataset("factors", h5py.SoftLink("/factors")),
        "a ring of links": _ring,
        "a group linked to itself": _set_dataset("identity", h5py.SoftLink("/identity")),
        "a broken link": _set_dataset("images", h5py.SoftLink("/nowhere")),
        "a link inside": _link_inside,
        "labels in another file": _set_dataset("factors", h5py.ExternalLink("elsewhere.h5", "/factors")),
        "a group in another file": _set_dataset("identity", h5py.ExternalLink("elsewhere.h5", "/identity")),
        "images in the same file from outside": _external_self,
        "labels in a device": _set_dataset("factors", h5py.ExternalLink("/dev/zero", "/factors")),
        "labels in a pipe": _named_pipe,
        "people in a raw file": _external_raw_file,
        "batch numbers from another file": _virtual_dataset,
        "no configuration": lambda file: file.attrs.__delitem__("configuration"),
        "a configuration of broken JSON": attribute("configuration", np.bytes_(b"{")),
        "a configuration that is a list": attribute("configuration", np.bytes_(b"[]")),
        "an empty configuration": attribute("configuration", np.bytes_(b"{}")),
        "a configuration of 60,000 brackets": attribute("configuration", np.bytes_(b"[" * 60_000)),
        "a configuration of many digits": attribute("configuration", _text('{"size": 1', "0" * 50_000, "}")),
        "a configuration of a huge picture": attribute("configuration", _text('{"size": 1e308, "channels": true}')),
        "a huge picture, hashed": _set_configuration("size", 10**9),
        "a picture of text, hashed": _set_configuration("size", "64"),
        "a field of view of text, hashed": _set_configuration("scene/camera/field_of_view_degrees", "wide"),
        "a field of view of 0, hashed": _set_configuration("scene/camera/field_of_view_degrees", 0.0),
        "a field of view of NaN, hashed": _set_configuration("scene/camera/field_of_view_degrees", float("nan")),
        "a light of another kind, hashed": _set_configuration("scene/light", [1, 2, 3]),
        "an empty gloss, hashed": _set_configuration("scene/gloss", []),
        "a range of text, hashed": _set_configuration("azimuth", {"low": "left", "high": "right"}),
        "no splits, hashed": _set_configuration("splits", "train"),
        "hair of markup, hashed": _set_configuration("hair", "[/red]"),
        "an unknown split": attribute("split", np.bytes_(b"holdout")),
        "a split of many lines": attribute("split", np.bytes_(b"train\n\x1b[2Jtest")),
        "a split that is a number": attribute("split", 3),
        "a split of invalid UTF-8": attribute("split", np.bytes_(b"\xff\xfe\xfd")),
        "a renderer of markup": attribute("renderer", _text('{"name": "[/red]", "version": "\\u001b[2J"}')),
        "an empty renderer": attribute("renderer", np.bytes_(b"{}")),
        "a range that is a number": attribute("ranges", np.bytes_(b'{"azimuth": 3}')),
        "infinite ranges": attribute("ranges", np.bytes_(b'{"azimuth": [NaN, Infinity], "elevation": [5, -5]}')),
        "ranges of words": attribute("ranges", np.bytes_(b'{"azimuth": ["1e400", "x"]}')),
        "a camera that is a number": attribute("camera", np.bytes_(b"7")),
        "a seed that is text": attribute("seed", np.bytes_(b"five")),
        "a seed that is a list": attribute("seed", np.arange(1000)),
        "another format": attribute("format", np.bytes_(b"dcign-sharp")),
        "another version": attribute("version", np.int64(3)),
        "a version of text": attribute("version", np.bytes_(b"one")),
        "a version that is too large": attribute("version", np.float64(1e300)),
    }  # fmt: skip


def replaced(name: str, values: Any, **options: Any) -> Change:
    """Replace the values of a dataset and keep its attributes."""

    def change(file: h5py.File) -> None:
        attributes = dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, data=values, **options).attrs.update(attributes)

    return change


def shape_only(name: str, shape: tuple[int, ...], dtype: Any, **options: Any) -> Change:
    """Declare a dataset of another shape and write no values."""

    def change(file: h5py.File) -> None:
        attributes = dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, shape, dtype, **options).attrs.update(attributes)

    return change


@functools.cache
def zeros(count: int) -> bytes:
    """Return `count` zeros, deflated to a thousandth."""
    packer, piece = zlib.compressobj(1), bytes(1_000_000)
    packed = [packer.compress(piece) for _ in range(count // len(piece))]
    return b"".join([*packed, packer.compress(bytes(count % len(piece))), packer.flush()])


def attribute(name: str, value: Any) -> Change:
    """Set an attribute of the file."""
    return lambda file: file.attrs.__setitem__(name, value)


def _factor_names(names: list[bytes]) -> Change:
    return lambda file: file["factors"].attrs.__setitem__("names", np.array(names))


def _set_dataset(name: str, values: Any) -> Change:
    def change(file: h5py.File) -> None:
        if name in file:
            del file[name]
        file[name] = values

    return change


def _set_configuration(path: str, value: Any) -> Change:
    """Change a value of the configuration, and store the matching hash."""

    def change(file: h5py.File) -> None:
        configuration = json.loads(file.attrs["configuration"])
        *groups, name = path.split("/")
        functools.reduce(dict.get, groups, configuration)[name] = value
        file.attrs["configuration"] = np.bytes_(json.dumps(configuration).encode())
        file.attrs["configuration_sha256"] = np.bytes_(configuration_sha256(configuration).encode())

    return change


def _text(*parts: str) -> np.bytes_:
    return np.bytes_("".join(parts).encode())


def _exchange(one: str, other: str) -> Change:
    def change(file: h5py.File) -> None:
        if one in file:
            file.move(one, "aside")
        if other in file:
            file.move(other, one)
        file.move("aside", other)

    return change


def _ring(file: h5py.File) -> None:
    _set_dataset("factors", h5py.SoftLink("/a"))(file)
    file["a"] = h5py.SoftLink("/factors")


def _link_inside(file: h5py.File) -> None:
    file.move("factors", "f")
    file["factors"] = h5py.SoftLink("/f")


def _chunk(stream: bytes) -> Change:
    return lambda file: file["images"].id.write_direct_chunk((0,) * 5, stream)


def _bomb(side: int) -> Change:
    """Write images of this size that are compressed to a thousandth."""

    def change(file: h5py.File) -> None:
        shape = (len(file["images"]), 20, side, side, 1)
        shape_only("images", shape, np.uint8, chunks=(1, *shape[1:]), compression="gzip")(file)
        stream = zeros(20 * side * side)
        for row in range(shape[0]):
            file["images"].id.write_direct_chunk((row, 0, 0, 0, 0), stream)

    return change


def _many_bombs(file: h5py.File) -> None:
    """Write 200 layers of truth: each is small enough, all together are too large."""
    batches, count, height, width, _ = file["images"].shape
    shape = (batches, count, height, width, 40_000_000 // (count * height * width))
    stream = zeros(int(np.prod(shape[1:])))
    for layer in range(200):
        dataset = file.create_dataset(
            f"truth/layer{layer}", shape, np.uint8, chunks=(1, *shape[1:]), compression="gzip"
        )
        for row in range(batches):
            dataset.id.write_direct_chunk((row, 0, 0, 0, 0), stream)


def _fewer_attributes(file: h5py.File) -> None:
    if "attributes" in file["identity"]:
        replaced("identity/attributes", file["identity/attributes"][..., :1])(file)
        file["identity/attributes"].attrs["names"] = np.array([b"sex"])


def _one_more_factor(file: h5py.File) -> None:
    values, attributes = file["factors"][:], dict(file["factors"].attrs)
    del file["factors"]
    file["factors"] = np.concatenate([values, values[..., :1]], axis=-1)
    for name, more in (("names", b"tide"), ("units", b"metre"), ("mirror_sign", 1)):
        file["factors"].attrs[name] = np.append(attributes[name], np.array([more], attributes[name].dtype))


def _mask_of_three_channels(file: h5py.File) -> None:
    if "truth" in file and "mask" in file["truth"]:
        del file["truth/mask"]
    shape = (*file["images"].shape[:4], 3)
    file.create_dataset("truth/mask", data=np.ones(shape, np.uint8), chunks=(1, *shape[1:]), compression="gzip")


def _variable_length(file: h5py.File) -> None:
    del file["factors"]
    file.create_dataset("factors", (*file["images"].shape[:2], 3), h5py.vlen_dtype(np.float32))


def _empty(file: h5py.File) -> None:
    del file["images"]
    file["images"] = h5py.Empty("u1")


def _unknown_filter(file: h5py.File) -> None:
    shape = file["images"].shape
    del file["images"]
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1, *shape[1:]))
    plan.set_filter(32_000, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    h5py.h5d.create(file.id, b"images", h5py.h5t.STD_U8LE, h5py.h5s.create_simple(shape), plan)


def _missing_chunk(file: h5py.File) -> None:
    images = file["images"]
    shape, held = images.shape, [images.id.read_direct_chunk((row, 0, 0, 0, 0))[1] for row in range(len(images))]
    shape_only("images", shape, np.uint8, chunks=(1, *shape[1:]), compression="gzip")(file)
    for row, stream in enumerate(held[:-1]):
        file["images"].id.write_direct_chunk((row, 0, 0, 0, 0), stream)


def _many_names(file: h5py.File) -> None:
    for number in range(3_000):
        file[f"nuisance/n{number}"] = np.float32(number)


def _external_self(file: h5py.File) -> None:
    file.move("images", "i")
    file["images"] = h5py.ExternalLink(Path(file.filename).name, "/i")


def _named_pipe(file: h5py.File) -> None:
    """Link to a named pipe, whose opening never returns."""
    pipe = Path(file.filename).with_name("pipe.h5")
    if not pipe.exists():
        os.mkfifo(pipe)
    _set_dataset("factors", h5py.ExternalLink("pipe.h5", "/factors"))(file)


def _external_raw_file(file: h5py.File) -> None:
    shape = file["identity/index"].shape
    Path(file.filename).with_name("labels.raw").write_bytes(bytes(8 * int(np.prod(shape))))
    del file["identity/index"]
    file.create_dataset("identity/index", shape, np.int64, external="labels.raw")


def _virtual_dataset(file: h5py.File) -> None:
    shape = file["batch"].shape
    del file["batch"]
    layout = h5py.VirtualLayout(shape, np.int64)
    layout[:] = h5py.VirtualSource("elsewhere.h5", "batch", shape)
    file.create_virtual_dataset("batch", layout)
