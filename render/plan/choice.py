"""Whom a data set shows: everybody of the model's population, a part of it, or the people of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta

from dcign.arrays import Floating, Int64
from dcign.data.schema import BATCH_SIZE
from dcign.errors import RenderError
from dcign.facegen.files.people_file import people_json, read_people
from dcign.facegen.haircuts import CUT_NAMES
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import AGES, Person
from dcign.facegen.model.selection import MOST_SEX, Selection, cut_number
from dcign.render.plan.ranges import Pair, Range
from dcign.storage.atomic import file_sha256
from dcign.storage.paths import with_local_copy

FILE = "people.json"
HAIR = ("natural", "none")  # instead of names of cuts
SEX_RANGES = {"women": (-MOST_SEX, 0.0), "men": (0.0, MOST_SEX)}
BOUNDS = {"age": AGES, "sex": (-MOST_SEX, MOST_SEX)}
UNITS = {"age": "years", "sex": "standard deviations"}
EVALUATION_SHARE = 0.1  # of a crowd, in each split but train and sweep; at least one batch of people


@dataclass(frozen=True)
class Choice:
    """The field of a configuration that says whom it shows. None and () choose everybody.

    age, sex: lowest and highest, years and standard deviations; cuts: names of haircuts;
    crowd: number of people in people.json, whose hash is sha256; then nothing else is chosen.
    """

    age: Range | None = None
    sex: Range | None = None
    cuts: tuple[str, ...] = ()
    crowd: Annotated[int, Meta(ge=1)] | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        for name, (lowest, highest) in BOUNDS.items():
            given: Range | None = getattr(self, name)
            if given is not None and not lowest <= given.low <= given.high <= highest:
                raise RenderError(
                    f"expected LO <= HI within {lowest:g} to {highest:g} {UNITS[name]} for --{name}, found "
                    f"{given.low:g} {given.high:g}: give other values."
                )
        if (self.crowd is None) != (self.sha256 is None) or (self.crowd and (self.age or self.sex or self.cuts)):
            raise RenderError("expected people of a file or a part of the population, found both, or half of one.")

    def selection(self, model: MorphableModel) -> Selection:
        """Return the part of the model's population."""
        cuts = tuple(cut_number(name, model.hair.cut_names) for name in self.cuts) if model.hair is not None else ()
        sex, age = ((each.low, each.high) if each is not None else None for each in (self.sex, self.age))
        return Selection(sex, age, cuts)

    def check_model(self, model: MorphableModel) -> None:
        """Raise RenderError if the model does not have what is chosen."""
        lacking = [f"--{name}" for name in BOUNDS if getattr(self, name) is not None and model.population is None]
        lacking += ["--hair"] if self.cuts and (model.population is None or model.hair is None) else []
        if lacking:
            raise RenderError(
                f"expected a model whose people have an age, a sex and hair, found {model.name}: leave out "
                f"{' and '.join(lacking)}."
            )

    def sentences(self) -> Iterator[str]:
        """Yield what is chosen, in words."""
        if self.age is not None:
            yield f"age {self.age.low:g} to {self.age.high:g} years"
        if self.sex is not None:
            words = {pair: name for name, pair in SEX_RANGES.items()}
            pair = (float(self.sex.low), float(self.sex.high))
            yield words.get(pair, f"sex {pair[0]:g} to {pair[1]:g} standard deviations")
        if self.cuts:
            yield f"haircuts {'; '.join(self.cuts)}"
        if self.crowd is not None:
            yield f"the {self.crowd:,} people of {FILE}"

    def strangers(self, attributes: Mapping[str, Floating]) -> Iterator[str]:
        """Yield what of people's attributes, name -> (N,), is outside the choice."""
        for name in BOUNDS:
            given: Range | None = getattr(self, name)
            if given is not None and name in attributes:
                low, high = np.float32(given.low), np.float32(given.high)
                if outside := int((~((attributes[name] >= low) & (attributes[name] <= high))).sum()):
                    yield f"{outside} images of people whose {name} is outside {low:g} to {high:g}"
        if self.cuts and "hair_cut" in attributes:
            chosen = [float(cut_number(name, CUT_NAMES)) for name in self.cuts]
            if outside := int((~np.isin(attributes["hair_cut"], chosen)).sum()):
                yield f"{outside} images of people whose haircut is none of {'; '.join(self.cuts)}"


@dataclass(frozen=True, eq=False)
class Crowd:
    """The people of a file; text: what people.json of a data set holds of them; place: the file, for messages."""

    people: tuple[Person, ...]
    text: str
    place: str = FILE

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def choice(self) -> Choice:
        """The field of the configuration."""
        return Choice(crowd=len(self.people), sha256=self.sha256)


