"""People as JSON: one person or a crowd, of one model, exactly.

    {"format": "dcign-person", "version": 1, "model": {"name": ..., "sha256": ...}, "person": PERSON}
    {"format": "dcign-people", "version": 1, "model": {"name": ..., "sha256": ...}, "people": [PERSON, ...]}

    PERSON = {"sex": ..., "age": ..., "hair": {"cut": ..., "length": ..., "volume": ...}, "shape": [...], "skin": {...}}

sex, length and volume are standard deviations, age is years; shape has one N(0, 1) coefficient per mode; skin has one
per name of the model's albedo. People of a model without a population have shape and skin only. "own_shape", which may
be absent, is the shape before sex and age moved it, and with the head's size: only changes of sex and age need it.
"tone" of hair, which is usually absent, is the tone of the skin that the hair goes with, where it is somebody else's.
Numbers are the shortest texts that give the same float32 again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dcign.arrays import Float32
from dcign.errors import ModelError
from dcign.facegen.files.model_file import model_bytes
from dcign.facegen.model.changes import LIMITS, MOST_DEVIATIONS
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import HAIR_TONE, Person
from dcign.printable import printable

PERSON, PEOPLE = "dcign-person", "dcign-people"
VERSION = 1
MOST_BYTES = 1 << 30
LONGEST = 60  # characters of a value that a sentence quotes
EACH = (-MOST_DEVIATIONS, MOST_DEVIATIONS)  # limits of a coefficient
OWN = "own_shape"
TONE = "tone"
HAIR = {"length": "hair_length", "volume": "hair_volume"}  # in the file -> in Person.attributes

Json = dict[str, Any]
Refuse = Callable[[str, str, str], ModelError]  # expected, found, place -> the error


def people_model_sha256(model: MorphableModel) -> str:
    """Return the SHA-256 by which files of people name their model, which must have all its levels of detail.

    It is that of the model.npz of a data set of up to 256 px: textures and the name of the file that the model was read
    from do not count.
    """
    return hashlib.sha256(model_bytes(replace(model, texture=None, source="", source_sha256=""))).hexdigest()


def person_json(model: MorphableModel, person: Person) -> str:
    """Return the JSON text of one person."""
    fields = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in _about(model, person).items())
    return f'{_head(model, PERSON)} "person": {{\n  {fields}\n }}\n}}\n'


def people_json(model: MorphableModel, people: Sequence[Person]) -> str:
    """Return the JSON text of a crowd, one line per person."""
    lines = ",\n  ".join(json.dumps(_about(model, person)) for person in people)
    return f'{_head(model, PEOPLE)} "people": [\n  {lines}\n ]\n}}\n'


def read_person(path: Path, model: MorphableModel) -> Person:
    """Read a file of one person of this model.

    Raises ModelError if it cannot be read, is malformed, of another model, or has other names than the model.
    """
    return parse_person(_content(path), model, str(path))


def read_people(path: Path, model: MorphableModel) -> list[Person]:
    """Read a file of one person or of a crowd of this model. Raises ModelError as `read_person` does."""
    return parse_people(_content(path), model, str(path))


def parse_person(text: str | bytes, model: MorphableModel, name: str = "the text") -> Person:
    """Return the person of a JSON text of this model. Raises ModelError as `read_person` does.

    name: of the text in errors.
    """
    people = parse_people(text, model, name)
    if len(people) != 1:
        raise ModelError(
            f"expected one person, found {len(people):,} people in {name}: give them to `dcign render --people`, or "
            "write one person with `dcign face --out NAME.json`."
        )
    return people[0]


def parse_people(text: str | bytes, model: MorphableModel, name: str = "the text") -> list[Person]:
    """Return the people of a JSON text of this model. Raises ModelError as `read_person` does."""

    def refuse(expected: str, found: str, place: str) -> ModelError:
        said = printable(found)
        short = said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."
        where = f" at {printable(place[:LONGEST])}" if place else ""
        return ModelError(
            f"expected {expected}, found {short} in {printable(name)}{where}: write people with `dcign face --out "
            "NAME.json`."
        )

    document = _document(text, refuse)
    _check_model(document["model"], model, name)
    if "person" in document:
        return [_person(document["person"], model, "person", refuse)]
    if not isinstance(document["people"], list) or not document["people"]:
        raise refuse("a list of people", repr(document["people"]), "people")
    return [_person(each, model, f"people[{number}]", refuse) for number, each in enumerate(document["people"])]


def _head(model: MorphableModel, form: str) -> str:
    about = json.dumps({"name": model.name, "sha256": people_model_sha256(model)})
    return f'{{\n "format": "{form}",\n "version": {VERSION},\n "model": {about},\n'


def _about(model: MorphableModel, person: Person) -> Json:
    """Return one person as JSON holds it."""
    names = (*model.attributes, HAIR_TONE)[: len(person.attributes)]
    attributes = dict(zip(names, _numbers(person.attributes), strict=True))
    about: Json = {name: attributes[name] for name in ("sex", "age") if name in attributes}
    if model.hair is not None and attributes:
        cut = model.hair.cut_names[round(attributes["hair_cut"])]
        about["hair"] = {"cut": cut} | {short: attributes[name] for short, name in HAIR.items()}
        about["hair"] |= {TONE: attributes[HAIR_TONE]} if HAIR_TONE in attributes else {}
    skin = dict(zip(model.albedo.coefficient_names, _numbers(person.albedo), strict=True))
    about |= {"shape": _numbers(person.shape), "skin": skin}
    return about if person.own_shape is None else about | {OWN: _numbers(person.own_shape)}


def _numbers(values: Float32) -> list[float]:
    """Return the shortest numbers that float32 holds as these values."""
    short = [float(str(value)) for value in values]
    return short if np.array_equal(np.array(short, np.float32), values) else values.tolist()


def _content(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            raise ModelError(f"expected people as JSON, found {path}, which is larger than 1 GiB: give another file.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"expected a file of people, found that {path} cannot be read ({error.strerror or 'unknown'}): check the "
            "name."
        ) from None


def _document(text: str | bytes, refuse: Refuse) -> Json:
    """Return the object of a file of people, whose model and people are not checked yet."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise refuse("people as JSON", "other text", "") from None
    if not isinstance(document, dict) or document.get("format") not in (PERSON, PEOPLE):
        found = repr(document.get("format", "")) if isinstance(document, dict) else "JSON of another kind"
        raise refuse(f"the format {PERSON} or {PEOPLE}", found, "")
    if document.get("version") != VERSION:
        raise refuse(f"version {VERSION}", repr(document.get("version")), "version")
    _check_names(document, ("format", "version", "model", document["format"].removeprefix("dcign-")), "", refuse)
    return document


