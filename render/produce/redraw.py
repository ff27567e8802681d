"""Proof that the pixels are what the labels say: every batch is drawn again from model.npz and its labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import IntP
from dcign.data.check.labels import Finding
from dcign.data.damage import shown
from dcign.data.dataset.reader import Shard
from dcign.data.schema import BATCH_SIZE, LANDMARKS, MASK, TRUTH_LAYERS, Batch
from dcign.errors import DataError, ModelError, RenderError
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.atlas import Pictures
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.ranges import BOUNDS
from dcign.render.produce import workers
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import store_errors

# Levels out of 255. The renderer that drew a shard draws it again to the bit; another one rounds otherwise, and
# decides otherwise which of two triangles covers a sample on an edge.
TOLERANCE = 2
LARGEST = 1000.0  # standard deviations, years: no coefficient is larger
EDGE_SHARE = 0.01  # of an image's pixels that another renderer may draw differently
# The same for layers of truth, in their own units; what is not named here is of uint8, and has TOLERANCE.
TRUTH_TOLERANCES = {"depth": 0.05, "normals": 0.005, "parts": 0, LANDMARKS: 0.01}


@dataclass(frozen=True)
class PixelTask:
    """One shard to draw again, with the model of its folder."""

    shard: Path
    model_file: Path
    model_sha256: str
    configuration: RenderConfiguration


def model_file_of(shard: Path) -> tuple[Path, str]:
    """The model.npz that belongs to a shard, its folder's, one above the split's; and its SHA-256.

    Raises RenderError if it is missing or is not the model that the shard names.
    """
    file = shard.resolve().parent.parent / "model.npz"
    with Shard(shard) as opened:
        wanted = opened.header.model_sha256
    with store_errors(file):
        there = file.exists()
    if not there:
        raise RenderError(
            f"{file} is not there; drawing {shard.name} again needs it: verify shards in "
            "their folder, or run `dcign render` again to make it."
        )
    if file_sha256(file) != wanted:
        raise RenderError(f"{file} is not the model that {shard} was drawn from: put the right one back.")
    return file, wanted


def verify_pixels(shards: Sequence[Path], *, worker_count: int, progress: Callable[[int], None]) -> list[Finding]:
    """Draw every batch of these shards again and compare.

    progress: called with the number of batches compared. Shards that cannot be opened are left to the label checks.
    """
    findings: dict[Path, list[Finding]] = {shard: [] for shard in shards}
    tasks = []
    for shard in shards:
        try:
            configuration = _configuration(shard)
        except RenderError as error:
            findings[shard].append(Finding(str(shard), None, f"cannot be drawn again: {error}"))
        else:
            if configuration:
                tasks.append(PixelTask(shard, *model_file_of(shard), configuration))
    if tasks:
        for task, found in workers.run_tasks(check_shard_pixels, tasks, worker_count, progress):
            findings[task.shard] = found
    return [finding for found in findings.values() for finding in found]


def check_shard_pixels(task: PixelTask) -> list[Finding]:
    """In a worker: one shard's batches against their labels."""
    batch_renderer = workers.open_renderer(task.model_file, task.model_sha256, task.configuration)
    findings, name = [], str(task.shard)
    with Shard(task.shard) as shard:
        if what := _other_labels(shard, task.configuration) or _other_level(shard, task.configuration, batch_renderer):
            return [Finding(name, None, what)]
        unasked = {*shard.truths} & {*TRUTH_LAYERS} - {MASK, *task.configuration.truth}  # others are anybody's own
        findings += [Finding(name, None, f"has truth/{layer}, which its configuration does not promise")
                     for layer in sorted(unasked)]  # fmt: skip
        exact = shard.header.renderer == asdict(batch_renderer.opengl_renderer)
        names = [factor.name for factor in task.configuration.factors]
        for row in range(len(shard)):
            try:
                batch = shard.batch(row)
                findings += [
                    Finding(name, batch.number, what) for what in _differences(batch, batch_renderer, names, exact)
                ]
            except DataError:
                pass  # a damaged chunk: the label checks name it
            except (ModelError, RenderError) as error:
                return [*findings, Finding(name, None, f"cannot be drawn again: {error}")]
            workers.batch_done()
    return findings


def _other_labels(shard: Shard, configuration: RenderConfiguration) -> str:
    """What is wrong with the names of what the pictures follow from, if anything."""
    names = {
        "factors": ([factor.name for factor in shard.header.factors], [each.name for each in configuration.factors]),
        "nuisances": (sorted(shard.nuisances), sorted(configuration.nuisances)),
    }
    for what, (found, wanted) in names.items():
        if found != wanted:
            return f"has {what} {', '.join(found) or '-'}; its configuration has {', '.join(wanted) or '-'}"
    return ""


