"""What chance gives for each figure of an evaluation, and the marks of figures that say nothing.

`chance` of evaluation.json has the evaluation's keys twice: `shuffled`, of the same codes with labels in another order,
and `untrained`, of the same network before its first step. A figure is marked when it does not clear the better of the
two, when it is at its bound, and when it is worse than returning the input unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dcign.trained.evaluation_file import formatted, value_of
from dcign.trained.terms import COMPARED_TERMS, FACTOR_TERMS, RUN_TERMS, Metric

NO_BETTER, SATURATED, COPYING = "no better than chance", "saturated", "worse than copying"
SIGNS = {NO_BETTER: "?", SATURATED: "=", COPYING: "!"}
MARGIN = 0.05
SATURATED_FROM = 0.995  # of figures whose bound is 1


def chance_of(evaluation: Mapping[str, Any], term: Metric, factor: str = "") -> float | None:  # JSON
    """Return what chance gives for a figure, the better of its references, or None if that was not measured."""
    if not term.better and not term.either_sign:
        return None
    tables = ((evaluation.get("chance") or {}).get(name) for name in term.chance)
    found = [value for table in tables if (value := value_of(_table(table or {}, factor), term.key)) is not None]
    return (min if term.better == "less" else max)(map(abs, found) if term.either_sign else found, default=None)


def mark_of(evaluation: Mapping[str, Any], term: Metric, factor: str = "") -> str:  # JSON
    """Return the mark of a figure of one factor or of the whole run, or "" if it has none.

    A figure has to clear chance by its 95 % interval. One without an interval has to clear it by a twentieth: of what
    is left to 1 if it is bounded, else of chance itself.
    """
    table = _table(evaluation, factor)
    value, chance = value_of(table, term.key), chance_of(evaluation, term, factor)
    if value is None:
        return ""
    sign = -1 if term.better == "less" else 1
    copied = value_of(table, term.copy) if term.copy else None
    if copied is not None and sign * value <= sign * copied:
        return COPYING
    if chance is not None and term.clears:
        ends = _interval(table, term) or (value,)
        nearest = min(map(abs, ends)) if term.either_sign else min(sign * end for end in ends)
        margin = 0.0 if len(ends) > 1 else MARGIN * ((1 - chance) if term.bounded else abs(chance))
        if nearest <= sign * chance + margin:
            return NO_BETTER
    return SATURATED if term.bounded and value >= SATURATED_FROM else ""


def sign_of(evaluation: Mapping[str, Any], term: Metric, factor: str = "") -> str:  # JSON
    """Return the mark as one character, for where there is no room for words, or ""."""
    mark = mark_of(evaluation, term, factor)
    return SIGNS[mark] if mark else ""


def all_marks(evaluation: Mapping[str, Any]) -> dict[str, Any]:  # JSON
    """Return the marks as evaluation.json holds them: those of the run, and of each factor, by the figures' keys."""
    return {
        "run": _marks(evaluation, (each for term in RUN_TERMS for each in (term, term.of_blocks()) if each.key)),
        "factors": {name: _marks(evaluation, _OF_FACTOR, name) for name in evaluation["factors"]},
    }


def beside(evaluation: Mapping[str, Any], term: Metric, factor: str = "") -> str:  # JSON
    """Return what a page says beside a figure: what chance gives, and its mark."""
    chance, mark = chance_of(evaluation, term, factor), mark_of(evaluation, term, factor)
    words = ["" if chance is None else f"chance {formatted(chance, term.form)}", mark]
    return ", ".join(filter(None, words))


_OF_FACTOR = tuple({term.key: term for term in (*FACTOR_TERMS, *COMPARED_TERMS)}.values())


def _marks(evaluation: Mapping[str, Any], terms: Iterable[Metric], factor: str = "") -> dict[str, str]:  # JSON
    return {term.key: mark for term in terms if (mark := mark_of(evaluation, term, factor))}


def _table(report: Mapping[str, Any], factor: str) -> Mapping[str, Any]:  # JSON
    """Return the table of one factor, or the whole report without one."""
    if not factor:
        return report
    entangled = (report.get("entangled") or {}).get(factor)
    table: Mapping[str, Any] = (report.get("factors") or {}).get(factor) or {}
    return {**table, "entangled": entangled}


def _interval(table: Mapping[str, Any], term: Metric) -> tuple[float, ...]:  # JSON
    """Return the ends of a figure's 95 % interval, if it has one."""
    found = (table.get("intervals") or {}).get(term.key)
    if isinstance(found, list | tuple) and len(found) == 2:
        return tuple(found)
    ends = (value_of(table, f"{term.key.removesuffix('.value')}.{end}") for end in ("low", "high"))
    return tuple(end for end in ends if end is not None) if term.key.endswith(".value") else ()
