"""Labels as configuration, seed and number of a batch imply them, compared with those of a shard.

This needs no renderer, so it also finds exchanged labels of objects that look the same from several sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.data.schema import BATCH_SIZE, SPLITS
from dcign.data.shard.findings import Fault
from dcign.render.plan.batches import plan_labels, plan_objects
from dcign.render.plan.configuration import RenderConfiguration

ROUNDING = 1e-5  # of a value, or of its unit: other versions of numpy round differently


def unplanned(
    configuration: RenderConfiguration,
    split: str,
    numbers: Int64,
    labels: Mapping[str, Float32],
    objects: Int64 | None = None,
    object_count: int = 0,
) -> Iterator[Fault]:
    """Yield batches whose labels are not those that the configuration implies.

    numbers (B,): of the batches; labels: factors and nuisances, name -> (B, 20); objects (B, 20): which of
    `object_count` objects each image shows, None for people. Factors that are properties of people are not compared,
    and neither are labels that are not finite and batches that the configuration does not have.
    """
    of_person = {factor.name for factor in configuration.factors if factor.of_identity}
    count = configuration.splits.batches().get(split, 0) if split in SPLITS else 0
    for row in np.flatnonzero((numbers >= 0) & (numbers < count)):
        number = int(numbers[row])
        varies, factors, nuisances = plan_labels(configuration, split, number)
        for name, wanted in (factors | nuisances).items():
            if name in labels and name not in of_person:
                faults = _differences(name, labels[name][row], wanted.astype(np.float32))
                yield from ((int(row), what) for what in faults)
        if objects is not None:
            shown = plan_objects(configuration, object_count, split, number, varies)
            if (objects[row] != shown).any():
                image = int((objects[row] != shown).argmax())
                yield int(row), f"shows object {objects[row, image]} in image {image}; its seed implies {shown[image]}"


def _differences(name: str, found: Float32, wanted: Float32) -> Iterator[str]:
    """Yield how one label of a batch (20,) differs from the planned one."""
    wrong = np.flatnonzero(~np.isclose(found, wanted, ROUNDING, ROUNDING) & np.isfinite(found))
    if not len(wrong):
        return
    if len(wrong) == 2 and np.allclose(found[wrong], wanted[wrong[::-1]], ROUNDING, ROUNDING):
        yield f"has the {name} of images {wrong[0]} and {wrong[1]} exchanged, as its seed shows"
        return
    image = int(wrong[0])
    others = f" (and {len(wrong) - 1} of the other {BATCH_SIZE - 1} labels differ)" if len(wrong) > 1 else ""
    yield f"has {name} {found[image]:.7g} in image {image}; its seed implies {wanted[image]:.7g}{others}"