def _check_model(about: object, model: MorphableModel, name: str) -> None:
    wanted = people_model_sha256(model)
    found = about.get("sha256") if isinstance(about, dict) else None
    if found != wanted:
        other = printable(str(about.get("name"))[:LONGEST]) if isinstance(about, dict) else "no model"
        raise ModelError(
            f"expected people of {model.name} ({wanted[:16]}...), found people of {other} "
            f"({printable(str(found)[:16])}...) in {printable(name)}: give --model with the model.npz of their data "
            "set, or make them again with this model."
        )


def _check_names(
    found: object, wanted: Sequence[str], place: str, refuse: Refuse, optional: Sequence[str] = ()
) -> None:
    """Refuse anything but an object with these names."""
    if not isinstance(found, Mapping):
        raise refuse(f"an object with {_listed(wanted)}", repr(found), place)
    if unknown := [name for name in found if name not in (*wanted, *optional)]:
        raise refuse(f"the names {_listed(wanted)}", f"the unknown name {unknown[0]!r}", place)
    if missing := [name for name in wanted if name not in found]:
        raise refuse(f"a value for {missing[0]!r}", "none", place)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} ... {names[-1]}"


def _person(found: Any, model: MorphableModel, place: str, refuse: Refuse) -> Person:  # JSON
    has_hair = model.hair is not None and model.population is not None
    known = ("sex", "age") if model.population is not None else ()
    wanted = (*known, *(("hair",) if has_hair else ()), "shape", "skin")
    _check_names(found, wanted, place, refuse, optional=(OWN,))
    values = {name: _number(found[name], LIMITS[name], f"{place}.{name}", refuse) for name in known}
    if has_hair:
        values |= _hair(found["hair"], model, f"{place}.hair", refuse)
    attributes = (*model.attributes, HAIR_TONE) if HAIR_TONE in values else model.attributes
    names = model.albedo.coefficient_names
    _check_names(found["skin"], names, f"{place}.skin", refuse)
    return Person(
        _modes(found["shape"], model, f"{place}.shape", refuse),
        _coefficients({f"{place}.skin.{name}": found["skin"][name] for name in names}, refuse),
        np.array([values.get(name, 0.0) for name in attributes], np.float32),
        _modes(found[OWN], model, f"{place}.{OWN}", refuse) if OWN in found else None,
    )


def _modes(found: Any, model: MorphableModel, place: str, refuse: Refuse) -> Float32:  # JSON
    """Return shape coefficients (Ks,)."""
    if not isinstance(found, list) or len(found) != model.shape_modes:
        said = f"{len(found)}" if isinstance(found, list) else repr(found)
        raise refuse(f"{model.shape_modes} numbers", said, place)
    return _coefficients({f"{place}[{number}]": value for number, value in enumerate(found)}, refuse)


def _hair(found: Any, model: MorphableModel, place: str, refuse: Refuse) -> dict[str, float]:  # JSON
    """Return the attributes of hair."""
    _check_names(found, ("cut", *HAIR), place, refuse, optional=(TONE,))
    names = model.hair.cut_names if model.hair is not None else ()
    if found["cut"] not in names:
        raise refuse(f"one of {'; '.join(names)}", repr(found["cut"]), f"{place}.cut")
    values = {name: _number(found[short], LIMITS[name], f"{place}.{short}", refuse) for short, name in HAIR.items()}
    if TONE in found:
        values[HAIR_TONE] = _number(found[TONE], EACH, f"{place}.{TONE}", refuse)
    return {"hair_cut": float(names.index(found["cut"]))} | values


def _coefficients(values: dict[str, Any], refuse: Refuse) -> Float32:
    return np.array([_number(value, EACH, place, refuse) for place, value in values.items()], np.float32)


def _number(value: Any, limits: tuple[float, float], place: str, refuse: Refuse) -> float:  # JSON
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise refuse(f"a number from {low:g} to {high:g}", repr(value), place)
    return float(value)
