"""People as JSON: exact, readable, and refused in one sentence when they do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dcign.errors import ModelError
from dcign.facegen.files.people_file import (
    parse_people,
    parse_person,
    people_json,
    person_json,
    read_people,
    read_person,
)
from dcign.facegen.model.changes import Changes, changed
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person


def person_of(model: MorphableModel, seed: int) -> Person:
    return sample_person(model, np.random.default_rng(seed))


def check_same(one: Person, other: Person) -> None:
    for name in ("shape", "albedo", "attributes", "own_shape"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_every_cut_comes_back_to_the_last_bit(model: MorphableModel) -> None:
    cuts = model.hair.cut_names
    people = [changed(model, person_of(model, seed), Changes(hair=cut)) for seed, cut in enumerate(cuts)]
    for person in people:
        text = person_json(model, person)
        check_same(parse_person(text, model), person)
        assert person_json(model, parse_person(text, model)) == text
    for one, other in zip(parse_people(people_json(model, people), model), people, strict=True):
        check_same(one, other)


def test_awkward_numbers_come_back_to_the_last_bit(model: MorphableModel) -> None:
    person = person_of(model, 0)
    rng = np.random.default_rng(0)
    for scale in (1e-42, 1e-30, 1e-6, 1.0, 4.0):
        shape = (scale * rng.standard_normal(len(person.shape))).astype(np.float32)
        shape[:2] = -0.0, np.nextafter(np.float32(2), np.float32(3))
        check_same(parse_person(person_json(model, replace(person, shape=shape)), model), replace(person, shape=shape))


def test_a_person_is_readable(model: MorphableModel) -> None:
    person = changed(model, person_of(model, 4), Changes(sex=-1, age=63, hair="long-parted"))
    found = json.loads(person_json(model, person))
    assert (found["format"], found["version"], found["model"]["name"]) == ("dcign-person", 1, model.name)
    assert (found["person"]["sex"], found["person"]["age"], found["person"]["hair"]["cut"]) == (-1, 63, "long, parted")
    assert found["person"]["skin"]["freckles"] == pytest.approx(float(person.albedo[8]))


def test_a_texture_and_the_name_of_the_model_s_file_make_no_other_model(model: MorphableModel) -> None:
    text = person_json(model, person_of(model, 4))
    parse_person(text, replace(model, texture=None, source="model.npz: a dcign model", source_sha256="0" * 64))


def test_the_own_shape_may_be_unknown(model: MorphableModel) -> None:
    text = person_json(model, replace(person_of(model, 4), own_shape=None))
    assert "own_shape" not in text
    assert parse_person(text, model).own_shape is None


def test_hair_that_goes_with_somebody_else_s_skin_keeps_its_tone(model: MorphableModel) -> None:
    person = person_of(model, 4)
    toned = replace(person, attributes=np.append(person.attributes, np.float32(-1.25)))
    text = person_json(model, toned)
    assert json.loads(text)["person"]["hair"]["tone"] == -1.25
    check_same(parse_person(text, model), toned)


def test_people_of_a_model_without_population_have_shape_and_skin(model: MorphableModel) -> None:
    bare = replace(model, population=None, hair=None)
    person = person_of(bare, 4)
    text = person_json(bare, person)
    assert json.loads(text)["person"].keys() == {"shape", "skin", "own_shape"}
    check_same(parse_person(text, bare), person)


def edit(path: tuple[str | int, ...], value: object) -> Callable[[dict[str, Any]], object]:
    """A change of one value; None removes it."""

    def apply(document: dict[str, Any]) -> None:
        *above, last = path
        here: Any = document
        for name in above:
            here = here[name]
        if value is None:
            del here[last]
        else:
            here[last] = value

    return apply


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "other model": (edit(("model", "sha256"), "0" * 64), "expected people of dcign procedural head .* --model"),
    "no model": (edit(("model",), "mine"), "found people of no model"),
    "newer": (edit(("version",), 2), "expected version 1, found 2"),
    "other format": (edit(("format",), "dcign-shard"), "expected the format dcign-person or dcign-people"),
    "unknown name": (edit(("person", "nose"), 1), "found the unknown name 'nose' in her.json at person"),
    "unknown skin": (edit(("person", "skin", "pink"), 1), "the unknown name 'pink' in her.json at person.skin"),
    "unknown above": (edit(("who",), "me"), "found the unknown name 'who'"),
    "no age": (edit(("person", "age"), None), "expected a value for 'age', found none in her.json at person"),
    "no freckles": (edit(("person", "skin", "freckles"), None), "expected a value for 'freckles'"),
    "no cut": (edit(("person", "hair", "cut"), "mohawk"), "expected one of bald; cropped; .* found 'mohawk'"),
    "short shape": (edit(("person", "shape"), [0.0]), "expected 80 numbers, found 1 in her.json at person.shape"),
    "word": (
        edit(("person", "shape", 3), "big"),
        r"expected a number from -20 to 20, found 'big' .* person.shape\[3\]",
    ),
    "truth": (edit(("person", "sex"), True), "expected a number from -4 to 4, found True"),
    "old": (edit(("person", "age"), 200), "expected a number from 18 to 80, found 200"),
    "huge": (edit(("person", "shape", 3), 1e300), "found 1e[+]300"),
    "list": (edit(("person",), [1]), "expected an object with sex, age, hair, shape, skin"),
}


@pytest.mark.parametrize("case", EDITS)
def test_what_does_not_fit_is_named_with_its_place(model: MorphableModel, tmp_path: Path, case: str) -> None:
    change, sentence = EDITS[case]
    document = json.loads(person_json(model, person_of(model, 4)))
    change(document)
    file = tmp_path / "her.json"
    file.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=sentence.replace("her.json", str(file))) as found:
        read_person(file, model)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": NaN}', b"[" * 100_000, b"<html>"])
def test_other_text_is_refused(model: MorphableModel, content: bytes) -> None:
    with pytest.raises(ModelError, match="expected people as JSON, found other text in the text"):
        parse_people(content, model)


@pytest.mark.parametrize("content", [b"[]", b"3", b"{}"])
def test_json_of_another_kind_is_refused(model: MorphableModel, content: bytes) -> None:
    with pytest.raises(ModelError, match="expected the format dcign-person or dcign-people"):
        parse_people(content, model)


def test_a_crowd_is_not_one_person_and_one_person_is_a_small_crowd(model: MorphableModel, tmp_path: Path) -> None:
    people = [person_of(model, seed) for seed in range(2)]
    file = tmp_path / "crowd.json"
    file.write_text(people_json(model, people))
    assert len(read_people(file, model)) == 2
    with pytest.raises(ModelError, match="expected one person, found 2 people"):
        read_person(file, model)
    file.write_text(person_json(model, people[0]))
    assert len(read_people(file, model)) == 1
    with pytest.raises(ModelError, match="expected a list of people"):
        parse_people(people_json(model, []), model)


def test_a_file_that_cannot_be_read_is_refused(model: MorphableModel, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(ModelError, match=r"expected a file of people, found that .* cannot be read"):
            read_people(path, model)
