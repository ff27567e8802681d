"""The choices that a dataclass declares for its fields."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

from dcign.recipes.fields import declarations


def choices(kind: type) -> dict[str, tuple[str, ...]]:
    """Return the choices of each field of a dataclass that is declared as a Literal, by name."""
    return {name: get_args(it) for name, it in declarations(kind).items() if get_origin(it) is Literal}
