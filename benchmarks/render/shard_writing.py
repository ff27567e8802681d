"""Writing speed of a loop around stock pyrender, and the peak memory of one of our workers."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.render.stock_pyrender import StockScene
from dcign.data.schema import BATCH_SIZE, Batch, ShardHeader
from dcign.data.shard.writer import write_shard
from dcign.facegen.build import procedural_model
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.normals import VertexNormals
from dcign.machine import keep_freed_memory
from dcign.render.gl.context import choose_egl
from dcign.render.plan.batches import plan_batch
from dcign.render.plan.configuration import FINEST, RenderConfiguration, Splits
from dcign.render.plan.objects import Subject
from dcign.render.produce.batch_renderer import BatchRenderer, head_frame
from dcign.render.produce.worker_pool import ENVIRONMENT

SHARD = 50  # batches
DrawBatch = Callable[[int], Batch]


def stock_writing(size: int, *, finest: bool, batches: int = 8, processes: int = 2) -> float:
    """Return images per second of processes that write shards with stock pyrender, without their start-up.

    finest: draw the finest mesh, as a renderer without levels of detail does.
    """
    os.environ.update(ENVIRONMENT)
    tasks = [(size, finest, first * batches, batches) for first in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes, keep_freed_memory) as pool:
        return sum(BATCH_SIZE * batches / seconds for seconds in pool.starmap(_write_stock, tasks, chunksize=1))


def worker_memory(size: int, counts: tuple[int, ...]) -> list[float]:
    """Return the peak memory in MB of one of our workers after each number of batches, written in shards of 50."""
    os.environ.update(ENVIRONMENT)
    with multiprocessing.get_context("spawn").Pool(1, keep_freed_memory) as pool:
        return pool.apply(_peaks, (size, counts))


def _peaks(size: int, counts: tuple[int, ...]) -> list[float]:
    configuration = _configuration(size)
    peaks, done = [], 0
    with BatchRenderer(procedural_model(), configuration) as renderer, tempfile.TemporaryDirectory() as folder:

        def draw(number: int) -> Batch:
            return renderer.draw_batch(plan_batch(configuration, renderer.model, "train", number))

        for count in counts:
            while done < count:
                batches = min(SHARD, count - done)
                _write(Path(folder) / "shard.h5", configuration, renderer.model, draw, done, batches)
                done += batches
            peaks.append(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))
    return peaks


def _write_stock(size: int, finest: bool, first: int, batches: int) -> float:
    """Return the seconds that it takes to draw and write one shard."""
    choose_egl()
    from pyrender import OffscreenRenderer

    configuration, finest_model = _configuration(size), procedural_model()
    model = finest_model.at_level(FINEST if finest else configuration.level_of_detail)
    head, normals = head_frame(finest_model), VertexNormals(model.triangles, model.vertices)
    renderer = OffscreenRenderer(size, size)

    def draw(number: int) -> Batch:
        plan = plan_batch(configuration, model, "train", number)
        assert plan.shape is not None
        assert plan.albedo is not None
        assert plan.attributes is not None
        positions = model.shapes(plan.shape, plan.attributes)
        albedos = srgb_to_linear(model.albedos(plan.albedo, plan.attributes))
        parts = list(zip(positions, normals(positions), albedos, strict=True))
        scenes = [StockScene(*part, model.triangles, head, configuration.scene) for part in parts]
        one_person = len(scenes) == 1
        images = [scenes[0 if one_person else i].draw(renderer, plan.factors[i]) for i in range(BATCH_SIZE)]
        return Batch(
            number=plan.number,
            varies=plan.varies,
            images=np.stack(images)[..., None],
            factors=plan.factors,
            identity_index=plan.identity_index,
            identity_shape=np.broadcast_to(plan.shape, (BATCH_SIZE, plan.shape.shape[1])).copy(),
            identity_albedo=np.broadcast_to(plan.albedo, (BATCH_SIZE, plan.albedo.shape[1])).copy(),
            identity_attributes=np.broadcast_to(plan.attributes, (BATCH_SIZE, plan.attributes.shape[1])).copy(),
            nuisance={},
            truth={},
        )

    draw(first)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        _write(Path(folder) / "shard.h5", configuration, model, draw, first, batches)
        return time.perf_counter() - began


def _write(
    path: Path, configuration: RenderConfiguration, model: Subject, draw: DrawBatch, first: int, count: int
) -> None:
    header = ShardHeader(
        split="train",
        seed=configuration.seed,
        configuration=configuration.as_dict(),
        configuration_sha256=configuration.sha256(),
        model_sha256="",
        renderer={},
        ranges={name: (allowed.low, allowed.high) for name, allowed in configuration.ranges.items()},
        camera={},
        attributes=model.attributes,
    )
    batches: Iterator[Batch] = (draw(number) for number in range(first, first + count))
    write_shard(path, header, batches, count, overwrite=True)


def _configuration(size: int) -> RenderConfiguration:
    return RenderConfiguration(Splits.in_paper_proportions(4), size=size)
