"""Reading and checking evaluation.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dcign.errors import TrainingError
from dcign.run.json_files import read_json

FORMAT = "dcign-evaluation"
FORMAT_VERSION = 1
FILE = "evaluation.json"
# The keys that readers need, with their types. All other keys may be absent or null.
WANTED: dict[str, type | tuple[type, ...]] = {
    "recipe": str,
    "network": str,
    "assigned_latents": bool,
    "image": dict,
    "steps": int,
    "images_seen": int,
    "seconds": (int, float),
    "seed": int,
    "data_sha256": str,
    "factors": dict,
    "reconstruction": dict,
    "latents": dict,
}
# Numbers that are never negative; and tables of numbers, nested or not, which may be absent or null.
COUNTS = ("steps", "images_seen", "seconds", "seed")
LARGEST = 1e100  # bound on numbers; JSON allows integers of any length
TABLES = ("factors", "reconstruction", "latents", "entangled", "dci", "metrics")
RENAMED = {"mae_degrees": "mean_absolute_error"}  # keys until 0.1.0, and what they are called now


def read_evaluation(folder: Path) -> dict[str, Any]:  # JSON
    """Return what a folder's evaluation.json says. Raises TrainingError if there is none, or it is damaged."""
    path = folder / FILE
    if not path.is_file():
        raise TrainingError(f"expected {FILE} in {folder}, found none: run dcign evaluate {folder} first.")
    try:
        found = read_json(path)
        rename_old_keys(found)
        _refuse(found)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error}): evaluate the run again") from None
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


def _refuse(found: Any) -> None:  # JSON
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"it is no {FORMAT}")
    if found.get("version") != FORMAT_VERSION:
        raise ValueError(f"it is of version {found.get('version')!r}, wanted {FORMAT_VERSION}")
    for key, kind in WANTED.items():
        if not isinstance(found.get(key), kind) or (kind is int and isinstance(found[key], bool)):
            raise ValueError(f"its {key} is {found.get(key)!r}")
    for key in COUNTS:
        if not 0 <= found[key] <= LARGEST:
            raise ValueError(f"its {key} is {found[key]!r}, wanted 0 or more")
    _refuse_words(found.get("mig"), "mig")
    for key in TABLES:
        if not isinstance(found.get(key), dict | None):
            raise ValueError(f"its {key} is {found[key]!r}, wanted a table")
        _refuse_words(found.get(key), key)
    for name, score in found["factors"].items():
        if not isinstance(score, dict) or type(score.get("latent")) is not int:
            raise ValueError(f"what it says of {name} is no table with a latent")


def _refuse_words(found: Any, where: str) -> None:  # JSON
    """Raise ValueError unless all values, at any depth of tables and lists, are finite numbers or null."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            _refuse_words(value, f"{where}.{key}")
    elif found is not None and (type(found) not in (int, float) or not abs(found) <= LARGEST):
        raise ValueError(f"its {where} is {found!r}, wanted a number or null")
