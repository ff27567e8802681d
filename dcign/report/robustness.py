"""The table of a report that says how well factors are read from altered pictures."""

from __future__ import annotations

from collections.abc import Sequence

from dcign.evaluate.robustness import WORDS
from dcign.trained.terms import READING_TERMS
from dcign.trained.trained_run import TrainedRun

R2, ERROR = (next(term for term in READING_TERMS if term.key == key) for key in ("r2", "mean_absolute_error"))


def robustness_rows(runs: Sequence[TrainedRun]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return a line per alteration: its words, and the error and R^2 of each factor of each run.

    A run that was evaluated by an older version has empty cells. No lines are returned if all are empty.
    """
    tables = [(run.evaluation.get("robustness") or {}).get("alterations") or {} for run in runs]
    return [
        (
            words,
            [
                (ERROR.text(scores), R2.text(scores))
                for run, table in zip(runs, tables, strict=True)
                for scores in (table.get(name, {}).get(factor, {}) for factor in run.description.factors)
            ],
        )
        for name, words in WORDS.items()
        if any(name in table for table in tables)
    ]
