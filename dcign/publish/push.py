"""Uploading to the Hugging Face hub: a run as a model, a data set as Parquet files.

`prepared` gives the folder that is uploaded: an export as it is, a run or a data set exported into a temporary folder.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id

from dcign.data.dataset.manifest import NAME as DATA_SET
from dcign.data.export.dataset import ABOUT, PARQUET, export_dataset
from dcign.errors import TrainingError
from dcign.publish.onnx import export_run
from dcign.run.configuration import FILE as RUN
from dcign.trained.published import is_published
from dcign.trained.shipped import network_folder
from dcign.trained.trained_run import TrainedRun

SCHEME, DATA_SETS = "hf://", "datasets/"
MODEL, DATASET = "model", "dataset"  # the hub's names


@dataclass(frozen=True)
class Upload:
    """A complete folder to upload. kind: model or dataset; files: path within the folder -> bytes."""

    folder: Path
    kind: str
    name: str

    @property
    def files(self) -> dict[str, int]:
        """Path within the folder -> size in bytes, in order."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in found}

    @property
    def page(self) -> str:
        """The address of the repository's page."""
        return f"{huggingface_hub.constants.ENDPOINT}/{DATA_SETS if self.kind == DATASET else ''}{self.name}"


def repository(url: str) -> tuple[str, bool]:
    """Return USER/NAME of hf://USER/NAME or hf://datasets/USER/NAME, and whether it names a data set.

    Raises TrainingError for anything else.
    """
    name = url.removeprefix(SCHEME)
    of_data_set = name.startswith(DATA_SETS)
    name = name.removeprefix(DATA_SETS) if of_data_set else name
    try:
        if not url.startswith(SCHEME) or name.count("/") != 1:
            raise HFValidationError
        validate_repo_id(name)
    except HFValidationError:
        raise TrainingError(
            f"expected hf://USER/NAME, of letters, digits, '-', '_' and '.', found {url}: correct the address."
        ) from None
    return name, of_data_set


@contextmanager
def prepared(folder: Path, url: str, splits: Sequence[str], progress: Callable[[int, int], None]) -> Iterator[Upload]:
    """Yield what is uploaded of a run, a data set or an export of either; temporary files are removed afterwards.

    Raises TrainingError or DataError if the address is wrong, or the folder is none of these, damaged or not evaluated.
    """
    name, of_data_set = repository(url)
    folder = network_folder(folder)
    kind = _kind(folder)
    if of_data_set and kind == MODEL:
        raise TrainingError(f"expected hf://USER/NAME for the run {folder}, found {url}: leave datasets/ out.")
    if splits and not (folder / DATA_SET).exists():
        raise TrainingError(f"expected a data set with --split, found {folder}, which is none: leave --split out.")
    with tempfile.TemporaryDirectory(prefix="dcign-push-") as temporary:
        out = Path(temporary, "export")
        if kind == MODEL and not is_published(folder):
            export_run(TrainedRun.open(folder), out, "hub")
        elif (folder / DATA_SET).exists():
            export_dataset(folder, out, PARQUET, splits, progress=progress)
        else:
            out = folder
        yield Upload(out, kind, name)


def refuse_without_token() -> None:
    """Raise TrainingError if no token for the hub is stored on this machine."""
    if huggingface_hub.get_token() is None:
        raise TrainingError(
            "expected a token of the Hugging Face hub, found none: run `hf auth login`, or set HF_TOKEN to a token "
            "that may write."
        )


def push(upload: Upload, *, private: bool) -> None:
    """Make the repository if it is not there, and upload all files as one commit; other Parquet files go.

    Raises TrainingError if there is no token, or the hub cannot be reached or refuses.
    """
    refuse_without_token()
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(upload.name, repo_type=upload.kind, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=upload.name,
            repo_type=upload.kind,
            folder_path=upload.folder,
            commit_message="Upload with dcign",
            delete_patterns=["data/*.parquet"] if upload.kind == DATASET else None,  # of an export into other files
        )
    except Exception as error:  # the errors of the hub's client and of the HTTP library under it
        raise TrainingError(
            f"{upload.page} could not be written ({_reason(error)}): check the name, the token's permissions and the "
            "connection, and run again."
        ) from None


def _kind(folder: Path) -> str:
    """Return what a folder is on the hub; raise TrainingError if it is nothing that can be uploaded."""
    to = _export_format(folder)
    if (folder / DATA_SET).exists() or to == PARQUET:
        return DATASET
    if (folder / RUN).exists() or is_published(folder):
        return MODEL
    found = f"an export --to {to}" if to else "neither" if folder.is_dir() else "no such folder"
    raise TrainingError(
        f"expected a run, a data set, or an export --to hub or {PARQUET}, found {found} at {folder}: name "
        "another folder."
    )


def _export_format(folder: Path) -> str:
    """Return the format of an export of a data set, "" if the folder is none."""
    try:
        about: Any = json.loads((folder / ABOUT).read_text())
        return str(about["format"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
