"""How a code is laid out: blocks of latents, one after another, each with a name.

    FACTOR      one latent, or two for a circular factor: the cosine and the sine of an angle; one per class for a
                factor of classes, unless the recipe says how many
    PART        as many latents as the recipe gives to that part of a person, such as `hair`
    identity    all other latents; there is none where the data set has all parts of a person

In a batch, the blocks of what varies in it are active. In an identity batch, those are all parts, the block `identity`,
and the factors that belong to the person, such as age.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dcign.data.schema import PERSON_PARTS
from dcign.errors import TrainingError
from dcign.recipes.registry import Recipe

if TYPE_CHECKING:
    from dcign.run.configuration import ImageDescription

IDENTITY = "identity"


@dataclass(frozen=True)
class CodeBlock:
    """Latents that belong together: their numbers, and the sign of each in a mirrored image, -1 or 1."""

    name: str
    latents: tuple[int, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True)
class CodeLayout:
    """The blocks of a code in order: those of the factors, then those of the person.

    active: per kind of batch, in the order of the description's kinds, the names of the blocks that are active.
    """

    factors: tuple[CodeBlock, ...]
    person: tuple[CodeBlock, ...]  # of the parts, and `identity`
    active: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, description: ImageDescription, recipe: Recipe) -> CodeLayout:
        """Lay out the code that a recipe has for such images.

        Raises TrainingError if the recipe has too few latents, or no size for a part.
        """
        factors = zip(description.factors, description.mirror_signs, description.class_counts, strict=True)
        signs: list[tuple[int, ...]] = [
            (1,) * (recipe.class_latents or classes)
            if classes
            else (1, sign)
            if name in description.circular
            else (sign,)
            for name, sign, classes in factors
        ]
        signs += [(1,) * _size_of_part(recipe, part) for part in description.parts]
        names = [*description.factors, *description.parts]
        if not set(PERSON_PARTS) <= set(description.parts):
            rest = recipe.latents - sum(map(len, signs))
            if rest < 1:
                raise _too_few(description, recipe, rest)
            signs.append((1,) * rest)
            names.append(IDENTITY)
        ends = itertools.accumulate(map(len, signs), initial=0)
        blocks = tuple(
            CodeBlock(name, tuple(range(*span)), each)
            for name, span, each in zip(names, itertools.pairwise(ends), signs, strict=True)
        )
        count = len(description.factors)
        in_identity = (*description.of_identity, *names[count:])
        alone = ((name,) for name in (*description.factors, *description.parts))
        return cls(blocks[:count], blocks[count:], (*alone, in_identity))

    @cached_property
    def blocks(self) -> tuple[CodeBlock, ...]:
        """All blocks, in the order of their latents."""
        return (*self.factors, *self.person)

    @cached_property
    def size(self) -> int:
        """The number of latents: Z."""
        return sum(len(block.latents) for block in self.blocks)

    @cached_property
    def signs(self) -> tuple[int, ...]:
        """The sign of each latent in a mirrored image: (Z,), -1 or 1."""
        return tuple(itertools.chain.from_iterable(block.signs for block in self.blocks))

    @cached_property
    def block_of_latent(self) -> tuple[int, ...]:
        """The number of each latent's block: (Z,)."""
        return tuple(number for number, block in enumerate(self.blocks) for _ in block.latents)

    def latents_of(self, name: str) -> tuple[int, ...]:
        """Return the latents of the block of this name. Raises TrainingError if there is none."""
        found = {block.name: block.latents for block in self.blocks}
        if name not in found:
            raise TrainingError(f"expected a block of the code, found {name!r}: choose from {', '.join(found)}.")
        return found[name]


def _size_of_part(recipe: Recipe, part: str) -> int:
    sizes = recipe.latents_of_parts
    if part not in sizes:
        raise TrainingError(
            f"expected parts out of {', '.join(sizes)}, found {part!r}: use a version of dcign that knows it."
        )
    return sizes[part]


def _too_few(description: ImageDescription, recipe: Recipe, rest: int) -> TrainingError:
    held = ", ".join([f"{len(description.factors)} factors", *description.parts])
    return TrainingError(
        f"expected {recipe.latents + 1 - rest} or more latents for {held} and the identity, found {recipe.latents}: "
        "use --set latents=..."
    )
