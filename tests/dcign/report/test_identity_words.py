"""The report's sentence about matching people names the factor that they differ in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dcign.report.page import _identity_words


def words(identity: dict[str, Any] | None) -> str:
    run = SimpleNamespace(
        name="swap",
        description=SimpleNamespace(factors=("form", "light_azimuth")),
        factors=("form", "light azimuth"),
        units=("", "°"),
        evaluation={"identity": identity},
    )
    return _identity_words(run)  # type: ignore[arg-type]  # what the sentence needs of a run


MATCHED = {"right": 0.75, "people": 20, "degrees_apart": 60}


def test_it_names_the_factor_of_the_pictures_with_its_unit() -> None:
    said = words({**MATCHED, "factor": "light_azimuth"})
    assert "pictures that differ by 60° of light azimuth (chance: 5.0%)" in said


@pytest.mark.parametrize("identity", [None, {}, {**MATCHED, "factor": "age"}])
def test_what_was_not_measured_or_names_no_factor_is_left_out(identity: dict[str, Any] | None) -> None:
    assert words(identity) == ""
