"""People of a file in batches that vary traits: what each gives, and the numbers of those who are put together.

A person falls into pieces: one for each of shape, skin and hair that batches vary, and the rest, which stays together.
Age and sex belong to no piece where they are factors. People of the file keep their numbers 0 to N - 1. A recombination
of P pieces has the number N + the base-N number of those who give them, so that the same one has the same number in
every batch. Where a piece is drawn from the model's population, as in a `hair` batch, numbers from N + N^P on follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dcign.arrays import Float32, Int64, IntP
from dcign.data.schema import PERSON_PARTS
from dcign.errors import RenderError
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import Person
from dcign.facegen.model.population import own_shape_of
from dcign.facegen.model.traits import SCALARS, TRAITS, assemble, traits_of, varies_with
from dcign.render.plan.choice import FILE, Crowd

MOST_PEOPLE = 30_000  # so that numbers of recombinations of four pieces are below 2^63
ROUNDING = 1e-4  # standard deviations, of own shapes that another machine solved for


@dataclass(frozen=True, eq=False)
class Pieces:
    """N people of a file, in P pieces.

    people: with their own shapes; moved_by: as of `varies_with`; traits: of each piece; values: of each piece, (N, K);
    giver (N, P): the first person of the file with the same piece.
    """

    people: tuple[Person, ...]
    moved_by: Mapping[str, tuple[str, ...]]
    traits: tuple[tuple[str, ...], ...]
    values: tuple[Float32, ...]
    giver: Int64

    @property
    def first_drawn(self) -> int:
        """The lowest number of somebody with a piece that is not of the file."""
        count = len(self.people)
        return int(count + count ** len(self.traits))

    def numbers(self, people: Int64) -> Int64:
        """Return the numbers (M,) of those whose pieces are those of people (M, P)."""
        count, whole = len(self.people), {tuple(row): number for number, row in enumerate(self.giver.tolist())}
        found = []
        for row in self.giver[people, np.arange(len(self.traits))].tolist():
            digits = sum(person * count**place for place, person in enumerate(row))
            found.append(whole.get(tuple(row), count + digits))
        return np.array(found, np.int64)

    def givers(self, number: int) -> Int64:
        """Return who gives the pieces (P,) of somebody with a number below `first_drawn`."""
        count = len(self.people)
        if number < count:
            return np.asarray(self.giver[number])
        return np.array([(number - count) // count**place % count for place in range(len(self.traits))], np.int64)


@lru_cache(maxsize=2)
def pieces_of(crowd: Crowd, model: MorphableModel, traits: tuple[str, ...], keep_size: bool) -> Pieces:
    """Divide the people of a file. traits: what batches vary; keep_size: as in `assemble`.

    Raises RenderError if there are too many people, or two are the same.
    """
    count = len(crowd.people)
    if count > MOST_PEOPLE:
        raise RenderError(
            f"expected {MOST_PEOPLE:,} people or fewer of a file whose traits vary, found {count:,}: leave some out."
        )
    people = tuple(replace(person, own_shape=own_shape_of(model, person)) for person in crowd.people)
    each = np.arange(count)
    held = assemble(model, people, dict.fromkeys(TRAITS, each), {}, traits, keep_size=keep_size)
    columns = {"shape": held.shape, "albedo": held.albedo, "attributes": held.attributes, "own_shape": held.own_shape}
    apart = tuple(name for name in traits_of(model) if name in traits and name in PERSON_PARTS)
    rest = tuple(name for name in traits_of(model) if name not in apart and not (name in SCALARS and name in traits))
    names = (*((name,) for name in apart), *((rest,) if rest else ()))
    moved_by = varies_with(model, traits)
    values = tuple(_values(moved_by, piece, columns) for piece in names)
    giver = np.stack([_first_alike(each) for each in values], axis=1)
    _refuse_twins(giver, traits, crowd.place)
    return Pieces(people, moved_by, names, values, giver)


def plan_numbers(pieces: Pieces, shown: Int64, givers: Mapping[str, IntP], first: int) -> Int64:
    """Return the numbers (20,) of those in a batch.

    shown: the people of the file who are in it; givers: for each trait which person of the batch gives it, (20,), those
    beyond the people shown being drawn; first: the number of the first one who is put together with these.
    """
    chosen = np.stack([givers[piece[0]] for piece in pieces.traits], axis=1)
    known = (chosen < len(shown)).all(axis=1)
    numbers = first + np.arange(len(chosen))
    numbers[known] = pieces.numbers(shown[chosen[known]])
    return numbers


def piece_faults(
    pieces: Pieces, index: Int64, columns: Mapping[str, Float32 | None], *, mixed: bool, drawn: bool
) -> Iterator[str]:
    """Yield which images of a batch do not show those whose number they give.

    index (20,); columns: shape, albedo, attributes and own_shape of the images; mixed: whether the batch recombines
    people; drawn: whether all images but the first have a piece that is not of the file.
    """
    values = [_values(pieces.moved_by, piece, columns) for piece in pieces.traits]
    for image, number in enumerate(index.tolist()):
        if drawn and image and number >= pieces.first_drawn:
            continue  # that only the piece differs from the first image is checked without the file
        if not 0 <= number < (pieces.first_drawn if mixed else len(pieces.people)):
            yield f"identity {number}, whom {FILE}, with {len(pieces.people)} people, does not hold"
            continue
        for piece, held, wanted, giver in zip(
            pieces.traits, values, pieces.values, pieces.givers(number).tolist(), strict=True
        ):
            if not np.allclose(held[image], wanted[giver], rtol=0, atol=ROUNDING):
                yield f"identity {number} with other {' and '.join(piece)} than people[{giver}] of {FILE}"


def _values(
    moved_by: Mapping[str, Sequence[str]], piece: Sequence[str], columns: Mapping[str, Float32 | None]
) -> Float32:
    """Return the coefficients (N, K) of a piece, from all coefficients of N people."""
    found = []
    for path, traits in moved_by.items():
        values = columns[path]
        assert values is not None  # moved_by names what people of the model have
        found.append(values[:, [name in piece for name in traits]])
    return np.concatenate(found, axis=1)


def _first_alike(values: Float32) -> Int64:
    """Return for each row (N, K) the first one that is equal: (N,)."""
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(row.tobytes(), number) for number, row in enumerate(values)], np.int64)


def _refuse_twins(giver: Int64, traits: Sequence[str], file: str) -> None:
    known: dict[tuple[int, ...], int] = {}
    moved = " and ".join(name for name in SCALARS if name in traits)
    for number, row in enumerate(giver.tolist()):
        same = known.setdefault(tuple(row), number)
        if same != number:
            but = f" but for {moved}" if moved else ""
            raise RenderError(
                f"expected different people, found people[{same}] and people[{number}] of {file} the same{but}: remove "
                "one."
            )
