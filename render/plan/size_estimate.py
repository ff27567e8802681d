"""What a configuration would make, as lines of text: batches, images and bytes of each split, and every range."""

from __future__ import annotations

from collections.abc import Iterator

from dcign.data.schema import BATCH_SIZE, MASK
from dcign.data.shard.truth_layers import bytes_a_pixel
from dcign.render.plan.configuration import RenderConfiguration


def plan_lines(configuration: RenderConfiguration, out: object) -> Iterator[str]:
    """Yield the lines that `dcign render --dry-run` prints."""
    size, channels = configuration.size, configuration.channels
    yield f"{out} would hold {size} x {size} images, {'gray' if channels == 1 else 'colour'}, as these batches:"
    for split, count in configuration.splits.batches().items():
        truth = {*configuration.truth} | (set() if split == "train" else {MASK})
        pixels, layers = (BATCH_SIZE * count * size**2 * each / 1e6 for each in (channels, bytes_a_pixel(truth)))
        beside = f" and {layers:,.1f} of truth" if layers else ""
        images = BATCH_SIZE * count
        yield f"  {split:6}{count:8,} batches {images:10,} images {pixels:10,.1f} MB of pixels{beside}"
    for factor in configuration.factors:
        allowed = configuration.ranges[factor.name]
        yield f"  {factor.name:14} {allowed.low:g} to {allowed.high:g} {factor.plural}"
    for name, allowed in configuration.nuisances.items():
        yield f"  {name:14} {allowed.low:g} to {allowed.high:g}, one value per batch (iid: per image)"
