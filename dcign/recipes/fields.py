"""Validate the fields of a configuration against their declarations, with msgspec.

The class declares each field once, with its type and bounds or its choices: `Annotated[float, Meta(ge=0, le=1)]`,
`Literal["adam", "rmsprop"]`. The same declaration validates values from JSON, from Python, and from settings such as
`mirror=false`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from dcign.errors import TrainingError

Steps = Annotated[int, Meta(ge=0, le=10**9)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Decay = Annotated[float, Meta(ge=0, le=0.999999)]
Units = Annotated[int, Meta(ge=2, le=4096)]
PartSize = Annotated[int, Meta(ge=1, le=1024)]
Widths = Annotated[tuple[Units, ...], Meta(min_length=1, max_length=8, description="widths such as 128:96:32")]
Weights = Annotated[
    tuple[Annotated[float, Meta(ge=0, le=1e6)], ...],
    Meta(min_length=1, max_length=5, description="weights such as 2:2:1"),
]
Span = Annotated[
    tuple[Annotated[float, Meta(ge=0.01, le=100)], Annotated[float, Meta(ge=0.01, le=100)]],
    Meta(description="a smallest and a largest factor such as 0.8:1.8"),
]
Share = Annotated[float, Meta(ge=0, le=1e300)]
Ratio = Annotated[tuple[Share, ...], Meta(min_length=1, description="shares >= 0, not all of them 0")]

# These identify a recipe, or have an option of their own: --ratio, --steps.
NOT_SETTABLE = ("name", "summary", "ratio", "steps")


def declarations(kind: Any) -> dict[str, Any]:  # a dataclass -> type hints
    """Return the declared type of each field of a dataclass, by name."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def validate_fields(instance: Any) -> None:
    """Convert each field of a new dataclass instance to its declared type. Raises TrainingError if that is impossible.

    A list becomes a tuple and an int a float where such a field is declared; no other value is converted.
    """
    for name, declared in declarations(type(instance)).items():
        object.__setattr__(instance, name, _convert(name, getattr(instance, name), declared, strict=True))


def validate_ratio(ratio: tuple[float, ...] | None) -> None:
    """Raise TrainingError if all shares of a ratio are 0."""
    if ratio is not None and not any(ratio):
        raise TrainingError(f"expected a ratio with a share above 0, found {ratio}: raise one of its shares.")


def settable(recipe: Any) -> dict[str, str]:
    """Return the fields of a recipe that `--set` can change, and a description of the values each may take."""
    found = declarations(type(recipe))
    return {name: _describe(declared) for name, declared in found.items() if name not in NOT_SETTABLE}


def read_settings(settings: Iterable[str], recipe: Any) -> dict[str, Any]:  # values of the fields' own types
    """Read settings such as "mirror=false" as values of a recipe's fields. The last setting of a field counts."""
    known, declared, values = settable(recipe), declarations(type(recipe)), {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]} ({known[near[0]]})?" if near else f"set one of {', '.join(known)}."
            expected = "a field of the recipe" if equals else "FIELD=VALUE"
            raise TrainingError(f"expected {expected}, found {name if equals else setting!r}: {hint}")
        values[name] = _convert(
            name, text.split(":") if declared[name] in (Widths, Weights, Span) else text, declared[name], strict=False
        )
    return values


def parse_ratio(text: str, kinds: tuple[str, ...]) -> tuple[float, ...]:
    """Read proportions such as "1:1:1:10", one number for each kind of batch, in the data set's order."""
    try:
        ratio: tuple[float, ...] = msgspec.convert(text.split(":"), Ratio, strict=False)
    except msgspec.ValidationError:
        ratio = ()
    if len(ratio) != len(kinds) or not any(ratio):
        raise TrainingError(
            f"expected {len(kinds)} shares >= 0, not all of them 0, as the ratio of {':'.join(kinds)}, found {text!r}: "
            f"give a ratio such as {':'.join('1' * len(kinds))}."
        )
    return ratio


def _convert(name: str, value: Any, declared: Any, *, strict: bool) -> Any:  # to the declared type
    try:
        return msgspec.convert(value, declared, strict=strict)
    except msgspec.ValidationError:
        raise TrainingError(f"expected {name} to be {_describe(declared)}, found {value!r}: change {name}.") from None


def _describe(declared: Any) -> str:  # a type hint
    if get_origin(declared) is Literal:
        return "|".join(map(str, get_args(declared)))
    match msgspec.inspect.type_info(declared):
        case msgspec.inspect.BoolType():
            return "true|false"
        case msgspec.inspect.IntType(ge=least, le=most):
            return "a whole number" if least is None else f"a whole number from {least:g} to {most:g}"
        case msgspec.inspect.FloatType(ge=least, le=most):
            return f"a number from {least:g} to {most:g}"
        case msgspec.inspect.StrType():
            return "a string"
        case msgspec.inspect.Metadata(extra_json_schema={"description": description}):
            return str(description)
        case msgspec.inspect.UnionType():
            return f"{_describe(get_args(declared)[0])}, or none"
    return str(declared)
