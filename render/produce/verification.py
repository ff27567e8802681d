"""Whether a shard or a data set is what it says: its labels, its statistics, and its pixels drawn again.

Drawing again needs model.npz, the shard's configuration and its labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import IntP
from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.check.smoothness import is_suspicion
from dcign.data.damage import shown
from dcign.data.dataset.reader import FaceDataset
from dcign.data.schema import BATCH_SIZE, IMPORTED, LANDMARKS, MASK, PERSON_PARTS, TRUTH_LAYERS, Batch
from dcign.data.shard.findings import Finding
from dcign.data.shard.reader import Shard
from dcign.errors import DataError, ModelError, RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.traits import shapes_of
from dcign.facegen.objects.collection import Collection
from dcign.machine import available_cores
from dcign.render.draw.atlas import Pictures
from dcign.render.draw.light_pass import VISIBILITY
from dcign.render.gl import devices
from dcign.render.plan.choice import crowd_faults
from dcign.render.plan.configuration import ConfigurationError, RenderConfiguration
from dcign.render.plan.crowd_traits import piece_faults, pieces_of
from dcign.render.plan.ranges import BOUNDS
from dcign.render.produce import workers
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.headers import header_check
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import store_errors

# Levels out of 255. The renderer that drew a shard draws it again bit for bit. Another one rounds differently, and
# assigns samples on an edge between two triangles differently.
TOLERANCE = 2
LARGEST = 1000.0  # standard deviations or years: no coefficient is larger
ROUNDING = 1e-3  # standard deviations, of shapes that are computed again
EDGE_SHARE = 0.01  # of an image's pixels that another renderer may draw differently
# The same for layers of truth, in their own units. Layers not named here are uint8 and have TOLERANCE.
TRUTH_TOLERANCES = {"depth": 0.05, "normals": 0.005, "parts": 0, LANDMARKS: 0.01}


def verify(
    path: Path,
    *,
    pixels: bool,
    worker_count: int | None,
    bar: Callable[[str, int], AbstractContextManager[Callable[..., Any]]],
) -> list[Finding]:
    """Check labels, statistics and headers; if `pixels`, then render the pixels again, whatever was found before.

    A suspicion from the order of a batch's images is left out if its pixels, rendered again, are the same.

    worker_count: number of processes; by default one per core for labels, and one per GPU, if any, for pixels.
    bar: shows a title while batches of so many images are checked; returns the callback that counts them.

    Raises DataError if the shard or the data set cannot be read.
    """
    with store_errors(path):
        if path.is_dir():
            dataset = FaceDataset(path)
            shards = [path / entry.file for entries in dataset.splits.values() for entry in entries]
            with bar(f"checking {path.name}", _images_per_batch(shards)) as progress:
                cores = worker_count or available_cores()
                findings = check_dataset(dataset, workers=cores, progress=progress, also=header_check(path))
        else:
            findings, shards = check_shard(path, also=header_check(path.absolute().parent.parent)), [path]
        if pixels and (shards := [shard for shard in shards if not _is_imported(shard)]):
            with bar(f"rendering {path.name} again", BATCH_SIZE) as progress:
                processes = worker_count or devices.worker_count(available_cores())
                differences = verify_pixels(shards, worker_count=processes, progress=progress)
            findings = [*_unrefuted(findings, differences, {str(shard) for shard in shards}), *differences]
    return findings


def _unrefuted(findings: Sequence[Finding], differences: Sequence[Finding], redrawn: Set[str]) -> Iterator[Finding]:
    """Yield the findings, but no suspicions about batches of redrawn shards that do not differ."""
    differing = {(each.shard, each.batch) for each in differences}
    for each in findings:
        differs = not differing.isdisjoint({(each.shard, each.batch), (each.shard, None)})
        if differs or each.shard not in redrawn or not is_suspicion(each.what):
            yield each


def _images_per_batch(shards: Sequence[Path]) -> int:
    """Return the number of images per batch, which is the same in a whole data set, from a shard that opens."""
    for shard in shards:
        with suppress(DataError), Shard(shard) as opened:
            return opened.batch_size
    return BATCH_SIZE


def _is_imported(shard: Path) -> bool:
    """Return whether a shard can be opened and is of other pictures than those of `dcign render`."""
    try:
        with Shard(shard) as opened:
            return opened.header.version == IMPORTED
    except DataError:
        return False


@dataclass(frozen=True)
class PixelTask:
    """One shard to draw again, with the model of its folder."""

    shard: Path
    model_file: Path
    model_sha256: str
    configuration: RenderConfiguration


def pixel_task(shard: Path) -> PixelTask | None:
    """Return what drawing a shard again needs; None if the shard cannot be opened.

    Raises ConfigurationError if its configuration cannot be read, RenderError if its folder lacks its model.npz.
    """
    try:
        with Shard(shard) as opened:
            about, wanted = opened.header.configuration, opened.header.model_sha256
    except DataError:
        return None
    configuration = RenderConfiguration.from_dict(about)
    file = shard.resolve().parent.parent / "model.npz"
    with store_errors(file):
        found = file_sha256(file) if file.exists() else None
    if found != wanted:
        raise RenderError(
            f"expected {file} with the model that drew {shard.name}, found {'another model' if found else 'no file'}: "
            "verify shards in their own folder, or run `dcign render` again to make it."
        )
    return PixelTask(shard, file, wanted, configuration)


def verify_pixels(shards: Sequence[Path], *, worker_count: int, progress: Callable[[int], None]) -> list[Finding]:
    """Draw every batch of these shards again and compare.

    progress: called with the number of batches compared. Shards that cannot be opened are left to the label checks.

    Raises RenderError if the model of a shard's folder is missing or another one.
    """
    findings: dict[Path, list[Finding]] = {shard: [] for shard in shards}
    tasks = []
    for shard in shards:
        try:
            tasks.append(pixel_task(shard))
        except ConfigurationError as error:
            findings[shard].append(Finding(str(shard), None, f"cannot be drawn again: {error}"))
    if known := [task for task in tasks if task is not None]:
        for task, found in workers.run_tasks(check_shard_pixels, known, worker_count, progress):
            findings[task.shard] = found
    return [finding for found in findings.values() for finding in found]


def check_shard_pixels(task: PixelTask) -> list[Finding]:
    """In a worker: compare one shard's batches with their labels."""
    renderer = workers.open_renderer(task.model_file, task.model_sha256, task.configuration)
    findings, name = [], str(task.shard)
    with Shard(task.shard) as shard:
        if what := _wrong_names(shard, task.configuration) or _wrong_level(shard, task.configuration, renderer):
            return [Finding(name, None, what)]
        unasked = {*shard.truths} & {*TRUTH_LAYERS} - {MASK, *task.configuration.truth}  # users may add layers
        findings += [Finding(name, None, f"has truth/{layer}, which its configuration does not promise")
                     for layer in sorted(unasked)]  # fmt: skip
        earlier = _earlier_layers(shard, task.configuration)
        findings += [Finding(name, None, f"holds truth/{layer} of an earlier version, which cannot be compared; render "
                     "it again to compare it") for layer in earlier]  # fmt: skip
        exact = shard.header.renderer == asdict(renderer.opengl_renderer)
        for row in range(len(shard)):
            try:
                batch = shard.batch(row)
                findings += [
                    Finding(name, batch.number, what)
                    for what in _differences(batch, renderer, task.configuration, exact, earlier)
                ]
            except DataError:
                pass  # a damaged chunk: the label checks report it
            except (ModelError, RenderError) as error:
                return [*findings, Finding(name, None, f"cannot be drawn again: {error}")]
            workers.batch_done()
    return findings


