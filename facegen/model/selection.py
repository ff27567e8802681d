"""Which part of a population is drawn: some ages, some sexes, some haircuts.

A selection keeps every other random number: the same seed gives the same face, and moves its age and sex to the same
rank among those that are selected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, ndtr

from dcign.arrays import Float64
from dcign.errors import ModelError
from dcign.facegen.model.person import AGES

# The sex variable is a mixture of two normal distributions with unit variance together.
SEX_CENTRE = 0.9
SEX_DEVIATION = float(np.sqrt(1 - SEX_CENTRE**2))
MOST_SEX = 3.0  # standard deviations: one person in a million is beyond
AGE_BETA = (1.2, 2.18)  # of the beta distribution of ages over AGES: most are young, one in ten is over 60

Pair = tuple[float, float]


@dataclass(frozen=True)
class Selection:
    """The people that are drawn: lowest and highest sex (standard deviations) and age (years), and numbers of cuts.

    None and () select everybody.
    """

    sex: Pair | None = None
    age: Pair | None = None
    cuts: tuple[int, ...] = ()

    def sex_of(self, sex: float) -> float:
        """Return the sex at the same rank among the selected."""
        if self.sex is None:
            return sex
        low, high = self.sex
        first, last = _share_below(low), _share_below(high)
        rank = first + (last - first) * _share_below(sex)
        return float(brentq(lambda each: _share_below(each) - rank, low, high)) if first < rank < last else low

    def age_of(self, age: float) -> float:
        """Return the age at the same rank among the selected."""
        if self.age is None:
            return age
        place = (np.array([*self.age, age]) - AGES[0]) / (AGES[1] - AGES[0])
        first, last, rank = betainc(*AGE_BETA, place)
        selected = betaincinv(*AGE_BETA, first + (last - first) * rank)
        return float(np.clip(AGES[0] + (AGES[1] - AGES[0]) * selected, *self.age))

    def cut_chances(self, chances: Float64) -> Float64:
        """Return the probabilities (S,) of cuts among the selected, given those among all."""
        if not self.cuts:
            return chances
        kept = np.zeros_like(chances)
        kept[list(self.cuts)] = chances[list(self.cuts)]
        if not kept.any():
            kept[list(self.cuts)] = 1.0
        return np.asarray(kept / kept.sum())


EVERYBODY = Selection()


def _share_below(sex: float) -> float:
    """Return the share of people whose sex is below a value."""
    return float(ndtr((sex + SEX_CENTRE) / SEX_DEVIATION) + ndtr((sex - SEX_CENTRE) / SEX_DEVIATION)) / 2


def cut_number(name: str, cut_names: Sequence[str]) -> int:
    """Return the number of a cut by its name; "long-parted" and "Long, parted" are the same name.

    Raises ModelError for an unknown name.
    """
    known = [hyphenated(each) for each in cut_names]
    if hyphenated(name) not in known:
        names = f"one of {', '.join(known)}" if known else "no haircut, because this model has no hair"
        raise ModelError(f"expected {names}, found {name!r}: give another haircut.")
    return known.index(hyphenated(name))


def hyphenated(name: str) -> str:
    """Return a name as the command line takes it: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
