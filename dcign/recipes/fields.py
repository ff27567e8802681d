"""What the fields of a recipe may be, and how they are read from words such as `mirror=false`."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from dcign.errors import TrainingError

CHOICES = {
    "network": ("strided", "paper", "released"),
    "activation": ("relu", "silu"),
    "active_by": ("label", "divergence"),
    "reference": ("donor", "mean", "first", "none"),
    "clamp_of": ("z", "posterior"),
    "invariance_of": ("mu", "z", "posterior"),
    "likelihood": ("gaussian", "bernoulli"),
    "divergence_of": ("all", "active", "clamped"),
    "optimizer": ("adam", "rmsprop"),
}

BOUNDS: dict[str, tuple[float, float]] = {
    "gain": (1e-3, 1e3),
    "latents": (2, 4096),
    "pretrain_steps": (0, 10**9),
    "invariance_start": (0, 1e9),
    "invariance_end": (0, 1e9),
    "sigma": (1e-3, 1e3),
    "pixels": (0, 10**9),
    "beta": (0, 1e6),
    "groups": (1, 1024),
    "images": (1, 1024),
    "learning_rate": (0, 1e3),
    "momentum": (0, 0.999999),
    "square_decay": (0, 0.999999),
    "epsilon": (0, 1),
    "warmup_steps": (0, 10**9),
    "final_rate": (0, 1),
    "weight_decay": (0, 1e3),
    "gradient_norm": (0, 1e12),
    "average": (0, 0.999999),
    "steps": (1, 10**9),
}

# Not of the recipe's substance, or with an option of their own.
NOT_SET = ("name", "summary", "ratio", "steps")


def settable(recipe: Any) -> dict[str, str]:  # Any: the dataclass of dcign.recipes.registry, which imports this
    """Return the fields that may be set by words, and what each may be."""
    return {field.name: _wanted(field) for field in dataclasses.fields(recipe) if field.name not in NOT_SET}


def read_settings(words: Iterable[str], recipe: Any) -> dict[str, Any]:
    """Read words such as "mirror=false" as values of the recipe's fields; the last word for a field counts."""
    known, settings = settable(recipe), {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in known:
            listed = ", ".join(f"{field} ({wanted})" for field, wanted in known.items())
            raise TrainingError(f"cannot set {word!r} in a recipe: wanted FIELD=VALUE, one of {listed}")
        settings[name] = _read(name, text, type(getattr(recipe, name)), known[name])
    return settings


def refuse_fields(recipe: Any) -> None:
    """Raise unless every field of a recipe is of its type and within its bounds, and they go together."""
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if not _fits(field, value):
            raise TrainingError(f"{field.name} is {value!r} in recipe {recipe.name!r}: wanted {_wanted(field)}")
    if (recipe.invariance_start == 0) != (recipe.invariance_end == 0):
        raise TrainingError(
            f"invariance grows geometrically from {recipe.invariance_start:g} to {recipe.invariance_end:g}: "
            "wanted both above 0, or both 0 for none"
        )
    if recipe.active_by == "divergence" and recipe.images != 2:
        raise TrainingError(f"active_by=divergence compares pairs, and images is {recipe.images}: wanted images=2")


def _fits(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.name == "ratio":
        return value is None or (isinstance(value, tuple) and is_ratio(value))
    if field.type is bool or field.type is str:
        return isinstance(value, field.type) and (field.name not in CHOICES or value in CHOICES[field.name])
    if isinstance(value, bool) or not isinstance(value, int if field.type is int else int | float):
        return False
    least, most = BOUNDS[field.name]
    return least <= value <= most


def is_ratio(values: tuple[Any, ...]) -> bool:
    """Return whether these can be shares: numbers >= 0, of a finite sum above 0."""
    numbers = all(isinstance(value, int | float) and 0 <= value < math.inf for value in values)
    return numbers and 0 < sum(values) < math.inf


def _wanted(field: dataclasses.Field[Any]) -> str:
    if field.name in CHOICES:
        return "|".join(CHOICES[field.name])
    if field.type is bool:
        return "true|false"
    if field.name in BOUNDS:
        least, most = BOUNDS[field.name]
        return f"{'a whole number' if field.type is int else 'a number'}, {least:g} to {most:g}"
    return "shares >= 0 of a finite sum above 0, or none" if field.name == "ratio" else "words"


def _read(name: str, text: str, kind: type, wanted: str) -> Any:  # a value of that kind
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError):
        raise TrainingError(f"cannot set {name} to {text!r}: wanted {wanted}") from None


def parse_ratio(text: str, kinds: tuple[str, ...]) -> tuple[float, ...]:
    """Read proportions such as "1:1:1:10", one number for each kind of batch, in the data set's order."""
    example = ":".join("1" * len(kinds))
    wanted = f"wanted {len(kinds)} numbers >= 0, of a finite sum above 0, for {':'.join(kinds)}, such as {example}"
    try:
        ratio = tuple(float(part) for part in text.split(":"))
    except ValueError:
        raise TrainingError(f"cannot read the ratio {text!r}: {wanted}") from None
    if len(ratio) != len(kinds) or not is_ratio(ratio):
        raise TrainingError(f"cannot use the ratio {text!r}: {wanted}")
    return ratio
