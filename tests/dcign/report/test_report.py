"""The report of a run: one page that needs nothing else, and the pictures beside it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.errors import DataError, TrainingError
from dcign.evaluate.evaluation import evaluate
from dcign.figures.encoded import Reading
from dcign.inputs.source import DataSource
from dcign.recipes.registry import RECIPES, changed
from dcign.report import compare, refuse_report, write_comparison, write_report
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.commands import train_command
from dcign.trained.trained_run import TrainedRun

pytestmark = pytest.mark.usefixtures("quick_evaluations")

SECTIONS = (
    "first-factor", "factors", "inferred", "relight", "entangled", "traversal", "swaps", "reconstruction", "invariance",
    "metrics", "robustness", "training", "made",
)  # fmt: skip
COMPARED = ("inferred", "spread", "figures", "runs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VOID = ("meta", "link", "img", "br", "hr", "input")


@pytest.fixture(scope="module")
def runs(small_faces, tmp_path_factory):
    """A `swap` run and a plain VAE, too short to have learnt anything, both evaluated."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("swap", "vae"):
        out = str(folder / name)
        train(TrainConfiguration(data=str(small_faces), out=out, recipe=RECIPES[name], steps=3, seed=0, device="cpu"))
        evaluate(TrainedRun.open(folder / name), thread_count=1)
    return folder


@pytest.fixture(scope="module")
def written(runs):
    """What is written of the `swap` run beside the plain VAE."""
    return write_report(TrainedRun.open(runs / "swap"), against=TrainedRun.open(runs / "vae"), thread_count=1)


@pytest.fixture
def run(runs, tmp_path):
    """A copy of the `swap` run, to change."""
    return Path(shutil.copytree(runs / "swap", tmp_path / "run"))