def _wrong_names(shard: Shard, configuration: RenderConfiguration) -> str:
    """Return how the shard's factors or nuisances differ from its configuration, or nothing."""
    names = {
        "factors": ([factor.name for factor in shard.header.factors], [each.name for each in configuration.factors]),
        "nuisances": (sorted(shard.nuisances), sorted(configuration.nuisances)),
    }
    for what, (found, wanted) in names.items():
        if found != wanted:
            return f"has {what} {', '.join(found) or '-'}; its configuration has {', '.join(wanted) or '-'}"
    return ""


def _wrong_level(shard: Shard, configuration: RenderConfiguration, renderer: BatchRenderer) -> str:
    """Return that an earlier version drew people with another level of detail, or nothing; objects have none."""
    if isinstance(renderer.model, Collection):
        return ""
    wanted = {"level_of_detail": configuration.level_of_detail, "textured": configuration.textured}
    found = {name: shard.header.configuration.get(name, value) for name, value in wanted.items()}
    if found == wanted:
        return ""
    was, now = (f"{shown(about['level_of_detail'])} vertices{', textured' if about['textured'] else ''}"
                for about in (found, wanted))  # fmt: skip
    return (
        f"was drawn at another level of detail by an earlier version ({was}; now {now}): its pixels cannot be "
        "compared; render it again to compare them"
    )


