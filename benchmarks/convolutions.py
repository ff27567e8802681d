"""Each convolution of the patch network on a CPU: our matrix products and PyTorch's convolutions, in one run.

    python -m benchmarks.convolutions [--sizes 64,150] [--images 8] [--precision float32] [--json]

One thread. A layer's time is that of its forward and backward pass in CPU milliseconds, the lower quartile of the
repetitions; both ways alternate. The ratio is PyTorch's time divided by ours.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below

if TYPE_CHECKING:
    from torch import Tensor, nn

REPETITIONS = 40
PRECISIONS = ("float32", "bfloat16")


@one_sentence()
def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convolutions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", default="64,150", help="image sizes, px")
    parser.add_argument("--images", type=int, default=8, help="images of a step")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per layer")
    given = parser.parse_args()
    refuse_below(1, images=given.images)
    sizes = given.sizes.split(",")
    if not all(size.isdecimal() for size in sizes):
        raise BenchmarkError(f"expected image sizes such as 64,150, found {given.sizes}: change --sizes.")
    rows = [row for size in sizes for row in measure(int(size), given.images, given.precision)]
    print(json.dumps(rows, indent=1) if given.json else _table(rows))


def measure(size: int, images: int, precision: str) -> list[dict[str, Any]]:
    """Return a row for each convolution of the default network at an image size."""
    import torch

    from dcign.machine import keep_freed_memory
    from dcign.network.autoencoder import AutoEncoder
    from dcign.network.equivariant import Down, Up
    from dcign.network.halves import initialise
    from dcign.recipes.registry import SWAP

    torch.set_num_threads(1)
    keep_freed_memory()
    model = AutoEncoder(SWAP, size, 1, (-1, 1, -1, *[1] * (SWAP.latents - 3)))
    initialise(model, SWAP.gain, torch.Generator().manual_seed(0))
    seen: dict[str, Tensor] = {}
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, Down | Up)}
    for name, layer in layers.items():
        layer.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0].detach()}))
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        model.decode(model.encode(torch.rand(images, 1, size, size))[0])
        return [_row(f"{size} px, {name}", layer, seen[name]) for name, layer in layers.items()]


def _row(name: str, layer: nn.Module, features: Tensor) -> dict[str, Any]:
    from dcign.network import equivariant

    times: dict[bool, list[float]] = {True: [], False: []}
    features = features.requires_grad_()
    for _ in range(REPETITIONS):
        for products, found in times.items():
            with patch.object(equivariant, "_by_products", return_value=products):
                began = time.thread_time()
                layer(features).sum().backward()
                found.append(time.thread_time() - began)
    ours, theirs = (1e3 * sorted(times[products])[REPETITIONS // 4] for products in (True, False))
    shape = " x ".join(map(str, features.shape))
    return {
        "layer": name,
        "input": shape,
        "ours_ms": round(ours, 2),
        "pytorch_ms": round(theirs, 2),
        "ratio": round(theirs / ours, 2),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'':32}{'input':>20}{'ours, ms':>12}{'PyTorch, ms':>14}{'ratio':>8}"]
    for row in rows:
        lines.append(
            f"{row['layer']:32}{row['input']:>20}{row['ours_ms']:12.2f}{row['pytorch_ms']:14.2f}{row['ratio']:8.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
