"""Photographs with known factors: scores, their range over framings, and tables that are wrong."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from dcign import cli
from dcign.errors import DataError, DcignError, TrainingError
from dcign.figures.photographs import photograph_figure
from dcign.infer.read_picture import fitted
from dcign.infer.window import window_of_eyes
from dcign.photographs.labels import read_photographs
from dcign.photographs.measurement import FRAMINGS, label_scores, measure_photographs, photograph_table
from dcign.trained.calibration import calibrate_coordinates
from tests.support.foreign_heads import shots

SIZE = 64
FACTORS = ("azimuth", "down")


class BrightCodec:
    """A code that is the mean place of the light, and decodes to black."""

    def encode(self, images):
        light = images.astype(np.float64).sum(axis=-1) + 1e-9
        axis = (np.arange(SIZE) + 0.5) / SIZE - 0.5
        total = light.sum(axis=(1, 2))
        mu = np.stack([(light.sum(axis=1) @ axis) / total, (light.sum(axis=2) @ axis) / total], axis=1)
        return mu, np.zeros_like(mu)

    def decode(self, mu):
        return np.zeros((len(mu), SIZE, SIZE, 3), np.float32)


def straight(name, latent):
    values = np.linspace(-0.5, 0.5, 101)
    return calibrate_coordinates(name, (latent,), values[:, None], values)


RUN = SimpleNamespace(
    description=SimpleNamespace(size=SIZE, channels=3, factors=FACTORS),
    calibrations=[straight(name, latent) for latent, name in enumerate(FACTORS)],
    codec=BrightCodec(),
    name="bright",
)


@pytest.fixture
def folder(tmp_path):
    """Pictures of a white square whose place is the label, on black, and their table."""
    lines = ["file,azimuth,down"]
    for number, across in enumerate((-0.2, -0.1, 0.0, 0.1, 0.2)):
        picture = np.zeros((128, 128), np.uint8)
        column = round((across + 0.5) * 128)
        picture[60:68, column - 4 : column + 4] = 255
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{across},0")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def table(folder, text):
    (folder / "labels.csv").write_text(text)
    return folder / "labels.csv"


def test_what_the_code_tells_is_scored_and_what_is_constant_has_a_spread(folder):
    found = measure_photographs(RUN, read_photographs(folder, folder / "labels.csv", FACTORS)).report
    assert list(found["framings"]) == list(FRAMINGS)
    across, down = (found["framings"]["as given"]["factors"][name] for name in FACTORS)
    assert across["r2"] > 0.99
    assert across["spearman"] == pytest.approx(1)
    assert across["slope"] == pytest.approx(1, abs=0.02)
    assert across["mean_absolute_error"] < 0.01
    assert down.keys() == {"photographs", "mean_absolute_error", "bias", "spread"}
    assert down["spread"] < 0.01
    assert found["framings"]["5 % right"]["factors"]["azimuth"]["bias"] == pytest.approx(0.05, abs=0.01)
    assert found["framings"]["5 % up"]["factors"]["down"]["bias"] == pytest.approx(-0.05, abs=0.01)
    low, high = found["over_framings"]["azimuth"]["bias"]
    assert (low, high) == pytest.approx((-0.05, 0.05), abs=0.01)
    low, high = found["over_framings"]["azimuth"]["slope"]
    assert (low, high) == pytest.approx((0.9, 1.1), abs=0.03)
    assert "azimuth" in photograph_table(found)


def test_a_biased_reading_orders_well_and_has_its_r2_only_after_a_line():
    truth = np.linspace(-40, 40, 9)
    scores = label_scores(0.5 * truth + 30, truth)
    assert scores["r2"] < 0
    assert scores["r2_line"] == pytest.approx(1)
    assert (scores["slope"], scores["offset"], scores["bias"]) == pytest.approx((0.5, 30, 30))


def test_a_circular_factor_is_compared_the_shorter_way_round():
    assert label_scores(np.array([-179.0, 10]), np.array([179.0, 10]), circular=True)["mean_absolute_error"] == 1


def test_classes_have_an_accuracy_and_the_table_a_column_for_it():
    right = label_scores(np.array([0.0, 2, 2, 1]), np.array([0.0, 2, 1, 1]), classes=True)
    assert right == {"photographs": 4, "accuracy": 0.75}
    number = label_scores(np.array([1.0, 2]), np.array([1.0, 2]))
    framing = {"factors": {"form": right, "across": number}, "psnr_db": 20.0}
    over = {"form": {"accuracy": [0.5, 0.75]}, "across": {name: [score, score] for name, score in number.items()}}
    head, form, ranges, *_ = photograph_table({"framings": {"as given": framing}, "over_framings": over}).splitlines()
    assert head.split()[-1] == "accuracy"
    assert form.split() == ["form", "4", *"-" * 7, "0.75"]
    assert ranges.split() == ["any", "framing", "0.5", "to", "0.75"]


def test_labels_of_classes_are_names_or_indices_and_nothing_else(folder):
    classes = {"azimuth": (), "down": ("disc", "cube", "7")}
    text = "file,azimuth,down\n0.png,1,cube\n1.png,1,0\n2.png,2,7\n3.png,2,\n"
    found = read_photographs(folder, table(folder, text), FACTORS, classes)
    assert [each.labels.get("down") for each in found] == [1, 0, 2, None]
    for wrong in ("ball", "3", "1.5", "-1", "nan"):
        with pytest.raises(TrainingError, match=f"expected one of disc, cube, 7 as down, found '{wrong}' in row 2 of"):
            read_photographs(folder, table(folder, f"file,down\n0.png,{wrong}\n"), FACTORS, classes)


def test_angles_are_drawn_beside_their_labels():
    labels, read = np.array([[350.0], [355.0], [20.0]]), np.array([[-10.0], [-6.0], [21.0]])
    for circular, wanted in ((True, [350, 354, 21]), (False, [-10, -6, 21])):
        (axes,) = photograph_figure(["turn"], ["degree"], labels, read, [circular]).axes
        assert axes.lines[1].get_ydata() == pytest.approx(wanted)


HEADER = "file,azimuth\n"
WRONG = {
    "no file": (HEADER + "9.png,1\n", r"found no file '9.png' there, in row 2 of .*labels.csv"),
    "not a number": (
        HEADER + "0.png,1\n1.png,x\n",
        r"expected a number as azimuth, found 'x' in row 3 of .*labels.csv",
    ),
    "underscore": (HEADER + "0.png,1_0\n", r"expected a number as azimuth, found '1_0' in row 2"),
    "nan": (HEADER + "0.png,nan\n", r"expected a number as azimuth, found 'nan' in row 2"),
    "duplicate": (HEADER + "0.png,1\n0.png,2\n", r"expected each picture once, found 0.png in rows 2 and 3 of"),
    "unknown column": ("file,azimut\n0.png,1\n", r"found 'azimut', an unknown column, in row 1 of"),
    "column twice": (
        "file,azimuth,azimuth\n",
        r"labels.csv, row 1: expected different names of columns, found .*azimuth",
    ),
    "column twice, with a space": ("file,azimuth,azimuth \n0.png,1,1\n", r"found 'azimuth', twice, in row 1 of"),
    "no factor": ("file\n0.png\n", r"expected the column file and one factor or more out of azimuth, down, found file"),
    "no rows": (HEADER, r"labels.csv: expected rows of labels, found none"),
    "empty rows": (HEADER + ",\n,\n", r"expected rows of pictures below the names of the columns, found none"),
    "no label": (HEADER + "0.png,\n", r"expected a label or more, found none in row 2"),
    "short row": (HEADER + "0.png\n", r"labels.csv, row 2: expected 2 cells, found 1: correct the row"),
    "empty": ("", r"labels.csv: expected a table, found an empty file: check the file"),
    "eyes": ("file,azimuth,eyes\n0.png,1,3 4 5\n", r"expected four numbers as eyes, found 3 in row 2"),
    "both": ("file,azimuth,eyes,box\n0.png,1,,\n", r"expected one of the columns eyes and box, found both"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_table_is_refused_with_its_row(folder, what):
    text, words = WRONG[what]
    with pytest.raises(DcignError, match=words):
        read_photographs(folder, table(folder, text), FACTORS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_a_table_as_spreadsheets_save_it_is_read(folder, delimiter):
    rows = [["file", " azimuth", "down", "eyes"], ["0.png", "-0.2", "", "30.5 60 80 61.25"], ["", "", "", ""],
            ["1.png", "3", "+1.5", ""]]  # fmt: skip
    text = "\r\n".join(delimiter.join(row) for row in rows)
    if delimiter != ",":
        text = re.sub(r"(\d)\.(\d)", r"\1,\2", text)
    table(folder, "").write_text("\ufeff" + text, "utf-8")
    found = read_photographs(folder, folder / "labels.csv", FACTORS)
    assert [(each.path.name, each.row, each.labels) for each in found] == [
        ("0.png", 2, {"azimuth": -0.2}),
        ("1.png", 4, {"azimuth": 3.0, "down": 1.5}),
    ]
    assert [each.eyes for each in found] == [(30.5, 60.0, 80.0, 61.25), None]


def test_labels_as_json_lines_are_read(folder):
    (folder / "labels.jsonl").write_text('{"file": "0.png", "azimuth": -0.2}\n{"file": "1.png", "azimuth": null}\n')
    with pytest.raises(DcignError, match=r"expected a label or more, found none in row 2 of .*labels\.jsonl"):
        read_photographs(folder, folder / "labels.jsonl", FACTORS)
    (folder / "labels.jsonl").write_text('{"file": "0.png", "azimuth": -0.2}\n')
    (found,) = read_photographs(folder, folder / "labels.jsonl", FACTORS)
    assert (found.path, found.labels) == (folder / "0.png", {"azimuth": -0.2})


def test_a_missing_table_and_a_missing_folder_are_refused(folder):
    with pytest.raises(DataError, match=r"none.csv cannot be read \(No such file or directory\)"):
        read_photographs(folder, folder / "none.csv", FACTORS)
    with pytest.raises(TrainingError, match=r"expected a folder of pictures, found none in"):
        read_photographs(folder / "none", folder / "labels.csv", FACTORS)


def test_a_damaged_picture_is_named_with_its_row(folder):
    (folder / "3.png").write_bytes(b"")
    photos = read_photographs(folder, folder / "labels.csv", FACTORS)
    with pytest.raises(TrainingError, match=r"3.png, row 5: expected a picture in .*found an empty file"):
        measure_photographs(RUN, photos)


def test_foreign_heads_are_cut_out_by_the_eyes_of_the_table(tmp_path):
    found = shots(3, np.random.default_rng(5))
    lines = ["file,azimuth,eyes"]
    for number, shot in enumerate(found):
        Image.fromarray(shot.picture).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{shot.azimuth},{' '.join(map(str, shot.eyes))}")
    photos = read_photographs(tmp_path, table(tmp_path, "\n".join(lines)), FACTORS)
    seen = []
    codec = SimpleNamespace(
        encode=lambda images: seen.append(images) or RUN.codec.encode(images), decode=RUN.codec.decode
    )
    report = measure_photographs(SimpleNamespace(**{**vars(RUN), "codec": codec}), photos).report
    assert report["photographs"] == report["framings"]["as given"]["factors"]["azimuth"]["photographs"] == 3
    for image, shot in zip(seen[0], found, strict=True):
        wanted = fitted(Image.fromarray(shot.picture), SIZE, 3, window_of_eyes(shot.eyes))
        np.testing.assert_array_equal(image, wanted)


def test_the_command_wants_both_options_and_says_so(tmp_path):
    words = ["evaluate", str(tmp_path), "--photos", str(tmp_path)]
    result = CliRunner().invoke(cli.dcign, words)
    assert result.exit_code == 2
    assert "expected both --photos FOLDER and --labels CSV, found one" in result.output
    result = CliRunner().invoke(cli.dcign, ["evaluate", str(tmp_path), "--detect"])
    assert "expected --photos FOLDER with --detect and --out, found none" in result.output


def test_the_command_writes_the_report_and_the_chart(folder, tmp_path, monkeypatch):
    from dcign.trained.trained_run import TrainedRun

    described = SimpleNamespace(**vars(RUN.description), units=("share", "share"))
    run = SimpleNamespace(**{**vars(RUN), "description": described}, factors=FACTORS, folder=folder)
    monkeypatch.setattr(TrainedRun, "open", lambda *words: run)
    out = tmp_path / "out"
    words = ["evaluate", str(folder), "--photos", folder, "--labels", folder / "labels.csv", "--out", out]
    result = CliRunner().invoke(cli.dcign, [*map(str, words)])
    assert result.exit_code == 0, result.output
    assert "any framing" in result.output
    assert json.loads((out / "photos.json").read_text())["photographs"] == 5
    with Image.open(out / "photos.png") as chart:
        assert chart.width > 300


def test_results_of_the_network_of_the_package_need_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    words = ["evaluate", "face", "--photos", str(folder), "--labels", str(folder / "labels.csv")]
    result = CliRunner().invoke(cli.dcign, words)
    assert result.exit_code == 1
    assert "expected --out FOLDER with face, a network of the package, found none" in result.output
    assert not (folder / "face").exists()
