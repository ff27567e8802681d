"""Read a morphable model from a file or folder of any known format. The converted model is cached."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dcign.errors import ModelError
from dcign.facegen.files.cache import cache_folder, code_key, write_cached
from dcign.facegen.files.model_check import check_model
from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.loaders.array_file import ADVICE
from dcign.facegen.loaders.content import Content
from dcign.facegen.loaders.conversion import to_model
from dcign.facegen.loaders.damage import beginning, damaged, refuse_foreign
from dcign.facegen.model.morphable import MorphableModel
from dcign.printable import printable
from dcign.progress import StageProgress, no_stage_progress
from dcign.storage.atomic import file_sha256

KNOWN = (
    "BFM 2009 .mat, BFM 2017 or 2019 .h5, FLAME .pkl or .npz, an ICT-FaceKit folder, GNM head .npz, or a dcign model"
)


@dataclass(frozen=True)
class Format:
    """A format of models. files: the files of this model, in order; read: its reader, None for a dcign model."""

    kind: str
    files: tuple[Path, ...]
    read: Callable[[Path], Content] | None


def load_model(path: Path, progress: StageProgress = no_stage_progress) -> MorphableModel:
    """Return the model in a file or folder, from the cache if it was read before.

    progress(stage, fraction) is called before each stage. Raises ModelError if the path holds no complete model of a
    known format.
    """
    path = Path(path)
    try:
        with np.errstate(all="ignore"):  # of damaged numbers, which are refused by name
            return _load(path, progress)
    except ModelError:
        raise
    except MemoryError:
        raise ModelError(
            f"expected a face model, found {path}, which needs more memory than there is: {ADVICE}"
        ) from None
    except OSError as error:
        if error.strerror is None:  # from h5py or zipfile, about the content
            raise damaged(path, error) from None
        raise ModelError(
            f"expected a readable face model, found {path} ({error.strerror}): check its permissions."
        ) from None
    except Exception as error:  # h5py, scipy, zipfile, pickle and numpy each report damage in their own way
        raise damaged(path, error) from None


def recognise(path: Path) -> Format:
    """Return the format of a path, from its first bytes and its keys. Raise ModelError if it is not known."""
    from dcign.facegen.loaders import basel_hdf5, basel_mat, flame, ict_facekit

    if path.is_dir():
        return Format(ict_facekit.KIND, tuple(ict_facekit.ict_files(path)), ict_facekit.read_ict)
    if not path.is_file():
        raise ModelError(f"expected a face model ({KNOWN}), found no file {path}: check the name.")
    refuse_foreign(path, "a face model")
    with path.open("rb") as stream:
        start = stream.read(128)
    if start.startswith(b"\x89HDF"):
        return Format(basel_hdf5.KIND, (path,), basel_hdf5.read_basel_hdf5)
    if start.startswith(b"MATLAB 5.0"):
        return Format(basel_mat.KIND, (path,), basel_mat.read_basel_mat)
    if start.startswith(b"MATLAB 7.3"):
        raise ModelError(f"expected a MATLAB file of version 5, found {path} of version 7.3: save it with -v7.")
    if start.startswith(b"PK\x03\x04"):
        return _recognised_npz(path)
    if start[:1] in (b"\x80", b"(", b"}", b"c"):
        return Format(flame.KIND, (path,), flame.read_flame_pickle)
    raise ModelError(f"expected a face model, found {path}{beginning(start)} of another format: give {KNOWN}.")


def _recognised_npz(path: Path) -> Format:
    from dcign.facegen.loaders import flame, gnm

    try:
        with zipfile.ZipFile(path) as archive:
            keys = {name.removesuffix(".npy") for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise damaged(path, error) from None
    if "about" in keys:
        return Format("dcign model", (path,), None)
    if keys & {"template_vertex_positions", "vertex_identity_basis"}:
        return Format(gnm.KIND, (path,), gnm.read_gnm)
    if keys & {"v_template", "shapedirs"}:
        return Format(flame.KIND, (path,), flame.read_flame_npz)
    if {"mean", "tex_dir"} <= keys:
        raise ModelError(f"expected a face model, found FLAME's texture {path}: give FLAME's model, a .pkl file.")
    found = printable(", ".join(sorted(keys)[:4])) or "nothing"
    raise ModelError(
        f"expected v_template (FLAME) or template_vertex_positions (GNM) in {path}, found {found}: give {KNOWN}."
    )


def _load(path: Path, report: StageProgress) -> MorphableModel:
    report("recognising the model", 0.0)
    form = recognise(path)
    digest = _digest(form.files)
    if form.read is None:
        model = read_model(path)
        check_model(model, path)
        return replace(model, source=model.source or f"{printable(path.name)}: a dcign model", source_sha256=digest)
    cached = cache_folder() / f"loaded-{digest[:16]}-{code_key()}.npz"
    if cached.exists():
        with suppress(ModelError):  # a damaged file is written again below
            return read_model(cached)
    report(f"reading {form.kind}", 0.1)
    content = form.read(path)
    report("converting it", 0.6)
    model = to_model(content, printable(path.name), digest)
    write_cached(cached, model_bytes(model))
    report("done", 1.0)
    return model


def _digest(files: tuple[Path, ...]) -> str:
    """Return the SHA-256 of a file; of several files, the SHA-256 of their hashes and names."""
    if len(files) == 1:
        return file_sha256(files[0])
    return hashlib.sha256("".join(f"{file_sha256(path)}  {path.name}\n" for path in files).encode()).hexdigest()