def _other_level(shard: Shard, configuration: RenderConfiguration, batch_renderer: BatchRenderer) -> str:
    """That an earlier version drew these people with other vertices or paint, if so; objects have no levels."""
    if isinstance(batch_renderer.model, Collection):
        return ""
    wanted = {"level_of_detail": configuration.level_of_detail, "textured": configuration.textured}
    about = shard.header.configuration
    found = {name: about.get(name, value) for name, value in wanted.items()}
    if found == wanted:
        return ""
    return (
        f"was drawn at another level of detail by an earlier version ({_level(found)}; now {_level(wanted)}): "
        "its pixels cannot be compared; render it again if they must be"
    )


def _level(about: dict[str, Any]) -> str:  # JSON
    return f"{shown(about['level_of_detail'])} vertices{', textured' if about['textured'] else ''}"


def pixel_task(shard: Path) -> PixelTask | None:
    """What it takes to draw a shard again; None if it cannot be opened.

    Raises RenderError if its folder has no model or another's, and if its configuration is none.
    """
    configuration = _configuration(shard)
    return PixelTask(shard, *model_file_of(shard), configuration) if configuration else None


def _configuration(shard: Path) -> RenderConfiguration | None:
    try:
        with Shard(shard) as opened:
            return RenderConfiguration.from_dict(opened.header.configuration)
    except DataError:
        return None


def redraw_batch(batch: Batch, batch_renderer: BatchRenderer) -> Pictures:
    """The batch's pictures again, from its labels and coefficients; bit for bit where the same renderer drew it.

    One person is evaluated as one person, as in the plan: BLAS rounds a row of 20 otherwise than a row alone.
    """
    if isinstance(batch_renderer.model, Collection):
        return batch_renderer.draw(batch_renderer.objects(batch.identity_index), batch.factors, batch.nuisance)
    shape, albedo, attributes = batch.identity_shape, batch.identity_albedo, batch.identity_attributes
    assert shape is not None  # both are checked by the caller
    assert albedo is not None
    if attributes is None:
        attributes = np.zeros((len(shape), 0), np.float32)
    people = [shape, albedo, attributes]
    if all((rows == rows[0]).all() for rows in people):
        people = [rows[:1] for rows in people]
    return batch_renderer.draw(batch_renderer.faces(*people), batch.factors, batch.nuisance)


def _differences(batch: Batch, batch_renderer: BatchRenderer, names: Sequence[str], exact: bool) -> list[str]:
    if isinstance(batch_renderer.model, Collection):
        objects = batch.identity_index
        if objects.min() < 0 or objects.max() >= len(batch_renderer.model.solids):
            return [f"shows an object that model.npz, which has {len(batch_renderer.model.solids)}, does not hold"]
    elif batch.identity_shape is None or batch.identity_albedo is None:
        return ["has no identity coefficients to draw it again from"]
    if what := _undrawable(batch, names):
        return [f"has {what}, and cannot be drawn again"]
    pictures = redraw_batch(batch, batch_renderer)
    wrong = _wrong_pictures(batch.images, pictures.images, exact, TOLERANCE)
    if len(wrong):
        return [f"image {_listing(wrong)} is not what the labels say (drawn again, it differs)"]
    faults = []
    for name, layer in ({MASK: pictures.mask} | pictures.truth).items():
        if name in batch.truth:
            wrong = _wrong_pictures(batch.truth[name], layer, exact, TRUTH_TOLERANCES.get(name, TOLERANCE))
            if len(wrong):
                what = f"the {name} of image {_listing(wrong)} is not what the labels say (drawn again, it differs)"
                faults.append(what)
    return faults


def _undrawable(batch: Batch, names: Sequence[str]) -> str:
    """What OpenGL must not see, if anything: with vertices at infinity a driver was seen to crash.

    Numbers of backgrounds may be any: the nearest colour or picture is drawn.
    """
    coefficients = (batch.identity_shape, batch.identity_albedo, batch.identity_attributes)
    if not all((np.abs(values) <= LARGEST).all() for values in coefficients if values is not None):
        return f"coefficients that are no numbers within +-{LARGEST:g}"
    labels = dict(zip(names, batch.factors.T, strict=True)) | batch.nuisance
    for name, values in labels.items():
        if name in BOUNDS:
            low, high = BOUNDS[name].lowest, BOUNDS[name].highest
            if not ((values >= np.float32(low)) & (values <= np.float32(high))).all():
                return f"{name} that is no number within {low:g} to {high:g}"
    return ""


def _wrong_pictures(found: NDArray[Any], wanted: NDArray[Any], exact: bool, tolerance: float) -> IntP:  # any real dtype
    """Which of (N, H, W, ...) pictures differ in more pixels, or of (N, L, 4) lists of landmarks, than they may."""
    if found.shape != wanted.shape:
        return np.arange(len(found))
    off = ~(np.abs(found.astype(np.float32) - wanted) <= tolerance)  # what is no number is off, too
    off = off.reshape(*off.shape[:3], -1).any(axis=-1)
    return np.flatnonzero(off.mean(axis=(1, 2)) > (0.0 if exact else EDGE_SHARE))


def _listing(numbers: IntP) -> str:
    if len(numbers) == BATCH_SIZE:
        return f"0 to {BATCH_SIZE - 1}"
    return ", ".join(str(number) for number in numbers)
