"""Make a data set folder: plan, draw and write its shards, and make again only what is missing.

A folder holds model.npz and configuration.json before the first shard, dataset.json after the last. A shard appears
under its name only when whole, so whatever is interrupted, the next run finds whole shards or none.
"""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dcign.data.dataset.contact_sheet import write_sheet
from dcign.data.dataset.manifest import NAME as MANIFEST
from dcign.data.dataset.manifest import Manifest, ShardEntry, read_manifest, write_manifest
from dcign.data.dataset.reader import Shard
from dcign.data.schema import SPLITS, Batch, ShardHeader
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError, RenderError
from dcign.render.draw.scene import without_unset
from dcign.render.gl.context import Renderer
from dcign.render.plan.backdrops import FILE as BACKDROPS
from dcign.render.plan.backdrops import Backdrops
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import SHARD_BATCHES, RenderConfiguration
from dcign.render.plan.subject import Subject
from dcign.render.produce import workers
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.card import data_set_card
from dcign.render.produce.cluster import check_scheduler
from dcign.render.produce.folder import CARD, MODEL, PREVIEW, open_folder
from dcign.storage.atomic import file_sha256, write_atomic
from dcign.storage.lock import folder_lock
from dcign.storage.paths import is_remote, store_errors

HASHING_THREADS = 8  # over shards that are there: hashing lets go of Python's lock
SEEN_SECONDS = 60.0  # that another machine's file may take to be seen here


@dataclass(frozen=True)
class ShardTask:
    """One shard to make: batches first to first + count - 1 of a split.

    model_sha256: of the folder's model.npz when the task was given out;
    renderer: who drew the folder's other shards, or None if there are none yet.
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
        """The shard's path in the folder."""
        return f"{self.split}/shard-{self.first // SHARD_BATCHES:05d}.h5"


@dataclass(frozen=True)
class DrawnShard:
    """A whole shard in the folder, and who drew it."""

    entry: ShardEntry
    renderer: Renderer


@dataclass(frozen=True)
class Production:
    """What a run did: batches made now, batches that were there, and the folder's manifest."""

    made: int
    kept: int
    manifest: Manifest


def shard_tasks(folder: Path, model_sha256: str, configuration: RenderConfiguration) -> list[ShardTask]:
    """Every shard of a data set, in order."""
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
) -> Production:
    """Make or finish a data set folder.

    model: called only if the folder has none yet; progress: called with batches made and batches to make;
    source_sha256: of the file that the model is read from, empty for the procedural one; cluster: address of a dask
    scheduler whose workers draw, in place of `worker_count` processes of this machine; they must see the folder;
    backdrops: the pictures behind the heads, where the configuration wants such.

    Raises RenderError or DataError if the folder holds something else, cannot be written or is being written to by
    another process, OpenGL is missing, or a worker dies. Whole shards stay; the same call goes on from there.
    """
    if worker_count < 1:
        raise RenderError(f"{worker_count} workers asked for; at least 1 is wanted: give --workers 1 or more.")
    if cluster:
        check_scheduler(cluster)
    with folder_lock(folder), store_errors(folder):
        run_tasks = functools.partial(workers.run_tasks, workers=worker_count, cluster=cluster)
        return _make_missing(folder, configuration, model, run_tasks, progress, source_sha256, backdrops)


def _make_missing(
    folder: Path,
    configuration: RenderConfiguration,
    model: Callable[[], Subject],
    run_tasks: Callable[..., Iterator[tuple[ShardTask, DrawnShard]]],  # on the workers asked for
    progress: Callable[[int, int], None],
    source_sha256: str,
    backdrops: Backdrops | None,
) -> Production:
    model_about = open_folder(folder, configuration, model, source_sha256)
    if backdrops is not None:
        write_atomic(folder / BACKDROPS, backdrops.file_bytes())
    # Absolute: a cluster's workers have folders of their own to work in.
    seen_by_all = folder if is_remote(folder) else folder.absolute()
    tasks = shard_tasks(seen_by_all, model_about["sha256"], configuration)
    listed, wanted = _listed(folder), configuration.sha256()
    _clear_parts(folder)
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        there = pool.map(lambda task: _whole(task, listed, wanted), tasks)
        shards = {task.file: shard for task, shard in zip(tasks, there, strict=True) if shard is not None}
    renderer = next((shard.renderer for shard in shards.values()), None)
    shards = {file: shard for file, shard in shards.items() if shard.renderer == renderer}
    missing = [replace(task, renderer=renderer) for task in tasks if task.file not in shards]
    missing.sort(key=lambda task: task.count, reverse=True)  # the short ones fill the gaps at the end
    if missing:
        with suppress(FileNotFoundError):
            (folder / MANIFEST).unlink()  # the folder is not complete until it is written again
    kept, to_make = sum(shard.entry.batches for shard in shards.values()), sum(task.count for task in missing)
    if missing:
        made = 0

        def report(reported: int) -> None:  # a cluster's workers report no batches, but whole shards
            progress(max(reported, made), to_make)

        for task, shard in run_tasks(make_shard, missing, progress=report):
            renderer = renderer or shard.renderer
            if shard.renderer != renderer:
                raise _two_renderers(folder, renderer, shard.renderer)
            _check_seen(task, shard)
            shards[task.file] = shard
            made += task.count
        progress(made, to_make)
        _clear_parts(folder)
    manifest = _finish(folder, configuration, model_about, [shards[task.file] for task in tasks])
    return Production(made=to_make, kept=kept, manifest=manifest)


