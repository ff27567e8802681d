"""npz archives: dSprites (github.com/google-deepmind/dsprites-dataset) and MPI3D (arXiv:1906.03292).

Their images are inflated member by member and never held whole. Nothing is unpickled: dSprites' pickled metadata is not
read, because its layout is known; a record array, as `dcign export --to npz` writes it, is.

dSprites  imgs (N, 64, 64) of 0 and 1, or of 0 to 255; latents_values, latents_classes (N, F); metadata
MPI3D     images (N, 64, 64, 3), in the order of its grid
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Int64, UInt8
from dcign.data.schema import Factor
from dcign.data.sources.source import Column, Source, blocks, classes, grid_columns, steps, wrong
from dcign.data.sources.tables import factor_name
from dcign.errors import DataError
from dcign.foreign import archive_fault

DAMAGED = "replace the file: it is damaged."
SPRITES = ("color", "shape", "scale", "orientation", "position_x", "position_y")
ORIGINAL_SPRITES, SPRITE_LICENCE = 737_280, "dSprites: zlib/libpng licence"  # images of the original
SPRITE_SHAPES = ("square", "ellipse", "heart")
# Of 4 x 4 there are two versions, with other colours and shapes, which cannot be told apart by the file.
MPI3D_COLOURS = {4: ("0", "1", "2", "3"), 6: ("white", "green", "red", "blue", "brown", "olive")}
MPI3D_SHAPES = {4: ("0", "1", "2", "3"), 6: ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")}
MPI3D_BACKGROUNDS = ("purple", "sea_green", "salmon")
MPI3D_GRID = (2, 3, 3, 40, 40)  # after colours and shapes
READ = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


class Archive:
    """An npz file whose arrays are read without pickle, whole or as a stream."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._errors(), zipfile.ZipFile(path) as archive:
            self.names = {name.removesuffix(".npy") for name in archive.namelist()}

    def array(self, name: str) -> NDArray[Any] | None:  # the file's own dtype
        """Return a whole array; None if it is pickled."""
        with self._errors(), zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as member:
            _, _, dtype = _header(member)
            if dtype.hasobject:
                return None
        with self._errors(), zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as member:
            found: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
            return found

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array of uint8. Raises DataError if it is none."""
        with self._errors(), zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as member:
            shape, fortran, dtype = _header(member)
        if dtype != np.uint8:
            raise wrong(f"{self.path}, array {name}", "8-bit images, uint8", dtype, "convert them.")
        if fortran:  # an image's bytes are all over the file
            raise wrong(
                f"{self.path}, array {name}", "images in C order", "Fortran order",
                "save numpy.ascontiguousarray of them.",
            )  # fmt: skip
        return shape

    def stream(self, name: str, image_shape: tuple[int, ...], rows: Int64) -> Iterator[UInt8]:
        """Yield rows (ascending) of an array of uint8 whose items have this shape, as blocks (n, *image_shape)."""
        size = math.prod(image_shape)
        with self._errors(), zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as member:
            _header(member)
            at = 0
            for piece in blocks(rows, size):
                wanted = np.empty((len(piece), size), np.uint8)
                for place, row in enumerate(piece.tolist()):
                    _skip(member, (row - at) * size)
                    data = member.read(size)
                    if len(data) != size:
                        raise wrong(f"{self.path}, image {row}", "a whole image", "the end of the file", DAMAGED)
                    wanted[place] = np.frombuffer(data, np.uint8)
                    at = row + 1
                yield wanted.reshape(-1, *image_shape)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except READ as error:
            raise wrong(
                self.path, "an npz archive of arrays", archive_fault(self.path, error), "check the file."
            ) from None


class NpzSource(Source):
    """Images of one npz array. `light` multiplies them: dSprites has 0 and 1."""

    def __init__(self, archive: Archive, name: str, shape: tuple[int, int, int], count: int, light: int = 1) -> None:
        self.path, self.shape = archive.path, shape
        self._archive, self._name, self._count, self._light = archive, name, count, light

    @property
    def count(self) -> int:
        return self._count

    def images(self, rows: Int64) -> Iterator[UInt8]:
        for block in self._archive.stream(self._name, self.shape, rows):
            yield block * np.uint8(self._light)

    def files(self) -> Sequence[Path]:
        return [self.path]


def open_npz(path: Path) -> Source:
    """Open an npz with the keys of dSprites or MPI3D. Raises DataError for other keys."""
    archive = Archive(path)
    if "imgs" in archive.names:
        return _sprites(archive)
    if "images" in archive.names:
        return _mpi3d(archive)
    raise wrong(
        path, "the array imgs of dSprites or images of MPI3D", ", ".join(sorted(archive.names)), "name them so."
    )


def _sprites(archive: Archive) -> Source:
    count, shape = _image_shape(archive, "imgs")
    name = next((each for each in ("latents_values", "latents_classes") if each in archive.names), "")
    values = archive.array(name) if name else None
    if values is None or values.ndim != 2 or len(values) != count or values.dtype.kind not in "iuf":
        raise wrong(archive.path, f"latents_values ({count}, F), one row per image", name or "none", "add them.")
    source = NpzSource(archive, "imgs", shape, count, light=_light(archive, shape, count))
    source.layout = "dSprites"
    names, units = _sprite_names(archive, values.shape[1])
    columns = [Column(Factor(each, unit, +1), values[:, place].astype(float))
               for place, (each, unit) in enumerate(zip(names, units, strict=True))]  # fmt: skip
    original = names == SPRITES
    if original:
        source.licence = SPRITE_LICENCE if count == ORIGINAL_SPRITES else ""
        columns[1] = _named(columns[1], SPRITE_SHAPES)
        columns[3] = columns[3].circular("radian" if name == "latents_values" else None)
    source.columns = {column.name: column for column in columns}
    source.factors = tuple(each.name for each in columns if np.ptp(each.values) > 0)
    same = [each.name for each in columns if each.name not in source.factors]
    source.left_out = (f"{', '.join(same)}: the same in all images",) if same else ()
    return source


def _named(column: Column, names: Sequence[str]) -> Column:
    """Return a column of whole numbers as classes with these names, if there are as many."""
    found = column.categorical()
    return (
        Column(replace(found.factor, classes=tuple(names)), found.values)
        if len(found.factor.classes) == len(names)
        else found
    )


def _sprite_names(archive: Archive, count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and units of the latents: from metadata that is no pickle, or by their number."""
    metadata = archive.array("metadata") if "metadata" in archive.names else None
    fields = () if metadata is None else metadata.dtype.names or ()
    if metadata is not None and "latents_names" in fields:
        names = tuple(factor_name(str(name)) for name in metadata["latents_names"].ravel())
        units = (
            [str(unit) for unit in metadata["latents_units"].ravel()]
            if "latents_units" in fields
            else [""] * len(names)
        )
        if len(names) == count:
            return names, tuple(units)
    names = SPRITES if count == len(SPRITES) else tuple(f"latent_{place}" for place in range(count))
    return names, ("",) * count


