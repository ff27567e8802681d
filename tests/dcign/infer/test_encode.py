"""A data set's codes as arrays: what `dcign encode` writes, and what it refuses."""

import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from dcign import cli
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError, TrainingError
from dcign.evaluate.codes import encode_split
from dcign.evaluate.evaluation import evaluate
from dcign.infer.encode import encode_dataset, load_encoding, refuse_encoding_file, save_encoding
from dcign.inputs.source import DataSource
from dcign.measure import read_code_table
from dcign.metrics import mutual_information_gap
from dcign.recipes.registry import RECIPES
from dcign.run.configuration import TrainConfiguration
from dcign.storage.paths import to_path
from dcign.train.training import train
from dcign.trained.calibration import calibrate, factor_values, with_factors
from dcign.trained.trained_run import TrainedRun
from tests.support.commands import refused
from tests.support.data_sets import list_again

pytest_plugins = ["tests.support.discs"]


@pytest.fixture(scope="module")
def run(small_faces, tmp_path_factory):
    """A run too short to have learnt anything."""
    out = tmp_path_factory.mktemp("runs") / "swap"
    train(
        TrainConfiguration(data=str(small_faces), out=str(out), recipe=RECIPES["swap"], steps=2, seed=0, device="cpu")
    )
    return out


@pytest.fixture(scope="module")
def written(run, small_faces, tmp_path_factory):
    """The file that the command writes of the whole data set."""
    out = tmp_path_factory.mktemp("codes") / "z.npz"
    result = CliRunner().invoke(cli.dcign, ["encode", str(run), str(small_faces), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert f"{out}: 420 images, {RECIPES['swap'].latents} latents." in result.output
    return out


def test_every_image_has_its_code_and_its_labels(written, run, small_faces):
    found = load_encoding(written)
    iid = found.of("iid")
    codes = encode_split(TrainedRun.open(run).codec, DataSource(small_faces).labelled("iid"))
    np.testing.assert_array_equal(iid.mu, codes.flat_mu)  # so that every figure can be repeated to its last digit
    np.testing.assert_array_equal(iid.logvar, codes.flat_logvar)
    np.testing.assert_array_equal(iid.factors, codes.flat_factors)
    train = found.of("train")
    assert 0 <= mutual_information_gap(train.mu, train.factors) <= 1


def test_rows_say_which_image_they_are_of(written, small_faces):
    found, dataset = load_encoding(written), FaceDataset(small_faces)
    assert dict(zip(*np.unique(found.split, return_counts=True), strict=True)) == {
        name: 20 * sum(entry.batches for entry in entries) for name, entries in dataset.splits.items()
    }
    assert found.factor_names.tolist() == ["azimuth", "elevation", "light_azimuth"]
    assert set(found.factor_units) == {"degree"}
    test = found.of("test")
    for batch in dataset.batches("test"):
        rows = test.batch == batch.number
        assert set(test.varies[rows]) == {batch.varies}
        np.testing.assert_array_equal(test.identity_index[rows], batch.identity_index)
        np.testing.assert_array_equal(test.factors[rows], batch.factors)


def test_a_data_set_in_a_store_has_the_same_codes(written, run, small_faces, tmp_path):
    to_path("memory://encoded").fs.put(str(small_faces), "/encoded", recursive=True)
    words = ["encode", str(run), "memory://encoded", "--split", "iid", "--out", str(tmp_path / "z.npz")]
    result = CliRunner().invoke(cli.dcign, words)
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(load_encoding(tmp_path / "z.npz").mu, load_encoding(written).of("iid").mu)


def test_a_network_in_a_store_is_refused_in_a_sentence():
    for words in (("--to", "onnx"), ("--to", "web")):
        sentence = refused("export", "memory://run", *words)
        assert sentence == (
            "Error: expected the folder of a run on this machine, found memory://run: copy it here and name the copy."
        )


def test_the_file_needs_numpy_alone(written):
    with np.load(written, allow_pickle=False) as arrays:
        assert arrays["mu"].shape == arrays["logvar"].shape == (420, RECIPES["swap"].latents)
        assert arrays["mu"].dtype == np.float32


def test_blocks_are_named_and_their_latents_found_by_name(written):
    found = load_encoding(written)
    count = RECIPES["swap"].latents
    assert found.blocks.tolist() == ["azimuth", "elevation", "light_azimuth", *["identity"] * (count - 3)]
    np.testing.assert_array_equal(found.block("elevation"), found.mu[:, [1]])
    np.testing.assert_array_equal(found.of("iid").block("identity"), found.of("iid").mu[:, 3:])
    with pytest.raises(TrainingError, match="found 'hair': choose from azimuth, elevation, light_azimuth, identity"):
        found.block("hair")
    table = read_code_table(written)
    assert table.block_names == ("azimuth", "elevation", "light_azimuth", "identity")
    assert table.own == (0, 1, 2)


def test_a_file_without_blocks_opens_as_before(written, tmp_path):
    path = tmp_path / "z.npz"
    with np.load(written) as arrays:
        np.savez(path, **{name: arrays[name] for name in arrays.files if name != "blocks"})
    found = load_encoding(path)
    assert found.blocks is None
    save_encoding(found, tmp_path / "again.npz")
    np.testing.assert_array_equal(load_encoding(tmp_path / "again.npz").mu, found.mu)
    with pytest.raises(TrainingError, match="found 'hair': encode with a run that has assigned latents"):
        found.block("hair")


def test_encoding_a_split_tells_its_way(run, small_faces):
    told = []
    found = encode_dataset(
        TrainedRun.open(run), small_faces, ["iid", "test"], progress=lambda *stage: told.append(stage)
    )
    assert set(found.split) == {"iid", "test"}
    assert {stage for stage, _ in told} == {"encoding iid", "encoding test"}
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_what_cannot_be_encoded_is_refused_in_a_sentence(written, run, small_faces, tmp_path):
    out = tmp_path / "z.npz"
    assert "is there already" in refused("encode", run, small_faces, "--out", written)
    assert "expected a file NAME.npz" in refused("encode", run, small_faces, "--out", tmp_path / "z.csv")
    assert "holds no run" in refused("encode", tmp_path, small_faces, "--out", out)
    assert "Error: " in refused("encode", run, tmp_path, "--out", out)
    assert "expected one of the splits train, test, iid, sweep of" in refused(
        "encode", run, small_faces, "--split", "valid", "--out", out
    )
    assert "could not be written" in refused("encode", run, small_faces, "--split", "iid", "--out", written / "z.npz")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_refused_before_the_work(written, tmp_path):
    with pytest.raises(DataError, match=r"z\.npz/z\.npz could not be written: part of the path is a file"):
        refuse_encoding_file(written / "z.npz")
    refuse_encoding_file(tmp_path / "new" / "z.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [-1, 100_000])
def test_threads_are_refused_before_anything_is_read(run, count, tmp_path):
    opened = TrainedRun.open(run)
    for work in (evaluate, encode_dataset):
        with pytest.raises(TrainingError, match=rf"expected 1 to \d+ threads .* found {count}"):
            work(opened, tmp_path / "nowhere", thread_count=count)


def test_images_of_another_size_are_refused(run, make_dataset):
    with pytest.raises(TrainingError, match=r"images of 32 x 32 px and 1 channels, .* found 24 x 24 px and 1 channels"):
        encode_dataset(TrainedRun.open(run), make_dataset())


DAMAGES = {
    "not a zip": "a damaged file: choose",
    "truncated": "a damaged file: choose",
    "a web page": "a web page, which a failed download leaves: choose",
    "without mu": "one without all its arrays: choose",
    "newer": "2: encode again",
    "lengths": "{'mu':",
    "pickled": "a damaged file: choose",
    "infinite": "others: encode again",
    "blocks": "other blocks: encode again",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_file_of_codes_is_refused(written, tmp_path, damage):
    path = tmp_path / "z.npz"
    with np.load(written) as found:
        arrays = dict(found)
    if damage == "without mu":
        del arrays["mu"]
    elif damage == "newer":
        arrays["version"] = 2
    elif damage == "lengths":
        arrays["mu"] = arrays["mu"][1:]
    elif damage == "blocks":
        arrays["blocks"] = arrays["blocks"][1:]
    elif damage == "infinite":
        arrays["logvar"][3, 1] = np.inf
    elif damage == "pickled":
        arrays["split"] = np.array([{"a": 1}], dtype=object)
    np.savez(path, **arrays)
    if damage == "not a zip":
        path.write_text("codes")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "a web page":
        path.write_text("<!DOCTYPE html><html>Not found</html>")
    with pytest.raises(TrainingError) as refusal:
        load_encoding(path)
    assert f"z.npz, found {DAMAGES[damage]}" in str(refusal.value)
    with pytest.raises(TrainingError, match="expected a file of `dcign encode`"):
        load_encoding(tmp_path / "missing.npz")


def test_a_split_that_is_not_there_is_refused_from_python_too(run, small_faces, tmp_path):
    with pytest.raises(DataError, match="found 'valid'"):
        encode_dataset(TrainedRun.open(run), small_faces, ["valid"])
    with pytest.raises(TrainingError, match="expected a file"):
        save_encoding(None, tmp_path / "z")


def test_codes_are_read_and_set_in_degrees():
    angles = np.random.default_rng(0).uniform(-80, 80, (3000, 2))
    mu = np.concatenate([np.zeros((3000, 1)), -np.sinh(angles / 40)], axis=1)
    fits = [
        calibrate(name, place + 1, mu[:, place + 1], angles[:, place]) for place, name in enumerate(("turn", "rise"))
    ]
    np.testing.assert_allclose(factor_values(mu, fits), angles, atol=1)
    changed = with_factors(mu[:4], fits, rise=30, turn=[-60, -20, 20, 60])
    np.testing.assert_allclose(factor_values(changed, fits), [[-60, 30], [-20, 30], [20, 30], [60, 30]], atol=1)
    np.testing.assert_array_equal(changed[:, 0], mu[:4, 0])
    assert not np.array_equal(changed, mu[:4])
    with pytest.raises(TrainingError, match="found 'age': choose from turn, rise"):
        with_factors(mu, fits, age=3)


@pytest.mark.parametrize("listed", [False, True], ids=["altered", "made so"])
def test_a_label_that_is_no_number_is_refused_with_file_batch_and_column(run, small_faces, tmp_path, listed):
    folder = tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    with h5py.File(folder / "iid" / "shard-00000.h5", "r+") as file:
        file["factors"][1, 3, 2] = np.nan
    if listed:
        list_again(folder)
    for words in (
        ("encode", run, folder, "--out", tmp_path / "z.npz"),
        ("train", folder, "--steps", 1, "--device", "cpu", "--out", tmp_path / "run"),
        ("evaluate", run, "--data", folder),
    ):
        if words[0] == "evaluate" and listed:
            continue  # it is another data set then, and refused as that
        assert "iid/shard-00000.h5, batch 1: light_azimuth is not a finite number" in refused(*words)
    assert not (tmp_path / "z.npz").exists()
    assert not (tmp_path / "run" / "log.jsonl").exists()
