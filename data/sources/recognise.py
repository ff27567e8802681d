"""Which layout a source has: by its name, then by what is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dcign.data.sources.arrow import ArrowSource, table_files
from dcign.data.sources.cars3d import Cars3D, is_cars
from dcign.data.sources.exports import Exported, about_of
from dcign.data.sources.npz import open_npz
from dcign.data.sources.numbered import GRIDS, Numbered, grid_of
from dcign.data.sources.picture_folder import TABLES, PictureFolder
from dcign.data.sources.shapes3d import Shapes3D
from dcign.data.sources.small_norb import SmallNorb, part_files
from dcign.data.sources.source import Source, wrong
from dcign.foreign import foreign_kind, magic_kind

FILES: dict[str, Callable[[Path], Source]] = {
    ".npz": open_npz,
    ".h5": Shapes3D,
    ".hdf5": Shapes3D,
    ".parquet": ArrowSource,
    ".csv": PictureFolder,
    ".jsonl": PictureFolder,
    ".ndjson": PictureFolder,
}


def open_source(path: Path) -> Source:
    """Open a file or a folder of images with labels.

    Raises DataError if it is none of the layouts, or is damaged; the sentence names file and row.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise wrong(path, "a file or a folder", "none", "check the name.")
    try:
        kind = foreign_kind(path)
    except OSError as error:
        raise wrong(path, "a file that can be read", error.strerror, "check its permissions.") from None
    if kind:
        raise wrong(path, "a data set", kind, "download it again.")
    if path.suffix.lower() not in FILES:
        found = magic_kind(path) or f"a file {path.suffix or 'without an ending'}"
        raise wrong(path, f"a file {', '.join(FILES)}, or a folder", found, "see docs/import.md.")
    return FILES[path.suffix.lower()](path)


def _open_folder(path: Path) -> Source:
    about = about_of(path)
    if about is not None:
        return Exported(path, about)
    if part_files(path):
        return SmallNorb(path)
    if is_cars(path):
        return Cars3D(path)
    if table_files(path):
        return ArrowSource(path)
    if not any((path / name).is_file() for name in TABLES):
        layout = grid_of(path)
        if layout in GRIDS:
            return Numbered(path, layout)
    return PictureFolder(path)
