"""An evaluation.json, read back and checked."""

from pathlib import Path
from typing import Any

from dcign.errors import TrainingError
from dcign.run.json_files import read_json

FORMAT = "dcign-evaluation"
FORMAT_VERSION = 1
FILE = "evaluation.json"
# What whoever shows an evaluation counts on, and of which type; the rest may be absent, or null.
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
# What counts something; and tables that may be absent or null, of numbers, or of tables of them.
COUNTS = ("steps", "images_seen", "seconds", "seed")
LARGEST = 1e100  # that a figure can be: JSON knows whole numbers of any length
TABLES = ("factors", "reconstruction", "latents", "entangled", "dci", "metrics")


def read_evaluation(folder: Path) -> dict[str, Any]:  # JSON
    """Return what a folder's evaluation.json says. Raises TrainingError if there is none, or it is damaged."""
    path = folder / FILE
    if not path.is_file():
        raise TrainingError(f"expected {FILE} in {folder}, found none: run dcign evaluate {folder} first.")
    try:
        found = read_json(path)
        _refuse(found)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error}): evaluate the run again") from None
    result: dict[str, Any] = found
    return result


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
    """Raise unless all values are finite numbers or null, however deep in tables and lists."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            _refuse_words(value, f"{where}.{key}")
    elif found is not None and (type(found) not in (int, float) or not abs(found) <= LARGEST):
        raise ValueError(f"its {where} is {found!r}, wanted a number or null")
