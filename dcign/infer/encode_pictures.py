"""The codes of pictures without labels: a folder of them, or one file, as `dcign edit` would read each.

Written as .npz: files (N,), names in the folder; mu, logvar (N, Z) float32; read (N, F), the factors that the network
reads, named by factor_names (F,) in factor_units (F,), of the factor_types (F,) number, class or angle; psnr_db (N,),
of the reconstruction; warnings (N,), why a row should not be trusted, or "". As .csv or .jsonl: the same, a row or line
per picture, with classes by name, and escapes in names of files that are not UTF-8. A run that was never evaluated has
no map from its code to factors: then F is 0.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcign.arrays import Float32, Floating, UInt8
from dcign.data.dataset.manifest import NAME as MANIFEST
from dcign.data.sources.pictures import SUFFIXES
from dcign.device import refuse_threads, threads
from dcign.errors import DcignWarning, TrainingError
from dcign.infer.edit import caution
from dcign.infer.face_detector import CROP, asked_window
from dcign.infer.read_picture import fitted, open_picture
from dcign.metrics import psnr_decibels
from dcign.metrics.tables import factor_types
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.storage.atomic import write_atomic
from dcign.storage.paths import is_remote, to_path
from dcign.trained.calibration import Calibration, factor_values
from dcign.trained.trained_run import TrainedRun

FORMAT_VERSION = 1
AT_ONCE = 500  # pictures in memory
NAMED = 5  # pictures that are left out
SHARD = ".h5"


class LeftOutWarning(DcignWarning):
    """Some pictures of a folder are left out."""


@dataclass(frozen=True, eq=False)
class PictureCodes:
    """The content of the file; see above. fits: of the factors that were read, (F,)."""

    files: tuple[str, ...]
    mu: Float32
    logvar: Float32
    read: Floating
    psnr_db: Floating
    warnings: tuple[str, ...]
    fits: tuple[Calibration, ...]
    units: tuple[str, ...]


def holds_pictures(source: str | Path) -> bool:
    """Return whether a path is a picture or a local folder of pictures, and not of a data set."""
    path = to_path(source)
    if is_remote(path):
        return False
    if path.is_file():
        return path.suffix.lower() in SUFFIXES
    held = (
        {file.suffix.lower() for file in path.rglob("*")} if path.is_dir() and not (path / MANIFEST).exists() else set()
    )
    return SHARD not in held and not held.isdisjoint(SUFFIXES)


def picture_files(source: Path) -> list[Path]:
    """Return the pictures of a folder, at any depth, in order of their names; a file is itself.

    Raises TrainingError for a folder without pictures.
    """
    if source.is_file():
        return [source]
    found = sorted(file for file in source.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise TrainingError(f"expected pictures ({kinds}) in {source}, found none: check the name.")
    return found


def encode_pictures(
    run: TrainedRun,
    source: str | Path,
    detect: bool = False,
    thread_count: int = 0,
    progress: FractionProgress = no_fraction_progress,
) -> PictureCodes:
    """Encode the pictures of a folder, or one picture: the middle square of each, or the face that a detector finds.

    A picture that cannot be read, or in which no face is found, is left out with a warning. Raises TrainingError if no
    picture is left.
    """
    refuse_threads(thread_count)
    folder, fits = Path(source), run.results[0]
    found = picture_files(folder)
    files: list[Path] = []
    faults: list[str] = []
    parts = []
    with threads(thread_count):
        for start in range(0, len(found), AT_ONCE):
            images, wrong = _images(run, found[start : start + AT_ONCE], detect)
            files += images
            faults += wrong
            if images:
                pixels = np.stack([*images.values()])
                mu, logvar = run.codec.encode(pixels)
                parts.append((mu, logvar, *_decibels(run, pixels, mu)))
            progress(min(1.0, (start + AT_ONCE) / len(found)))
    if not files:
        raise TrainingError(faults[0])
    if faults:
        warnings.warn(_left_out(faults, len(found)), LeftOutWarning, stacklevel=2)
    mu, logvar, decibels, flat = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return PictureCodes(
        files=tuple(file.name if file == folder else file.relative_to(folder).as_posix() for file in files),
        mu=mu.astype(np.float32),
        logvar=logvar.astype(np.float32),
        read=factor_values(mu, fits) if fits else np.zeros((len(mu), 0)),
        psnr_db=decibels,
        warnings=tuple(caution(run, *each) for each in zip(decibels.tolist(), flat.tolist(), strict=True)),
        fits=fits,
        units=run.description.units if fits else (),
    )


def _left_out(faults: list[str], count: int) -> str:
    named = "; ".join(fault.rstrip(".") for fault in faults[:NAMED])
    further = f"; and {len(faults) - NAMED:,} more" if len(faults) > NAMED else ""
    return f"{len(faults):,} of {count:,} pictures are left out: {named}{further}."


def _images(run: TrainedRun, files: Sequence[Path], detect: bool) -> tuple[dict[Path, UInt8], list[str]]:
    """Return the pictures that can be used, and a sentence about each of the others."""
    images, faults = {}, []
    for file in files:
        try:
            images[file] = _image(run, file, detect)
        except TrainingError as error:
            faults.append(str(error))
    return images, faults


def _image(run: TrainedRun, file: Path, detect: bool) -> UInt8:
    """Return a picture as the network gets it: (S, S, C)."""
    picture = open_picture(file)
    try:
        window = asked_window(picture, detect=detect, advice=CROP)
        return fitted(picture, run.description.size, run.description.channels, window)
    except TrainingError as error:
        raise TrainingError(f"{file}: {error}") from None


def _decibels(run: TrainedRun, images: UInt8, mu: Floating) -> tuple[Floating, Floating]:
    """Return the PSNR of the reconstructions, and that of constant pictures of the mean colour: (N,), (N,)."""
    shown = images.astype(np.float32) / 255
    return psnr_decibels(run.codec.decode(mu) - shown), psnr_decibels(shown.mean(axis=(1, 2), keepdims=True) - shown)


def save_picture_codes(codes: PictureCodes, path: Path) -> None:
    """Write the file atomically, as its ending says: one of WRITERS."""
    write_atomic(path, WRITERS[path.suffix](codes))


def _as_npz(codes: PictureCodes) -> bytes:
    content = io.BytesIO()
    types = factor_types([fit.circular for fit in codes.fits], [len(fit.classes) for fit in codes.fits])
    np.savez(
        content,
        version=FORMAT_VERSION,
        files=np.array(codes.files),
        mu=codes.mu,
        logvar=codes.logvar,
        read=codes.read.astype(np.float32),
        factor_names=np.array([fit.factor for fit in codes.fits], np.str_),
        factor_units=np.array(codes.units, np.str_),
        factor_types=np.array(types, np.str_),
        psnr_db=codes.psnr_db,
        warnings=np.array(codes.warnings),
    )
    return content.getvalue()


def _as_csv(codes: PictureCodes) -> bytes:
    text = io.StringIO()
    names = [fit.factor for fit in codes.fits]
    latents = [f"{kind}{latent}" for kind in ("mu", "logvar") for latent in range(codes.mu.shape[1])]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", *names, "psnr_db", "warning", *latents])
    for row, file in enumerate(codes.files):
        decibels, warning = round(float(codes.psnr_db[row]), 3), codes.warnings[row]
        table.writerow([file, *_read(codes, row).values(), decibels, warning, *codes.mu[row], *codes.logvar[row]])
    return text.getvalue().encode(errors="surrogateescape").decode(errors="backslashreplace").encode()


def _as_json_lines(codes: PictureCodes) -> bytes:
    lines = [
        {
            "file": file,
            "factors": _read(codes, row),
            "psnr_db": round(float(codes.psnr_db[row]), 3),
            "warning": codes.warnings[row],
            "mu": codes.mu[row].tolist(),
            "logvar": codes.logvar[row].tolist(),
        }
        for row, file in enumerate(codes.files)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _read(codes: PictureCodes, row: int) -> dict[str, Any]:  # JSON
    """Return the factors of a picture by name: values with four decimals, or names of classes."""
    values = zip(codes.fits, codes.read[row].tolist(), strict=True)
    return {fit.factor: fit.classes[round(value)] if fit.classes else round(value, 4) for fit, value in values}


WRITERS: dict[str, Callable[[PictureCodes], bytes]] = {".npz": _as_npz, ".csv": _as_csv, ".jsonl": _as_json_lines}
