"""What a configuration would make, as lines of text, and the memory that a worker needs for it."""

from __future__ import annotations

from collections.abc import Iterator

from dcign.data.schema import BATCH_SIZE, MASK
from dcign.data.shard.truth_layers import bytes_a_pixel
from dcign.render.plan.configuration import RenderConfiguration

# The peak of a worker, measured at 64 to 1024 px: Python, OpenGL and the face model; what OpenGL keeps per pixel of a
# batch, for so many pixels at most; and what arrays take per byte that is written.
WORKER_BYTES, OPENGL_BYTES, MOST_OPENGL_PIXELS, ARRAY_BYTES = 280e6, 40, 5e6, 4


def worker_bytes(configuration: RenderConfiguration) -> float:
    """Estimate the memory of one worker that renders with this configuration, in bytes."""
    pixels = BATCH_SIZE * configuration.size**2
    written = configuration.channels + bytes_a_pixel({*configuration.truth})
    return WORKER_BYTES + OPENGL_BYTES * min(pixels, MOST_OPENGL_PIXELS) + ARRAY_BYTES * pixels * written


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
    for part in configuration.parts:
        yield f"  {part:14} of people, varied alone"
    for name, allowed in configuration.nuisances.items():
        yield f"  {name:14} {allowed.low:g} to {allowed.high:g}, one value per batch (iid: per image)"
    if configuration.people is not None:
        yield f"  people         {', '.join(configuration.people.sentences())}"
    for each in configuration.correlate:
        yield f"  correlated     {each}"
