"""Evaluations as text: what evaluation.json says, for a person at a terminal."""

from collections.abc import Sequence
from typing import Any

from dcign.report.terms import FACTOR_TERMS, METRIC_TERMS, RERENDER_TERMS, Term, value_of, written

LEGEND = (
    "unseen identities; error: mean, in the factor's unit; leak: R2 of a probe from the other latents (sampled, alive "
    "mu, all mu; linear: of a line from all mu); swap, copy: squared error over reconstruction's; still: variance of "
    "the other latents while the factor varies, over people's; as one: all latents that are no factor's as one block; "
    "+-: half the 95 % interval"
)


def evaluation_table(reports: Sequence[dict[str, Any]]) -> str:  # JSON, as in evaluation.json
    """Return one or more evaluations as a plain table, a block a run."""
    lines = []
    for report in reports:
        name = report["recipe"] + ("" if report["assigned_latents"] else " (best latents)")
        width = max(len(factor) for factor in [name, *report["factors"]]) + 2
        terms = _terms(report)
        lines.append(name.ljust(width) + "".join(term.heading.rjust(9) for term in terms))
        for factor, score in report["factors"].items():
            cells = "".join(_cell(value_of(score, term.key), term.form).rjust(9) for term in terms)
            lines.append(factor.ljust(width) + cells)
        lines += [*_metrics_lines(report), _summary(report), ""]
    return "\n".join([*lines, LEGEND])


def _terms(report: dict[str, Any]) -> tuple[Term, ...]:  # JSON
    """Return the columns: re-rendering only where it was measured."""
    measured = any(value_of(score, RERENDER_TERMS[0].key) is not None for score in report["factors"].values())
    return (*FACTOR_TERMS, *RERENDER_TERMS[: 2 * measured])


def _metrics_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Lay the figures of the literature out, a row for latents by themselves, and one with the others as one block."""
    found = report.get("metrics")
    if found is None:  # an older evaluation.json
        return []
    rows = [("", [term.heading for term in METRIC_TERMS])]
    for title, figures in (("each latent", found["latents"]), ("as one", found["blocks"])):
        rows.append((title, [_cell(value_of(figures, f"{term.key}.value"), term.form) for term in METRIC_TERMS]))
        rows.append(("  +-", [_half_width(figures.get(term.key)) for term in METRIC_TERMS]))
    return [title.ljust(13) + "".join(cell.rjust(10) for cell in cells) for title, cells in rows]


def _half_width(figure: dict[str, float | None] | None) -> str:
    low, high = (figure.get("low"), figure.get("high")) if figure else (None, None)
    return "" if low is None or high is None else format((high - low) / 2, ".3f")


def _summary(report: dict[str, Any]) -> str:  # JSON
    picture, latents = report["reconstruction"], report["latents"]
    head = f"{_cell(picture.get('psnr_head_db'), '.1f')} dB over the head, "
    return (
        f"reconstruction {head}{_cell(picture['psnr_frame_db'], '.1f')} dB over the frame; "
        f"{latents['alive']} of {latents['count']} latents alive; "
        f"{report['steps']} steps, {report['images_seen']} images, {_cell(report['seconds'], '.0f')} s"
    )


def _cell(value: float | None, form: str) -> str:
    return written(value, form, none="-")
