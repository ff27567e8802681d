"""Change one thing about a person, and keep everything else: sex, age, hair, or one coefficient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np

from dcign.arrays import Float32
from dcign.errors import ModelError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import AGES, Person
from dcign.facegen.model.population import MOST_HAIR_DEVIATION, at_sex_and_age
from dcign.facegen.model.selection import SEX_CENTRE, cut_number

SEXES = {"women": -SEX_CENTRE, "men": SEX_CENTRE}  # in words -> the centre of each sex, standard deviations
MOST_SEX_CHOSEN = 4.0  # standard deviations
MOST_DEVIATIONS = 20.0  # of a coefficient: it is N(0, 1), and nobody's face is there any more
# Lowest and highest value of each attribute that is a number.
LIMITS = {
    "sex": (-MOST_SEX_CHOSEN, MOST_SEX_CHOSEN),
    "age": AGES,
    "hair_length": (-MOST_HAIR_DEVIATION, MOST_HAIR_DEVIATION),
    "hair_volume": (-MOST_HAIR_DEVIATION, MOST_HAIR_DEVIATION),
}
LONGEST = 60  # characters of a name that a sentence quotes
HAIR_SETTINGS = {"hair.length": "hair_length", "hair.volume": "hair_volume"}


@dataclass(frozen=True)
class Changes:
    """What is changed about a person; None and an empty mapping change nothing.

    sex: standard deviations, or "women" or "men"; age: years; hair: name of a cut;
    settings: "shape.12", "skin.3", "skin.freckles", "hair.length" or "hair.volume" -> standard deviations.
    """

    sex: float | str | None = None
    age: float | None = None
    hair: str | None = None
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is changed."""
        return bool(self.settings) or any(each is not None for each in (self.sex, self.age, self.hair))


def changed(model: MorphableModel, person: Person, changes: Changes) -> Person:
    """Return the person with these changes.

    At another age or sex, everything that does not depend on it stays.

    Raises ModelError for a value out of bounds, for what the model does not have, and if age or sex moves a coefficient
    of shape out of bounds.
    """
    if changes.sex is not None or changes.age is not None:
        person = _at(model, person, _sex(changes.sex), changes.age)
    if changes.hair is not None:
        cut = cut_number(changes.hair, model.hair.cut_names if model.hair is not None else ())
        person = _with_attribute(model, person, "hair_cut", cut)
    for name, value in changes.settings.items():
        person = _set(model, person, name, value)
    for mode in np.flatnonzero(np.abs(person.shape) > MOST_DEVIATIONS).tolist():
        raise ModelError(
            f"expected shape.{mode} from {-MOST_DEVIATIONS:g} to {MOST_DEVIATIONS:g} standard deviations after all "
            f"changes, found {person.shape[mode]:g}: give another age or sex, or set shape.{mode}."
        )
    return person


def parse_settings(words: Iterable[str]) -> dict[str, float]:
    """Parse "shape.12=+2" and the like. Raises ModelError if there is no name or no number, or a name comes twice."""
    settings: dict[str, float] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        try:
            number = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ModelError(
                f"expected --set NAME=NUMBER, for example shape.12=+2, found {_quoted(word)}: give a name and a number."
            )
        if name in settings:
            raise ModelError(f"expected each name once in --set, found {_quoted(name)} twice: leave one out.")
        settings[name] = number
    return settings


def parse_sex(word: str) -> float | str:
    """Parse "women", "men" or a number of standard deviations. Raises ModelError for anything else."""
    if word in SEXES:
        return word
    try:
        return float(word)
    except ValueError:
        raise ModelError(
            f"expected women, men or a number of standard deviations, found {word!r}: give another --sex."
        ) from None


def _sex(sex: float | str | None) -> float | None:
    return SEXES[str(parse_sex(sex))] if isinstance(sex, str) else sex


def _at(model: MorphableModel, person: Person, sex: float | None, age: float | None) -> Person:
    """Return the person at another sex and age; None keeps it."""
    if model.population is None:
        asked = " and ".join(name for name, value in (("age", age), ("sex", sex)) if value is not None)
        raise ModelError(
            f"expected a model that knows age and sex, found {model.name}: leave {asked} out, or use the procedural "
            "model."
        )
    now = dict(zip(("sex", "age"), person.attributes.tolist(), strict=False))
    for name, value in (("sex", sex), ("age", age)):
        if value is not None:
            check_limits(name, value, LIMITS[name])
            now[name] = value
    return at_sex_and_age(model, person, now["sex"], now["age"])


def _set(model: MorphableModel, person: Person, name: str, value: float) -> Person:
    """Return the person with one coefficient changed."""
    group, _, which = name.partition(".")
    if name in HAIR_SETTINGS and model.hair is not None:
        return _with_attribute(model, person, HAIR_SETTINGS[name], value)
    if group == "shape" and (number := _number(which, model.shape_modes)) is not None:
        return replace(person, shape=_with(person.shape, number, value, name))
    names = model.albedo.coefficient_names
    number = names.index(which) if which in names else _number(which, len(names))
    if group == "skin" and number is not None:
        return replace(person, albedo=_with(person.albedo, number, value, name))
    own_names = " or a name such as skin.freckles" if "freckles" in names else ""
    hair = ", hair.length, hair.volume" if model.hair is not None else ""
    close = get_close_matches(name, [*(f"skin.{each}" for each in names), *(HAIR_SETTINGS if hair else ())], 1, 0.75)
    raise ModelError(
        f"expected shape.0 to shape.{model.shape_modes - 1}, skin.0 to skin.{len(names) - 1}{own_names}{hair}, "
        f"found {_quoted(name)}: set {close[0] if close else 'one of these'}."
    )


def _quoted(word: str) -> str:
    return repr(word if len(word) <= LONGEST else f"{word[: LONGEST - 3]}...")


def _number(word: str, count: int) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 and int(word) < count else None


def _with(coefficients: Float32, number: int, value: float, name: str) -> Float32:
    check_limits(name, value, (-MOST_DEVIATIONS, MOST_DEVIATIONS))
    moved = coefficients.copy()
    moved[number] = value
    return moved


def _with_attribute(model: MorphableModel, person: Person, name: str, value: float) -> Person:
    if name in LIMITS:
        check_limits(name.replace("_", "."), value, LIMITS[name])
    attributes = person.attributes.copy()
    attributes[model.attributes.index(name)] = value
    return replace(person, attributes=attributes)


def check_limits(name: str, value: float, limits: tuple[float, float]) -> None:
    """Raise ModelError unless a value is within its limits."""
    low, high = limits
    if not low <= value <= high:
        unit = "years" if name == "age" else "standard deviations"
        raise ModelError(f"expected {name} from {low:g} to {high:g} {unit}, found {value:g}: give another value.")
