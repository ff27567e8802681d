"""The supervised ceiling and the face detector, on as little as they run on."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.evaluate import detector_recall, rerendering, supervised, swap_distance
from dcign.evaluate.codes import encode_split
from dcign.evaluate.coefficients import as_amounts
from dcign.evaluate.sweeps import sweep_of
from dcign.inputs.source import DataSource
from dcign.recipes.registry import RECIPES
from dcign.run.code_layout import CodeLayout
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from tests.support.toys import write_toys


def test_an_encoder_that_is_told_the_labels_learns_them(small_faces, tmp_path, monkeypatch, capsys):
    out = tmp_path / "deeper" / "ceiling.json"
    monkeypatch.setattr(
        sys, "argv", ["ceiling", str(small_faces), "--steps", "150", "--recipe", "vae", "--out", str(out)]
    )
    supervised.main()
    found = json.loads(out.read_text())
    assert (found["steps"], found["images_seen"], found["seed"]) == (150, 150 * 8, 0)
    assert list(found["factors"]) == ["azimuth", "elevation", "light_azimuth"]
    assert found["factors"]["azimuth"]["r2"] > 0.5
    assert "azimuth: R2 0." in capsys.readouterr().out


def test_the_ceiling_of_a_class_is_an_accuracy_and_that_of_an_angle_wraps(tmp_path, monkeypatch, capsys):
    toys = write_toys(tmp_path / "toys", size=28)
    small = {"encoder_widths": (16,), "decoder_widths": (8,), "encoder_hidden": 32, "decoder_hidden": 16, "latents": 8}
    recipe = replace(RECIPES["swap"], **small)
    monkeypatch.setattr(supervised, "recipe_named", lambda name: recipe)
    out = tmp_path / "ceiling.json"
    monkeypatch.setattr(sys, "argv", ["ceiling", str(toys), "--steps", "250", "--out", str(out)])
    supervised.main()
    across, form, hue = json.loads(out.read_text())["factors"].values()
    assert form["accuracy"] > 0.8  # 1 / 3 by chance
    assert form.keys() == {"r2", "accuracy"}
    assert across["r2"] > 0.7
    assert hue["mean_absolute_error"] < 30  # 90 by chance
    assert "form: accuracy " in capsys.readouterr().out


def test_a_network_with_too_few_latents_for_the_classes_is_refused(tmp_path):
    toys = write_toys(tmp_path / "toys", splits={"train": 4, "iid": 10}, size=28)
    recipe = replace(RECIPES["swap"], latents=5, class_latents=1)
    with pytest.raises(
        BenchmarkError, match="expected a recipe with 6 latents or more, one per number or class, found 5"
    ):
        supervised.measure(DataSource(toys), TrainConfiguration("", "", recipe, 1, 0))


class AllKnowing:
    """Stands for a codec whose code is the labels and the coefficients of a picture that it knows."""

    def __init__(self, source, description, recipe):
        """Learn all pictures by heart."""
        self.description, self.layout, self.known = description, CodeLayout.of(description, recipe), {}
        for split in ("train", "test", "iid"):
            whole = source.labelled(split)
            told = [
                as_amounts(
                    source.trait("train", part, np.arange(9)), source.trait(split, part, np.arange(len(whole.kind)))
                )[1]
                for part in description.parts
            ]
            code = np.concatenate([whole.factors, *told], axis=-1)
            self.known |= {
                image.tobytes(): row
                for image, row in zip(
                    whole.images.reshape(-1, 32, 32, 3), code.reshape(-1, code.shape[-1]), strict=True
                )
            }

    def encode(self, images, progress=None):
        """Recall the codes of pictures, without any uncertainty."""
        mu = np.array([self.known[image.tobytes()] for image in images])
        return mu, np.full_like(mu, -20.0)


def test_the_ceiling_has_an_output_for_each_coefficient_of_the_parts(people_faces):
    source = DataSource(people_faces)
    description = source.description()
    configuration = TrainConfiguration("", "", RECIPES["swap"], 3, 0)
    parts, wide = supervised.with_coefficients(source, description, configuration)
    assert list(parts) == ["shape", "skin", "hair"]
    assert {part: values.shape[-1] for part, values in parts.items()} == wide.recipe.latents_of_parts
    for values in parts.values():
        assert np.allclose(values.mean(axis=(0, 1)), 0, atol=1e-4)
        assert np.allclose(values.std(axis=(0, 1)), 1, atol=1e-4)
    train = source.labelled("train")
    codec = supervised.train_regressor(train, parts, description, wide)
    fitted, held = (encode_split(codec, source.labelled(split)) for split in ("train", "test"))
    found = supervised.trait_scores(source, codec, parts, fitted, held)
    assert list(found["parts"]) == ["shape", "skin", "hair"]
    assert list(found["leakage"]) == list(description.factors)


def test_outputs_that_are_the_truth_explain_their_part_and_nothing_else(people_faces):
    source = DataSource(people_faces)
    description = source.description()
    parts, wide = supervised.with_coefficients(source, description, TrainConfiguration("", "", RECIPES["swap"], 1, 0))
    codec = AllKnowing(source, description, wide.recipe)
    fitted, held = (encode_split(codec, source.labelled(split)) for split in ("train", "test"))
    found = supervised.trait_scores(source, codec, parts, fitted, held)
    for score in found["parts"].values():
        assert score["own_r2"] > 0.2  # of unseen people, from one batch of 20
        assert score["leakage_r2"] < 0.01


def test_a_network_trained_to_turn_a_picture_turns_it_nearer_the_more_it_is_trained(
    small_faces, tmp_path, monkeypatch, capsys
):
    found = {}
    for steps in (1, 200):
        out = tmp_path / "deeper" / f"{steps}.json"
        monkeypatch.setattr(sys, "argv", ["rerendering", str(small_faces), "--steps", str(steps), "--out", str(out)])
        rerendering.main()
        found[steps] = json.loads(out.read_text())["psnr_db"]
    assert list(found[200]) == ["azimuth", "elevation", "light_azimuth"]
    assert all(found[200][name] > found[1][name] + 1 for name in found[1])
    assert "azimuth: " in capsys.readouterr().out


def test_a_turned_picture_is_of_the_factors_that_it_is_given(small_faces):
    # Whatever the encoder says of them: of one factor the sweep's level over its scale, of the others their rest.
    source = DataSource(small_faces)
    sweep, scale = source.labelled("sweep"), np.array([50.0, 20.0, 80.0])
    asked = []

    class Drawn:
        def encode(self, images):
            return np.full((len(images), 5), 7.0), None

        def decode(self, code):
            asked.append(code.copy())
            return np.zeros((len(code), *sweep.images.shape[2:]))

    rerendering.rerendering_psnr(Drawn(), sweep, 0, scale)
    asked = np.array(asked)
    assert np.allclose(np.unique(asked[:, :, 0]) * 50, sweep_of(sweep, 0).levels)
    assert np.all(asked[:, :, 1:3] == 0)  # at rest, not what the encoder says
    assert np.all(asked[:, :, 3:] == 7)


@pytest.mark.parametrize(("judge", "figure"), [(supervised, "factors"), (rerendering, "psnr_db")])
def test_the_same_seed_gives_the_same_ceiling(small_faces, judge, figure):
    source = DataSource(small_faces)
    first, again, other = (
        judge.measure(source, TrainConfiguration("", "", RECIPES["swap"], 3, seed))[figure] for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.fixture(scope="module")
def run(small_faces, tmp_path_factory):
    """A run of one step."""
    out = tmp_path_factory.mktemp("judged") / "run"
    train(TrainConfiguration(str(small_faces), str(out), RECIPES["swap-1"], 1, 0, device="cpu"))
    return out


def test_the_share_is_of_the_faces_that_were_found_before(run, monkeypatch, capsys):
    near = []

    def found(images):
        near.append(len(images))
        return np.arange(len(images)) % 2 < len(near)  # first every second picture, then all of them

    monkeypatch.setattr(detector_recall, "detect_faces", found)
    monkeypatch.setitem(detector_recall.NEAR_FRONTAL, "azimuth", 60.0)
    monkeypatch.setattr(sys, "argv", ["haar", str(run), "--json"])
    detector_recall.main()
    told = json.loads(capsys.readouterr().out)
    assert near[0] == near[1] == told["pictures"] < 40  # of two batches, those near the front
    assert told["found"] == told["both"] == (told["pictures"] + 1) // 2
    assert told["share"] == 1
    assert json.loads((run / "haar.json").read_text()) == told


def test_rendered_faces_are_found_and_those_of_a_network_of_one_step_are_not(run, monkeypatch):
    told = detector_recall.measure(run)
    assert told["found"] > 0
    assert (told["both"], told["share"]) == (0, 0.0)
    monkeypatch.setattr(detector_recall, "detect_faces", lambda images: np.zeros(len(images), bool))
    assert detector_recall.measure(run)["share"] is None


def test_nothing_is_found_in_an_empty_picture_of_either_kind():
    assert not detector_recall.detect_faces(np.zeros((1, 64, 64, 1), np.uint8)).any()
    assert not detector_recall.detect_faces(np.full((1, 64, 64, 3), 90.0)).any()


def test_other_shards_than_the_run_s_are_not_judged(run, small_faces, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(small_faces, other)
    manifest = other / "dataset.json"
    digest = DataSource(small_faces)._dataset.splits["iid"][0].sha256
    manifest.write_text(manifest.read_text().replace(digest, "0" * 64))
    (run / "haar.json").unlink(missing_ok=True)
    monkeypatch.setattr(sys, "argv", ["haar", str(run), "--data", str(other)])
    with pytest.raises(
        SystemExit, match=r"^Error: expected the shards on which the run was trained, found others in .*other"
    ):
        detector_recall.main()
    assert not (run / "haar.json").exists()


def test_without_opencv_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(BenchmarkError, match=r"expected OpenCV.*pip install -e \.\[dev\]"):
        detector_recall.detect_faces(np.zeros((1, 64, 64, 1), np.uint8))


@pytest.mark.parametrize("judge", [supervised, rerendering])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--recipe", "nope"], "expected the name of a recipe, found 'nope'"),
        (["--steps", "-3"], "expected steps to be .*, found -3"),
        (["--steps", "0"], "expected steps to be .*, found 0"),
    ],
)
def test_a_ceiling_of_nothing_is_refused_in_a_sentence(small_faces, tmp_path, monkeypatch, judge, options, sentence):
    out = str(tmp_path / "ceiling.json")
    monkeypatch.setattr(sys, "argv", ["ceiling", str(small_faces), "--out", out, *options])
    with pytest.raises(SystemExit, match=f"^Error: {sentence}"):
        judge.main()


@pytest.mark.parametrize("benchmark", [supervised, rerendering, detector_recall])
def test_a_folder_that_is_not_there_is_refused_in_a_sentence(benchmark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark", "nothere"])
    with pytest.raises(SystemExit, match=r"^Error: .*nothere"):
        benchmark.main()


def test_swaps_are_told_by_how_far_they_go(run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["swaps", str(run), "--bins", "3", "--json"])
    swap_distance.main()
    told = json.loads(capsys.readouterr().out)
    assert json.loads((run / "swaps.json").read_text()) == told
    assert sum(row["pairs"] for row in told["bins"]) == 20  # the one test batch in which azimuth varies
    assert told["bins"][0]["from"] == 0
    assert all(row["ratio"] > 0 for row in told["bins"])
    errors = [swap_distance.measure(run, "azimuth", count)["bins"] for count in (1, 3)]
    assert errors[1] == told["bins"]
    assert min(row["ratio"] for row in errors[1]) <= errors[0][0]["ratio"] <= max(row["ratio"] for row in errors[1])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--factor", "roll"], "found 'roll': choose from azimuth"), (["--bins", "0"], "e.g. --bins 9")],
)
def test_swaps_refuse_what_there_is_not(run, monkeypatch, words, sentence):
    monkeypatch.setattr(sys, "argv", ["swaps", str(run), *words])
    with pytest.raises(SystemExit, match=sentence):
        swap_distance.main()
