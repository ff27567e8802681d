"""Whether values read from a file are of the kinds that they must be: a number where there is a number, and finite."""

from __future__ import annotations

import math
from typing import Any

Json = Any  # what json gives


def check_kinds(found: Json, wanted: Json, where: str) -> None:
    """Compare value by value with a good example; its None may be anything, its lists of any length.

    Raises TypeError, which names the place, at the first that is of another kind.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if name in found:
                check_kinds(found[name], value, f"{where}.{name}")
    elif isinstance(wanted, list | tuple) and isinstance(found, list | tuple):
        for value in found:
            if wanted:
                check_kinds(value, wanted[0], where)
    elif wanted is not None and not _alike(found, wanted):
        raise TypeError(f"{where} is {str(found)[:40]!r} where {type(wanted).__name__} belongs")


def _alike(found: Json, wanted: Json) -> bool:
    if isinstance(wanted, float):
        return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return type(found) is type(wanted)
