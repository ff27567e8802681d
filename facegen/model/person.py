"""A person as numbers: two vectors of coefficients, and attributes that have a meaning in words."""

from __future__ import annotations

from dataclasses import dataclass

from dcign.arrays import Float32

# The attributes, in the order of Person.attributes:
#   sex           standard deviations: negative for a woman, positive for a man
#   age           years
#   hair_cut      index into the cuts of the model's hair; 0 is bald
#   hair_length   standard deviations from the mean of the cut
#   hair_volume   likewise
ATTRIBUTES = ("sex", "age", "hair_cut", "hair_length", "hair_volume")
# A sixth attribute where skin or hair vary alone: the tone of the skin that the hair goes with, standard deviations.
# Without it, that is the person's own, and lighter skin has lighter hair.
HAIR_TONE = "hair_tone"
AGES = (18.0, 80.0)
MEAN_PERSON = (0.0, 40.0, 0.0, 0.0, 0.0)  # between the sexes, of the mean age, bald


@dataclass(frozen=True, eq=False)
class Person:
    """shape (Ks,) and albedo (Ka,), N(0, 1) over the population; attributes (A,), see ATTRIBUTES, A = 0 if unknown.

    own_shape (Ks,): the shape before sex and age moved it, N(0, 1), and with the head's size; None if it is not known.
    """

    shape: Float32
    albedo: Float32
    attributes: Float32
    own_shape: Float32 | None = None
