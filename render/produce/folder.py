"""The folder of a data set: which files it may hold, and whether it was begun with the same configuration and model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcign.data.damage import shown
from dcign.data.dataset.manifest import NAME as MANIFEST
from dcign.data.schema import SPLITS
from dcign.errors import DataError, ModelError, RenderError
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.truth_pass import check_drawable_truth
from dcign.render.plan.backdrops import FILE as BACKDROPS
from dcign.render.plan.choice import FILE as PEOPLE
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.objects import Subject, read_subject, subject_bytes
from dcign.render.plan.people import check_traits
from dcign.storage.atomic import file_sha256, is_temporary, write_atomic
from dcign.storage.lock import LOCK_FILE as LOCK
from dcign.storage.paths import make_folder, with_local_copy

MODEL, CONFIGURATION, PREVIEW, CARD = "model.npz", "configuration.json", "preview.png", "README.md"
FILES = (MODEL, CONFIGURATION, PREVIEW, CARD, MANIFEST, BACKDROPS, PEOPLE)
OURS = {*FILES, *SPLITS, LOCK}  # all that a folder to continue may hold, beside temporary files
LONGEST_WORD = 24  # characters of a value that a sentence quotes
MOST_DIFFERENCES = 6  # between two configurations that a sentence names

# What objects show only in part: the kind in facegen.objects.collection.NOTES -> its name in dataset.json.
NOTED = {"missing": "missing_textures", "unread": "unread_colours", "crossing": "crossing_polygons"}


def check_folder(folder: Path, configuration: RenderConfiguration) -> bool:
    """Return whether a folder holds shards of this configuration; a new or empty one holds none.

    Raises RenderError if it holds another configuration's shards, or files that are not ours.
    """
    with _os_errors(folder):
        held = [entry for entry in folder.iterdir() if not is_temporary(entry)] if folder.exists() else []
        others = {entry.name for entry in held} - OURS
        begun, saved = any(folder.glob("*/*.h5")), folder / CONFIGURATION
        if others or (begun and not saved.exists()):
            some = f" ({', '.join(sorted(others)[:3])})" if others else ""
            raise RenderError(
                f"expected a new or empty folder, or one that `dcign render` began, found other files in "
                f"{folder}{some}: choose another --out."
            )
        if begun:
            _check_same(saved, configuration)
    return begun


@contextmanager
def _os_errors(folder: Path) -> Iterator[None]:
    """Raise RenderError for what the operating system refuses."""
    try:
        yield
    except OSError as error:
        raise RenderError(
            f"expected a folder that can be written, found that {folder} cannot ({error.strerror or error}): choose "
            "another --out."
        ) from None


def open_folder(
    folder: Path, configuration: RenderConfiguration, model: Callable[[], Subject], source_sha256: str
) -> dict[str, str]:
    """Make the folder, or check that it is this data set's. Returns what dataset.json says about the model.

    model: called only if the folder has none yet; source_sha256: hash of the file that it is read from, if any.

    Raises RenderError as `check_folder` does, if the folder was started with another model, or if the model lacks
    something that a layer of truth shows or by which people are chosen.
    """
    with _os_errors(folder):
        begun = check_folder(folder, configuration)
        if not begun or not _readable(folder / MODEL):  # shards of another model will be made again
            subject = model()
            if isinstance(subject, Collection):
                check_drawable_truth(configuration.truth, (), {})
            else:
                check_drawable_truth(configuration.truth, subject.part_names, subject.landmarks)
                if configuration.people is not None:
                    configuration.people.check_model(subject)
                check_traits(configuration, subject)
                if not configuration.textured:  # a texture costs every worker 100 MB of memory
                    subject = replace(subject, texture=None)
            if not begun:  # new, or stopped before its first shard: nothing in it is worth keeping
                make_folder(folder)
                wanted = {"configuration": configuration.as_dict(), "configuration_sha256": configuration.sha256()}
                write_atomic(folder / CONFIGURATION, (json.dumps(wanted, indent=1) + "\n").encode())
            write_atomic(folder / MODEL, subject_bytes(subject))
        loaded = with_local_copy(folder / MODEL, read_subject)
        digest = file_sha256(folder / MODEL)
    if loaded.source_sha256 != source_sha256:
        raise RenderError(
            f"expected the model that {folder} was started with, {_source(loaded)}, found another one: give the same "
            "--model or --meshes to continue, or choose another --out."
        )
    about = {"file": MODEL, "sha256": digest, "name": loaded.name, "licence": loaded.licence}
    if isinstance(loaded, Collection):
        about["meshes"] = str(len(loaded.solids))
        every = len(loaded.solids) + len(loaded.skipped)
        sentences = {name: loaded.note(kind, every) for kind, name in NOTED.items()}
        sentences["skipped_entries"] = loaded.skipped_entries(every)
        about |= {name: sentence for name, sentence in sentences.items() if sentence}
    elif loaded.hair is not None:
        about["hair_cuts"] = "; ".join(f"{number} {name}" for number, name in enumerate(loaded.hair.cut_names))
    read_from = {"source": loaded.source, "source_sha256": loaded.source_sha256}
    return about | read_from if loaded.source_sha256 else about


def _source(model: Subject) -> str:
    """The file that a model was read from, or the objects' folder. After a colon, a model's source says how."""
    return model.name if isinstance(model, Collection) else model.source.split(":")[0] or "the procedural model"


def _readable(model_file: Path) -> bool:
    try:
        with_local_copy(model_file, read_subject)
    except (ModelError, DataError):
        return False
    return True


def _check_same(saved: Path, configuration: RenderConfiguration) -> None:
    asked = json.loads(json.dumps(configuration.as_dict()))
    try:
        found = json.loads(saved.read_bytes())["configuration"]
        differing = list(_differences(found, asked))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RenderError(f"expected a render configuration, found {saved} damaged: choose another --out.") from None
    if differing:
        more = f" and {len(differing) - MOST_DIFFERENCES} more" if len(differing) > MOST_DIFFERENCES else ""
        was, now = (
            ", ".join(f"{each[0]} {each[side]}" for each in differing[:MOST_DIFFERENCES]) + more for side in (1, 2)
        )
        raise RenderError(
            f"expected the configuration of {saved.parent}, found another configuration ({was}; asked for: {now}): "
            "give the same options to continue it, or choose another --out."
        )


def _differences(found: Any, asked: Any, name: str = "") -> Iterator[tuple[str, str, str]]:  # Any: JSON
    """Where two configurations differ: the names that lead there, and the two values."""
    if isinstance(found, dict) and isinstance(asked, dict):
        for key in {**asked, **found}:
            yield from _differences(found.get(key), asked.get(key), f"{name} {key}".strip())
    elif found != asked:
        yield name, _word(found), _word(asked)


def _word(value: Any) -> str:  # Any: JSON
    if isinstance(value, dict | list):
        return "/".join(_word(part) for part in (value.values() if isinstance(value, dict) else value)) or "none"
    return "none" if value is None else shown(value, LONGEST_WORD)
