"""Make a data set folder: plan, draw and write its shards, and make only those that are missing.

The folder holds model.npz and configuration.json before the first shard, dataset.json after the last. A shard gets its
name only once it is complete, so an interrupted run leaves complete shards or none.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dcign.data.dataset.contact_sheet import write_sheet
from dcign.data.dataset.manifest import NAME as MANIFEST
from dcign.data.dataset.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from dcign.data.schema import SPLITS, Batch
from dcign.data.shard.reader import Shard
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError, RenderError
from dcign.render.gl.context import Renderer
from dcign.render.plan.backdrops import FILE as BACKDROPS
from dcign.render.plan.backdrops import Backdrops
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.choice import FILE as PEOPLE
from dcign.render.plan.choice import Crowd
from dcign.render.plan.configuration import SHARD_BATCHES, RenderConfiguration
from dcign.render.plan.objects import Subject
from dcign.render.plan.size_estimate import worker_bytes
from dcign.render.produce import workers
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.card import data_set_card, measured_correlations
from dcign.render.produce.cluster import check_scheduler
from dcign.render.produce.folder import CARD, MODEL, PREVIEW, open_folder
from dcign.render.produce.headers import shard_header
from dcign.storage.atomic import file_sha256, write_atomic
from dcign.storage.lock import folder_lock
from dcign.storage.paths import is_remote, store_errors

HASHING_THREADS = 8  # hashing existing shards releases the GIL
SEEN_SECONDS = 60.0  # at most, until a file written on another machine is visible here


@dataclass(frozen=True)
class ShardTask:
    """One shard to make: batches first to first + count - 1 of a split.

    model_sha256: of the folder's model.npz when the task was created;
    renderer: the OpenGL renderer of the folder's other shards, or None if there are none yet.
    """

    folder: Path
    model_sha256: str
    configuration: RenderConfiguration
    split: str
    first: int
    count: int
    renderer: Renderer | None = None

    @property
    def file(self) -> str:
        """The shard's path relative to the folder."""
        return f"{self.split}/shard-{self.first // SHARD_BATCHES:05d}.h5"

    @property
    def path(self) -> Path:
        """The shard's path."""
        return self.folder / self.file

    def drawn(self, sha256: str, renderer: Renderer) -> DrawnShard:
        """Return the complete shard, which has this hash."""
        return DrawnShard(ShardEntry(self.file, self.count, self.first, sha256, self.path.stat().st_size), renderer)


@dataclass(frozen=True)
class DrawnShard:
    """A complete shard in the folder, and the OpenGL renderer that drew it."""

    entry: ShardEntry
    renderer: Renderer


@dataclass(frozen=True)
class Production:
    """Result of a run: the numbers of batches made now and kept from before, and the folder's manifest."""

    made: int
    kept: int
    manifest: Manifest


def shard_tasks(folder: Path, model_sha256: str, configuration: RenderConfiguration) -> list[ShardTask]:
    """Return every shard of a data set, in order."""
    return [
        ShardTask(folder, model_sha256, configuration, split, first, min(SHARD_BATCHES, count - first))
        for split, count in configuration.splits.batches().items()
        for first in range(0, count, SHARD_BATCHES)
    ]


def render_dataset(
    folder: Path,
    configuration: RenderConfiguration,
    model: Callable[[], Subject],
    *,
    worker_count: int,
    progress: Callable[[int, int], None],
    source_sha256: str = "",
    cluster: str = "",
    backdrops: Backdrops | None = None,
    crowd: Crowd | None = None,
) -> Production:
    """Make or complete a data set folder. Complete shards stay; after an error the same call continues from there.

    Parameters
    ----------
    model : called only if the folder has no model yet
    worker_count : number of processes on this machine; ignored with `cluster`
    progress : called with the numbers of batches made and to make
    source_sha256 : hash of the file that the model is read from; empty for the procedural model
    cluster : address of a dask scheduler whose workers draw instead; they must see the folder
    backdrops, crowd : the pictures behind the heads and the people, if the configuration takes them from files

    Raises
    ------
    RenderError or DataError : if the folder holds something else, cannot be written or is locked by another process,
        if OpenGL is missing, or if a worker dies
    """
    if worker_count < 1:
        raise RenderError(f"expected at least 1 worker, found {worker_count}: give --workers 1 or more.")
    if cluster:
        check_scheduler(cluster)
    with folder_lock(folder), store_errors(folder):
        about_model = open_folder(folder, configuration, model, source_sha256)
        if backdrops is not None:
            write_atomic(folder / BACKDROPS, backdrops.file_bytes())
        if crowd is not None:
            write_atomic(folder / PEOPLE, crowd.text.encode())
        # Absolute, because a cluster's workers have other working directories.
        tasks = shard_tasks(folder if is_remote(folder) else folder.absolute(), about_model["sha256"], configuration)
        memory = worker_bytes(configuration)
        run_tasks = functools.partial(workers.run_tasks, workers=worker_count, cluster=cluster, memory=memory)
        made, shards = _make_missing(folder, tasks, run_tasks, progress)
        manifest = _finish(folder, configuration, about_model, shards)
    return Production(made, sum(task.count for task in tasks) - made, manifest)


