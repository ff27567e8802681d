"""The tables of docs/results.md: they are filled from evaluations alone, and filled again without a change."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.study.tables import TABLES, TARGETS, _number, _spread, write_tables
from benchmarks.study.trainings import ABLATIONS, ablation_folder, large_folder

PAGE = Path(__file__).parents[3] / "docs" / "results.md"
NAMES = ("azimuth", "elevation", "light_azimuth")


def evaluation(seed, r2=0.98765, **changes):
    """What the tables read of an evaluation.json."""
    score = {
        "latent": 0, "r2": r2, "mean_absolute_error": 2.0, "swap_ratio": 1.04,
        "leakage_r2": -0.01, "leakage_active_r2": 0.1,
        "rerender": {"psnr_db": 27.0, "reconstruction_psnr_db": 27.5},
    }  # fmt: skip
    return {
        "seed": seed,
        "factors": {name: {**score, "latent": place} for place, name in enumerate(NAMES)},
        "mig": 0.7,
        "latents": {"alive": 5, "kl_nats": [3, 3, 3, 0.5, 0.2, 0.01]},
        "reconstruction": {"psnr_head_db": 28.5},
        "identity": None,
        **changes,
    }


@pytest.fixture
def studies(tmp_path):
    """Write evaluations, by the folders of their runs; a copy of the page, its tables empty, is beside them."""
    empty = re.sub(r"(?s)(<!-- (\w+(?:, \w+)?) -->\n).*?(<!-- end of \2 -->)", r"\1\3", PAGE.read_text())
    (tmp_path / "results.md").write_text(empty)

    def write(**reports):
        for name, report in reports.items():
            folder = tmp_path / name.replace("__", "/").replace("_n", "-")
            folder.mkdir(parents=True)
            (folder / "evaluation.json").write_text(json.dumps(report))
        return tmp_path

    return write


def rows(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_the_page_has_every_table_s_markers_once(tmp_path):
    text = PAGE.read_text()
    for name in TABLES:
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- end of {name} -->") == 1
    assert write_tables(tmp_path, PAGE) == []  # nothing is evaluated: nothing is written


def test_a_recipe_s_row_is_the_mean_over_seeds_and_the_ends(studies):
    out = studies(recipes__vae_n0=evaluation(0, 0.5), recipes__vae_n1=evaluation(1, 0.6))
    page = out / "results.md"
    assert write_tables(out, page) == ["recipes, factors", "recipes"]
    text = page.read_text()
    found = rows(text, "| `vae` | azimuth |")
    assert len(found) == 1
    assert found[0].startswith("| `vae` | azimuth | .550 (.500 to .600) | 2.0 | -.01 |")
    assert rows(text, "| `vae` | 2 | 31,000 | .700")
    assert write_tables(out, page) == ["recipes, factors", "recipes"]
    assert page.read_text() == text  # written again, nothing has moved


def test_an_ablation_is_not_taken_for_one_whose_name_begins_alike(studies):
    longer = ablation_folder("--set reference=mean --set reference_gradient=false")
    out = studies(**{f"ablation__{longer}-0": evaluation(0, 0.3), "ablation__reference=mean-0": evaluation(0, 0.9)})
    write_tables(out, out / "results.md")
    text = (out / "results.md").read_text().split("ablation -->")[1]  # the page has a table of version 0.2, too
    assert ".900 / .900 / .900" in rows(text, "| donor: the mean instead |")[0]
    assert ".300 / .300 / .300" in rows(text, "| donor: the detached mean instead |")[0]
    assert not rows(text, "| all of them |")
    assert "donor: the mean instead" in ABLATIONS


def test_a_training_at_150_px_is_told_by_its_length_and_options(studies):
    short, plain = large_folder("", 6000), large_folder("--set pixels=0", 6000)
    out = studies(**{f"large__{short}-0": evaluation(0, 0.8), f"large__{plain}-0": evaluation(0, 0.7)})
    assert write_tables(out, out / "results.md") == ["large"]
    text = (out / "results.md").read_text()
    assert rows(text, "| the same, shorter |")[0].startswith("| the same, shorter | 6,000 | .800 / .800 / .800 | -.01")
    assert rows(text, "| shorter, every number")[0].startswith(
        "| shorter, every number of an image counts | 6,000 | .7"
    )
    assert not rows(text, "| `dcign train` |")


def test_a_target_is_reached_only_by_every_seed_and_what_was_not_measured_is_not_claimed(studies):
    good, bad = evaluation(0, 0.999), evaluation(1, 0.97)
    out = studies(swap__swap_n0=good, swap__swap_n1=bad)
    (out / "swap" / "swap-0" / "haar.json").write_text(json.dumps({"share": 0.93}))
    write_tables(out, out / "results.md")
    text = (out / "results.md").read_text()
    assert rows(text, "| R², azimuth")[0] == "| R², azimuth | ≥ 0.998 | .9990 | .9700 | no |"
    assert rows(text, "| R², elevation")[0].endswith("| yes |")
    assert rows(text, "| right identity")[0].endswith("| - | - | - |")
    assert rows(text, "| re-rendering short of reconstruction, dB, light")[0].endswith("| .50 | .50 | yes |")
    assert rows(text, "| latents alive but")[0].endswith("| 2 | 2 | no |")
    assert rows(text, "| share of near-frontal")[0].endswith("| .930 | - | yes |")
    table = text[text.index("<!-- swap -->") : text.index("<!-- end of swap -->")]
    assert len(TARGETS) == len(rows(table, "| ")) - 2


def test_the_ceiling_is_told(studies):
    out = studies()
    (out / "ceiling").mkdir()
    found = {
        "seed": 4,
        "steps": 5000,
        "factors": {name: {"r2": 0.9991, "mae_degrees": 0.8} for name in NAMES},
    }  # an old key
    (out / "ceiling" / "0.json").write_text(json.dumps(found))
    assert write_tables(out, out / "results.md") == ["ceiling"]
    assert "| 4 | 5,000 | R² | .9991 | .9991 | .9991 |" in (out / "results.md").read_text()


def test_what_re_rendering_can_reach_stands_above_what_it_reaches(studies):
    out = studies(swap__swap_n0=evaluation(0))
    (out / "rerendering").mkdir()
    for seed, psnr in enumerate((26.51, 26.62)):
        (out / "rerendering" / f"{seed}.json").write_text(json.dumps({"psnr_db": dict.fromkeys(NAMES, psnr)}))
    assert "rerendering" in write_tables(out, out / "results.md")
    text = (out / "results.md").read_text()
    table = rows(text[text.index("<!-- rerendering -->") :], "| ")[2:5]
    assert table[0] == "| trained for nothing else, told all angles |" + " 26.6 (26.5 to 26.6) |" * 3
    assert table[1].startswith("| `swap` |")
    assert table[2].startswith("| `swap`, plain reconstruction |")


def test_a_page_without_its_markers_is_refused(studies):
    out = studies(recipes__vae_n0=evaluation(0))
    (out / "results.md").write_text("# Results\n")
    with pytest.raises(BenchmarkError, match=r"markers of the table recipes, factors once in .*, found them 0 times"):
        write_tables(out, out / "results.md")


def test_numbers_are_written_as_this_project_writes_them():
    written = [_number(value, 2) for value in (0.5, -0.25, 1.0, 12.345, None)]
    assert written == [".50", "-.25", "1.00", "12.35", "-"] or written[3] == "12.34"
    assert (_spread([], 2), _spread([0.5], 2), _spread([0.501, 0.499], 2)) == ("-", ".50", ".50")


def test_swaps_are_a_row_a_seed_and_a_column_a_distance(studies):
    out = studies(swap__swap_n0=evaluation(0))
    bins = [{"from": 0.0, "to": 19.6, "pairs": 9, "ratio": 1.066}, {"from": 19.6, "to": 39.1, "pairs": 5, "ratio": 0.5}]
    found = {"run": "studies/swap/swap-0", "factor": "light_azimuth", "bins": bins}
    (out / "swap" / "swap-0" / "swaps.json").write_text(json.dumps(found))
    assert TABLES["swaps"](out) == [
        "| degrees of light azimuth apart | 0 to 20 | 20 to 39 |",
        "| --- | --- | --- |",
        "| swap-0 | 1.07 | .50 |",
    ]
