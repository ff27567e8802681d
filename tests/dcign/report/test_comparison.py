"""Runs side by side: grouped by recipe, over seeds the mean and the range."""

import json
from dataclasses import replace

import pytest

from dcign.errors import TrainingError
from dcign.recipes.registry import RECIPES
from dcign.report import compare, comparison_json, comparison_table
from dcign.run import configuration
from dcign.run.configuration import ImageDescription, TrainConfiguration

FACTORS = ("azimuth", "elevation", "light_azimuth")


def evaluation(recipe="swap", seed=0, r2=0.9, **changes):
    """An evaluation.json with what a comparison counts on."""
    score = {"latent": 0, "r2": r2, "mean_absolute_error": 2.0, "leakage_r2": -0.001, "swap_ratio": None}
    return {
        "format": "dcign-evaluation", "version": 1, "recipe": recipe, "network": "strided", "assigned_latents": True,
        "image": {"size": 32}, "steps": 10, "images_seen": 80, "seconds": 1.5, "seed": seed, "data_sha256": "ab" * 32,
        "factors": dict.fromkeys(FACTORS, score), "reconstruction": {"psnr_frame_db": 20.0},
        "latents": {"count": 32, "alive": 7}, **changes,
    }  # fmt: skip


@pytest.fixture
def write(tmp_path):
    """Write evaluations into folders of a run each; returns the folders."""

    def written(*found):
        folders = []
        for place, report in enumerate(found):
            folder = tmp_path / f"run{place}"
            folder.mkdir(exist_ok=True)
            (folder / "evaluation.json").write_text(json.dumps(report))
            folders.append(folder)
        return folders

    return written


def test_seeds_of_a_recipe_make_a_group_with_mean_and_range(write):
    found = compare(write(evaluation(seed=2, r2=0.8), evaluation("vae", r2=0.3), evaluation(seed=1, r2=0.9)))
    assert [(group.name, group.seeds) for group in found.groups] == [("swap", (1, 2)), ("vae", (0,))]
    spread = found.groups[0].spread("r2", "azimuth")
    assert (spread.mean, spread.low, spread.high, spread.runs) == (pytest.approx(0.85), 0.8, 0.9, 2)
    assert found.groups[0].spread("swap_ratio", "azimuth") is None
    assert found.groups[1].spread("reconstruction.psnr_frame_db").mean == 20


def test_runs_of_other_lengths_are_not_averaged_together(write):
    found = compare(write(evaluation(), evaluation(steps=20), evaluation("vae")))
    assert [group.name for group in found.groups] == ["swap, strided, 10 steps", "swap, strided, 20 steps", "vae"]


def test_a_folder_named_twice_counts_once(write):
    (folder,) = write(evaluation())
    (group,) = compare([folder, folder / ".." / "run0", str(folder)]).groups
    assert [(run.folder, run.evaluation["seed"]) for run in group.runs] == [(folder, 0)]


def test_the_table_has_a_line_a_recipe_and_says_how_far_seeds_spread(write):
    table = comparison_table(compare(write(evaluation(r2=0.8), evaluation(seed=1, r2=0.9), evaluation("vae", r2=0.3))))
    for factor in FACTORS:
        assert factor in table
    lines = table.splitlines()
    assert max(len(line) for line in lines) <= 110
    assert lines[1].split()[:3] == ["swap", "x2", "0.850±0.050"]
    assert lines[2].split()[:3] == ["vae", "x1", "0.300"]
    assert " 0.00±0.00" in lines[1]  # and not -0.00
    assert "swap  " not in lines[0]  # a column that no run has is left out
    assert "half the range" in lines[-1]


def test_figures_stand_above_what_chance_gives_and_are_marked_where_they_say_nothing(write):
    chance = {
        name: {"factors": {key: {"r2": r2, "swap_ratio": swap} for key in FACTORS}}
        for name, r2, swap in (("shuffled", -0.1, 2.0), ("untrained", 0.25, 1.0))
    }
    found = [evaluation(seed=seed, r2=r2, chance=chance) for seed, r2 in enumerate((0.2, 0.9))]
    for report in found:
        report["factors"] = {
            name: {**score, "swap_ratio": 1.5, "copy_ratio": 1.2} for name, score in report["factors"].items()
        }
    comparison = compare(write(*found))
    lines = comparison_table(comparison).splitlines()
    assert lines[1].split()[2] == "0.550±0.350?"  # the first of the two seeds
    assert lines[2].split()[:2] == ["chance", "0.250±0.000"]
    assert "1.50±0.00!" in lines[1]
    assert "2.00±0.00" in lines[2]
    group = json.loads(comparison_json(comparison))["groups"][0]["factors"][FACTORS[0]]
    assert (group["r2"]["chance"], group["r2"]["mark"]) == (0.25, "no better than chance")
    assert group["swap_ratio"]["mark"] == "worse than copying"