def chosen_part(age: Pair | None, sex: Pair | None, cuts: Iterable[str]) -> Choice | None:
    """Return the choice of a part of the population, None for everybody. Raises RenderError as `Choice` does."""
    ranges = [None if pair is None else Range(float(pair[0]), float(pair[1])) for pair in (age, sex)]
    choice = Choice(ranges[0], ranges[1], tuple(cuts))
    return None if choice == Choice() else choice


def check_crowd_options(**given: bool) -> None:
    """Raise RenderError if options that choose or change people come with people of a file.

    given: name of an option -> whether it was given.
    """
    wrong = [f"--{name.replace('_', '-')}" for name, each in given.items() if each]
    if wrong:
        raise RenderError(
            f"expected --people without options that choose or change people, found {' and '.join(wrong)}: leave one "
            "or the other out."
        )


def parse_hair(text: str) -> tuple[str, tuple[str, ...]]:
    """Parse `--hair`: natural, none, or names of cuts separated by commas -> natural or none, and the cuts.

    Raises ModelError for an unknown cut.
    """
    if text in HAIR:
        return text, ()
    numbers = {cut_number(each, CUT_NAMES) for each in text.split(",")}
    return HAIR[0], tuple(CUT_NAMES[number] for number in sorted(numbers))


def read_crowd(path: Path, model: MorphableModel, splits: Sequence[str]) -> Crowd:
    """Read the people of a data set with these splits from a file.

    Raises ModelError if the file is unusable, RenderError if two people are the same, there are too few, or one has
    hair that goes with somebody else's skin.
    """
    people = read_people(path, model)
    fewest = BATCH_SIZE * len(splits)
    if len(people) < fewest:
        raise RenderError(
            f"expected {fewest} people or more, 20 for each of {', '.join(splits)}, found {len(people)} in {path}: add "
            "people."
        )
    known: dict[bytes, int] = {}
    for number, person in enumerate(people):
        if len(person.attributes) > len(model.attributes):
            raise RenderError(
                f"expected people whose hair goes with their own skin, found a tone in people[{number}].hair of "
                f"{path}, as people of a data set that varies skin or hair have it: remove it, and hair goes with the "
                "skin."
            )
        same = known.setdefault(b"".join(each.tobytes() for each in _values(person)), number)
        if same != number:
            raise RenderError(
                f"expected different people, found people[{same}] and people[{number}] of {path} the same: remove one."
            )
    return Crowd(tuple(people), people_json(model, people), str(path))


def read_folder_crowd(folder: Path, choice: Choice, model: MorphableModel) -> Crowd:
    """Read people.json of a data set folder.

    Raises RenderError if it is missing or another one, and DataError if it cannot be reached.
    """
    file = folder / FILE
    found = file_sha256(file) if file.exists() else None
    if found != choice.sha256:
        raise RenderError(
            f"expected {file} with the people of its data set, found {'others' if found else 'no file'}: run `dcign "
            "render` again with the same --people."
        )
    people = with_local_copy(file, lambda path: read_people(path, model))
    return Crowd(tuple(people), people_json(model, people))


def choose_people(
    count: int, splits: Sequence[str], split: str, varies: str, *, order: np.random.Generator, rng: np.random.Generator
) -> Int64:
    """Choose which of `count` people a batch shows: one, or 20 different ones; in the sweep always the same.

    Nobody is in two of the splits. order: the same for all batches of a data set; rng: the batch's own.
    """
    pool = _pools(order.permutation(count), splits)[split]
    if split == "sweep":
        return pool
    return np.asarray(rng.choice(pool, BATCH_SIZE if varies in ("identity", "all") else 1, replace=False))


def _pools(dealt: Int64, splits: Sequence[str]) -> dict[str, Int64]:
    """Return who may be in each split: 20 in the sweep, a tenth in each of the others, and the rest in train."""
    pools, first = {}, 0
    for split in splits:
        if split != "train":
            size = BATCH_SIZE if split == "sweep" else max(BATCH_SIZE, round(EVALUATION_SHARE * len(dealt)))
            pools[split] = dealt[first : first + size]
            first += size
    return pools | {"train": dealt[first:]}


def crowd_faults(crowd: Crowd, index: Int64, coefficients: Sequence[Floating]) -> Iterator[str]:
    """Yield which images do not show the person of the crowd whose number they give.

    index (N,); coefficients: shape (N, Ks), albedo (N, Ka), attributes (N, A).
    """
    for number in np.unique(index).tolist():
        if not 0 <= number < len(crowd.people):
            yield f"identity {number}, whom {FILE}, with {len(crowd.people)} people, does not hold"
            continue
        rows = index == number
        held = zip(coefficients, _values(crowd.people[number]), strict=True)
        if not all((values[rows] == wanted).all() for values, wanted in held):
            yield f"identity {number} with other coefficients than people[{number}] of {FILE}"


def _values(person: Person) -> tuple[Floating, ...]:
    return person.shape, person.albedo, person.attributes
