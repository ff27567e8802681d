"""The table of artificial codes in docs/metrics.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.evaluate import artificial_codes
from dcign.evaluate import disentanglement

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def read_page(page):
    """Return the table of a page: the name of a code -> the name of a metric -> what the page says."""
    text = page.read_text(encoding="utf-8").split(artificial_codes.START)[1].split(artificial_codes.END)[0]
    headings, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines())
    return {name: {row[0]: row[at] for row in rows} for at, name in enumerate(headings[1:], start=1)}


def test_three_perfect_latents_beside_25_noise_latents_score_what_the_page_says(monkeypatch):
    monkeypatch.setattr(disentanglement, "ROUNDS", 2)  # of intervals, which the page does not show
    latents, factors = artificial_codes.artificial_code("and noise")
    assert (latents.shape, factors.shape) == ((2000, 28), (2000, 3))
    said = read_page(PAGE)
    for column, table in artificial_codes.scores("and noise").items():
        assert {name for name, cell in said[column].items() if cell} == table.keys()
        for name, value in table.items():
            assert float(said[column][name]) == pytest.approx(value, abs=0.0101), (column, name)


def test_the_page_has_a_column_for_each_code_and_a_row_for_each_metric():
    said = read_page(PAGE)
    assert set(said) == {*artificial_codes.CODES, artificial_codes.AS_ONE}
    for name in artificial_codes.CODES:
        assert all(said[name][term.name] for term in artificial_codes.TERMS)


def test_a_table_is_written_between_its_markers_and_read_again(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{artificial_codes.START}old\n{artificial_codes.END}\nafter\n")
    found = {"perfect": {term.name: 0.5 for term in artificial_codes.TERMS}, "random": {"MIG": -0.001, "SAP": 1.0}}
    artificial_codes.write_page(page, artificial_codes.table_lines(found))
    said = read_page(page)
    assert said["perfect"]["InfoM"] == ".50"
    assert (said["random"]["MIG"], said["random"]["SAP"], said["random"]["MED"]) == (".00", "1.00", "")
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("\nafter\n")
    page.write_text("no markers")
    with pytest.raises(BenchmarkError, match="expected the markers of the table once in"):
        artificial_codes.write_page(page, [])