def test_the_json_holds_every_figure_and_where_it_was_read(write):
    folders = write(evaluation(r2=0.8), evaluation(seed=1, r2=0.9))
    (group,) = json.loads(comparison_json(compare(folders)))["groups"]
    assert group["runs"] == [str(folder) for folder in folders]
    assert group["factors"]["azimuth"]["r2"] == {"mean": pytest.approx(0.85), "low": 0.8, "high": 0.9, "runs": 2}
    assert group["factors"]["azimuth"]["swap_ratio"] is None
    assert group["figures"]["latents.alive"]["mean"] == 7


def test_runs_of_several_data_sets_are_compared_only_if_asked(write):
    folders = write(evaluation(), evaluation(data_sha256="cd" * 32))
    with pytest.raises(TrainingError, match=r"found other data in .* give --any-data"):
        compare(folders)
    names = [group.name for group in compare(folders, any_data=True).groups]
    assert names == ["swap, strided, 10 steps, data ababab", "swap, strided, 10 steps, data cdcdcd"]
    with pytest.raises(TrainingError, match="expected runs with the same factors"):
        compare(write(evaluation(), evaluation(factors={"tilt": {"latent": 0}})))


def test_a_run_without_an_evaluation_is_named(write, tmp_path):
    with pytest.raises(TrainingError, match=r"expected evaluation\.json in .*empty, found none"):
        compare([*write(evaluation()), tmp_path / "empty"])


def test_runs_of_one_name_and_other_settings_are_groups_of_their_own(write):
    folders = write(*(evaluation(seed=seed) for seed in range(4)), evaluation(seed=4))
    plain, other = RECIPES["swap"], replace(RECIPES["swap"], sigma=0.3)  # as a version with another default had it
    cases = (plain, None), (other, None), (plain, (1, 1, 1, 3)), (plain, None)
    for folder, (recipe, ratio) in zip(folders[:4], cases, strict=True):
        made = TrainConfiguration("faces", str(folder), recipe, steps=10, seed=0, ratio=ratio)
        configuration.write(made, ImageDescription(32, 1, FACTORS, ("degrees",) * 3, (-1, 1, -1), "ab" * 32))
    found = compare(folders)
    assert [(group.name, group.seeds) for group in found.groups] == [
        ("swap, sigma=0.1, ratio=0.25:0.25:0.25:0.25", (0, 3)),
        ("swap, sigma=0.3, ratio=0.25:0.25:0.25:0.25", (1,)),
        ("swap, sigma=0.1, ratio=0.1667:0.1667:0.1667:0.5", (2,)),
        ("swap, settings not known", (4,)),
    ]
    assert json.loads(comparison_json(found))["groups"][1]["settings"]["sigma"] == "0.3"


def test_a_seed_that_was_trained_twice_is_no_spread(write):
    with pytest.raises(TrainingError, match=r"found seed 0 in .*run0 and in .*run1"):
        compare(write(evaluation(), evaluation()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"factors": {"azimuth": {"latent": 0, "r2": "high"}}},
            r"expected a number or null as factors\.azimuth\.r2, found 'high'",
        ),
        ({"metrics": 5}, r"Expected `object \| null`, got `int` - at `\$\.metrics`"),
        ({"metrics": {"latents": {"mig": {"value": "much"}}}}, r"as metrics\.latents\.mig\.value, found 'much'"),
        ({"recombination": {"hair": 5}}, r"Expected `object`, got `int` - at `\$\.recombination\[\.\.\.\]`"),
        ({"steps": -5}, r"Expected `int` >= 0 - at `\$\.steps`"),
        ({"seconds": 10**400}, r"out of range - at `\$\.seconds`"),
        ({"mig": float("nan")}, "it contains NaN"),
    ],
)
def test_figures_that_are_no_numbers_are_refused(write, changes, sentence):
    with pytest.raises(TrainingError, match=rf"cannot read .*{sentence}.*: evaluate the run again"):
        compare(write(evaluation(**changes)))


