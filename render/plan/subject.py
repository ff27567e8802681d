"""What a data set shows, stored in model.npz of its folder: people of a morphable model, or the meshes of a folder."""

from __future__ import annotations

from pathlib import Path

from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.objects.collection import Collection, collection_bytes, is_collection, read_collection

Subject = MorphableModel | Collection


def read_subject(path: Path) -> Subject:
    """Read a model.npz. Raises ModelError if it is missing or damaged."""
    return read_collection(path) if is_collection(path) else read_model(path)


def subject_bytes(subject: Subject) -> bytes:
    """Return the bytes of model.npz, which depend on the subject only."""
    return collection_bytes(subject) if isinstance(subject, Collection) else model_bytes(subject)