def make_shard(task: ShardTask) -> DrawnShard:
    """In a worker: draw, compress and write one shard.

    Raises RenderError if another OpenGL renderer drew the rest of the folder: one folder, one renderer.
    """
    path = task.folder / task.file
    if not (task.folder / MODEL).exists():
        raise RenderError(
            f"{task.folder / MODEL} is not there for a worker; wanted a folder that every machine sees under the same "
            "name: choose another --out."
        )
    batch_renderer = workers.open_renderer(task.folder / MODEL, task.model_sha256, task.configuration)
    if task.renderer is not None and task.renderer != batch_renderer.opengl_renderer:
        raise _two_renderers(task.folder, task.renderer, batch_renderer.opengl_renderer)
    mark = secrets.token_hex(4)  # a cluster may have a shard made again while the worker that it gave up still writes
    digest = write_shard(
        path, _header(task, batch_renderer), _batches(task, batch_renderer), task.count, overwrite=True, mark=mark
    )
    return DrawnShard(
        ShardEntry(task.file, task.count, task.first, digest, path.stat().st_size), batch_renderer.opengl_renderer
    )


def _check_seen(task: ShardTask, shard: DrawnShard) -> None:
    """Wait for a worker's shard to be seen here; a store has shown its model.npz to the worker, and is believed.

    Raises RenderError if it is not: a folder of the same name can be another one on another machine.
    """
    if is_remote(task.folder):
        return
    path, deadline = task.folder / task.file, time.monotonic() + SEEN_SECONDS
    while not (path.is_file() and path.stat().st_size == shard.entry.bytes):
        if time.monotonic() >= deadline:
            raise RenderError(
                f"{path} was made by a worker and is not here; wanted a folder that every machine sees under the same "
                "name: choose another --out."
            )
        time.sleep(0.2)
        with suppress(OSError):  # a network file system may remember that it was not there, until the folder is listed
            next(path.parent.iterdir(), None)


def _two_renderers(folder: Path, begun: Renderer, other: Renderer) -> RenderError:
    return RenderError(
        f"{folder} was begun by {begun} and this machine has {other}, whose pixels may "
        "differ; wanted one renderer a folder: go on where it was begun, or choose another --out."
    )


def _clear_parts(folder: Path) -> None:
    """Remove what workers that were killed left half-written; one that still writes fails, and nobody waits for it."""
    for split in SPLITS:
        for part in folder.glob(f"{split}/.*.part"):
            part.unlink(missing_ok=True)


def _batches(task: ShardTask, batch_renderer: BatchRenderer) -> Iterator[Batch]:
    for number in range(task.first, task.first + task.count):
        yield batch_renderer.draw_batch(plan_batch(task.configuration, batch_renderer.model, task.split, number))
        workers.batch_done()


def _header(task: ShardTask, batch_renderer: BatchRenderer) -> ShardHeader:
    configuration, camera = task.configuration, task.configuration.scene.camera
    return ShardHeader(
        split=task.split,
        seed=configuration.seed,
        configuration=configuration.as_dict(),
        configuration_sha256=configuration.sha256(),
        model_sha256=task.model_sha256,
        renderer=asdict(batch_renderer.opengl_renderer),
        ranges={
            name: (allowed.low, allowed.high)
            for name, allowed in (configuration.ranges | configuration.nuisances).items()
        },
        camera={
            **asdict(camera, dict_factory=without_unset),
            **asdict(batch_renderer.head),
            "distance": camera.distance(batch_renderer.head.radius),
        },
        factors=configuration.factors,
        attributes=batch_renderer.model.attributes,
        truth_names=batch_renderer.truth_names,
    )


def _listed(folder: Path) -> dict[str, str]:
    """SHA-256 of each shard that an earlier, finished run wrote down."""
    try:
        manifest = read_manifest(folder)
    except DataError:
        return {}
    return {entry.file: entry.sha256 for entries in manifest.splits.values() for entry in entries}


def _whole(task: ShardTask, listed: dict[str, str], configuration_sha256: str) -> DrawnShard | None:
    """The shard as it lies in the folder, if it is the one wanted."""
    path = task.folder / task.file
    if not path.exists():
        return None
    try:
        with Shard(path) as shard:
            header, numbers = shard.header, shard.numbers.tolist()
        renderer = Renderer(**header.renderer)
    except (DataError, TypeError):
        return None
    same = (header.configuration_sha256, header.model_sha256, header.split) == (
        configuration_sha256,
        task.model_sha256,
        task.split,
    )
    digest = file_sha256(path)
    if not same or numbers != list(range(task.first, task.first + task.count)):
        return None
    if listed.get(task.file, digest) != digest:
        return None
    return DrawnShard(ShardEntry(task.file, task.count, task.first, digest, path.stat().st_size), renderer)


def _finish(
    folder: Path,
    configuration: RenderConfiguration,
    model_about: dict[str, str],
    shards: Sequence[DrawnShard],
) -> Manifest:
    entries: dict[str, list[ShardEntry]] = {}
    for shard in shards:
        entries.setdefault(shard.entry.file.partition("/")[0], []).append(shard.entry)
    splits = {split: tuple(each) for split, each in entries.items()}
    manifest = Manifest(
        configuration=configuration.as_dict(),
        configuration_sha256=configuration.sha256(),
        seed=configuration.seed,
        model=model_about,
        renderer=asdict(shards[0].renderer),
        splits=splits,
        factors=configuration.factors,
    )
    write_atomic(folder / CARD, data_set_card(manifest).encode())
    write_sheet(folder / splits["test"][0].file, folder / PREVIEW)
    write_manifest(folder, manifest)
    return manifest