def test_figures_that_an_older_run_lacks_are_a_dash_beside_a_newer_one(write):
    newer = {"psnr_frame_db": 20.0, "fine": 0.456, "ssim": 0.8, "psnr_parts_db": {"iris": 21.26}}
    comparison = compare(write(evaluation(), evaluation("vae", reconstruction=newer)))
    table = comparison_table(comparison)
    heading = next(line for line in table.splitlines() if line.startswith("whole code"))
    swap, vae = (line for line in table.split(heading)[1].splitlines()[1:3])
    assert heading.split()[2:] == ["frame", "dB", "fine", "SSIM", "alive", "seconds", "iris", "dB"]
    assert swap.split() == ["swap", "x1", "20.0", "-", "-", "7", "2", "-"]
    assert vae.split() == ["vae", "x1", "20.0", "0.456", "0.800", "7", "2", "21.3"]
    older, newer = (group["figures"] for group in json.loads(comparison_json(comparison))["groups"])
    assert older["reconstruction.fine"] is older["reconstruction.psnr_parts_db.iris"] is None
    assert newer["reconstruction.psnr_parts_db.iris"]["mean"] == 21.26


def with_traits(seed=0, own_r2=0.2, **changes):
    """An evaluation of a run whose batches vary hair and age."""
    parts = {"hair": {"own_r2": own_r2, "whole_r2": 0.25, "leakage_r2": 0.1, "swap_ratio": 1.5, "copy_ratio": 1.2}}
    mixed = {
        "all": {"psnr_db": 23.0, "reconstruction_psnr_db": 27.0},
        "age": {"psnr_db": 24.0, "reconstruction_psnr_db": 27.0, "copy_psnr_db": 29.0},
    }
    return evaluation(seed=seed, parts=parts, recombination=mixed, **changes)


def test_traits_of_people_have_a_table_each_over_the_seeds(write):
    folders = write(with_traits(), with_traits(seed=1, own_r2=0.4), evaluation("vae"))
    lines = comparison_table(compare(folders)).splitlines()
    (hair,) = (number for number, line in enumerate(lines) if line.startswith("part hair "))
    assert lines[hair].split()[2:] == ["own", "R2", "whole", "R2", "leak", "swap", "copy"]
    assert lines[hair + 1].split() == [
        *("swap", "x2", "0.300±0.100", "0.250±0.000", "0.100±0.000", "1.50±0.00!", "1.20±0.00"),
    ]
    assert lines[hair + 2].split() == ["vae", "x1", "-", "-", "-", "-", "-"]
    (age,) = (number for number, line in enumerate(lines) if line.startswith("mixtures, age "))
    assert lines[age + 1].split()[2:] == ["24.0±0.0!", "27.0±0.0", "29.0±0.0"]
    assert max(len(line) for line in lines) <= 110


def test_the_json_holds_traits_of_people_by_the_keys_of_the_evaluation_and_none_where_no_run_has_them(write):
    swap, vae = json.loads(comparison_json(compare(write(with_traits(), evaluation("vae")))))["groups"]
    assert swap["parts"]["hair"]["own_r2"] == {"mean": 0.2, "low": 0.2, "high": 0.2, "runs": 1}
    assert swap["parts"]["hair"]["swap_ratio"]["mark"] == "worse than copying"
    assert swap["recombination"]["age"]["psnr_db"]["mean"] == 24
    assert swap["recombination"]["all"]["ssim"] is None
    assert vae["parts"]["hair"]["own_r2"] is None
    (older,) = json.loads(comparison_json(compare(write(evaluation()))))["groups"]
    assert not {"parts", "recombination"} & older.keys()


def test_traits_whose_names_are_no_keys_are_left_out(write):
    parts = {"ha.ir": {"own_r2": 0.1}, "skin\x1b": {"own_r2": 0.1}, "hair": {"own_r2": 0.1}}
    found = compare(write(evaluation(parts=parts)))
    assert [table.name for table in found.trait_tables] == ["hair"]