def _earlier_layers(shard: Shard, configuration: RenderConfiguration) -> tuple[str, ...]:
    """Return which layers an earlier version drew in another way."""
    about, now = shard.header.configuration, configuration.as_dict()
    changed = about.get("visibility_texels") != now.get("visibility_texels")
    return (VISIBILITY,) if changed and VISIBILITY in shard.truths else ()


def redraw_batch(batch: Batch, renderer: BatchRenderer) -> Pictures:
    """Draw a batch again from its labels and coefficients; bit for bit if the same OpenGL renderer drew it.

    One person is evaluated as one row, as in the plan: BLAS rounds 20 equal rows differently from a single row.
    """
    if isinstance(renderer.model, Collection):
        return renderer.draw(renderer.objects(batch.identity_index), batch.factors, batch.nuisance)
    shape, albedo, attributes = batch.identity_shape, batch.identity_albedo, batch.identity_attributes
    assert shape is not None  # the caller has checked both
    assert albedo is not None
    if attributes is None:
        attributes = np.zeros((len(shape), 0), np.float32)
    people = [shape, albedo, attributes]
    if all((rows == rows[0]).all() for rows in people):
        people = [rows[:1] for rows in people]
    return renderer.draw(renderer.faces(*people), batch.factors, batch.nuisance)


def _differences(
    batch: Batch, renderer: BatchRenderer, configuration: RenderConfiguration, exact: bool, earlier: Sequence[str]
) -> list[str]:
    """Return what is wrong with a batch's images or truth.

    exact: the OpenGL renderer is the one that drew it; earlier: layers not to compare.
    """
    if isinstance(renderer.model, Collection):
        objects, count = batch.identity_index, len(renderer.model.solids)
        if objects.min() < 0 or objects.max() >= count:
            return [f"shows an object that model.npz, which has {count}, does not hold"]
    elif batch.identity_shape is None or batch.identity_albedo is None:
        return ["has no identity coefficients to draw it again from"]
    if strangers := list(_strangers(batch, renderer, configuration)):
        return [f"shows {what}" for what in strangers]
    if what := _undrawable(batch, [factor.name for factor in configuration.factors]):
        return [f"has {what}, and cannot be drawn again"]
    if len(wrong := _wrong_shapes(batch, renderer, configuration)):
        return [f"has in image {_listing(wrong)} a shape that is not its own shape at its sex and age"]
    pictures = redraw_batch(batch, renderer)
    held, drawn = {"": batch.images} | batch.truth, {"": pictures.images, MASK: pictures.mask} | pictures.truth
    faults = []
    for name in (each for each in drawn if each in held and each not in earlier):
        wrong = _wrong_pictures(held[name], drawn[name], exact, TRUTH_TOLERANCES.get(name, TOLERANCE))
        if len(wrong):
            what = f"the {name} of image" if name else "image"
            faults.append(f"{what} {_listing(wrong)} is not what the labels say (drawn again, it differs)")
            if not name:
                break  # the layers then differ, too
    return faults


