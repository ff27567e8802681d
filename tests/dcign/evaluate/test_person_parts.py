"""The scores of parts of a person: on codes whose content is known, and from a rendered data set to the table."""

import json

import numpy as np
import pytest

from dcign.evaluate.codes import encode_split
from dcign.evaluate.evaluation import evaluate
from dcign.evaluate.person_parts import PartSample, measure_parts, read_parts
from dcign.evaluate.pictures.reconstruction import measure_reconstruction
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.recipes.registry import SWAP, VAE, changed
from dcign.report.table import evaluation_table
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.drawn import Drawn, drawn
from tests.support.evaluation import EVALUATION

pytestmark = pytest.mark.usefixtures("quick_evaluations")

PARTS = ("shape", "skin", "hair")
RECIPE = changed(SWAP, {"shape_latents": 3, "skin_latents": 3, "hair_latents": 3})
DESCRIPTION = ImageDescription(4, 1, ("turn",), ("degree",), (-1,), "none", parts=PARTS)
LAYOUT = CodeLayout.of(DESCRIPTION, RECIPE)
OFFSET = 0.02  # of every decoded pixel: decoded pictures are a bit too light


def batches_of(count, seed, leak):
    """Batches of hair: two of its three coefficients are seen in its block, and the first by `leak` in the skin's."""
    rng = np.random.default_rng(seed)
    hair = rng.uniform(-1, 1, (count, 20, 3))
    codes = np.repeat(rng.uniform(-0.4, 0.4, (count, 1, LAYOUT.size)), 20, axis=1)
    codes[..., LAYOUT.latents_of("hair")[:2]] = 0.9 * hair[..., :2]
    codes[..., LAYOUT.latents_of("skin")[0]] += leak * hair[..., 0]
    images = drawn(codes.reshape(-1, LAYOUT.size)).reshape(count, 20, 4, 4, 1).astype(np.uint8)
    kind = np.full(count, DESCRIPTION.kinds.index("hair"))
    return LabelledBatches(images, np.zeros((count, 20, 1), np.float32), kind, None), hair


def scores(leak, recipe=RECIPE):
    codec = Drawn(DESCRIPTION, recipe, LAYOUT, OFFSET)
    (fitted, coefficients), (test, tested) = batches_of(60, 0, leak), batches_of(10, 1, leak)
    codes = encode_split(codec, test)
    sample = PartSample("hair", fitted, coefficients, tested)
    return measure_parts(codec, [sample], test, codes, measure_reconstruction(codec, test, codes))


def test_a_block_that_holds_two_of_three_coefficients_explains_as_much_as_the_whole_code_and_swaps():
    score = scores(leak=0)["hair"]
    assert score["own_r2"] == pytest.approx(2 / 3, abs=0.03)
    assert score["whole_r2"] == pytest.approx(score["own_r2"], abs=0.01)
    assert score["leakage_r2"] == pytest.approx(0, abs=0.01)
    assert score["swap_ratio"] == pytest.approx(1, abs=0.05)
    assert score["copy_ratio"] > 20


def test_a_part_that_another_block_tells_too_leaks():
    score = scores(leak=0.5)["hair"]
    assert score["leakage_r2"] == pytest.approx(1 / 3, abs=0.06)
    assert score["own_r2"] == pytest.approx(2 / 3, abs=0.03)
    assert score["swap_ratio"] > 5


def test_without_assigned_latents_no_part_has_a_block_to_score():
    assert scores(leak=0, recipe=VAE) == {}


@pytest.fixture(scope="module")
def run(people_faces, tmp_path_factory):
    """A run of two steps on a data set that varies every part."""
    out = tmp_path_factory.mktemp("parts") / "run"
    train(TrainConfiguration(str(people_faces), str(out), RECIPE, 2, 0, device="cpu", threads=1))
    return TrainedRun.open(out)


def test_a_sample_of_a_part_has_its_batches_and_the_coefficients_that_it_alone_moves(people_faces, run):
    source = DataSource(people_faces)
    samples = read_parts(source, run.description, 400)
    assert [sample.name for sample in samples] == [*PARTS]
    train_split, test = source.labelled("train"), source.labelled("test")
    for sample in samples:
        kind = run.description.kinds.index(sample.name)
        np.testing.assert_array_equal(sample.fitted.images, train_split.images[train_split.kind == kind])
        assert sample.coefficients.shape[:2] == sample.fitted.images.shape[:2]
        assert len(sample.tested) == (test.kind == kind).sum()
        assert (sample.tested.std(axis=1) > 0).any()


def test_an_evaluation_scores_the_parts_and_the_table_shows_them(run):
    found = evaluate(run, thread_count=1).report
    assert [*found["parts"]] == [*PARTS]
    assert found["parts"]["hair"].keys() == {"own_r2", "whole_r2", "leakage_r2", "swap_ratio", "copy_ratio"}
    assert [*found["blocks"]] == [*run.description.factors, *PARTS]
    assert run.description.of_identity == ("age", "sex")
    assert json.loads((run.folder / "evaluation.json").read_text())["parts"] == found["parts"]
    lines = evaluation_table([TrainedRun.open(run.folder).evaluation]).splitlines()
    assert any(line.startswith("hair ") for line in lines)
    assert found["recombination"]["all"]["images"] == 16 * len(run.data().mixed().sources)
    assert any(line.startswith("mixed ") for line in lines)


def test_the_table_marks_a_swap_of_a_part_that_is_worse_than_the_picture_unchanged():
    score = {"own_r2": 0.2, "whole_r2": 0.2, "leakage_r2": 0.1, "swap_ratio": 1.5, "copy_ratio": 1.2}
    table = evaluation_table([EVALUATION | {"parts": {"hair": score, "skin": score | {"copy_ratio": 3.0}}}])
    hair, skin = (line.split() for line in table.splitlines() if line.startswith(("hair", "skin")))
    assert (hair[4], skin[4]) == ("1.50!", "1.50")
