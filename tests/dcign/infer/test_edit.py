"""Editing: one picture read and rendered again, from Python and by the command, faces or not."""

import dataclasses
import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from dcign import cli
from dcign.errors import TrainingError
from dcign.infer.edit import Edit, arranged, caution, describe, edit, parse_values, usual_decibels, warning
from dcign.infer.read_picture import fitted
from dcign.infer.window import window_of_eyes
from dcign.infer.write_pictures import save_strip
from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import SWAP, WILD
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train_on
from dcign.trained.calibration import calibrate, factor_values, write_calibrations
from dcign.trained.trained_run import TrainedRun
from tests.support.evaluation import EVALUATION

DESCRIPTION = ImageDescription(
    size=32, channels=1, factors=("across", "tilt_up"), units=("px", "px"), mirror_signs=(-1, 1), data_sha256="none"
)
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two steps on noise, with calibrations in which a latent is its factor over 50."""
    folder = tmp_path_factory.mktemp("edit") / "run"
    noise = torch.randint(0, 256, (3, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    settings = {"data": "noise", "seed": 0, "device": "cpu", "threads": 1, "ratio": (1.0, 1.0, 1.0)}
    configuration = TrainConfiguration(out=str(folder), recipe=SWAP, steps=2, **settings)
    train_on(TrainingBatches(noise, np.arange(3)), DESCRIPTION, configuration)
    values = np.linspace(-60, 60, 121)
    fits = [calibrate(name, latent, values / 50, values) for latent, name in enumerate(DESCRIPTION.factors)]
    write_calibrations(folder, fits)
    return folder


@pytest.fixture(scope="module")
def loaded(run):
    return TrainedRun.open(run).codec, TrainedRun.open(run).calibrations


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(IMAGE[..., 0]).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def dcign(*words):
    return CliRunner().invoke(cli.dcign, ["edit", *map(str, words)])


def refused(*words):
    result = dcign(*words)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def test_a_factor_that_is_set_is_its_latent_in_the_code_and_the_rest_stays(loaded):
    codec, calibrations = loaded
    edited = edit(codec, calibrations, IMAGE, {"tilt_up": [-50, 25]})
    mu = np.repeat(codec.encode(IMAGE[None])[0], 3, axis=0)
    mu[1:, 1] = -1, 0.5
    wanted = codec.decode(mu)
    np.testing.assert_array_equal(edited.reconstruction, wanted[0])
    np.testing.assert_array_equal(edited.pictures, wanted[1:])
    assert list(edited.read) == ["across", "tilt_up"]
    np.testing.assert_allclose(list(edited.read.values()), factor_values(mu[:1], calibrations)[0])
    error = np.square(wanted[0] - IMAGE / 255).mean()
    assert edited.psnr_db == pytest.approx(-10 * np.log10(error), abs=1e-4)


def test_nothing_asked_for_is_a_reconstruction(loaded):
    edited = edit(*loaded, IMAGE, {})
    np.testing.assert_array_equal(edited.pictures, edited.reconstruction[None])


def test_a_picture_of_another_size_or_type_is_refused(loaded):
    for wrong in (IMAGE[:31], IMAGE[..., 0], IMAGE / 255):
        with pytest.raises(TrainingError, match=r"expected a picture uint8 \(32, 32, 1\)"):
            edit(*loaded, wrong, {})


@pytest.mark.parametrize("value", [62, -1e9, float("nan")])
def test_a_value_that_training_did_not_cover_is_refused(loaded, value):
    with pytest.raises(TrainingError, match=r"expected across from -60 to 60, the range of training, found"):
        edit(*loaded, IMAGE, {"across": [0, value]})


def test_a_little_beyond_the_end_is_the_end(loaded):
    pictures = edit(*loaded, IMAGE, {"across": [60, 61]}).pictures
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_a_factor_that_is_not_there_is_refused(loaded):
    with pytest.raises(TrainingError, match="found 'azimuth': choose from across, tilt_up"):
        edit(*loaded, IMAGE, {"azimuth": 1})


def test_factors_move_together_and_one_value_stays():
    columns, values = arranged({"across": (1, 2, 3), "up": (4,), "light": (5, 6, 7)})
    assert columns == 3
    assert {name: each.tolist() for name, each in values.items()} == {
        "across": [1, 2, 3],
        "up": [4, 4, 4],
        "light": [5, 6, 7],
    }
    with pytest.raises(TrainingError, match="found across has 2, up has 3"):
        arranged({"across": (1, 2), "up": (1, 2, 3)})


def test_a_grid_combines_two_the_first_down_the_rows():
    columns, values = arranged({"up": (1, 2), "light": (9,), "across": (3, 4, 5)}, grid=True)
    assert columns == 3
    assert values["up"].tolist() == [1, 1, 1, 2, 2, 2]
    assert values["across"].tolist() == [3, 4, 5, 3, 4, 5]
    assert values["light"].tolist() == [9] * 6
    for wrong in ({"up": (1, 2)}, dict.fromkeys("abc", (1, 2))):
        with pytest.raises(TrainingError, match="expected two factors with several values for --grid"):
            arranged(wrong, grid=True)
    with pytest.raises(TrainingError, match="expected 1000 pictures or fewer, found 10000"):
        arranged({"up": (1,) * 100, "across": (1,) * 100}, grid=True)


def test_numbers_are_read_one_several_or_from_end_to_end():
    assert parse_values("-30") == (-30,)
    assert parse_values("-30, 0,1e1") == (-30, 0, 10)
    assert parse_values("-60:60:3,5") == (-60, 0, 60, 5)
    for wrong in (
        "",
        "x",
        "1,",
        "1:2",
        "1:2:1",
        "1:2:3:4",
        "1:2:2.5",
        "1:2:100000",
        "nan",
        "1:1e400:3",
        "1e300:-1e300:3x",
    ):
        with pytest.raises(TrainingError, match="expected"):
            parse_values(wrong)


@pytest.mark.parametrize("count", [-3, 0, 1, 1001, 2000])
def test_how_many_values_there_can_be_from_end_to_end_is_said(count):
    with pytest.raises(TrainingError, match=rf"2 to 1000\), found '0:10:{count}'"):
        parse_values(f"0:10:{count}")


def test_values_are_told_in_words():
    read = {"azimuth": -12.34, "light_azimuth": 33.0}
    assert describe(read, ("degree", "degree")) == "azimuth -12.3, light azimuth 33.0 degrees"
    assert describe(read, ("degree", "px")) == "azimuth -12.3 degrees, light azimuth 33.0 px"
    assert (
        describe(read, ("year", "standard deviation")) == "azimuth -12.3 years, light azimuth 33.0 standard deviations"
    )
    assert describe(read, ("", "")) == "azimuth -12.3, light azimuth 33.0"


def test_a_picture_that_comes_back_far_worse_than_the_test_set_is_warned_of():
    assert warning(20.1, 10.0, 26.0) == ""
    assert "has 19.9 dB, pictures of the test split 26.0 dB" in warning(19.9, 10.0, 26.0)
    assert warning(3.0, 0.0, None) == ""


@pytest.mark.parametrize("usual", [26.0, None])
def test_a_picture_in_which_nothing_is_seen_is_warned_of(usual):
    assert warning(40.1, 37.0, usual) == ""
    assert "has 40.0 dB, a constant colour 37.1 dB" in warning(40.0, 37.1, usual)


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_an_empty_frame_is_warned_of(run, loaded, tmp_path, shade):
    Image.new("L", (40, 40), shade).save(tmp_path / "empty.png")
    assert "the network sees little or nothing in it" in dcign(run, tmp_path / "empty.png").stderr
    assert edit(*loaded, IMAGE, {}).flat_psnr_db == pytest.approx(-10 * np.log10(np.var(IMAGE / 255)), abs=1e-4)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"across": [-60, 0, 60], "tilt_up": [30, 20]}, "found across has 3, tilt_up has 2"),
        ({"across": []}, r"list of numbers for across, found shape \(0,\)"),
        ({"across": [[1, 2]]}, r"for across, found shape \(1, 2\)"),
        ({"across": "a"}, "for across, found 'a'"),
        ({"across": [1, [2]]}, "expected a number or a list of numbers"),
        ({"across": None}, "expected"),
    ],
)
def test_values_that_are_none_are_refused(loaded, values, sentence):
    with pytest.raises(TrainingError, match=sentence):
        edit(*loaded, IMAGE, values)


def test_one_value_stays_while_another_moves(loaded):
    pictures = edit(*loaded, IMAGE, {"across": [-60, 60], "tilt_up": [5]}).pictures
    np.testing.assert_array_equal(pictures, edit(*loaded, IMAGE, {"across": [-60, 60], "tilt_up": 5}).pictures)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"reconstruction": null}', '{"reconstruction": {"psnr_frame_db": null}}']
)
def test_an_evaluation_that_does_not_tell_is_no_hindrance(run, tmp_path, text):
    elsewhere = dataclasses.replace(TrainedRun.open(run), folder=tmp_path)
    assert usual_decibels(elsewhere) is None
    (tmp_path / "evaluation.json").write_text(text)
    assert usual_decibels(elsewhere) is None


def test_the_command_writes_what_python_makes(run, loaded, photo, tmp_path):
    out = tmp_path / "new.png"
    result = dcign(run, photo, "--tilt-up", "-60,-30,0,30,60", "--out", out, "--across=-12.5")
    assert result.exit_code == 0, result.output
    edited = edit(*loaded, IMAGE, {"tilt_up": [-60, -30, 0, 30, 60], "across": -12.5})
    assert f"{photo}: {describe(edited.read, ('px', 'px'))}." in result.output
    wanted = np.concatenate(list((edited.pictures[..., 0] * 255).round().astype(np.uint8)), axis=1)
    np.testing.assert_array_equal(np.asarray(Image.open(out)), wanted)


def test_options_come_in_any_order_and_add_up(run, photo, tmp_path):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    assert dcign("--across", "-5", "--out", first, run, "--across", "5:6:2", photo).exit_code == 0
    assert dcign(run, photo, "--across=-5,5,6", "--out", second).exit_code == 0
    assert first.read_bytes() == second.read_bytes()


def test_without_factors_the_command_only_reads(run, photo):
    result = dcign(run, photo, "--threads", "1", "--device", "cpu")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{photo}: across ")
    read, following = result.stdout.splitlines()
    assert read.endswith(" px.")
    command = following.removeprefix("Next: dcign ").split()
    assert CliRunner().invoke(cli.dcign, [*command[:-1], str(photo.with_name("new.png"))]).exit_code == 0


def test_an_option_of_a_factor_without_a_run_is_not_called_unknown(photo, tmp_path):
    result = dcign(tmp_path / "none", photo, "--azimuth", "30", "--out", tmp_path / "new.png")
    assert result.exit_code == 2
    assert "found no folder of a run" in result.output


def test_a_gif_has_a_frame_a_value_and_runs_on(run, photo, tmp_path):
    out = tmp_path / "new.gif"
    command = (run, photo, "--across", "-60:60:7", "--scale", "2", "--beside", "--fps", "20", "--out", out)
    assert dcign(*command).exit_code == 0
    with Image.open(out) as found:
        assert found.n_frames == 7
        assert found.size == (3 * 64, 64)
        assert found.info["loop"] == 0
        assert found.info["duration"] == 50


def test_a_grid_beside_the_picture_is_laid_out_in_rows(run, photo, tmp_path):
    out = tmp_path / "new.png"
    command = (run, photo, "--grid", "--across", "-60,0,60", "--tilt-up", "-10,10", "--beside", "--out", out)
    assert dcign(*command).exit_code == 0
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (3 * 32, 4 * 32)
    np.testing.assert_array_equal(sheet[:32, :32], IMAGE[..., 0])
    assert not sheet[32:, :64].any()


def test_a_picture_of_another_world_is_warned_of(run, photo, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION | {"reconstruction": {"psnr_frame_db": 40.0}}))
    monkeypatch.setattr("dcign.infer.edit.LEAST_DECIBELS", -100)  # of noise nothing is seen
    assert "far from what the network was trained on" in dcign(folder, photo).output
    assert "far from" not in dcign(run, photo).output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--azimuth", "3", "--out", "OUT/new.png"), "No such option '--azimuth'"),
        (("--across", "3"), "expected a file to write the picture to, found none: give --out NEW.png, or NEW.gif."),
        (("--across", "3", "--out", "OUT/new.jpg"), "expected NAME.png, or NAME.gif for an animation"),
        (("--across", "3", "--out", "OUT/photo.png"), "is there already; expected a new file"),
        (("--across", "3", "--out", "OUT/none/new.png"), "expected the folder"),
        (("--across", "99", "--out", "OUT/new.png"), "the range of training, found 99"),
        (("--across", "--out", "OUT/new.png"), "found '--out'"),
        (("--across", "3", "--out", "OUT/new.png", "--scale", "0"), "0 is not in the range 1<=x<=16"),
        (("--across", "3", "--out", "OUT/new.gif", "--fps", "nan"), "found nan"),
        (("--threads", "60000"), "or 0 for one per core, found 60000"),
        (("--device", "abacus"), "expected a device of this machine, found 'abacus'"),
        (("another.png",), "Got unexpected extra argument"),
    ],
)
def test_the_command_refuses_in_a_sentence(run, photo, tmp_path, words, sentence):
    given = [word.replace("OUT", str(tmp_path)) for word in words]
    assert sentence in refused(run, photo, *given)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_a_run_that_was_not_evaluated_or_is_none_is_refused(run, photo, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "calibration.json").unlink()
    assert "expected calibration.json in" in refused(folder, photo)
    assert "holds no run" in refused(tmp_path / "nothing", photo)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("--scale", "0 is not in the range 1<=x<=16"), ("--fps", "0.0 is not in the range 0.1<=x<=50")],
)
def test_a_size_and_speed_that_cannot_be_are_refused_before_the_network_is_read(photo, tmp_path, option, sentence):
    assert sentence in refused(tmp_path / "nothing", photo, "--out", tmp_path / "new.gif", option, "0")


def test_a_sheet_too_large_to_open_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="expected a PNG of 16384 px or fewer per side, found 32000 x 32 px"):
        save_strip(tmp_path / "new.png", np.zeros((1000, 32, 32, 3)), 1000)


def test_a_factor_with_a_dash_too_few_is_refused_and_not_read_as_a_call_for_help():
    told = dcign("RUN", "photo.png", "-azimuth", "5")
    assert told.exit_code == 2
    assert "No such option '-a'" in told.output
    assert dcign("-h").exit_code == 0


def test_the_help_of_a_run_lists_its_factors_with_units_and_ranges(run):
    text = dcign(run, "--help").output
    assert re.search(r"--across VALUES +Values from -?[\d.]+ to [\d.]+ px", text)
    assert "--tilt-up VALUES" in text
    assert "--across" not in dcign("--help").output


def test_a_factor_given_twice_has_all_its_values(run, photo, tmp_path):
    said = dcign(run, photo, "--across", "-3", "--across", "0,3", "--out", tmp_path / "new.png").output
    assert "3 pictures" in said


def test_a_face_is_cut_out_by_its_eyes_and_the_command_says_how(run, tmp_path):
    picture = np.random.default_rng(2).integers(0, 256, (90, 120), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "large.png")
    words = (run, tmp_path / "large.png", "--eyes", 50, 40, 58, 42, "--beside", "--out", tmp_path / "seen.png")
    result = dcign(*words)
    assert result.exit_code == 0, result.output
    window = window_of_eyes((50, 40, 58, 42))
    assert f"large.png: {window.describe(120, 90)}." in " ".join(result.output.split())
    with Image.open(tmp_path / "seen.png") as seen:
        first = np.asarray(seen)[:, :32]
    np.testing.assert_array_equal(first, fitted(Image.fromarray(picture), 32, 1, window)[..., 0])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--eyes", 5, 5, 6, 5), "expected two eyes 3 px or more apart, found 5 5 6 5"),
        (("--box", 5, 5, 0, 20), "expected a box X Y W H with a width and a height above 0"),
        (("--box", 900, 5, 10, 20), "expected a face inside the picture of 32 x 32 px"),
        (("--box", 5, 5, 10, 20, "--eyes", 5, 5, 16, 5), "expected one of --eyes, --box and --detect, found more"),
        (("--detect",), "expected a face seen from the front, found none in the picture of 32 x 32 px"),
    ],
    ids=["eyes", "box", "outside", "both", "detect"],
)
def test_a_face_that_is_not_there_is_refused(run, photo, words, wanted):
    assert wanted in refused(run, photo, *words)


@pytest.mark.parametrize("words", [("--plain",), ("--scale", 2), ("--fps", 5)], ids=lambda words: words[0])
def test_options_of_drawing_need_a_file_to_draw_into(run, photo, words):
    assert "expected a file to write the picture to, found none" in refused(run, photo, *words)


def test_frames_per_second_are_of_an_animation(run, photo, tmp_path):
    said = refused(run, photo, "--across", 3, "--fps", 5, "--out", tmp_path / "new.png")
    assert "expected --fps with NAME.gif, found" in said


@pytest.mark.parametrize("framing", ["--eyes 10.5 16 22 16", "--box 4 4 24 24"])
def test_the_next_command_can_be_run_and_frames_the_picture_as_this_one(run, photo, tmp_path, framing):
    odd = tmp_path / "my off.png"
    odd.write_bytes(photo.read_bytes())
    said = dcign(run, odd, *framing.split()).output.splitlines()[-1]
    assert f"{shlex.quote(str(odd))} {framing} --across" in said
    _, _, _, *words = shlex.split(said)
    assert dcign(*words[:-1], tmp_path / "new.png").exit_code == 0


def test_a_network_that_draws_clean_pictures_gives_no_warning(run):
    plain = TrainedRun.open(run)
    wild = dataclasses.replace(plain, configuration=dataclasses.replace(plain.configuration, recipe=WILD))
    poor = Edit({}, IMAGE / 255, psnr_db=9.0, flat_psnr_db=12.0, pictures=IMAGE[None] / 255)
    assert "do not trust" in caution(plain, poor.psnr_db, poor.flat_psnr_db)
    assert caution(wild, poor.psnr_db, poor.flat_psnr_db) == ""
