"""A person as numbers: two vectors of coefficients, and what can be said of the person in words."""

from __future__ import annotations

from dataclasses import dataclass

from dcign.arrays import Float32

# The explicit variables, in the order of Person.attributes:
#   sex           standard deviations: negative a woman, positive a man
#   age           years
#   hair_cut      index into the cuts of the model's hair; 0 is bald
#   hair_length   standard deviations about the cut's own
#   hair_volume   likewise
ATTRIBUTES = ("sex", "age", "hair_cut", "hair_length", "hair_volume")
AGES = (18.0, 80.0)
MEAN_PERSON = (0.0, 40.0, 0.0, 0.0, 0.0)  # of no sex, as old as people are on average, bald


@dataclass(frozen=True, eq=False)
class Person:
    """shape (Ks,) and albedo (Ka,), N(0, 1) over the population; attributes (A,), see ATTRIBUTES, A = 0 if unknown."""

    shape: Float32
    albedo: Float32
    attributes: Float32
