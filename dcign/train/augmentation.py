"""The augmentation of a step's pictures: random framing, background and exposure, as photographs have them.

It is drawn once per group. The images of a group share everything but what varies in it: if their framing differed,
too, the clamp would take the framing out of every latent, and with it what framing hides. It is drawn from the step's
generator, so a resumed run sees the pictures of the uninterrupted one. Groups are mirrored afterwards: the mirror image
of a picture has the mirrored augmentation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from dcign.errors import TrainingError
from dcign.inputs.batches import ImageBatches, sent
from dcign.inputs.framing import Framing, framed, over
from dcign.inputs.light import encoded_light, light_of
from dcign.recipes.registry import Recipe

GRIDS = (1, 2, 4, 16)  # cells per side of a random background: one colour, a gradient, clouds, noise
PICTURE = len(GRIDS)  # the kind of background that is a blurred picture of the data set
PICTURE_GRID = 8  # cells per side to which such a picture is averaged
COLOUR = 0.15  # standard deviation of a background's channels about its gray, in encoded values


@dataclass(frozen=True, eq=False)
class AugmentationDraw:
    """The random numbers of G groups.

    framing: one per group. crop (G, 4): what turns black at the left, top, right and bottom, shares of the width.
    exposure, gamma (G,). background (G,): -1 for black, else an index of GRIDS, or PICTURE. cells: per entry of GRIDS,
    the colours (G, C, k, k) of such a background, linear light. batch, image (G,): of backgrounds that are pictures.
    """

    framing: Framing
    crop: Tensor
    exposure: Tensor
    gamma: Tensor
    background: Tensor
    cells: tuple[Tensor, ...]
    batch: Tensor
    image: Tensor

    def of_rank(self, rank: int, count: int) -> AugmentationDraw:
        """Return the groups that one of `count` ranks keeps."""
        kept = slice(rank, None, count)
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {name: part[kept] for name, part in parts.items() if isinstance(part, Tensor)}
        framing = Framing(*(part[kept] for part in self.framing))
        return AugmentationDraw(framing=framing, cells=tuple(part[kept] for part in self.cells), **tensors)


@dataclass(frozen=True)
class Augmentation:
    """What a recipe does to the pictures of a step. channels: of the pictures; size: of the network's, px."""

    recipe: Recipe
    channels: int
    size: int

    def draw(self, groups: int, batches: ImageBatches, generator: torch.Generator) -> AugmentationDraw:
        """Draw the random numbers of a step's groups."""
        recipe = self.recipe

        def signed(*shape: int) -> Tensor:  # -1..1
            return 2 * torch.rand(groups, *shape, generator=generator) - 1

        def factor(span: tuple[float, float]) -> Tensor:  # uniform in its logarithm
            low, high = torch.tensor(span).log()
            return torch.exp(low + (high - low) * torch.rand(groups, generator=generator))

        framing = Framing(factor(recipe.zoom), recipe.shift * signed(2), recipe.roll * signed())
        crop = recipe.crop * signed(4).clamp(min=0)  # each border is cut in half of the groups
        exposure, gamma = factor(recipe.exposure), factor(recipe.gamma)
        kind = torch.randint(PICTURE + 1, (groups,), generator=generator)
        black = torch.rand(groups, generator=generator) >= recipe.backgrounds
        cells = tuple(self._cells(groups, side, generator) for side in GRIDS)
        batch = torch.randint(len(batches.kind), (groups,), generator=generator)
        image = torch.randint(batches.size, (groups,), generator=generator)
        return AugmentationDraw(framing, crop, exposure, gamma, kind.masked_fill(black, -1), cells, batch, image)

    def _cells(self, groups: int, side: int, generator: torch.Generator) -> Tensor:
        """Draw the cells of backgrounds (G, C, side, side), linear light: any gray, tinted."""
        gray = torch.rand(groups, 1, side, side, generator=generator)
        tint = COLOUR * torch.randn(groups, self.channels, 1, 1, generator=generator)
        return (gray + (tint if self.channels > 1 else 0)).clamp(0, 1) ** 2.2

    def apply(
        self, images: Tensor, batches: ImageBatches, batch: Tensor, image: Tensor, draw: AugmentationDraw
    ) -> Tensor:
        """Return the augmented pictures: images (G, n, H, H, C) uint8 -> (G, n, S, S, C) uint8.

        batch (G,) and image (G, n): where the images are among the batches, for their masks.
        """
        groups, count = images.shape[:2]
        device = images.device

        def each(values: Tensor) -> Tensor:  # per group -> per image
            return sent(values, device).repeat_interleave(count, dim=0)

        light = light_of(images).flatten(0, 1).permute(0, 3, 1, 2)
        framing = Framing(*map(each, draw.framing))
        if bool((draw.background >= 0).any()):
            masks = batches.take_masks(batch, image).flatten(0, 1)[:, None] / 255
            placed = framed(torch.cat([light, masks], dim=1), framing, self.size)
            light = over(placed[:, :-1], placed[:, -1:], each(self._backgrounds(batches, draw, device)))
        else:
            light = framed(light, framing, self.size)
        light = light * each(_window(draw.crop, self.size))[:, None]
        light = (light * each(draw.exposure)[:, None, None, None]).clamp(0, 1)
        values = encoded_light(light) ** each(draw.gamma)[:, None, None, None]
        stored = (values * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        return stored.reshape(groups, count, self.size, self.size, self.channels)

    def _backgrounds(self, batches: ImageBatches, draw: AugmentationDraw, device: torch.device) -> Tensor:
        """Return the backgrounds (G, C, S, S), linear light; black for groups without one."""
        found = torch.zeros(len(draw.background), self.channels, self.size, self.size, device=device)
        for kind, cells in enumerate(draw.cells):
            chosen = draw.background == kind
            if bool(chosen.any()):
                found[chosen] = self._stretched(sent(cells[chosen], device))
        chosen = draw.background == PICTURE
        if bool(chosen.any()):
            pictures = batches.take(draw.batch[chosen], draw.image[chosen][:, None])[:, 0]
            light = light_of(pictures).permute(0, 3, 1, 2)
            found[chosen] = self._stretched(functional.adaptive_avg_pool2d(light, PICTURE_GRID)).to(device)
        return found

    def _stretched(self, cells: Tensor) -> Tensor:
        """Enlarge cells (N, C, k, k) to the network's size, without edges: a blurred background."""
        return functional.interpolate(cells, size=(self.size, self.size), mode="bilinear", align_corners=True)


def _window(crop: Tensor, size: int) -> Tensor:
    """Return 1 for the pixels that stay, 0 for those that turn black: crop (G, 4) -> (G, size, size)."""
    centre = (torch.arange(size) + 0.5) / size
    left, top, right, bottom = crop[:, :, None].unbind(dim=1)
    across = (centre >= left) & (centre <= 1 - right)
    down = (centre >= top) & (centre <= 1 - bottom)
    return (down[:, :, None] & across[:, None, :]).float()


def build_augmentation(recipe: Recipe, batches: ImageBatches, channels: int, size: int) -> Augmentation | None:
    """Return what a recipe does to the pictures of a step, or None if it leaves them alone.

    Raises TrainingError if it puts something behind the heads and the batches have no masks.
    """
    if not recipe.augmented:
        return None
    if recipe.backgrounds and not batches.has_masks:
        raise TrainingError(
            "expected masks in the training split, as the recipe replaces the background behind them, found none: "
            "render with --truth mask, or use --set backgrounds=0."
        )
    return Augmentation(recipe, channels, size)