def _light(archive: Archive, shape: tuple[int, int, int], count: int) -> int:
    """Return what makes 0 and 1 black and white; judged by up to 2,000 of the first images."""
    first = archive.stream("imgs", shape, np.arange(min(count, 2000)))
    return 255 if max(int(block.max()) for block in first) <= 1 else 1


def _mpi3d(archive: Archive) -> Source:
    shape = archive.shape("images")
    if len(shape) > 4 and shape[-1] in (1, 3):
        shape = (math.prod(shape[:-3]), *shape[-3:])  # the grid as axes
    count, image_shape = _checked_shape(archive, "images", shape)
    for colours in MPI3D_COLOURS:
        if colours * colours * math.prod(MPI3D_GRID) == count:
            break
    else:
        counts = " or ".join(f"{colours**2 * math.prod(MPI3D_GRID):,}" for colours in MPI3D_COLOURS)
        raise wrong(
            archive.path, f"{counts} images, as in MPI3D", f"{count:,}", "use a table of labels (docs/import.md)."
        )
    source = NpzSource(archive, "images", image_shape, count)
    source.layout, source.licence = "MPI3D", "MPI3D: Creative Commons Attribution 4.0"
    sizes, heights, backgrounds, across, up = MPI3D_GRID
    grid = [
        classes("object_color", *MPI3D_COLOURS[colours]),
        classes("object_shape", *MPI3D_SHAPES[colours]),
        steps("object_size", sizes),
        steps("camera_height", heights),
        classes("background_color", *MPI3D_BACKGROUNDS[:backgrounds]),
        steps("horizontal_axis", across),
        steps("vertical_axis", up),
    ]
    factors, levels = zip(*grid, strict=True)
    source.columns = grid_columns(factors, levels, np.arange(count))
    source.factors = tuple(source.columns)
    return source


def _image_shape(archive: Archive, name: str) -> tuple[int, tuple[int, int, int]]:
    return _checked_shape(archive, name, archive.shape(name))


def _checked_shape(archive: Archive, name: str, shape: tuple[int, ...]) -> tuple[int, tuple[int, int, int]]:
    """Return N and (H, W, C). Raises DataError if these are no images."""
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or shape[3] not in (1, 3) or not shape[0]:
        raise wrong(f"{archive.path}, array {name}", "images (N, H, W) or (N, H, W, 3)", shape, "reshape them.")
    return shape[0], shape[1:]


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an npy stream: shape, whether it is in Fortran order only, and dtype."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(member)
    return shape, fortran and len(shape) > 1, dtype


def _skip(member: IO[bytes], count: int) -> None:
    while count > 0:
        got = len(member.read(min(count, 1 << 20)))
        if not got:
            return
        count -= got
