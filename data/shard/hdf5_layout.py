"""Find out with HDF5 what a shard holds and where, and check it: presence, dtypes, shapes that agree, possible sizes.

HDF5 accepts far more than a shard: links to other files, datasets declared larger than any disk, compressed streams
that never end. This module refuses all of them, so that later readers need no checks. It runs in a separate process
(`dcign.data.shard.sandbox`), because a file can be made to crash HDF5's C library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, islice
from pathlib import Path
from typing import Annotated, Any

import h5py
import msgspec
import numpy as np

from dcign.data import schema
from dcign.data.damage import Damage, damage_errors, decode_reason, shown
from dcign.data.schema import Factor
from dcign.data.shard.columns import (
    Column,
    Extent,
    ShardLayout,
    StoredLayout,
    expected_column,
    is_per_pixel,
    sizes_text,
)
from dcign.errors import DataError

DEFLATE_LIMIT = 1100  # no deflate stream expands more than 1032 times; a shape that claims more is false
BATCH_LIMIT = 640 << 20  # bytes of a batch in memory: colour images of 1024 px with all their truth are 500 MB
# Truth layers whose numbers or rows have names -> the dataset that holds them.
NAMED = {layer: f"{schema.TRUTH}/{layer}" for layer in (schema.PARTS, schema.LANDMARKS)}

REQUIRED = (schema.IMAGES, schema.FACTOR_VALUES, schema.VARYING, schema.BATCH_NUMBER, schema.IDENTITY_INDEX)
TEXTS = ("split", "configuration", "configuration_sha256", "model_sha256", "renderer", "ranges", "camera")
# The attributes that the format has, by the path of what has them; "" is the file.
ATTRIBUTES = {
    "": ("format", "version", "seed", *TEXTS),
    schema.FACTOR_VALUES: ("names", "units", "mirror_sign", *schema.FACTOR_FLAGS, schema.CLASSES),
    **dict.fromkeys(schema.COEFFICIENTS, (schema.VARIES_WITH,)),
    schema.IDENTITY_ATTRIBUTES: ("names", schema.VARIES_WITH),
    **dict.fromkeys((schema.IDENTITY_SOURCE, *NAMED.values()), ("names",)),
}
MOST_UNKNOWN = 3  # names of things of other formats that are reported


def read_layout(path: Path) -> ShardLayout:
    """Return a shard's attributes, and the shape, dtype and extents of each of its datasets.

    Raises DataError, in one sentence, if the file is not a complete shard of a version that this code reads.
    """
    with damage_errors(path), h5py.File(path, "r", locking=False) as file:
        version = _version(path, file)
        names = _dataset_names(file)
        _check_datasets(file, names, schema.BATCH_SIZES[version])
        factors, attributes = file[schema.FACTOR_VALUES].attrs, schema.IDENTITY_ATTRIBUTES
        signs = [int(sign) for sign in factors["mirror_sign"]]
        flags = (_flags(factors, name, len(signs)) for name in schema.FACTOR_FLAGS)
        columns = zip(_texts(factors, "names"), _texts(factors, "units"), signs, *flags, strict=True)
        classes = _classes(factors)
        moved = [name for name in schema.COEFFICIENTS if name in names and schema.VARIES_WITH in file[name].attrs]
        source = schema.IDENTITY_SOURCE
        truth = {layer: name for layer, name in NAMED.items() if name in names and "names" in file[name].attrs}
        layout = ShardLayout(
            **{name: _text(file.attrs[name], name) for name in TEXTS},
            seed=int(file.attrs["seed"]),
            factors=tuple(replace(Factor(*each), classes=classes.get(each[0], ())) for each in columns),
            identity_attributes=_texts(file[attributes].attrs, "names") if attributes in names else (),
            truth_names={layer: _texts(file[name].attrs, "names") for layer, name in truth.items()},
            datasets=_stored_layouts(file, names),
            parts=_parts(file) if version == schema.RENDERED else (),
            varies_with={name: _texts(file[name].attrs, schema.VARIES_WITH) for name in moved},
            source_names=_texts(file[source].attrs, "names") if source in names else (),
            version=version,
            unknown=tuple(islice(_unknown(file, names), MOST_UNKNOWN)),
        )
        _check_kinds(file, layout)
        return layout


def _version(path: Path, file: h5py.File) -> int:
    """Return the version of the format; refuse other formats, and versions that this code does not read."""
    name = file.attrs.get("format")
    if not isinstance(name, bytes) or name.decode("utf-8", "replace") != schema.FORMAT:
        raise DataError(f"{path} is an HDF5 file of another program; expected a dcign shard: check the name.")
    version = int(file.attrs["version"])
    if version not in schema.FORMAT_VERSIONS:
        reads = " and ".join(map(str, schema.FORMAT_VERSIONS))
        raise DataError(f"{path} is a shard of version {version}; this dcign reads {reads}: update dcign.")
    return version


def _dataset_names(file: h5py.File) -> list[str]:
    """Return the paths of all the format's datasets that the file has, without following links out of the file."""
    for name in REQUIRED:
        if not _is_here(file, name):
            raise Damage(f"lacks {name}; expected a complete shard")
    names = [*REQUIRED, *(name for name in (*schema.COEFFICIENTS, schema.IDENTITY_SOURCE) if _is_here(file, name))]
    for group in (schema.NUISANCE, schema.TRUTH):
        if not _is_here(file, group):
            continue
        if not isinstance(file[group], h5py.Group):
            raise Damage(f"has a {group} that is not a group")
        for name in file[group]:
            if not name.isidentifier():
                raise Damage(f"names a dataset {group}/{shown(name)!r}; expected letters, digits and _")
            _is_here(file, f"{group}/{name}")
            names.append(f"{group}/{name}")
    return names


