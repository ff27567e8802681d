"""The table of how well a network reads factors from altered pictures: the key `robustness` of evaluation.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dcign.trained.terms import CLASS_TERMS, READING_TERMS

WORDS = {
    "unaltered": "unaltered",
    "shift_sideways": "3/64 of the width to the right",
    "shift_up": "3/64 of the width up",
    "roll": "rolled by 10° clockwise",
    "zoom_out": "zoomed by .85",
    "zoom_in": "zoomed by 1.4",
    "gray_background": "in front of gray",
    "gamma": "darker, with a gamma of 1.4",
    "occlusion": "a gray square of a quarter of the width over a random place of the middle",
}
R2, ERROR = (next(term for term in READING_TERMS if term.key == key) for key in ("r2", "mean_absolute_error"))
(ACCURACY,) = CLASS_TERMS


def altered_rows(evaluations: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:  # JSON
    """Return a line per alteration: its words, and the error and R^2 of each factor of each evaluation.

    A factor of classes has its accuracy and an empty text. An evaluation of an older version has empty cells. No lines
    are returned if all are empty.
    """
    tables = [(evaluation.get("robustness") or {}).get("alterations") or {} for evaluation in evaluations]
    return [
        (
            words,
            [
                _cell(scores)
                for evaluation, table in zip(evaluations, tables, strict=True)
                for scores in (table.get(name, {}).get(factor, {}) for factor in evaluation["factors"])
            ],
        )
        for name, words in WORDS.items()
        if any(name in table for table in tables)
    ]


def _cell(scores: Mapping[str, Any]) -> tuple[str, str]:  # JSON
    if ACCURACY.key in scores:
        return f"{ACCURACY.name} {ACCURACY.text(scores)}", ""
    return ERROR.text(scores), R2.text(scores)
