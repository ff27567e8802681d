"""Who is in a batch: people drawn by their numbers, and what each picture takes from whom.

Where batches vary traits of people (`dcign.facegen.model.traits`), the twenty people of a batch give them: picture i of
a `skin` batch has the skin of person i and everything else of person 0. A mix batch shows four people and their
recombinations. People of a file take the places of whole people; the parts that vary alone are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dcign.arrays import Float32, Int64, IntP, UInt8
from dcign.data.schema import BATCH_SIZE, PERSON_PARTS, SPLITS
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import sample_person, stacked
from dcign.facegen.model.selection import EVERYBODY
from dcign.facegen.model.traits import TRAITS, assemble, traits_of
from dcign.render.plan.choice import Crowd, choose_people
from dcign.render.plan.configuration import RenderConfiguration, has_hair
from dcign.render.plan.crowd_traits import Pieces, pieces_of, plan_numbers
from dcign.render.plan.seeding import DEAL_STREAM, MIX_STREAM, OBJECT_STREAM, PERSON_STREAM, TRAIT_STREAM, generator

PEOPLE_PER_SPLIT = 10**12  # identity numbers of split i start at i times this: no person is in two splits
SEVERAL = ("identity", "all")  # what varies in batches of whole other people
MIXED_PEOPLE = 4  # whole people in a mix batch


@dataclass(frozen=True, eq=False)
class PlannedPeople:
    """The people of a batch.

    index (20,); shape (P, Ks), albedo (P, Ka), attributes (P, A), P = 1 if all pictures show the same, else 20;
    own_shape (P, Ks), or None where no trait varies or the model has no population; scalars: factors that are
    properties of the person -> (20,); source (20, T): the picture that shows whom each varied trait is of, in mix.
    """

    index: Int64
    shape: Float32
    albedo: Float32
    attributes: Float32
    own_shape: Float32 | None = None
    scalars: dict[str, Float32] = field(default_factory=dict)
    source: UInt8 | None = None


@dataclass(frozen=True, eq=False)
class _Cast:
    """Who gives traits to a batch: people of a file, if there is one, and then those drawn by number from `first` on.

    pieces, shown: of the file, and the numbers in it of those who are known.
    """

    first: int
    known: tuple[Person, ...]
    pieces: Pieces | None = None
    shown: Int64 | None = None


def check_traits(configuration: RenderConfiguration, model: MorphableModel) -> None:
    """Raise RenderError if the batches are to vary something that people of this model do not have."""
    held = traits_of(model)
    lacking = [name for name in configuration.traits if name not in held]
    if lacking:
        raise RenderError(
            f"expected --vary with what {model.name} has of a person, {' and '.join(held) or 'nothing'}, found "
            f"{', '.join(lacking)}: leave out --vary {lacking[0]}."
        )


def plan_people(
    configuration: RenderConfiguration,
    model: MorphableModel,
    split: str,
    number: int,
    varies: str,
    levels: Mapping[str, float],
    crowd: Crowd | None = None,
) -> PlannedPeople:
    """Plan the people of a batch; levels: the age or sex that a sweep gives to all; crowd: the people, if given."""
    first = SPLITS.index(split) * PEOPLE_PER_SPLIT + (0 if split == "sweep" else number * BATCH_SIZE)
    if configuration.traits:
        source = None
        if split == "mix":
            source = _mixed(configuration.traits, generator(configuration.seed, MIX_STREAM, number))
        if crowd is None:
            cast = _Cast(first, ())
        else:
            pieces = pieces_of(crowd, model, configuration.traits, configuration.keep_head_size)
            shown = _chosen(configuration, crowd, split, number, varies)
            cast = _Cast(pieces.first_drawn + first, tuple(pieces.people[person] for person in shown), pieces, shown)
        return _put_together(configuration, model, cast, varies, levels, source)
    if crowd is not None:
        shown = _chosen(configuration, crowd, split, number, varies)
        of_crowd = stacked([crowd.people[person] for person in shown])
        return PlannedPeople(np.broadcast_to(shown, BATCH_SIZE).copy(), *of_crowd)
    shown = first + np.arange(BATCH_SIZE if varies in SEVERAL else 1)
    drawn = stacked([_person(configuration, model, int(person)) for person in shown])
    return PlannedPeople(np.broadcast_to(shown, BATCH_SIZE).copy(), *drawn)


def _put_together(
    configuration: RenderConfiguration,
    model: MorphableModel,
    cast: _Cast,
    varies: str,
    levels: Mapping[str, float],
    source: UInt8 | None,
) -> PlannedPeople:
    """Put the people of a batch together from the traits of a cast."""
    givers, first = _givers(configuration.traits, varies, source), cast.first
    count = 1 + int(max(map(np.max, givers.values())))
    drawn = [_person(configuration, model, first + giver) for giver in range(len(cast.known), count)]
    people = [*cast.known[:count], *drawn]
    scalars = {
        name: np.full(BATCH_SIZE, levels[name], np.float32) if name in levels else given[givers[name]]
        for name, given in _scalars(configuration, first, len(people)).items()
    }
    whole = varies in (*SEVERAL, *PERSON_PARTS)
    rows = BATCH_SIZE if whole or varies in TRAITS else 1
    built = assemble(
        model,
        people,
        {name: giver[:rows] for name, giver in givers.items()},
        {name: given[:rows] for name, given in scalars.items()},
        configuration.traits,
        keep_size=configuration.keep_head_size,
    )
    index = first + (np.arange(BATCH_SIZE) if whole else np.zeros(BATCH_SIZE, np.int64))
    if cast.pieces is not None and cast.shown is not None:
        index = plan_numbers(cast.pieces, cast.shown, givers, first)
    elif source is not None:
        index = first + _same_people(source[:, [name in PERSON_PARTS for name in configuration.traits]])
    return PlannedPeople(index, built.shape, built.albedo, built.attributes, built.own_shape, scalars, source)


def _chosen(configuration: RenderConfiguration, crowd: Crowd, split: str, number: int, varies: str) -> Int64:
    """Choose people of a file, one or 20. There are few, so batches show them repeatedly."""
    own = generator(configuration.seed, OBJECT_STREAM, SPLITS.index(split), number)
    order = generator(configuration.seed, DEAL_STREAM)
    splits = tuple(configuration.splits.batches())
    return choose_people(len(crowd.people), splits, split, varies, order=order, rng=own)


def _person(configuration: RenderConfiguration, model: MorphableModel, person: int) -> Person:
    rng = generator(configuration.seed, PERSON_STREAM, person)
    selection = EVERYBODY if configuration.people is None else configuration.people.selection(model)
    hair = has_hair(configuration.hair)
    return sample_person(model, rng, keep_size=configuration.keep_head_size, hair=hair, selection=selection)


def _scalars(configuration: RenderConfiguration, first: int, count: int) -> dict[str, Float32]:
    """Draw each factor that is a property of the person (count,), uniformly, from the person's own generator."""
    ranges = {factor.name: configuration.ranges[factor.name] for factor in configuration.factors if factor.of_identity}
    drawn = []
    for person in range(first, first + count):
        rng = generator(configuration.seed, TRAIT_STREAM, person)
        drawn.append([rng.uniform(allowed.low, allowed.high) for allowed in ranges.values()])
    return dict(zip(ranges, np.array(drawn, np.float32).T, strict=True))


