"""The report of `dcign metrics` as plain text for a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dcign.trained.evaluation_file import formatted
from dcign.trained.marks import chance_of, mark_of
from dcign.trained.terms import CLASS_TERMS, DCI_TERMS, LEAKAGE_TERMS, METRIC_TERMS, READING_TERMS, Metric

OF_FACTOR = (*READING_TERMS[:-1], replace(READING_TERMS[-1], form=".3g"), replace(LEAKAGE_TERMS[-1], heading="leak"))
LEGEND = """\
leak: R2 of a linear model on all other latents
as one: each block of latents counts as one latent
chance: the same for factors in another order; docs/metrics.md says what each metric rewards and when it misleads"""


def measurement_table(report: dict[str, Any]) -> str:  # JSON
    """Return the rows, a table of factors, and one of metrics of the whole code, as text."""
    metrics = [_metric_cells(report, term) for term in (*METRIC_TERMS, *DCI_TERMS) if term.text(report, "")]
    tables = _factor_cells(report), [["", "each latent", "as one", "chance", "mark"], *metrics]
    first, second = (_aligned(rows) for rows in tables)
    return "\n".join([_summary(report), *_block_lines(report), "", *first, "", *second, LEGEND])


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of cells as lines: names to the left, then numbers to the right; a mark comes after two spaces."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 or rows[0][place] == "mark" else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _summary(report: dict[str, Any]) -> str:  # JSON
    rows, count = report["rows"], report["latents"]["count"]
    split = f" of the split {report['split']}" if report["split"] else ""
    groups = f" of {report['groups']:,} groups" if report["groups"] else ""
    return (
        f"{report['source']}: {rows['measured']:,} of {rows['given']:,} rows{split}{groups}, {count} latents, "
        f"{len(report['factors'])} factors in {len(report['blocks'])} blocks. "
        f"Intervals (±, 95 %) are over {report['intervals_over']}."
    )


def _block_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Return which latents each block has, where blocks have names."""
    names = report.get("block_names")
    if not names:
        return []
    held = [f"{name} {_numbers(latents)}" for name, latents in zip(names, report["blocks"], strict=True)]
    return [f"Latents of the blocks: {', '.join(held)}."]


def _numbers(latents: list[int]) -> str:
    """Return numbers of latents in words, as few as possible: 5 to 24."""
    first, last = latents[0], latents[-1]
    if len(latents) == 1:
        return str(first)
    return f"{first} to {last}" if latents == list(range(first, last + 1)) else " and ".join(map(str, latents))


def _factor_cells(report: dict[str, Any]) -> list[list[str]]:  # JSON
    named = any("accuracy" in score for score in report["factors"].values())
    terms = (*OF_FACTOR, *CLASS_TERMS) if named else OF_FACTOR
    rows = [["factor", *(term.heading for term in terms)]]
    for name, score in report["factors"].items():
        cells = [name]
        for term in terms:
            low, high = score["intervals"].get(term.key, (None, None))
            spread = "" if low is None else f"±{formatted((high - low) / 2, term.form)}"
            cells.append(term.text(score, "-") + spread)
        rows.append(cells)
    return rows


def _metric_cells(report: dict[str, Any], term: Metric) -> list[str]:  # JSON
    blocks = term.of_blocks()
    chance = formatted(chance_of(report, term), term.form, "")
    as_one = blocks.text(report, "") + blocks.half_width(report) if blocks.key else ""
    return [term.name, term.text(report, "-") + term.half_width(report), as_one, chance, mark_of(report, term)]
