"""The person in an image of a data set, from the labels of its shard."""

from __future__ import annotations

import numpy as np

from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import BATCH_SIZE, IDENTITY_OWN_SHAPE
from dcign.errors import DataError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.traits import attribute_names
from dcign.facegen.objects.collection import Collection
from dcign.render.plan.objects import Subject, read_subject
from dcign.render.produce.folder import MODEL
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import expand_home, local_copy, store_errors, to_path


def person_of_image(name: str) -> tuple[MorphableModel, Person]:
    """Return the face model of a data set and the person in one of its images.

    name: FOLDER/SPLIT:IMAGE, where IMAGE counts from 0 over the whole split, 20 images per batch.

    Raises DataError if there is no such image, if its labels are not those of dataset.json, or if it shows an object.
    """
    place, _, number = name.rpartition(":")
    if not place or not number.isascii() or not number.isdigit():
        raise DataError(
            f"expected FOLDER/SPLIT:IMAGE, for example faces/iid:17, found {name!r}: name one image of a data set."
        )
    path = to_path(expand_home(place))
    dataset = FaceDataset(path.parent)
    model, person = _model(dataset), _person(dataset, path.name, int(number))
    held = person.shape, person.albedo, person.attributes
    widths, attributes = [len(each) for each in held], len(attribute_names(model, dataset.manifest.parts))
    known = all(np.isfinite(each).all() for each in held)
    if not known or widths != [model.shape_modes, model.albedo_modes, attributes]:
        raise DataError(
            f"expected a person of {dataset.folder / MODEL}, found coefficients of other numbers in image {name}: "
            "render it again."
        )
    return model, person


def subject_of(dataset: FaceDataset) -> Subject:
    """Return what a data set shows, a face model or objects. Raises DataError if its model.npz is another one."""
    file = dataset.folder / MODEL
    with store_errors(file):
        found = file_sha256(file) if file.exists() else None
    if found != dataset.manifest.model.get("sha256"):
        raise DataError(
            f"expected {file} with the model that dataset.json names, found {'another model' if found else 'no file'}: "
            "run `dcign render` again to make it."
        )
    return read_subject(local_copy(file))


def _model(dataset: FaceDataset) -> MorphableModel:
    model = subject_of(dataset)
    if isinstance(model, Collection):
        raise DataError(
            f"expected a data set of faces, found {dataset.folder}, which shows meshes: name a data set of faces."
        )
    return model


def _person(dataset: FaceDataset, split: str, image: int) -> Person:
    batch, column = divmod(image, BATCH_SIZE)
    entries = dataset.splits.get(split, [])
    for entry in entries:
        if batch < entry.batches:
            with dataset.opened(split, entry) as shard:
                shape, albedo, attributes = shard.identity_shape, shard.identity_albedo, shard.identity_attributes
                own = shard.coefficients.get(IDENTITY_OWN_SHAPE)
            if shape is None or albedo is None:
                raise DataError(f"expected people's coefficients in {entry.file}, found none: render it again.")
            about = np.zeros(0, np.float32) if attributes is None else attributes[batch, column]
            own_shape = None if own is None else own[batch, column]
            return Person(shape[batch, column], albedo[batch, column], about, own_shape)
        batch -= entry.batches
    held = ", ".join(name for name, each in dataset.splits.items() if each)
    count = BATCH_SIZE * sum(entry.batches for entry in entries)
    raise DataError(
        f"expected an image of {dataset.folder}, found {split}:{image}: "
        + (f"give a number from 0 to {count - 1:,}." if count else f"give one of its splits, {held}.")
    )
