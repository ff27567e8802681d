"""Layouts of codes for tests of networks and losses, which have no data set."""

from __future__ import annotations

from collections.abc import Sequence

from dcign.recipes.registry import Recipe
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription


def layout_of(recipe: Recipe, mirror_signs: Sequence[int] = (-1, 1, -1), **facts: tuple[str, ...]) -> CodeLayout:
    """Return the layout of factors `a`, `b` and so on with these signs. facts: circular, of_identity, parts."""
    names = tuple("abcdefgh"[: len(mirror_signs)])
    return CodeLayout.of(
        ImageDescription(32, 1, names, ("degree",) * len(names), tuple(mirror_signs), "none", **facts), recipe
    )