class Page(HTMLParser):
    """What a page refers to, its ids, its text, and whether its elements close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.ids: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.references += [given[name] for name in ("src", "href", "xlink:href", "srcset", "data") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.scripts += tag in ("script", "iframe", "object", "embed")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_every_picture_is_drawn_and_is_not_blank(written):
    names = ["report.html", "traversal.png", "inferred.png", "reconstruction.png", "relight.png"]
    assert [path.name for path in written] == names
    for path in written[1:]:
        with Image.open(path) as picture:
            assert picture.width > 800
            assert np.asarray(picture.convert("L")).std() > 10


def test_the_page_refers_to_nothing_outside_of_itself(written):
    text = written[0].read_text(encoding="utf-8")
    page = Page(text)
    assert page.scripts == 0
    assert not page.open
    assert page.references
    assert all(reference.startswith(("data:", "#")) for reference in page.references)
    assert all(found.startswith("#") for found in re.findall(r"url\(['\"]?([^)'\"]*)", text))
    assert "@import" not in text
    addresses = set(re.findall(r"https?://[^\"'<\s]*", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, not places
    assert "default-src 'none'" in text


def test_the_page_has_every_section_and_leads_to_each(written):
    text = written[0].read_text(encoding="utf-8")
    page = Page(text)
    assert [name for name in page.ids if name in SECTIONS] == list(SECTIONS)
    assert {
        reference[1:] for reference in page.references if reference.startswith("#") and reference[1:] in SECTIONS
    } == (set(SECTIONS) - {"first-factor"})
    curves = "cosine to the code at rest" in text  # of latents that are alive: in so short a run there may be none
    assert text.count("<svg") == 2 + 1 + curves + 1  # two dials, inferred against true, curves, training
    for word in ("swap", "vae", "best latent", "renderer's truth", "Leak", "dcign train", "azimuth", "PSNR"):
        assert word.lower() in page.words.lower(), word


def test_the_colours_of_the_charts_are_the_page_s(written):
    text = written[0].read_text(encoding="utf-8")
    charts = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    assert "var(--run)" in charts
    assert "var(--other)" in charts
    assert not re.findall(r"(?:fill|stroke): ?#(?!f{3}\b|f{6}\b)[0-9a-f]{3,6}", charts)


def test_without_another_run_there_is_nothing_beside_it(runs, run):
    text = write_report(TrainedRun.open(run), thread_count=1)[0].read_text(encoding="utf-8")
    assert 'id="entangled"' not in text
    assert 'class="hero other' not in text
    assert 'class="hero run alone"' in text


def test_curves_of_invariance_are_drawn_where_the_evaluation_has_them(run):
    report = json.loads((run / "evaluation.json").read_text())
    for score in report["factors"].values():
        score["invariance_curve"] = {"levels": [-10, 0, 10], "cosine": [0.9, 1.0, None]}
    (run / "evaluation.json").write_text(json.dumps(report))
    assert "has no such curves" in write_report(TrainedRun.open(run), thread_count=1)[0].read_text(encoding="utf-8")
    for score in report["factors"].values():
        score["invariance_curve"]["cosine"] = [0.9, 1.0, 0.8]
    (run / "evaluation.json").write_text(json.dumps(report))
    assert "cosine to the code at rest" in write_report(TrainedRun.open(run), thread_count=1)[0].read_text(
        encoding="utf-8"
    )


def test_a_log_cut_off_in_a_line_is_drawn_as_far_as_it_is_whole(run):
    line = {"step": 1, "loss": 5.0, "divergence": 1.0}
    (run / "log.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(line | {"step": 2}) + '\n{"step": 3, "lo')
    assert "nats per image" in write_report(TrainedRun.open(run), thread_count=1)[0].read_text(encoding="utf-8")
    (run / "log.jsonl").unlink()
    assert "no log.jsonl" in write_report(TrainedRun.open(run), thread_count=1)[0].read_text(encoding="utf-8")


def test_words_of_a_run_cannot_become_markup(run):
    found = json.loads((run / "configuration.json").read_text())
    found["recipe"]["summary"] = "<script>alert(1)</script>"
    found["data"] = str(found["data"])
    (run / "configuration.json").write_text(json.dumps(found))
    text = write_report(TrainedRun.open(run), thread_count=1)[0].read_text(encoding="utf-8")
    assert Page(text).scripts == 0
    assert "&lt;script&gt;" in text


def test_the_drawing_tells_its_way_from_nothing_to_all(run, runs):
    told = []
    write_report(
        TrainedRun.open(run),
        against=TrainedRun.open(runs / "vae"),
        thread_count=1,
        progress=lambda *now: told.append(now),
    )
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert len(set(fractions)) > len(dict(told)) == 5


def test_a_reading_knows_its_error_and_that_of_a_guess():
    levels = np.array([-10.0, 0.0, 10.0])
    exact = Reading("latent 0", levels, np.repeat(levels[:, None], 2, axis=1))
    assert (exact.score, exact.error) == (1, 0)
    blind = Reading("latent 0", levels, np.zeros((3, 2)))
    assert blind.score == 0
    assert blind.error == blind.blind_error == pytest.approx(20 / 3)


def test_the_command_that_made_a_run_is_given_again(small_faces):
    recipe = changed(RECIPES["swap"], {"mirror": False, "beta": 0.5})
    configuration = TrainConfiguration("my faces", "runs/x", recipe, 5, 3, ratio=(1, 1, 1, 10))
    assert train_command(configuration) == (
        "dcign train 'my faces' --recipe swap --set mirror=false --set beta=0.5 --ratio 1:1:1:10 --steps 5 --seed 3 "
        "--out runs/x"
    )
    assert train_command(replace(configuration, refine=7)).endswith("--steps 5 --seed 3 --refine 7 --out runs/x")


def test_the_command_says_what_the_recipe_was_then_where_it_is_another_today():
    recipe = replace(RECIPES["paper"], sigma=0.123456789, latents=32, ratio=(1, 1, 1, 3))  # of its old name
    words = train_command(TrainConfiguration("faces", "runs/x", recipe, 5, 3))
    assert "--recipe paper --set latents=32 --set sigma=0.123456789 --ratio 1:1:1:3 --steps 5" in words


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot read .*evaluation.json"),
        ("[]", "expected the format dcign-evaluation, found another"),
        ('{"format": "dcign-evaluation", "version": 9}', "expected version 1 of dcign-evaluation, found 9"),
        ('{"format": "dcign-evaluation", "version": 1, "recipe": 3}', r"Expected `str`, got `int` - at `\$\.recipe`"),
        ("[" * 100_000, "cannot read"),
    ],
)
def test_a_damaged_evaluation_is_one_sentence(run, text, sentence):
    (run / "evaluation.json").write_text(text)
    with pytest.raises(TrainingError, match=sentence) as raised:
        _ = TrainedRun.open(run).evaluation
    assert "evaluate the run again" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_run_that_was_not_evaluated_is_named_with_what_to_do(run, tmp_path):
    (run / "evaluation.json").unlink()
    with pytest.raises(TrainingError, match=r"expected evaluation\.json in .*, found none: run dcign evaluate"):
        write_report(TrainedRun.open(run))
    with pytest.raises(TrainingError, match="holds no run"):
        write_report(TrainedRun.open(tmp_path))


def test_an_evaluation_of_an_earlier_step_is_refused(run):
    report = json.loads((run / "evaluation.json").read_text())
    (run / "evaluation.json").write_text(json.dumps(report | {"steps": 2}))
    with pytest.raises(TrainingError, match="expected an evaluation of step 3, found one of step 2"):
        write_report(TrainedRun.open(run))


def test_an_exported_network_is_no_run_to_evaluate(run):
    opened = TrainedRun.open(run)
    exported = replace(opened, exported=opened.published)
    for first, against in ((exported, None), (opened, exported)):
        with pytest.raises(TrainingError, match=r"found an exported network in .* cannot be evaluated: name the run"):
            refuse_report(first, against=against)


def test_what_a_report_cannot_be_made_of_is_refused_before_the_work(runs, run, small_faces, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        refuse_report(TrainedRun.open(run), tmp_path / "nowhere")
    with pytest.raises(TrainingError, match="holds no run"):
        refuse_report(TrainedRun.open(run), against=TrainedRun.open(tmp_path))
    found = json.loads((run / "configuration.json").read_text())
    (run / "configuration.json").write_text(json.dumps(found | {"data": "moved"}))
    with pytest.raises(
        TrainingError, match=r"data set of the run in .*moved, found nothing there: name .* with --data"
    ):
        refuse_report(TrainedRun.open(run))
    refuse_report(TrainedRun.open(run), small_faces, TrainedRun.open(runs / "vae"))
    (run / "configuration.json").write_text(json.dumps(found))
    other = tmp_path / "other"
    shutil.copytree(runs / "vae", other)
    found = json.loads((other / "configuration.json").read_text())
    found["description"]["data_sha256"] = "0" * 64
    (other / "configuration.json").write_text(json.dumps(found))
    with pytest.raises(TrainingError, match="expected a run of the same data set"):
        refuse_report(TrainedRun.open(run), against=TrainedRun.open(other))
    before = sorted(path.name for path in run.iterdir())
    refuse_report(TrainedRun.open(run), against=TrainedRun.open(runs / "vae"))
    assert sorted(path.name for path in run.iterdir()) == before


def test_data_without_what_is_drawn_are_refused_by_the_name_of_the_split(run, small_faces, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(small_faces, bare)
    whole = json.loads((bare / "dataset.json").read_text())
    found = json.loads((run / "configuration.json").read_text())
    for split, work in (("test", refuse_report), ("iid", refuse_report)):  # sweeps are cut from the grid
        splits = {name: shards for name, shards in whole["splits"].items() if name != split}
        (bare / "dataset.json").write_text(json.dumps(whole | {"splits": splits}))
        found["description"]["data_sha256"] = DataSource(bare).sha256()
        (run / "configuration.json").write_text(json.dumps(found))
        with pytest.raises(TrainingError, match=f"expected a split '{split}' in .*, found none"):
            work(TrainedRun.open(run), bare)


def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(run, monkeypatch):
    def refuse(self, *rest, **more):
        raise PermissionError(30, "Read-only file system")

    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    monkeypatch.setattr("dcign.storage.atomic.os.fsync", refuse)
    with pytest.raises(TrainingError, match=r"the file system is read-only.* The trained network is kept"):
        refuse_report(TrainedRun.open(run))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_comparison_is_a_page_that_refers_to_nothing_outside_of_itself(runs, tmp_path):
    path = tmp_path / "compare.html"
    write_comparison(compare([runs / "swap", runs / "vae"]), path, thread_count=1)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.scripts == 0
    assert all(reference.startswith(("data:", "#")) for reference in page.references)
    assert [name for name in page.ids if name in COMPARED] == list(COMPARED)
    assert text.count("<svg") == 2 * 3 + 1  # a thumbnail a run and factor, and the seeds
    with pytest.raises(TrainingError, match=r"expected the folder .*, found none"):
        write_comparison(compare([runs / "swap"]), tmp_path / "nowhere" / "compare.html")


def test_a_comparison_as_a_picture_has_a_column_a_recipe(runs, tmp_path):
    path = tmp_path / "compare.png"
    write_comparison(compare([runs / "swap", runs / "vae"]), path, thread_count=1)
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blue, orange, third = (0, 114, 178), (213, 94, 0), pixels.shape[1] // 3
    for part, own, other in ((pixels[:, :third], blue, orange), (pixels[:, -third:], orange, blue)):
        colours = part.reshape(-1, 3)
        # Lines are half transparent over white and over each other: what counts is to which side of gray they lean.
        leaning = (colours - colours.mean(axis=1, keepdims=True)) @ (np.array(own) - np.array(other))
        assert (leaning > 5000).sum() > 100
        assert (leaning < -5000).sum() == 0


def test_a_comparison_that_cannot_be_written_says_what_to_mend(runs, tmp_path, monkeypatch):
    def refuse(self, *rest, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dcign.storage.atomic.os.fsync", refuse)
    with pytest.raises(DataError, match=r"compare\.png could not be written: the disk is full; free some space, or"):
        write_comparison(compare([runs / "swap"]), tmp_path / "compare.png", thread_count=1)
    assert not list(tmp_path.glob("compare.png"))


def test_a_comparison_of_another_name_is_refused(runs, tmp_path):
    with pytest.raises(TrainingError, match=r"expected NAME\.html .*NAME\.png for a picture, found .*compare\.pdf"):
        write_comparison(compare([runs / "swap"]), tmp_path / "compare.pdf")


def test_the_page_opens_in_a_browser_without_network(written, tmp_path):
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium here")
    shot = tmp_path / "page.png"
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1366,768"]
    words += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    subprocess.run(
        [browser, *words, f"--screenshot={shot}", written[0].as_uri()], check=True, capture_output=True, timeout=120
    )
    with Image.open(shot) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    colours = pixels.reshape(-1, 3)
    for wanted in ((0, 114, 178), (199, 80, 0)):  # both runs stand on the first screen
        assert (np.abs(colours - wanted).max(axis=1) < 12).sum() > 500