def _strangers(batch: Batch, renderer: BatchRenderer, configuration: RenderConfiguration) -> Iterator[str]:
    """Yield which images do not show the person of people.json whose number they give."""
    shape, albedo, attributes = batch.identity_shape, batch.identity_albedo, batch.identity_attributes
    if renderer.crowd is None or shape is None or albedo is None or not isinstance(renderer.model, MorphableModel):
        return
    about = np.zeros((len(shape), 0), np.float32) if attributes is None else attributes
    if configuration.traits:
        pieces = pieces_of(renderer.crowd, renderer.model, configuration.traits, configuration.keep_head_size)
        columns = {"shape": shape, "albedo": albedo, "attributes": about, "own_shape": batch.identity_own_shape}
        mixed, drawn = batch.identity_source is not None, batch.varies in PERSON_PARTS
        yield from piece_faults(pieces, batch.identity_index, columns, mixed=mixed, drawn=drawn)
    else:
        yield from crowd_faults(renderer.crowd, batch.identity_index, (shape, albedo, about))


def _wrong_shapes(batch: Batch, renderer: BatchRenderer, configuration: RenderConfiguration) -> IntP:
    """Return the images whose shape does not follow from own shape, sex and age."""
    model, found, own = renderer.model, batch.identity_shape, batch.identity_own_shape
    about = batch.identity_attributes
    if (
        found is None
        or own is None
        or about is None
        or not isinstance(model, MorphableModel)
        or model.population is None
    ):
        return np.zeros(0, np.intp)
    wanted = shapes_of(model, own, about, keep_size=configuration.keep_head_size, blended="sex" in configuration.traits)
    return np.flatnonzero((np.abs(found - wanted) > ROUNDING).any(axis=1))


def _undrawable(batch: Batch, names: Sequence[str]) -> str:
    """Return which numbers OpenGL must not get, or nothing: a driver was seen to crash on vertices at infinity.

    Background numbers may have any value: the nearest colour or picture is drawn.
    """
    coefficients = (
        batch.identity_shape, batch.identity_albedo, batch.identity_attributes, batch.identity_own_shape
    )  # fmt: skip
    if not all((np.abs(values) <= LARGEST).all() for values in coefficients if values is not None):
        return f"coefficients that are not numbers within +-{LARGEST:g}"
    labels = dict(zip(names, batch.factors.T, strict=True)) | batch.nuisance
    for name, values in labels.items():
        if name in BOUNDS:
            low, high = BOUNDS[name].lowest, BOUNDS[name].highest
            if not ((values >= np.float32(low)) & (values <= np.float32(high))).all():
                return f"{name} that is not a number within {low:g} to {high:g}"
    return ""


def _wrong_pictures(found: NDArray[Any], wanted: NDArray[Any], exact: bool, tolerance: float) -> IntP:  # any real dtype
    """Return which pictures (N, H, W, ...) or lists of landmarks (N, L, 4) differ in too many pixels or landmarks."""
    if found.shape != wanted.shape:
        return np.arange(len(found))
    off = ~(np.abs(found.astype(np.float32) - wanted) <= tolerance)  # so that NaN differs, too
    off = off.reshape(*off.shape[:3], -1).any(axis=-1)
    return np.flatnonzero(off.mean(axis=(1, 2)) > (0.0 if exact else EDGE_SHARE))


def _listing(numbers: IntP) -> str:
    return f"0 to {BATCH_SIZE - 1}" if len(numbers) == BATCH_SIZE else ", ".join(map(str, numbers))
