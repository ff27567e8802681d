"""The header of a shard, as its configuration and its model imply it: written with the shard, compared by checks.

The checks compare the labels, too: the configuration implies them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from dcign.data.damage import shown
from dcign.data.dataset.listed import factor_pairs
from dcign.data.schema import BATCH_SIZE, COEFFICIENTS, ShardHeader
from dcign.data.shard.findings import Finding
from dcign.data.shard.reader import Shard
from dcign.errors import DcignError
from dcign.facegen.model.traits import attribute_names, varies_with
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.scene import HeadFrame, without_unset
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.labels import unplanned
from dcign.render.plan.objects import FRAME, Subject, read_subject
from dcign.render.produce.batch_renderer import BatchRenderer, head_frame, subject_truth_names
from dcign.render.produce.folder import MODEL
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import local_copy, store_errors

ROUNDING = 1e-6  # relative; other versions of numpy round the head's sphere differently
FEW, MOST = 5, 0.5  # batches, and share of a shard's, with wrong labels that get a finding each

Json = dict[str, Any]


@dataclass(frozen=True)
class _Model:
    """What a header takes from model.npz."""

    head: HeadFrame
    subject: Subject


def shard_header(
    configuration: RenderConfiguration, split: str, model_sha256: str, renderer: BatchRenderer
) -> ShardHeader:
    """Return the header of a shard that a renderer draws."""
    return ShardHeader(
        split=split,
        seed=configuration.seed,
        configuration=configuration.as_dict(),
        configuration_sha256=configuration.sha256(),
        model_sha256=model_sha256,
        renderer=asdict(renderer.opengl_renderer),
        ranges=_ranges(configuration),
        camera=_camera(configuration, renderer.head),
        factors=configuration.factors,
        attributes=_attributes(configuration, renderer.model),
        truth_names=renderer.truth_names,
        parts=configuration.parts,
        varies_with=_varies_with(configuration, renderer.model),
    )


def header_check(folder: Path) -> Callable[[Shard], Iterator[Finding]]:
    """Return a check of headers and labels of shards; without model.npz in their folder it compares what it can.

    folder: the data set's.
    """
    models: dict[str, _Model | None] = {}  # by the hash that shards give

    def check(shard: Shard) -> Iterator[Finding]:
        header = shard.header
        try:
            configuration = RenderConfiguration.from_dict(header.configuration)
        except DcignError:
            return  # somebody's own pictures: nothing is implied
        if header.model_sha256 not in models:
            models[header.model_sha256] = _read_model(folder / MODEL, header.model_sha256)
        model = models[header.model_sha256]
        faults = [*_differences(shard, configuration, model), *_extent_faults(shard, configuration)]
        faults += _strangers(shard, configuration)
        yield from (Finding(str(shard.path), None, what) for what in faults)
        yield from _unplanned(shard, configuration, model)

    return check


def _strangers(shard: Shard, configuration: RenderConfiguration) -> Iterator[str]:
    """Yield that a shard shows people whom its configuration did not choose."""
    attributes = shard.identity_attributes
    if configuration.people is not None and attributes is not None:
        columns = dict(zip(shard.header.attributes, attributes.reshape(-1, attributes.shape[-1]).T, strict=True))
        for what in configuration.people.strangers(columns):
            yield f"shows {what}; its configuration chooses others"


def _unplanned(shard: Shard, configuration: RenderConfiguration, model: _Model | None) -> Iterator[Finding]:
    """Yield batches whose labels, or objects, are not those that the seed implies; one finding if they are most."""
    names = [factor.name for factor in shard.header.factors]
    if shard.batch_size != BATCH_SIZE or names != [factor.name for factor in configuration.factors]:
        return
    subject = model.subject if model else None
    objects, count = (shard.identity_index, len(subject.solids)) if isinstance(subject, Collection) else (None, 0)
    labels, name = shard.labels | shard.nuisances, str(shard.path)
    faults = [*unplanned(configuration, shard.header.split, shard.numbers, labels, objects, count)]
    wrong = {row for row, _ in faults}
    if len(wrong) > max(FEW, len(shard) * MOST):
        what = (
            f"{len(wrong)} of {len(shard)} batches have labels that its seed does not imply; the first {faults[0][1]}"
        )
        yield Finding(name, None, f"{what}: labels were altered, or planned by an earlier version")
        return
    yield from (Finding(name, int(shard.numbers[row]), what) for row, what in faults)


def _differences(shard: Shard, configuration: RenderConfiguration, model: _Model | None) -> Iterator[str]:
    """Yield where a shard's header differs from what its configuration and its model imply."""
    header = shard.header
    implied: dict[str, tuple[Any, Any]] = {
        "seed": (header.seed, configuration.seed),
        "ranges": (header.ranges, _ranges(configuration)),
        "parts": (header.parts, configuration.parts),
        "camera": (header.camera, _camera(configuration, model.head if model else _own_head(header))),
    }
    for name, found, wanted in factor_pairs(header.factors, configuration.factors):
        implied[name] = found, wanted
    if model is not None:
        implied["identity attributes"] = header.attributes, _attributes(configuration, model.subject)
        implied["columns that vary with traits"] = header.varies_with, _varies_with(configuration, model.subject)
        for layer, names in subject_truth_names(model.subject, configuration).items():
            held = header.truth_names.get(layer, ()) if layer in shard.truths else names  # another check misses it
            pairs = zip_longest(held, names, fillvalue="none")
            first = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
            implied[f"name of {layer}"] = first
    for name, (found, wanted) in implied.items():
        if not _alike(found, wanted):
            has, implies = shown(_unlike(found, wanted)), shown(_unlike(wanted, found))
            yield f"has {name} {has}; its configuration implies {implies}"


