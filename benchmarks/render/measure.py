"""Images per second of stock pyrender, raw OpenGL, our batch renderer and the whole `dcign render`, in one run.

    python -m benchmarks.render [--json] [--sizes 64,150] [--rounds 3] [--seconds 2] [--memory]

stock, flat, raw and atlas run on one core, in turn, each in a process of its own. The median over the rounds counts.
stock is pyrender's OffscreenRenderer. flat is raw OpenGL with the shading before shadows were added: `shading_cost` is
how many times longer an image takes since then. raw is raw OpenGL with our shaders, atlas our batch renderer.
raw_two is raw on two cores at once: the upper limit of two workers, if they did nothing but draw. Cores that share
caches, memory or clocks reach less than twice the rate of one core.
end_to_end is a whole `dcign render --workers 2`: start-up, planning, drawing, compressing and hashing. It is measured
without shadows, too, because stock pyrender's faces cast none. stock_writing and stock_finest are two processes that
write the same shards with stock pyrender, one image per call, on our mesh and on the finest mesh.
--memory measures the peak memory of a worker after 100 and after 2,000 batches, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

from benchmarks.render.shard_writing import stock_writing, worker_memory
from dcign.machine import keep_freed_memory
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.worker_pool import ENVIRONMENT

END_TO_END_BATCHES = {64: 3_000, 150: 2_000}  # start-up counts little, as in the paper's 12,000 batches
Loop = Callable[[int], object]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per size")
    parser.add_argument("--sizes", default="64,150", help="image sizes in pixels, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of each loop in each round")
    parser.add_argument("--memory", action="store_true", help="measure a worker's peak memory over 2,000 batches, too")
    arguments = parser.parse_args()
    from dcign.facegen.build import procedural_model

    procedural_model()  # builds the cached model before anything is measured
    sizes = [int(size) for size in arguments.sizes.split(",")]
    rows = [measure(size, arguments.rounds, arguments.seconds) for size in sizes]
    if arguments.memory:
        for row, size in zip(rows, sizes, strict=True):
            row |= dict(zip(("memory_100_mb", "memory_2000_mb"), worker_memory(size, (100, 2_000)), strict=True))
    print(json.dumps(rows, indent=1) if arguments.json else _table(rows))


def measure(size: int, rounds: int, seconds: float) -> dict[str, float]:
    """Return one row: images per second of each path at this image size."""
    rates: dict[str, list[float]] = {"stock": [], "flat": [], "raw": [], "atlas": []}
    vertices = 0
    for _ in range(rounds):
        for path, values in rates.items():
            rate, vertices = _on_cores(path, size, seconds, 1)
            values.append(rate)
    medians = {path: statistics.median(values) for path, values in rates.items()}
    raw_two = statistics.median(_on_cores("raw", size, seconds, 2)[0] for _ in range(rounds))
    return {
        "size": size,
        "vertices": vertices,
        **{path: round(rate, 1) for path, rate in medians.items()},
        "raw_two": round(raw_two, 1),
        "shading_cost": round(medians["flat"] / medians["atlas"], 2),
        "end_to_end": round(end_to_end(size), 1),
        "end_to_end_no_shadows": round(end_to_end(size, "--no-shadows"), 1),
        "stock_writing": round(stock_writing(size, finest=False), 1),
        "stock_finest": round(stock_writing(size, finest=True), 1),
    }


def end_to_end(size: int, *options: str) -> float:
    """Return images per second of the whole command, with two workers."""
    batches = END_TO_END_BATCHES.get(size, 200)
    with tempfile.TemporaryDirectory(prefix="dcign-benchmark-") as folder:
        command = [sys.executable, "-m", "dcign.cli", "render", "--batches", str(batches), "--size", str(size),
                   "--workers", "2", "--out", f"{folder}/faces", *options]  # fmt: skip
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elapsed = time.perf_counter() - began
    images = 20 * sum(RenderConfiguration(Splits.in_paper_proportions(batches), size=size).splits.batches().values())
    return images / elapsed


def _on_cores(path: str, size: int, seconds: float, cores: int) -> tuple[float, int]:
    """Return the total images per second of one loop on several cores at once, and the number of vertices."""
    os.environ.update(ENVIRONMENT)
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(cores)
    with context.Pool(cores, _start_worker, (ready,)) as pool:
        found = pool.starmap(_rate, [(path, size, seconds, core) for core in range(cores)], chunksize=1)
    return sum(rate for rate, _ in found), found[0][1]


_ready: list[Barrier] = []  # filled once per process, before its loop


def _start_worker(ready: Barrier) -> None:
    keep_freed_memory()
    _ready.append(ready)


def _rate(path: str, size: int, seconds: float, core: int) -> tuple[float, int]:
    """Return images per second of one loop, pinned to one of the allowed cores, and the number of vertices."""
    from benchmarks.render.flat_shading import flat_loop
    from benchmarks.render.raw_opengl import raw_loop
    from benchmarks.render.stock_pyrender import stock_loop
    from benchmarks.render.workload import Workload, workload
    from dcign.render.draw.atlas import AtlasRenderer

    def atlas_loop(work: Workload) -> Loop:
        renderer = AtlasRenderer(size=size, channels=1, mesh=work.mesh, head=work.head,
                                 scene=work.configuration.scene)  # fmt: skip

        def draw(batch: int) -> object:
            kind = batch % len(work.plans)
            return renderer.draw(work.faces[kind], work.labels(kind))

        return draw

    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[core % len(allowed)]})
    work = workload(size)
    draw = {"stock": stock_loop, "flat": flat_loop, "raw": raw_loop, "atlas": atlas_loop}[path](work)
    for batch in range(len(work.plans)):
        draw(batch)
    _ready[0].wait()
    batches, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in work.plans:
            draw(batches)
            batches += 1
    return 20 * batches / (time.perf_counter() - began), work.model.vertices


def _table(rows: list[dict[str, float]]) -> str:
    lines = [
        "size  vertices   stock    flat     raw   atlas  end to end, 2 workers   atlas/stock  atlas/raw  flat/atlas"
        "  end/(2 raw)  end/(raw on two)  end/stock  end/stock, finest  no shadows: end/stock  end/stock, finest"
    ]
    for row in rows:
        lines.append(
            f"{row['size']:4} {row['vertices']:9,} {row['stock']:7,.0f} {row['flat']:7,.0f} {row['raw']:7,.0f} "
            f"{row['atlas']:7,.0f} "
            f"{row['end_to_end']:22,.0f} {row['atlas'] / row['stock']:13.2f} {row['atlas'] / row['raw']:10.2f} "
            f"{row['shading_cost']:11.2f} {row['end_to_end'] / (2 * row['raw']):12.2f} "
            f"{row['end_to_end'] / row['raw_two']:17.2f} "
            f"{row['end_to_end'] / row['stock_writing']:10.2f} {row['end_to_end'] / row['stock_finest']:18.2f} "
            f"{row['end_to_end_no_shadows'] / row['stock_writing']:22.2f} "
            f"{row['end_to_end_no_shadows'] / row['stock_finest']:18.2f}"
        )
        if "memory_100_mb" in row:
            first, last = row["memory_100_mb"], row["memory_2000_mb"]
            lines.append(f"peak memory of a worker: {first} MB after 100 batches, {last} MB after 2,000")
    return "\n".join(lines)
