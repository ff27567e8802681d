"""A network handed on: what is saved is what was trained, to the bit, with a card that says what it is."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import huggingface_hub
import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner
from huggingface_hub import PyTorchModelHubMixin
from PIL import Image
from safetensors.torch import load_file, save_file

import dcign
from dcign import DCIGN, cli
from dcign.errors import DataError, TrainingError
from dcign.publish.card import model_card, write_card
from dcign.publish.hub import FILES
from dcign.publish.onnx import export_run
from dcign.recipes.registry import changed
from dcign.trained.calibration import calibrate_coordinates
from dcign.trained.published import Published
from dcign.trained.trained_run import OldEvaluationWarning, TrainedRun
from tests.support.evaluation import EVALUATION

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
TENSOR = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255


@pytest.fixture
def exported(run, tmp_path):
    export_run(TrainedRun.open(run), tmp_path / "hub", "hub")
    return tmp_path / "hub"


def front_matter(card):
    return yaml.safe_load(card.split("---")[1])


def test_a_run_and_what_was_exported_of_it_compute_the_same_to_the_bit(run, exported):
    codec = TrainedRun.open(run).codec
    mu, logvar = codec.encode(IMAGES)
    again = TrainedRun.open(exported).codec
    np.testing.assert_array_equal(again.encode(IMAGES), (mu, logvar))
    np.testing.assert_array_equal(again.decode(mu), codec.decode(mu))
    for folder in (run, exported):
        model = DCIGN.from_pretrained(folder)
        assert not model.training
        with torch.inference_mode():
            np.testing.assert_array_equal(model.encode(TENSOR)[0].numpy(), mu)
            np.testing.assert_array_equal(model.encode(TENSOR)[1].numpy(), logvar)
            pictures = model.decode(torch.from_numpy(mu)).permute(0, 2, 3, 1).numpy()
            np.testing.assert_array_equal(pictures, codec.decode(mu))
            np.testing.assert_array_equal(model(TENSOR).permute(0, 2, 3, 1).numpy(), pictures)


@pytest.mark.parametrize(
    "wrong", [IMAGES / 255, IMAGES.astype(int), IMAGES[:, :31], IMAGES[0], IMAGES[..., 0], IMAGES[:0]], ids=np.shape
)
def test_the_codec_takes_bytes_of_its_size_alone(run, wrong):
    with pytest.raises(TrainingError, match=r"expected images uint8 \(N, 32, 32, 1\), one or more"):
        TrainedRun.open(run).codec.encode(wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (TENSOR.permute(0, 2, 3, 1), r"expected images of floats \(N, 1, 32, 32\), one or more"),
        (TENSOR[0], "expected images of floats"),
        (TENSOR[:0], "expected images of floats"),
        (torch.from_numpy(IMAGES).permute(0, 3, 1, 2), "expected images of floats"),
        (TENSOR * 255, "expected values from 0 to 1, found 0 to 255: divide bytes by 255"),
        (TENSOR - 0.5, "expected values from 0 to 1, found -0.5 to 0.5"),
        (TENSOR.masked_fill(TENSOR > 0.5, torch.nan), "expected values from 0 to 1, found nan to nan"),
    ],
)
def test_the_model_takes_0_to_1_of_its_shape_alone(exported, wrong, sentence):
    model = DCIGN.from_pretrained(exported)
    for function in (model.encode, model):
        with pytest.raises(TrainingError, match=sentence):
            function(wrong)


def test_the_refiner_goes_with_it_and_draws_when_asked(run, exported):
    mu = TrainedRun.open(run).codec.encode(IMAGES)[0]
    sharp = TrainedRun.open(run).sharp_codec.decode(mu)
    assert not np.array_equal(sharp, TrainedRun.open(run).codec.decode(mu))
    for folder in (run, exported):
        np.testing.assert_array_equal(TrainedRun.open(folder).sharp_codec.decode(mu), sharp)
        with torch.inference_mode():
            pictures = DCIGN.from_pretrained(folder).decode(torch.from_numpy(mu), refine=True)
        np.testing.assert_array_equal(pictures.permute(0, 2, 3, 1).numpy(), sharp)


def test_a_refiner_that_is_not_there_is_asked_for_in_vain(run, exported):
    plain = DCIGN.from_pretrained(run)
    plain.refiner = None
    with pytest.raises(TrainingError, match="expected a network with a refiner, found one without: train it with"):
        plain.decode(torch.zeros(1, 40), refine=True)
    (exported / "refiner.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"expected refiner\.safetensors in .*, found none: export the run again"):
        DCIGN.from_pretrained(exported)


def test_what_the_latents_stand_for_goes_with_it(run, exported):
    for model in (DCIGN.from_pretrained(run), DCIGN.from_pretrained(str(exported))):
        assert model.factors == ("across", "tilt_up")
        assert model.units == ("px", "px")
        assert [fit.latent for fit in model.calibrations] == [0, 1]
        assert model.calibrations[0].code(np.array([25.0])) == pytest.approx(0.5)
        assert model.evaluation == EVALUATION
        assert model.config.step == 2
    assert [fit.range for fit in TrainedRun.open(exported).calibrations] == [
        fit.range for fit in TrainedRun.open(run).calibrations
    ]


def test_saving_twice_gives_the_same_files(exported, tmp_path):
    DCIGN.from_pretrained(exported).save_pretrained(tmp_path / "again")
    assert sorted(path.name for path in exported.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (exported / name).read_bytes(), name


def test_only_weights_are_handed_on_and_no_place_of_the_machine(run, exported):
    assert set(load_file(exported / "model.safetensors")) == set(TrainedRun.open(run).codec.model.state_dict())
    text = "".join((exported / name).read_text() for name in FILES if not name.endswith("safetensors"))
    assert "secret" not in text
    assert str(run.parent) not in text


def test_a_trained_weight_that_changes_is_what_is_saved(exported, tmp_path):
    model = DCIGN.from_pretrained(exported)
    with torch.no_grad():
        next(model.parameters()).add_(0.25)
    model.save_pretrained(tmp_path / "changed")
    torch.testing.assert_close(
        next(DCIGN.from_pretrained(tmp_path / "changed").parameters()), next(model.parameters()), rtol=0, atol=0
    )


def test_a_folder_that_holds_anything_is_not_written_into(run, exported, tmp_path):
    model = DCIGN.from_pretrained(exported)
    model.calibrations, model.evaluation = (), None
    for folder in (run, exported):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        with pytest.raises(TrainingError, match="expected a new or empty folder"):
            model.save_pretrained(folder)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    model.save_pretrained(tmp_path / "own")
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "refiner.safetensors",
    ]
    with pytest.raises(DataError, match="is there already; expected a new file: remove it or choose another --out"):
        export_run(TrainedRun.open(run), exported, "hub")


def test_a_folder_that_cannot_be_is_refused_in_a_sentence(exported, tmp_path, monkeypatch):
    model = DCIGN.from_pretrained(exported)
    (tmp_path / "face.png").write_bytes(b"")
    for folder in (tmp_path / "face.png", "/proc/q"):
        with pytest.raises(TrainingError, match=r"cannot write into \S+ \(.+\): repair that, or choose another folder"):
            model.save_pretrained(folder)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dcign.storage.atomic.os.fsync", full)
    with pytest.raises(DataError, match="the disk is full"):
        model.save_pretrained(tmp_path / "own")


def test_pushing_uploads_what_is_saved(exported, monkeypatch):
    pushed = {}

    class Api:
        def __init__(self, **_):
            pass

        def create_repo(self, repo_id, **_):
            return huggingface_hub.RepoUrl(f"https://huggingface.co/{repo_id}")

        def upload_folder(self, repo_id, folder_path, **_):
            pushed.update({path.name: path.read_bytes() for path in folder_path.iterdir()})
            return repo_id

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Api)
    model = DCIGN.from_pretrained(exported)
    assert isinstance(model, PyTorchModelHubMixin)
    assert model.push_to_hub("me/dial") == "me/dial"
    assert pushed == {name: (exported / name).read_bytes() for name in FILES}


def test_a_name_that_is_no_folder_is_looked_for_on_the_hub(exported, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "dcign.publish.hub.snapshot_download", lambda name, **options: asked.append((name, options)) or exported
    )
    assert DCIGN.from_pretrained("me/dial", revision="v1").factors == ("across", "tilt_up")
    assert asked == [("me/dial", {"allow_patterns": list(FILES), "revision": "v1"})]


@pytest.mark.parametrize("name", ["runs/none/at/all", "me/dial", "", "a b"])
def test_what_is_not_there_is_refused_in_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainingError, match="or USER/MODEL on the hub, found") as caught:
        DCIGN.from_pretrained(name or "none", local_files_only=True)
    assert "\n" not in str(caught.value)


DAMAGE = {
    "no JSON": lambda folder: (folder / "config.json").write_text("{"),
    "a list": lambda folder: (folder / "config.json").write_text("[]"),
    "another format": lambda folder: edited(folder, format="x"),
    "another version": lambda folder: edited(folder, version=9),
    "a step that is none": lambda folder: edited(folder, step="2"),
    "no run": lambda folder: edited(folder, run=None),
    "a run of another format": lambda folder: edited(folder, run={"version": 7}),
    "a model that is words": lambda folder: edited(folder, data_model="x"),
    "limits that are no sentences": lambda folder: edited(folder, limits=[3]),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "weights that are no numbers": lambda folder: spoilt(folder, float("nan")),
    "weights without end": lambda folder: spoilt(folder, float("inf")),
    "cut weights": lambda folder: (folder / "model.safetensors").write_bytes(b"\x00" * 20),
    "no configuration": lambda folder: (folder / "config.json").unlink(),
    "a damaged calibration": lambda folder: (folder / "calibration.json").write_text("{}"),
    "a damaged evaluation": lambda folder: (folder / "evaluation.json").write_text("{}"),
}


def edited(folder, **changes):
    found = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(found | changes))


def spoilt(folder, value):
    weights = load_file(folder / "model.safetensors")
    next(iter(weights.values())).view(-1)[-1] = value
    save_file(weights, folder / "model.safetensors")


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_refused_in_a_sentence(exported, damage):
    damage(exported)
    with pytest.raises(TrainingError) as caught:
        DCIGN.from_pretrained(exported)
    assert "\n" not in str(caught.value)


def test_a_run_that_was_not_evaluated_loads_but_is_not_exported(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "evaluation.json").write_text(json.dumps(EVALUATION | {"steps": 1}))
    with pytest.warns(OldEvaluationWarning):
        assert DCIGN.from_pretrained(folder).evaluation is None
    with pytest.raises(TrainingError, match="which was trained further since"):
        export_run(TrainedRun.open(folder), tmp_path / "out", "hub")
    (folder / "calibration.json").unlink()
    assert DCIGN.from_pretrained(folder).calibrations == ()
    with pytest.raises(TrainingError, match="dcign evaluate"):
        export_run(TrainedRun.open(folder), tmp_path / "out", "hub")
    assert not (tmp_path / "out").exists()


def test_the_command_exports_and_edit_reads_it(run, tmp_path):
    result = CliRunner().invoke(cli.dcign, ["export", str(run), "--to", "hub", "--out", str(tmp_path / "hub")])
    assert result.exit_code == 0, result.output
    assert all(name in result.output for name in FILES)
    assert "Checked" not in result.output
    picture = tmp_path / "photo.png"
    Image.fromarray(IMAGES[0, ..., 0]).save(picture)
    read = [CliRunner().invoke(cli.dcign, ["edit", str(folder), str(picture)]) for folder in (run, tmp_path / "hub")]
    first, second = (each.output.splitlines()[0] for each in read)  # the next command names the folder
    assert first == second
    assert "across" in first


def test_the_card_s_metadata_is_the_hub_s(run, exported):
    text = (exported / "README.md").read_text()
    found = huggingface_hub.ModelCard(text).data
    assert found.library_name == "dcign"
    assert found.license == "mit"
    metrics = {result.metric_name: result.metric_value for result in found.eval_results}
    assert metrics["R², across"] == 0.91234
    assert metrics["latents alive"] == 3
    assert metrics["re-rendering, dB, tilt up"] == 23.45
    assert not any("alive means" in str(name) for name in metrics)  # what is not known is left out
    assert found.model_name == "dcign-swap-32px"
    assert DCIGN.from_pretrained(run).generate_model_card().data.to_dict() == found.to_dict()


def test_the_card_says_the_figures_the_range_and_the_command(run):
    text = write_card(TrainedRun.open(run)).read_text()
    assert "| across | 0.912 | 2.5 | 0.00 | - | - | 23.4 |" in text
    assert "| tilt up | 1 | px | -60 to 60 |" in text
    assert "dcign train noise --recipe swap --set beta=0.5 --ratio 1:1:1 --steps 2 --seed 0" in text
    assert "frame, dB: 21.5" in text
    assert write_card(TrainedRun.open(run)).read_text() == text
    (run / "README.md").unlink()


def test_the_card_has_the_figures_and_the_blocks_of_parts_of_people(run):
    found = TrainedRun.open(run)
    images = replace(found.description, parts=("hair",))
    published = replace(found.published, description=images)
    parts = {"hair": {"own_r2": 0.2, "whole_r2": 0.25, "leakage_r2": 0.1, "swap_ratio": 1.5, "copy_ratio": 1.2}}
    mixed = {"hair": {"psnr_db": 23.0, "reconstruction_psnr_db": 27.0, "copy_psnr_db": 20.0}}
    text = model_card(published, found.calibrations, EVALUATION | {"parts": parts, "recombination": mixed})
    assert "| hair | 0.200 | 0.250 | 0.100 | 1.50 (worse than copying) | 1.20 |" in text
    assert "| hair | 23.0 | 27.0 | 20.0 | - | - |" in text
    assert "The other latents are blocks: hair 2 to 13, identity 14 to 39." in text
    metrics = {each["type"]: each["value"] for each in front_matter(text)["model-index"][0]["results"][0]["metrics"]}
    assert (metrics["parts.hair.own_r2"], metrics["recombination.hair.psnr_db"]) == (0.2, 23)
    plain = model_card(found.published, found.calibrations, EVALUATION)
    assert "blocks:" not in plain
    assert "own block" not in plain


def test_the_card_has_the_errors_of_altered_pictures_the_alive_latents_and_the_limits(run):
    found = TrainedRun.open(run)
    name = found.description.factors[0]
    altered = {"alterations": {"roll": {name: {"mean_absolute_error": 14.31, "r2": 0.87}}}}
    blocks = {name: {"count": 1, "alive": 1}, "hair": {"count": 12, "alive": 7}}
    published = replace(found.published, limits=("It sees no hats.",))
    text = model_card(published, found.calibrations, EVALUATION | {"robustness": altered, "blocks": blocks})
    assert "| rolled by 10° clockwise | 14.3 (0.870) |" in text
    assert "- latents alive, by block: hair 7 of 12\n" in text
    assert "\n- It sees no hats.\n" in text
    assert "- Pictures should be framed as the data set's are" in text
    wild = replace(published.configuration, recipe=changed(published.configuration.recipe, {"shift": 0.1}))
    assert "should be framed" not in model_card(replace(published, configuration=wild), evaluation=EVALUATION)
    assert "altered" not in model_card(found.published, found.calibrations, EVALUATION)


def test_the_card_of_imported_data_speaks_of_pictures_and_names_classes(run):
    found = TrainedRun.open(run)
    images = replace(found.description, open_kinds=True, classes=((), ("disc", "cube")))
    codes = np.repeat([[0.0], [1.0]], 9, axis=0)
    fits = (found.calibrations[0], calibrate_coordinates("tilt_up", (1,), codes, codes[:, 0], ("disc", "cube")))
    text = model_card(replace(found.published, description=images), fits, EVALUATION)
    assert "| tilt up | 1 | px | disc, cube |" in text
    assert "Measured on pictures outside the training split." in text
    assert "trained on the pictures of one data set" in text
    assert not re.search("identities|render(ed|s) pictures|somebody|was rendered", text)
    assert "unseen identities" in model_card(found.published, found.calibrations, EVALUATION)


def test_the_card_of_a_run_that_was_not_evaluated_says_so(run):
    text = model_card(TrainedRun.open(run).published)
    assert "None yet: `dcign evaluate RUN`." in text
    assert "model-index" not in front_matter(text)


def test_the_licence_of_the_data_s_model_is_named(run):
    found = TrainedRun.open(run).published
    foreign = {"name": "Somebody's faces", "licence": "research only: no redistribution"}
    text = model_card(Published(found.configuration, found.description, 2, 1.0, foreign))
    assert "show Somebody's faces, which has its own terms" in text
    assert "research only: no redistribution" in text
    assert front_matter(text)["license"] == "other"
    ours = model_card(Published(found.configuration, found.description, 2, 1.0, {"name": "ours", "licence": "MIT"}))
    assert front_matter(ours)["license"] == "mit"


def test_the_package_itself_imports_no_torch():
    script = (
        "import dcign, sys; assert not {'torch', 'huggingface_hub', 'numpy'} & set(sys.modules); print(dcign.DCIGN)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "dcign.publish.hub.DCIGN" in done.stdout
    with pytest.raises(AttributeError, match="has no attribute 'VAE'"):
        dcign.VAE  # noqa: B018