def _attributes(configuration: RenderConfiguration, subject: Subject) -> tuple[str, ...]:
    """Return the names of the columns of identity/attributes."""
    return () if isinstance(subject, Collection) else attribute_names(subject, configuration.traits)


def _varies_with(configuration: RenderConfiguration, subject: Subject) -> dict[str, tuple[str, ...]]:
    """Return which traits move each column of each path of coefficients, if batches vary traits of people alone."""
    if not configuration.traits or isinstance(subject, Collection):
        return {}
    paths = dict(zip(("shape", "albedo", "attributes", "own_shape"), COEFFICIENTS, strict=True))
    return {paths[name]: columns for name, columns in varies_with(subject, configuration.traits).items()}


def _extent_faults(shard: Shard, configuration: RenderConfiguration) -> Iterator[str]:
    """Yield images and numbers of batches that the configuration does not have."""
    shape = configuration.size, configuration.size, configuration.channels
    count = configuration.splits.batches()[shard.header.split]
    if shard.image_shape != shape:
        yield f"has images of shape {shard.image_shape}; its configuration implies {shape}"
    if (last := int(shard.numbers.max())) >= count:
        yield f"has a batch {last}; its configuration implies 0 to {count - 1} in {shard.header.split}"


def _ranges(configuration: RenderConfiguration) -> dict[str, tuple[float, float]]:
    every = configuration.ranges | configuration.nuisances
    return {name: (allowed.low, allowed.high) for name, allowed in every.items()}


def _camera(configuration: RenderConfiguration, head: HeadFrame) -> Json:
    camera = configuration.scene.camera
    return asdict(camera, dict_factory=without_unset) | asdict(head) | {"distance": camera.distance(head.radius)}


def _own_head(header: ShardHeader) -> HeadFrame:
    """Return the sphere that a header gives, or one that it cannot give."""
    centre, radius = header.camera.get("centre"), header.camera.get("radius")
    try:
        x, y, z, r = (float(each) for each in (*centre, radius))  # type: ignore[misc]  # whatever JSON holds
    except (TypeError, ValueError):
        x = y = z = r = math.nan
    return HeadFrame((x, y, z), r)


def _read_model(file: Path, sha256: str) -> _Model | None:
    """Return what headers take from the model with this hash; None if the file is missing, damaged or another model.

    Raises DataError if the file cannot be reached.
    """
    with store_errors(file):
        if not file.exists() or file_sha256(file) != sha256:
            return None
    copy = local_copy(file)
    try:
        subject = read_subject(copy)
    except DcignError:
        return None
    head = FRAME if isinstance(subject, Collection) else head_frame(subject)
    return _Model(head, subject)


def _alike(found: Any, wanted: Any) -> bool:  # JSON
    """Return whether two JSON values are equal; numbers may differ by rounding, lists are as good as tuples."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_alike(found[name], wanted[name]) for name in wanted)
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(map(_alike, found, wanted))
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return math.isclose(found, wanted, rel_tol=ROUNDING, abs_tol=ROUNDING)
    return bool(found == wanted)


def _unlike(one: Any, other: Any) -> Any:  # JSON
    """Return the part of a JSON object that differs from another, so that a message is short."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return list(one) if isinstance(one, tuple) else one
    return {name: value for name, value in one.items() if name not in other or not _alike(value, other[name])}
