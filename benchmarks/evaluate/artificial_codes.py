"""Score artificial codes by every metric, and write the table of docs/metrics.md.

    python -m benchmarks.evaluate.artificial_codes [--page docs/metrics.md] [--code NAME ...]

Three real factors, 2,000 rows, as many as the iid split of `make demo`. `perfect`: one latent per factor, a little
noisy. `and noise`: the same beside 25 latents of pure noise. `rotated`: the perfect latents, rotated at random among
themselves. `entangled`: each latent is a curved function of two factors. `random`: 28 latents of noise. The column
`noise as one` has `and noise` with all latents of noise as one block.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError
from dcign.arrays import Floating
from dcign.measure import CodeTable, measure
from dcign.trained.evaluation_file import value_of
from dcign.trained.terms import DCI_TERMS, METRIC_TERMS, Metric

ROWS, SEED = 2000, 0
SPREAD = 0.03  # standard deviation of the noise of a perfect latent, over that of the factor
NOISE = 25  # latents
CODES = ("perfect", "and noise", "rotated", "entangled", "random")
AS_ONE = "noise as one"  # the column beside "and noise"
START, END = "<!-- artificial codes -->\n", "<!-- end of artificial codes -->"
TERMS = (*METRIC_TERMS, Metric("DCI S", "metrics.latents.dci_size.value", ".2f", "DCI size", ""), *DCI_TERMS)


def main() -> None:
    """Print the table, and write it into a page if one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, help="page to write the table into, between its markers")
    parser.add_argument("--code", choices=CODES, action="append", help="only this code; may be given several times")
    given = parser.parse_args()
    if given.page and given.code:
        parser.error("expected all codes for --page, found --code: give one of them.")
    names = given.code or CODES
    lines = table_lines({column: table for name in names for column, table in scores(name).items()})
    print("\n".join(lines))
    if given.page:
        write_page(given.page, lines)


def artificial_code(name: str) -> tuple[Floating, Floating]:
    """Return latents (N, Z) and factors (N, 3) of one of CODES."""
    rng = np.random.default_rng(SEED)
    factors = rng.uniform(-1, 1, (ROWS, 3))
    perfect = factors / factors.std(axis=0) + SPREAD * rng.normal(size=factors.shape)
    noise = rng.normal(size=(ROWS, NOISE))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    first, second = factors, np.roll(factors, 1, axis=1)
    codes = {
        "perfect": perfect,
        "and noise": np.hstack([perfect, noise]),
        "rotated": perfect @ rotation,
        "entangled": np.hstack([np.sin(2 * first) + second**2, first * second]),
        "random": np.hstack([rng.normal(size=(ROWS, 3)), noise]),
    }
    return codes[name], factors


def scores(name: str) -> dict[str, dict[str, float]]:
    """Return every metric of one artificial code: the table's column -> the metric's name -> its value."""
    report = measure(CodeTable.of(*artificial_code(name)))
    found = {name: {term.name: value_of(report, term.key) for term in TERMS}}
    if name == "and noise":
        found[AS_ONE] = {term.name: value_of(report, term.of_blocks().key) for term in METRIC_TERMS}
    return {
        column: {key: value for key, value in table.items() if value is not None} for column, table in found.items()
    }


def table_lines(found: dict[str, dict[str, float]]) -> list[str]:
    """Return a Markdown table with one row per metric and one column per code."""
    rows = [["metric", *found], ["---"] * (len(found) + 1)]
    rows += [[term.name, *(shown(table.get(term.name)) for table in found.values())] for term in TERMS]
    return ["| " + " | ".join(row) + " |" for row in rows]


def shown(value: float | None) -> str:
    """Format a score as this project does: .98, not 0.98; "" if there is none."""
    if value is None:
        return ""
    text = f"{value + 0.0:.2f}".removeprefix("-") if abs(value) < 0.005 else f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def write_page(page: Path, lines: Sequence[str]) -> None:
    """Write the table between its markers in a page."""
    text = page.read_text(encoding="utf-8")
    if (text.count(START), text.count(END)) != (1, 1):
        raise BenchmarkError(f"expected the markers of the table once in {page}, found others: restore them.")
    before, rest = text.split(START)
    page.write_text(before + START + "\n".join(lines) + "\n" + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