def _is_here(file: h5py.File, name: str) -> bool:
    """Return whether the file itself has such a path; refuse links to other places."""
    parts = name.split("/")
    for step in accumulate(parts, lambda before, part: f"{before}/{part}"):
        link = file.get(step, getlink=True)
        if link is None:
            return False
        if not isinstance(link, h5py.HardLink):
            raise Damage(f"links {step} to another place; expected it inside")
        if step != name and not isinstance(file[step], h5py.Group):
            raise Damage(f"has a {step} that is not a group")
    return True


def _check_datasets(file: h5py.File, names: list[str], sizes: range) -> None:
    for name in names:
        if not isinstance(file[name], h5py.Dataset):
            raise Damage(f"has a {name} that is not a dataset")
    shape = file[schema.IMAGES].shape
    if len(shape) != 5 or min(shape) < 1 or shape[1] not in sizes or shape[4] not in (1, 3):
        raise Damage(f"has images of shape {shape}; expected (B, {sizes_text(sizes)}, H, W, 1 or 3)")
    for name in names:
        _check_dataset(file, name)
    in_memory = sum(file[name].nbytes // shape[0] for name in names)
    if in_memory > BATCH_LIMIT:
        raise Damage(
            f"declares {in_memory >> 20} MB per batch; expected smaller images, {BATCH_LIMIT >> 20} MB at most"
        )


def _parts(file: h5py.File) -> tuple[str, ...]:
    """Return the parts of a person in the enum of `varies`."""
    codes = h5py.check_enum_dtype(file[schema.VARYING].dtype) or {}
    return tuple(part for part in schema.PERSON_PARTS if part in codes)


def _unknown(file: h5py.File, names: list[str]) -> Iterator[str]:
    """Yield the attributes, datasets and groups that the format does not have."""
    groups = {str(Path(name).parent) for name in names} - {"."}
    for group in ("", *sorted(groups)):
        inside = f"{group}/" if group else ""
        for member in file[group or "/"]:
            if inside + member not in (*names, *groups):
                yield shown(inside + member)
    for path in ("", *sorted(groups), *names):
        place = f" of {path}" if path else ""
        for name in file[path or "/"].attrs:
            if name not in ATTRIBUTES.get(path, ()):
                yield f"attribute {shown(name)}{place}"


def _check_kinds(file: h5py.File, layout: ShardLayout) -> None:
    """Check that the enum of `varies` is the one of a shard with these factors and parts."""
    codes = h5py.check_enum_dtype(file[schema.VARYING].dtype)
    wanted = schema.varies_codes((factor.name for factor in layout.factors), layout.parts, layout.version)
    if codes != wanted:
        raise Damage(f"has the codes {_listing(codes)} of what varies; expected {_listing(wanted)}")


def _listing(codes: dict[str, int]) -> str:
    return ", ".join(f"{name} {code}" for name, code in list(codes.items())[: len(schema.VARIES)])


def _check_dataset(file: h5py.File, name: str) -> None:
    dataset, images = file[name], file[schema.IMAGES].shape
    if dataset.is_virtual or dataset.external:
        raise Damage(f"stores {name} in another file; expected it inside")
    found = Column(dataset.shape[1:], dataset.dtype)
    if name == schema.VARYING and h5py.check_enum_dtype(dataset.dtype) is not None:
        found = Column(found.shape, np.dtype(np.uint8))  # the enum itself is checked by `_check_kinds`
    factors = file[schema.FACTOR_VALUES].shape[2:3] or (1,)
    wanted = expected_column(name, found, images[1:4], factors[0])
    real = dataset.dtype.kind in "uif" and dataset.dtype.itemsize <= 8
    if dataset.shape[:1] != images[:1] or found != wanted or not real:
        raise Damage(
            f"has {name} {shown(dataset.dtype)} {dataset.shape}; expected "
            f"{wanted.dtype if real else 'a real dtype'} {(*images[:1], *wanted.shape)}"
        )
    _check_storage(dataset, name)


def _check_storage(dataset: h5py.Dataset, name: str) -> None:
    """Check that what is stored can be what is declared: every chunk is there, none is impossibly small."""
    declared, stored = dataset.nbytes, dataset.id.get_storage_size()
    if is_per_pixel(name):
        pipeline = dataset.id.get_create_plist()
        filters = [pipeline.get_filter(index)[0] for index in range(pipeline.get_nfilters())]
        if dataset.chunks != (1, *dataset.shape[1:]) or filters != [h5py.h5z.FILTER_DEFLATE]:
            raise Damage(f"does not store {name} as one gzip chunk per batch")
        complete = stored * DEFLATE_LIMIT >= declared and dataset.id.get_num_chunks() == dataset.shape[0]
    else:
        if dataset.chunks is not None or dataset.id.get_offset() is None:
            raise Damage(f"does not store {name} in one piece")
        complete = stored == declared
    if not complete or stored > Path(dataset.file.filename).stat().st_size:
        raise Damage(f"declares {declared} bytes of {name} and stores {stored}, which is impossible")


def _stored_layouts(file: h5py.File, names: list[str]) -> dict[str, StoredLayout]:
    """Return shape, dtype and extents of each dataset. No byte of the file may belong to two of them."""
    extents = {name: list(_extents(file[name], name)) for name in names}
    every = np.array(sorted(extent for found in extents.values() for extent in found), np.int64)
    ends = every.sum(axis=1)
    if (every[1:, 0] < ends[:-1]).any() or every[0, 0] < 0 or ends[-1] > Path(file.filename).stat().st_size:
        raise Damage("has datasets that overlap or lie outside the file")
    return {name: StoredLayout(file[name].shape, file[name].dtype.str, found) for name, found in extents.items()}


def _extents(dataset: h5py.Dataset, name: str) -> Iterator[Extent]:
    """Yield the extents of a dataset: one per batch's chunk, or one for the whole dataset."""
    if not is_per_pixel(name):
        yield dataset.id.get_offset(), dataset.nbytes
        return
    origin = (0,) * (dataset.ndim - 1)
    for row in range(len(dataset)):
        chunk = dataset.id.get_chunk_info_by_coord((row, *origin))
        if chunk.byte_offset is None or chunk.filter_mask:
            raise ValueError(f"chunk {row} of {name} is missing, or not deflated")
        yield chunk.byte_offset, chunk.size


def _flags(attributes: h5py.AttributeManager, name: str, count: int) -> tuple[bool, ...]:
    """Return an attribute that is a list of 0 and 1; where it is absent, none is set."""
    return tuple(bool(flag) for flag in attributes[name]) if name in attributes else (False,) * count


def _classes(attributes: h5py.AttributeManager) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of each categorical factor."""
    if schema.CLASSES not in attributes:
        return {}
    text = _text(attributes[schema.CLASSES], schema.CLASSES)
    try:
        return msgspec.json.decode(text, type=dict[str, Annotated[tuple[str, ...], msgspec.Meta(min_length=2)]])
    except ValueError as error:
        raise Damage(f"has a damaged attribute {schema.CLASSES} ({decode_reason(error)})") from None


def _texts(attributes: h5py.AttributeManager, name: str) -> tuple[str, ...]:
    """Return an attribute that is a list of texts."""
    return tuple(_text(text, name) for text in attributes[name])


def _text(value: Any, name: str) -> str:  # whatever the attribute holds
    """Return a text of fixed or variable length."""
    if not isinstance(value, bytes | str):
        raise Damage(f"has a {name} of type {shown(type(value).__name__)}; expected text")
    return value if isinstance(value, str) else value.decode()
