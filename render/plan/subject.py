"""What a data set shows: people of a morphable model, or the meshes of a folder. Either is its folder's model.npz."""

from __future__ import annotations

from pathlib import Path

from dcign.facegen.files.model_file import model_bytes, read_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.objects.collection import Collection, collection_bytes, is_collection, read_collection

Subject = MorphableModel | Collection


def read_subject(path: Path) -> Subject:
    """Read what `subject_bytes` made.

    Raises ModelError if it is missing or damaged.
    """
    return read_collection(path) if is_collection(path) else read_model(path)


def subject_bytes(subject: Subject) -> bytes:
    """Its file's bytes, which depend on the subject alone."""
    return collection_bytes(subject) if isinstance(subject, Collection) else model_bytes(subject)
