"""Layers of a network that commutes with the mirror, with fast matrix products on a CPU.

Features exist in copies: (K N, C, H, W) or (K N, F). With K = 2, the first N belong to the images, and the other N, the
partners, to the mirrored images. Mirroring an image swaps both. Every layer computes f(own, partner) for the first copy
and f(partner, own) for the second, with the same weights, so it commutes with the mirror whatever its weights (the
regular representation of Cohen & Welling 2016, arXiv:1602.07576). A convolution meets its partner flipped left-right,
so that both show the same part of the object. With K = 1 the layers are ordinary ones.

Convolutions have a kernel of k x k, a stride of k / 2 and a padding of k / 4. On a CPU those of 8 x 8, and those on
small grids, are one matrix product on NHWC windows; elsewhere, and in an export, they are PyTorch's.
`python -m benchmarks.convolutions` measures both.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST_GRID = 8  # on which a convolution of 4 x 4 is computed as our own matrix product


class Weighted(nn.Module):
    """A layer with a stack of weight matrices (K, R, C), one for each copy.

    With `paired`, the first matrix multiplies a copy itself and the second its partner. Otherwise the first multiplies
    the sum of both copies and the second their difference: a sum stays under the mirror and a difference is negated,
    so no weight leads from one to the other.
    """

    paired = False

    def __init__(self, inputs: float, copies: int, rows: int, columns: int) -> None:
        """Create weights. inputs: the number of inputs that each output sums."""
        super().__init__()
        self.inputs, self.copies = inputs, copies
        self.weight = nn.Parameter(torch.empty(copies, rows, columns))

    @torch.no_grad()
    def initialise(self, gain: float, generator: torch.Generator) -> None:
        """Draw the weights, uniform, of variance gain / inputs. Biases are 0."""
        bound = math.sqrt(3.0 * gain / self.inputs)
        self.weight.uniform_(-bound, bound, generator=generator)
        bias = getattr(self, "bias", None)
        if bias is not None:
            bias.zero_()


class Down(Weighted):
    """A strided convolution: (K N, C, H, W) -> (K N, C', 2 H / k, 2 W / k)."""

    paired = True

    def __init__(self, copies: int, channels: int, features: int, kernel: int) -> None:
        """Create a layer from `channels` to `features` per copy."""
        super().__init__(copies * channels * kernel**2, copies, features, kernel**2 * channels)
        self.kernel = kernel
        self.bias = nn.Parameter(torch.empty(features))

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolved features."""
        if _by_products(features, 2 * features.shape[-1] // self.kernel, self.kernel):
            cast, weight, bias = _cast(features, self.weight.flatten(0, 1), self.bias)
            nhwc: Tensor = _DownProduct.apply(cast.permute(0, 2, 3, 1), weight, bias, self.copies, self.kernel)  # type: ignore[no-untyped-call]
            return nhwc.permute(0, 3, 1, 2)
        kernel = self.kernel
        weight = _convolution_weight(self.weight.flatten(0, 1), kernel)
        both = functional.conv2d(features, weight, stride=kernel // 2, padding=kernel // 4)
        if self.copies == 1:
            return both + self.bias[:, None, None]
        own, partner = both.chunk(2, dim=1)
        return own + _other(partner) + self.bias[:, None, None]


class Up(Weighted):
    """A transposed strided convolution: (K N, C, H, W) -> (K N, C', k H / 2, k W / 2)."""

    paired = True

    def __init__(self, copies: int, channels: int, features: int, kernel: int) -> None:
        """Create a layer from `channels` to `features` per copy."""
        super().__init__(copies * channels * 4, copies, channels, kernel**2 * features)
        self.kernel = kernel
        self.bias = nn.Parameter(torch.empty(features))

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolved features."""
        both = features if self.copies == 1 else torch.cat([features, _other(features)], dim=1)
        if _by_products(features, features.shape[-1], self.kernel):
            cast, weight, bias = _cast(both, self.weight.flatten(0, 1), self.bias)
            nhwc: Tensor = _UpProduct.apply(cast.permute(0, 2, 3, 1), weight, bias, self.kernel)  # type: ignore[no-untyped-call]
            return nhwc.permute(0, 3, 1, 2)
        kernel = self.kernel
        weight = _convolution_weight(self.weight.flatten(0, 1), kernel)
        return functional.conv_transpose2d(both, weight, self.bias, stride=kernel // 2, padding=kernel // 4)


class Dense(Weighted):
    """A linear layer: (K N, F) -> (K N, F'), computed on sums and differences, which takes half of the products."""

    def __init__(self, copies: int, features: int, out: int) -> None:
        """Create a layer from `features` to `out` per copy."""
        super().__init__(features, copies, features, out)
        self.bias = nn.Parameter(torch.empty(out))

    def forward(self, features: Tensor) -> Tensor:
        """Return the products."""
        if self.copies == 1:
            return torch.addmm(self.bias, features, self.weight[0])
        sums = torch.bmm(sums_and_differences(by_copy(features)), self.weight)
        return sums_and_differences(sums).flatten(0, 1) + self.bias


class Normalised(nn.LayerNorm):
    """Layer normalisation at each place, over the channels of a copy: (K N, C, H, W) or (K N, C) in the same shape.

    Both copies are treated alike, so it commutes with the mirror. The gain is learned. There is no bias, because the
    layer before has one.
    """

    def __init__(self, channels: int) -> None:
        """Create a gain of 1 for each channel."""
        super().__init__(channels, eps=1e-4, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the normalised features."""
        return super().forward(features.movedim(1, -1)).movedim(-1, 1)


class Latents(Weighted):
    """A linear layer to or from latents that are all even, or all odd: (N, F) -> (N, F')."""

    def __init__(self, features: int, out: int, bias: bool) -> None:
        """Create a layer. Odd latents have no bias, because a mirror negates them."""
        super().__init__(features, 1, features, out)
        self.bias = nn.Parameter(torch.empty(out)) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        """Return the products."""
        products = features @ self.weight[0]
        return products if self.bias is None else products + self.bias


def sums_and_differences(values: Tensor) -> Tensor:
    """Change between copies and their sums and differences, (2, N, F) both; it is its own inverse."""
    first, second = values.unbind()
    return torch.stack([first + second, first - second]) * math.sqrt(0.5)


def by_copy(features: Tensor) -> Tensor:
    """Return features with the copies in a dimension of their own: (2 N, ...) -> (2, N, ...)."""
    return features.reshape(2, -1, *features.shape[1:])


def _other(features: Tensor) -> Tensor:
    """Return the partner of each copy, flipped left-right: (2 N, C, H, W) in the same shape."""
    return by_copy(features).flip(0, 4).flatten(0, 1)


def _by_products(features: Tensor, grid: int, kernel: int) -> bool:
    """Whether a convolution is computed as our own matrix product: on a CPU, and not while it is being exported.

    grid: the width of the coarser of its two grids. On large grids with a small kernel oneDNN is faster.
    """
    fast = kernel > 4 or grid <= LARGEST_GRID
    return fast and features.device.type == "cpu" and not torch.compiler.is_compiling()


def _cast(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors in the precision in which this context computes products."""
    if not torch.is_autocast_enabled("cpu"):
        return tensors
    precision = torch.get_autocast_dtype("cpu")
    return tuple(tensor.to(precision) for tensor in tensors)


def _convolution_weight(weight: Tensor, kernel: int) -> Tensor:
    """Return products' weights as a convolution's: (A, k k B) -> (A, B, k, k)."""
    return weight.view(len(weight), kernel, kernel, -1).permute(0, 3, 1, 2)


def windows(features: Tensor, kernel: int) -> Tensor:
    """Return windows k x k, k / 2 apart: (N, H, W, C) -> (N H' W', k k C), with H' = 2 H / k."""
    count, height, width, channels = features.shape
    step, border = kernel // 2, kernel // 4
    padded = features.new_zeros(count, height + 2 * border, width + 2 * border, channels)
    padded[:, border : border + height, border : border + width] = features
    image, row, column, value = padded.stride()
    rows, columns = height // step, width // step
    shape = (count, rows, columns, kernel, kernel * channels)
    seen = padded.as_strided(shape, (image, step * row, step * column, row, value))
    return seen.reshape(count * rows * columns, kernel * kernel * channels)


def added(columns: Tensor, count: int, height: int, width: int, kernel: int) -> Tensor:
    """Add up windows k x k, k / 2 apart, the transpose of `windows`: (N H' W', k k C) -> (N, k H' / 2, k W' / 2, C)."""
    step, border = kernel // 2, kernel // 4
    upper, lower = columns.view(count, height, width, 2, step, -1).permute(3, 0, 1, 4, 2, 5).unbind()
    rows = columns.new_empty(count, height + 1, step, width, upper.shape[-1])
    rows[:, 0], rows[:, height] = upper[:, 0], lower[:, -1]
    torch.add(upper[:, 1:], lower[:, :-1], out=rows[:, 1:height])
    left, right = rows.view(count, (height + 1) * step, width, 2, -1).unbind(3)
    total = columns.new_empty(count, (height + 1) * step, width + 1, left.shape[-1])
    total[:, :, 0], total[:, :, width] = left[:, :, 0], right[:, :, -1]
    torch.add(left[:, :, 1:], right[:, :, :-1], out=total[:, :, 1:width])
    whole = total.view(count, (height + 1) * step, (width + 1) * step, -1)
    return whole[:, border : border + height * step, border : border + width * step]


class _DownProduct(torch.autograd.Function):
    """(K N, H, W, C), (K C', k k C), (C',) -> (K N, 2 H / k, 2 W / k, C')."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, copies: int, kernel: int) -> Tensor:
        count, height, width, _ = features.shape
        seen = windows(features, kernel)
        ctx.save_for_backward(seen, weight)
        ctx.shape, ctx.copies, ctx.kernel = features.shape, copies, kernel
        grid = (count, 2 * height // kernel, 2 * width // kernel)
        if copies == 1:
            return torch.addmm(bias, seen, weight.T).view(*grid, -1)
        own, partner = (seen @ weight.T).view(2, count // 2, *grid[1:], -1).chunk(2, dim=-1)
        return (partner.flip(0, 3).add_(own).add_(bias)).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        seen, weight = ctx.saved_tensors
        count, height, width, _ = ctx.shape
        bias = gradient.sum((0, 1, 2))
        if ctx.copies == 2:
            halves = by_copy(gradient)
            gradient = torch.cat([halves, halves.flip(0, 3)], dim=-1)
        flat = gradient.reshape(len(seen), -1)
        features = None
        if ctx.needs_input_grad[0]:
            grid = (2 * height // ctx.kernel, 2 * width // ctx.kernel)
            features = added(flat @ weight, count, *grid, ctx.kernel)
        return features, flat.T @ seen, bias, None, None


class _UpProduct(torch.autograd.Function):
    """(N, H, W, C), (C, k k C'), (C',) -> (N, k H / 2, k W / 2, C')."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, kernel: int) -> Tensor:
        count, height, width, channels = features.shape
        flat = features.reshape(-1, channels)
        ctx.save_for_backward(flat, weight)
        ctx.shape, ctx.kernel = features.shape, kernel
        return added(flat @ weight, count, height, width, kernel) + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        flat, weight = ctx.saved_tensors
        seen = windows(gradient, ctx.kernel)
        return (seen @ weight.T).view(ctx.shape), flat.T @ seen, gradient.sum((0, 1, 2)), None
