"""Evaluations as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dcign.trained.evaluation_file import formatted, value_of
from dcign.trained.marks import chance_of, sign_of
from dcign.trained.terms import (
    CLASS_TERMS,
    FACTOR_TERMS,
    METRIC_TERMS,
    MIX_TERMS,
    PERSON_TERMS,
    RECONSTRUCTION_TERMS,
    RERENDER_TERMS,
    Metric,
    view_terms,
)
from dcign.trained.trained_run import PEOPLE, PICTURES

ACROSS = 8  # metrics of the whole code beside each other
LEGEND = """\
Measured on unseen {subjects}.
error: mean absolute error, in the factor's unit
leak: R2 of a probe that predicts the factor from the other latents. Its input: sampled z, mu of the alive latents, or
      mu of all latents (also with a linear probe)
swap: squared error with this factor taken from another picture{of_subject}, divided by that of reconstruction
copy: the same ratio for returning the input unchanged, which a swap has to beat
right: of a factor of classes, the share of pictures whose class its latents tell; R2 is then of the classes' indicators
still: how much the other latents move with this factor, relative to how much they differ between {subjects} (0 =
      not at all)
own, whole, leak of a part: R2 of its coefficients from its own block, from the whole code, and from all other blocks
as one: the latents of each block count as one
fine: share of the fine structure of faces that reconstructions explain (1 = all, 0 = a constant picture)
+-: half the 95 % interval
chance: the better of labels in another order and of an untrained network, on the same pictures
?: no better than chance; !: worse than copying the input; =: saturated"""


def evaluation_table(reports: Sequence[dict[str, Any]]) -> str:  # JSON, as in evaluation.json
    """Return one or more evaluations as plain tables, one per run."""
    lines = []
    for report in reports:
        name = report["recipe"] + ("" if report["assigned_latents"] else " (best latents)")
        width = max(len(factor) for factor in [name, *report["factors"]]) + 2
        terms = _terms(report)
        lines.append(name.ljust(width) + "".join(term.heading.rjust(9) for term in terms))
        for factor, score in report["factors"].items():
            cells = "".join((term.text(score, "-") + sign_of(report, term, factor)).rjust(9) for term in terms)
            lines.append(factor.ljust(width) + cells)
            chances = [formatted(chance_of(report, term, factor), term.form, "") for term in terms]
            if any(chances):
                lines.append("  chance".ljust(width) + "".join(chance.rjust(9) for chance in chances))
        lines += report.get("left_out") or []
        lines += [*_parts_lines(report), *_metrics_lines(report), _summary(report), *_refiner_lines(report), ""]
    return "\n".join([*lines, _legend(reports)])


def _legend(reports: Sequence[dict[str, Any]]) -> str:  # JSON
    """Return the legend: of people, unless a run was trained on other people's data."""
    of_people = all(report.get("subjects", PEOPLE) == PEOPLE for report in reports)
    words = (PEOPLE, " of the person") if of_people else (PICTURES, "")
    return LEGEND.format(subjects=words[0], of_subject=words[1])


def _terms(report: dict[str, Any]) -> tuple[Metric, ...]:  # JSON
    """Return the columns; those of re-rendering and of classes only if they were measured."""
    told = any(value_of(score, CLASS_TERMS[0].key) is not None for score in report["factors"].values())
    measured = any(value_of(score, RERENDER_TERMS[0].key) is not None for score in report["factors"].values())
    return (*FACTOR_TERMS, *CLASS_TERMS[:told], *RERENDER_TERMS[: 2 * measured])


def _parts_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Return a row per part of a person, if the data set's batches vary parts."""
    parts: dict[str, dict[str, Any]] = report.get("parts") or {}
    if not parts:
        return []
    rows = [("part", [term.heading for term in PERSON_TERMS])]
    rows += [(name, _marked(score, PERSON_TERMS)) for name, score in parts.items()]
    mixed: dict[str, dict[str, Any]] = report.get("recombination") or {}
    if mixed:
        rows += [("mixed", [term.heading for term in MIX_TERMS])]
        rows += [(name, _marked(score, MIX_TERMS)) for name, score in mixed.items()]
    return [title.ljust(13) + "".join(cell.rjust(10) for cell in cells) for title, cells in rows]


def _marked(score: dict[str, Any], terms: Sequence[Metric]) -> list[str]:  # JSON
    """Return the figures of one trait of people, each with its mark."""
    return [term.text(score, "-") + sign_of(score, term) for term in terms]


def _metrics_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Return a row of metrics with each latent by itself, and one with the intrinsic latents as one block."""
    if report.get("unmeasured"):
        return [f"not measured: {report['unmeasured']}"]
    if report.get("metrics") is None:  # an evaluation.json of an older version
        return []
    terms = [term for term in METRIC_TERMS if value_of(report, term.key) is not None]  # older evaluations have fewer
    return [line for first in range(0, len(terms), ACROSS) for line in metric_lines(report, terms[first:][:ACROSS])]


def metric_lines(report: dict[str, Any], terms: Sequence[Metric]) -> list[str]:  # JSON
    """Return one table of some metrics of the whole code, one column per metric."""
    rows = [("", [term.heading for term in terms])]
    for title, some in (("each latent", terms), ("as one", [term.of_blocks() for term in terms])):
        rows.append((title, [term.text(report, "-") + sign_of(report, term) for term in some]))
        rows.append(("  +-", [term.half_width(report).removeprefix("±") for term in some]))
        rows.append(("  chance", [formatted(chance_of(report, term), term.form, "") for term in some]))
    rows = [row for row in rows if any(row[1])]  # older evaluations have no chance
    return [title.ljust(13) + "".join(cell.rjust(10) for cell in cells) for title, cells in rows]


def _summary(report: dict[str, Any]) -> str:  # JSON
    picture, latents = report["reconstruction"], report["latents"]
    head = f"{_cell(picture.get('psnr_head_db'), '.1f')} dB over the head, "
    blind = value_of(report, "chance.untrained.reconstruction.psnr_frame_db")
    untrained = "" if blind is None else f" (untrained: {_cell(blind, '.1f')})"
    return (
        f"reconstruction {head}{_cell(picture['psnr_frame_db'], '.1f')} dB over the frame{untrained}, "
        f"fine {_cell(value_of(picture, 'fine'), '.2f')}; "
        f"{latents['alive']} of {latents['count']} latents alive; "
        f"{report['steps']} steps, {report['images_seen']} images, {_cell(report['seconds'], '.0f')} s"
    )


def _refiner_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Return the figures with the refiner beside those without it, on the same pictures, or nothing."""
    found = report.get("refiner")
    if not found:
        return []
    lines = [f"refiner, {found['steps']:,} steps".ljust(44) + "without".rjust(9) + "with".rjust(9)]
    for term in (*RECONSTRUCTION_TERMS, *view_terms(report["factors"])):
        cells = [term.text(found[name], "-").rjust(9) for name in ("decoded", "refined")]
        lines.append(term.name.ljust(44) + "".join(cells))
    return lines


def _cell(value: float | None, form: str) -> str:
    return formatted(value, form, none="-")
