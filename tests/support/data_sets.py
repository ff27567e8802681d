"""Data set folders of tests: how they are rendered, and the hashes by which two of them are compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from dcign.data.dataset.manifest import read_manifest, write_manifest
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.produce.production import Production, render_dataset
from tests.support.drawing import in_this_process


def make(folder: Path, model: MorphableModel, configuration: RenderConfiguration, workers: int = 1) -> Production:
    """Render a data set, quietly."""
    return render_dataset(
        folder, configuration, lambda: model, worker_count=workers, progress=lambda made, wanted: None
    )


def draw(folder: Path, model: MorphableModel, configuration: RenderConfiguration) -> Path:
    """Render a data set in this process, and return its folder. The bytes are those of `make`."""
    with in_this_process():
        make(folder, model, configuration)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file, by its path within the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def list_again(folder: Path) -> None:
    """Write the bytes that the shards have now into dataset.json, as the maker of the altered shards would."""
    manifest = read_manifest(folder)
    splits = {}
    for split, entries in manifest.splits.items():
        contents = [(entry, (folder / entry.file).read_bytes()) for entry in entries]
        splits[split] = tuple(
            replace(entry, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for entry, content in contents
        )
    write_manifest(folder, replace(manifest, splits=splits))
