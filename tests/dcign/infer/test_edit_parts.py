"""Editing a person: parts taken from other pictures, from Python and by the command."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from dcign import cli
from dcign.errors import TrainingError
from dcign.infer.edit import edit
from dcign.inputs.batches import TrainingBatches
from dcign.recipes.registry import SWAP, VAE, changed
from dcign.run.configuration import ImageDescription, TrainConfiguration
from dcign.train.training import train_on
from dcign.trained.calibration import calibrate, write_calibrations
from dcign.trained.trained_run import TrainedRun

DESCRIPTION = ImageDescription(
    size=32,
    channels=1,
    factors=("turn", "age"),
    units=("degree", "year"),
    mirror_signs=(-1, 1),
    data_sha256="none",
    of_identity=("age",),
    parts=("shape", "skin", "hair"),
)
SIZES = {"shape_latents": 4, "skin_latents": 3, "hair_latents": 2}
IMAGE, OTHER = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), dtype=np.uint8)


def trained(recipe, folder):
    """A run of two steps on noise, with calibrations."""
    noise = torch.randint(0, 256, (6, 20, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    configuration = TrainConfiguration("noise", str(folder), recipe, 2, 0, device="cpu", threads=1)
    train_on(TrainingBatches(noise, np.arange(6)), DESCRIPTION, configuration)
    values = np.linspace(-60, 90, 121)
    write_calibrations(folder, [calibrate(name, k, values / 50, values) for k, name in enumerate(DESCRIPTION.factors)])
    return TrainedRun.open(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(changed(SWAP, SIZES), tmp_path_factory.mktemp("parts") / "run")


@pytest.fixture
def pictures(tmp_path):
    for name, image in (("photo", IMAGE), ("other", OTHER)):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{name}.png")
    return tmp_path / "photo.png", tmp_path / "other.png"


def dcign(*words):
    return CliRunner().invoke(cli.dcign, ["edit", *map(str, words)])


def test_a_part_of_another_picture_is_its_block_of_the_code_and_the_rest_stays(run):
    mu, other = run.codec.encode(np.stack([IMAGE, OTHER]))[0]
    wanted = mu.copy()
    hair = list(run.layout.latents_of("hair"))
    assert hair == [9, 10]
    wanted[hair] = other[hair]
    wanted[1] = 70 / 50
    edited = edit(run.codec, run.calibrations, IMAGE, {"age": 70}, {"hair": OTHER})
    np.testing.assert_allclose(edited.pictures, run.codec.decode(wanted[None]), atol=1e-5)
    assert np.abs(edited.pictures[0] - edited.reconstruction).max() > 1e-4
    assert edited.read == pytest.approx(edit(run.codec, run.calibrations, IMAGE, {}).read, rel=1e-4)


def test_the_command_takes_parts_from_pictures_as_python_does(run, pictures, tmp_path):
    photo, other = pictures
    out = tmp_path / "new.png"
    done = dcign(run.folder, photo, "--hair-from", other, "--skin-from", other, "--age", "20,70", "--out", out)
    assert done.exit_code == 0, done.output
    wanted = edit(run.codec, run.calibrations, IMAGE, {"age": [20, 70]}, {"hair": OTHER, "skin": OTHER}).pictures
    found = np.asarray(Image.open(out), np.float64) / 255
    np.testing.assert_allclose(found, np.concatenate([*wanted[..., 0]], axis=1), atol=0.003)


def test_the_help_of_a_run_lists_its_parts(run):
    text = dcign(run.folder, "--help").output
    assert all(f"--{part}-from PICTURE" in text for part in DESCRIPTION.parts)


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        ({"nose": OTHER}, "expected a block of the code, found 'nose': choose from turn, age, shape, skin, hair"),
        ({"hair": OTHER[:30]}, r"expected a picture uint8 \(32, 32, 1\), found uint8 \(30, 32, 1\)"),
    ],
)
def test_a_block_that_is_not_there_or_a_picture_of_another_size_is_refused(run, blocks, sentence):
    with pytest.raises(TrainingError, match=sentence):
        edit(run.codec, run.calibrations, IMAGE, {}, blocks)


def test_a_code_without_blocks_takes_none(tmp_path, pictures):
    plain = trained(changed(VAE, SIZES), tmp_path / "vae")
    with pytest.raises(TrainingError, match="expected a run whose code has blocks, found vae"):
        edit(plain.codec, plain.calibrations, IMAGE, {}, {"hair": OTHER})
    refused = dcign(plain.folder, pictures[0], "--hair-from", pictures[1], "--out", tmp_path / "new.png")
    assert refused.exit_code == 2
    assert "--hair-from" in refused.output


def test_a_part_needs_a_file_to_draw_into_and_a_picture_to_come_from(run, pictures, tmp_path):
    photo, other = pictures
    assert "expected a file to write the picture to" in dcign(run.folder, photo, "--hair-from", other).output
    lost = dcign(run.folder, photo, "--hair-from", tmp_path / "none.png", "--out", tmp_path / "new.png")
    assert lost.exit_code == 1
    assert "none.png" in lost.output
    assert not (tmp_path / "new.png").exists()


@pytest.mark.parametrize("framing", [("--eyes", 10, 16, 22, 16), ("--box", 4, 4, 24, 24)], ids=lambda words: words[0])
def test_where_the_face_of_one_picture_is_says_nothing_of_the_other(run, pictures, tmp_path, framing):
    photo, other = pictures
    words = (run.folder, photo, *framing, "--hair-from", other, "--out", tmp_path / "new.png")
    said = " ".join(dcign(*words).output.split())
    assert f"expected --hair-from without {framing[0]}, which says where the face of one picture is" in said
    assert not (tmp_path / "new.png").exists()


@pytest.mark.parametrize(
    ("ends", "unit", "value", "words"),
    [
        ((-86, 86), "°", 12.4, "+12°"),
        ((-86, 86), "°", -0.3, "0°"),
        ((18, 80), " y", 62.7, "63 y"),
        ((-2, 2), " SD", 1.25, "+1.2 SD"),
        ((-2, 2), " SD", -0.5, "−0.5 SD"),
    ],
)
def test_captions_say_years_without_a_sign_and_small_ranges_with_a_digit(ends, unit, value, words):
    opened = SimpleNamespace(calibrations=[SimpleNamespace(range=ends, classes=())], units=[unit])
    assert TrainedRun.angle(opened, 0, value) == words