def _make_missing(
    folder: Path,
    tasks: Sequence[ShardTask],
    run_tasks: Callable[..., Iterator[tuple[ShardTask, DrawnShard]]],  # on the workers asked for
    progress: Callable[[int, int], None],
) -> tuple[int, list[DrawnShard]]:
    """Return the number of batches made, and the shard of each task."""
    listed, wanted = _listed_hashes(folder), tasks[0].configuration.sha256()
    _remove_parts(folder)
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        found = pool.map(lambda task: _existing_shard(task, listed, wanted), tasks)
        shards = {task.file: shard for task, shard in zip(tasks, found, strict=True) if shard is not None}
    renderer = next((shard.renderer for shard in shards.values()), None)
    shards = {file: shard for file, shard in shards.items() if shard.renderer == renderer}
    missing = [replace(task, renderer=renderer) for task in tasks if task.file not in shards]
    missing.sort(key=lambda task: task.count, reverse=True)  # short tasks last, so that all workers end together
    to_make, made = sum(task.count for task in missing), 0
    if missing:
        with suppress(FileNotFoundError):
            (folder / MANIFEST).unlink()  # the folder is incomplete until the manifest is written again

        def report(reported: int) -> None:  # a cluster's workers report complete shards, not batches
            progress(max(reported, made), to_make)

        for task, shard in run_tasks(make_shard, missing, progress=report):
            renderer = renderer or shard.renderer
            if shard.renderer != renderer:
                raise _two_renderers(folder, renderer, shard.renderer)
            _wait_until_seen(task, shard)
            shards[task.file] = shard
            made += task.count
        progress(made, to_make)
        _remove_parts(folder)
    return made, [shards[task.file] for task in tasks]


def make_shard(task: ShardTask) -> DrawnShard:
    """In a worker: draw, compress and write one shard.

    Raises RenderError if another OpenGL renderer drew the rest of the folder: one folder has one renderer.
    """
    model_file = task.folder / MODEL
    if not model_file.exists():
        raise RenderError(
            f"expected {model_file}, found no such file on this worker: choose an --out that every machine sees under "
            "the same name."
        )
    batch_renderer = workers.open_renderer(model_file, task.model_sha256, task.configuration)
    renderer = batch_renderer.opengl_renderer
    if task.renderer not in (None, renderer):
        raise _two_renderers(task.folder, task.renderer, renderer)
    header = shard_header(task.configuration, task.split, task.model_sha256, batch_renderer)
    batches = _batches(task, batch_renderer)
    return task.drawn(write_shard(task.path, header, batches, task.count, overwrite=True), renderer)


def _wait_until_seen(task: ShardTask, shard: DrawnShard) -> None:
    """Wait until a worker's shard is visible here. An object store needs no check: the worker read its model.npz there.

    Raises RenderError if it never is: on another machine the same name can mean another folder.
    """
    if is_remote(task.folder):
        return
    path, deadline = task.path, time.monotonic() + SEEN_SECONDS
    while not (path.is_file() and path.stat().st_size == shard.entry.bytes):
        if time.monotonic() >= deadline:
            raise RenderError(
                f"expected {path} from a worker, found no such file here: choose an --out that every machine sees "
                "under the same name."
            )
        time.sleep(0.2)
        with suppress(OSError):  # a network file system may cache that the file was missing until the folder is listed
            next(path.parent.iterdir(), None)


def _two_renderers(folder: Path, first: Renderer | None, other: Renderer) -> RenderError:
    return RenderError(
        f"expected the renderer that drew the first shards of {folder}, {first}, found {other}, whose pixels may "
        "differ: continue where the folder was started, or choose another --out."
    )


def _remove_parts(folder: Path) -> None:
    """Remove the partial files of workers that died. A worker that still writes one fails; its result is not needed."""
    for split in SPLITS:
        for part in folder.glob(f"{split}/.*.part"):
            part.unlink(missing_ok=True)


def _batches(task: ShardTask, batch_renderer: BatchRenderer) -> Iterator[Batch]:
    began = time.monotonic()
    for done, number in enumerate(range(task.first, task.first + task.count), start=1):
        model, crowd = batch_renderer.model, batch_renderer.crowd
        yield batch_renderer.draw_batch(plan_batch(task.configuration, model, task.split, number, crowd))
        workers.batch_done((task.count - done) * (time.monotonic() - began) / done)


def _listed_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each shard in the manifest of an earlier, finished run."""
    try:
        manifest = read_manifest(folder)
    except DataError:
        return {}
    return {entry.file: entry.sha256 for entries in manifest.splits.values() for entry in entries}


def _existing_shard(task: ShardTask, listed: dict[str, str], configuration_sha256: str) -> DrawnShard | None:
    """Return the task's shard if the folder already holds it, undamaged."""
    if not task.path.exists():
        return None
    try:
        with Shard(task.path) as shard:
            header, numbers = shard.header, shard.numbers.tolist()
        renderer = Renderer(**header.renderer)
    except (DataError, TypeError):
        return None
    digest = file_sha256(task.path)
    found = (header.configuration_sha256, header.model_sha256, header.split, numbers, listed.get(task.file, digest))
    expected = list(range(task.first, task.first + task.count))
    wanted = (configuration_sha256, task.model_sha256, task.split, expected, digest)
    return task.drawn(digest, renderer) if found == wanted else None


def _finish(
    folder: Path, configuration: RenderConfiguration, about_model: dict[str, str], shards: Sequence[DrawnShard]
) -> Manifest:
    """Write the card, the contact sheet and, last, the manifest."""
    splits = {
        split: tuple(shard.entry for shard in shards if shard.entry.file.startswith(f"{split}/"))
        for split in configuration.splits.batches()
    }
    manifest = Manifest(
        configuration=configuration.as_dict(),
        configuration_sha256=configuration.sha256(),
        seed=configuration.seed,
        model=about_model,
        renderer=asdict(shards[0].renderer),
        splits=splits,
        factors=configuration.factors,
        parts=configuration.parts,
    )
    measured = measured_correlations(folder, manifest) if configuration.correlate else []
    write_atomic(folder / CARD, data_set_card(manifest, measured).encode())
    write_sheet(folder / splits["test"][0].file, folder / PREVIEW)
    write_manifest(folder, manifest)
    return manifest
