"""Reading and checking evaluation.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from dcign.run.json_files import from_json, open_result, refuse_format

FORMAT = "dcign-evaluation"
FORMAT_VERSION = 1
FILE = "evaluation.json"
NOTHING = "–"  # stands where there is no number
LARGEST = 1e100  # bound on numbers; JSON allows integers of any length
Count = Annotated[int, Meta(ge=0)]
Table = dict[str, Any]  # of numbers, nested or not


class _Factor(Struct):
    """What each factor's table must have."""

    latent: int


class _Evaluation(Struct):
    """The keys that readers need, and then those that may be absent or null."""

    recipe: str
    network: str
    assigned_latents: bool
    image: dict[str, Any]  # of strings, too
    steps: Count
    images_seen: Count
    seconds: Annotated[float, Meta(ge=0, le=LARGEST)]
    seed: Count
    data_sha256: str
    factors: dict[str, _Factor]
    reconstruction: Table
    latents: Table
    entangled: Table | None = None
    parts: dict[str, Table] | None = None
    dci: Table | None = None
    metrics: Table | None = None
    mig: float | None = None
    chance: Table | None = None
    marks: dict[str, Any] | None = None  # of strings
    unmeasured: str | None = None
    left_out: list[str] | None = None  # sentences
    refiner: Table | None = None
    recombination: dict[str, Table] | None = None


# Keys of numbers alone.
NUMBERS = (
    "mig",
    "factors",
    "parts",
    "reconstruction",
    "latents",
    "entangled",
    "dci",
    "metrics",
    "chance",
    "refiner",
    "recombination",
)
RENAMED = {"mae_degrees": "mean_absolute_error"}  # keys until 0.1.0, and what they are called now


def read_evaluation(folder: Path) -> dict[str, Any]:  # JSON
    """Return what a folder's evaluation.json says. Raises TrainingError if there is none, or it is damaged."""
    with open_result(folder / FILE) as found:
        rename_old_keys(found)
        refuse_format(found, FORMAT, FORMAT_VERSION)
        from_json(found, _Evaluation)
        for key in NUMBERS:
            _refuse_others(found.get(key), key)
    result: dict[str, Any] = found
    return result


def rename_old_keys(found: Any) -> None:  # JSON
    """Rename the keys of older evaluations in place, so that all other code knows today's keys alone."""
    factors = found.get("factors") if isinstance(found, dict) else None
    scores = list(factors.values()) if isinstance(factors, dict) else []
    intervals = [score.get("intervals") for score in scores if isinstance(score, dict)]
    for table in (*scores, *intervals):
        for old in RENAMED.keys() & (table if isinstance(table, dict) else {}):
            table[RENAMED[old]] = table.pop(old)


def _refuse_others(found: Any, where: str) -> None:  # JSON
    """Raise ValueError unless all values, at any depth of tables and lists, are finite numbers or null."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            _refuse_others(value, f"{where}.{key}")
    elif found is not None and (type(found) not in (int, float) or not abs(found) <= LARGEST):
        raise ValueError(f"expected a number or null as {where}, found {found!r}")


def value_of(table: Mapping[str, Any], key: str) -> float | None:  # JSON
    """Return the number under a key, or None if there is no finite number."""
    found: Any = table
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    plain = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return found if plain else None


def formatted(value: float | None, form: str, none: str = NOTHING) -> str:
    """Format a number, or return `none` for None."""
    if value is None:
        return none
    text = format(round(value) if form in ("d", ",") else value, form)
    return text if float(text.replace(",", "")) else text.removeprefix("-")  # no -0.00


def half_width(low: float | None, high: float | None, form: str) -> str:
    """Format half the width of an interval as ±NUMBER, or return "" if it has no ends."""
    return "" if low is None or high is None else f"±{formatted((high - low) / 2, form)}"