def _givers(traits: Sequence[str], varies: str, source: UInt8 | None) -> dict[str, IntP]:
    """Return for each of TRAITS which person (20,) of the batch gives it to each picture."""
    each, one = np.arange(BATCH_SIZE), np.zeros(BATCH_SIZE, np.intp)
    if source is not None:  # in a mix batch all pictures share what nothing varies
        return dict.fromkeys(TRAITS, one) | dict(zip(traits, source.T.astype(np.intp), strict=True))
    return {name: each if varies in (name, *SEVERAL) else one for name in TRAITS}


def _mixed(traits: Sequence[str], rng: np.random.Generator) -> UInt8:
    """Return which picture shows whom each trait (T,) of each picture is of: (20, T).

    Pictures 0 to 3 show whole people. Then everybody has one trait, the same in the whole batch, of everybody else:
    with the four people this is the complete table of a trait against the rest. In the last four pictures every trait
    is somebody else's, as far as four people go. Two traits allow no more recombinations of four people than the
    table has; there, the last four pictures are a fifth person, and the others with the trait of the fifth.
    """
    exchanged, count = int(rng.integers(len(traits))), len(traits)
    people = range(MIXED_PEOPLE)
    rows = [[person] * count for person in people]
    rows += [_exchange(person, giver, exchanged, count) for person in people for giver in people if giver != person]
    if count > 2:
        order = rng.permutation(count) % MIXED_PEOPLE
        rows += [((order + person) % MIXED_PEOPLE).tolist() for person in people]
    else:
        fifth = len(rows)
        rows += [[fifth] * count, *(_exchange(person, fifth, exchanged, count) for person in range(3))]
    return np.array(rows, np.uint8)


def _same_people(source: UInt8) -> Int64:
    """Return for each picture the first one (20,) whose parts (20, parts) are of the same people."""
    alike = (source[:, None] == source[None]).all(axis=2)
    return np.asarray(alike.argmax(axis=1), np.int64)


def _exchange(person: int, giver: int, trait: int, count: int) -> list[int]:
    return [giver if each == trait else person for each in range(count)]
