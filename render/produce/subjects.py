"""What a data set shows: the procedural model, a user's model, or a folder of meshes, made when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from dcign.errors import RenderError
from dcign.facegen.build import procedural_model
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.objects.collection import Collection
from dcign.facegen.objects.folder import mesh_folder, pack
from dcign.progress import StageProgress
from dcign.render.plan.choice import Crowd, read_crowd
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.crowd_traits import pieces_of
from dcign.render.plan.objects import FEWEST, Subject, read_subject, triangles_for
from dcign.render.plan.people import check_traits
from dcign.render.produce.folder import MODEL
from dcign.storage.paths import store_errors, with_local_copy

# Shows a title while something takes long, and gives the callback to report its stages to.
Bar = Callable[[str], AbstractContextManager[StageProgress]]


def face_model(path: Path | None, bar: Bar) -> MorphableModel:
    """Return the model in a file or folder, or the procedural one if `path` is None.

    Raises ModelError if the file is not a face model.
    """
    if path is None:
        with bar("building the face model (once)") as progress:
            return procedural_model(progress)
    with bar(f"reading {path.name}") as progress:
        return load_model(path, progress)


def faces(model_path: Path | None, bar: Bar) -> tuple[Callable[[], Subject], str]:
    """Return a function that gives the face model, and the SHA-256 of the user's file, or "".

    A user's model is read at once, so that a wrong file is refused before a data set is begun.
    """
    if model_path is None:
        return lambda: face_model(None, bar), ""
    model = face_model(model_path, bar)
    return lambda: model, model.source_sha256


def with_crowd(
    configuration: RenderConfiguration, people: Path | None, out: Path, subject: Callable[[], Subject]
) -> tuple[RenderConfiguration, Crowd | None]:
    """Return the configuration with the people of a file, and these, if there is a file.

    They must be people of the model that draws: the one that is in `out`, if a data set was begun there.

    Raises ModelError or RenderError if the file is unusable.
    """
    if people is None:
        return configuration, None
    with store_errors(out):
        begun = (out / MODEL).exists()
    model = with_local_copy(out / MODEL, read_subject) if begun else subject()
    if isinstance(model, Collection):
        raise RenderError(f"expected an --out for faces, found meshes in {out}: choose another --out.")
    crowd = read_crowd(people, model, tuple(configuration.splits.batches()))
    if configuration.traits:
        check_traits(configuration, model)
        pieces_of(crowd, model, configuration.traits, configuration.keep_head_size)  # refuses people who are the same
    return replace(configuration, people=crowd.choice), crowd


def objects(
    meshes: Path, up: str, configuration: RenderConfiguration, out: Path, bar: Bar
) -> tuple[Callable[[], Subject], str]:
    """Return a function that gives the meshes of a folder, and the folder's SHA-256.

    The meshes are read at once, unless the data set in `out` holds them already.
    """
    folder = mesh_folder(meshes, fewest=FEWEST, up=up)

    def packed() -> Subject:
        with bar(f"reading {meshes}") as progress:
            return pack(folder, triangles_for(configuration.size), progress)

    with store_errors(out):
        begun = (out / MODEL).exists()
    if begun:
        return packed, folder.sha256
    collection = packed()
    return lambda: collection, folder.sha256
