"""`dcign encode` of pictures without labels: their codes, what is read from them, and which should not be trusted."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from dcign.errors import TrainingError
from dcign.infer import encode_pictures as encode_pictures_module
from dcign.infer.edit import edit
from dcign.infer.encode_pictures import encode_pictures, holds_pictures, picture_files
from dcign.infer.read_picture import as_gray, fitted, open_picture
from dcign.trained.shipped import EXAMPLE
from dcign.trained.trained_run import TrainedRun
from tests.support.commands import dcign, refused


@pytest.fixture(scope="module")
def run() -> TrainedRun:
    return TrainedRun.open("face")


@pytest.fixture(scope="module")
def folder(run: TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face as JPEG, its mirror image in a folder inside, and a picture of noise."""
    out = tmp_path_factory.mktemp("photos")
    face = Image.open(run.folder / EXAMPLE)
    face.resize((200, 200)).save(out / "b.jpg", quality=95)
    (out / "more").mkdir()
    face.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out / "more" / "c.png")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(out / "a.PNG")
    (out / "notes.txt").write_text("no picture")
    return out


def test_every_picture_has_its_code_what_edit_reads_and_a_warning_if_it_is_far_off(run, folder, tmp_path):
    result = dcign("encode", "face", folder, "--out", tmp_path / "z.npz", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert "3 pictures, " in result.output
    assert "1 of them are far from what the network was trained on" in result.output
    with np.load(tmp_path / "z.npz") as found:
        assert found["files"].tolist() == ["a.PNG", "b.jpg", "more/c.png"]
        assert [bool(text) for text in found["warnings"]] == [True, False, False]
        names = found["factor_names"].tolist()
        assert names == [fit.factor for fit in run.calibrations]
        assert found["factor_types"].tolist() == ["number"] * len(names)
        azimuth = found["read"][:, names.index("azimuth")]
        assert azimuth[2] == pytest.approx(-azimuth[1], abs=3)
        image = fitted(open_picture(folder / "b.jpg"), run.description.size, 3)
        wanted = edit(run.codec, run.calibrations, image, {})
        assert found["read"][1] == pytest.approx(list(wanted.read.values()), abs=0.2)
        assert found["psnr_db"][1] == pytest.approx(wanted.psnr_db, abs=0.05)
        assert found["mu"].shape == found["logvar"].shape == (3, run.layout.size)


def test_tables_hold_the_same_as_arrays(run, folder, tmp_path):
    codes = encode_pictures(run, folder, thread_count=1)
    for name in ("z.csv", "z.jsonl"):
        assert dcign("encode", "face", folder, "--out", tmp_path / name, "--threads", "1").exit_code == 0
    with (tmp_path / "z.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "z.jsonl").read_text().splitlines()]
    for index, (row, line) in enumerate(zip(rows, lines, strict=True)):
        assert row["file"] == line["file"] == codes.files[index]
        assert float(row["azimuth"]) == line["factors"]["azimuth"] == pytest.approx(codes.read[index, 0], abs=1e-3)
        assert row["warning"] == line["warning"] == codes.warnings[index]
        assert float(row["mu3"]) == pytest.approx(line["mu"][3]) == pytest.approx(float(codes.mu[index, 3]))
        assert float(row["logvar0"]) == pytest.approx(float(codes.logvar[index, 0]))
        assert len(line["logvar"]) == run.layout.size


def test_one_picture_is_encoded_too(folder, tmp_path):
    assert dcign("encode", "face", folder / "b.jpg", "--out", tmp_path / "z.jsonl").exit_code == 0
    assert json.loads((tmp_path / "z.jsonl").read_text())["file"] == "b.jpg"


def test_a_data_set_is_not_taken_for_pictures(small_faces, folder, tmp_path):
    assert holds_pictures(folder)
    assert list(small_faces.rglob("*.png"))  # its contact sheet
    assert not holds_pictures(small_faces)
    assert not holds_pictures(tmp_path / "none")
    unfinished = tmp_path / "unfinished"
    (unfinished / "train").mkdir(parents=True)
    (unfinished / "train" / "shard-00000.h5").write_bytes(b"")
    (unfinished / "preview.png").write_bytes(b"")
    assert not holds_pictures(unfinished)


def test_pictures_that_cannot_be_read_are_named_and_the_others_encoded(folder, tmp_path):
    mixed, out = tmp_path / "mixed", tmp_path / "z.csv"
    shutil.copytree(folder, mixed)
    for number in range(7):
        (mixed / f"bad-{number}.png").write_bytes(b"\x89PNG and no more")
    result = dcign("encode", "face", mixed, "--out", out)
    assert result.exit_code == 0
    words = " ".join(result.output.split())
    count = len(picture_files(folder))
    assert f"Warning: 7 of {count + 7} pictures are left out: " in words
    assert "bad-4.png, found" in words
    assert "bad-5.png" not in words
    assert "; and 2 more." in words
    assert f"{count} pictures, " in words
    assert len(out.read_text().splitlines()) == 1 + count


def test_faces_in_cielab_are_detected(folder, tmp_path):
    pytest.importorskip("cv2")
    mixed, face = tmp_path / "mixed", Image.open(folder / "b.jpg")
    mixed.mkdir()
    face.save(mixed / "a.png")
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    ImageCms.profileToProfile(face, *profiles, outputMode="LAB").save(mixed / "b.tif")
    result = dcign("encode", "face", mixed, "--out", tmp_path / "z.npz", "--detect", "--threads", "1")
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "z.npz") as found:
        assert found["files"].tolist() == ["a.png", "b.tif"]
        np.testing.assert_allclose(*found["read"], atol=10)  # 8 bits of L, a and b; the box moves a little


def test_the_detector_sees_deep_and_transparent_pixels_as_the_network_does():
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (9, 7, 3)).astype(np.uint8))
    np.testing.assert_array_equal(as_gray(colours), np.asarray(colours.convert("L")))
    ten_bits = np.linspace(0, 1023, 63).astype(np.uint16).reshape(9, 7)
    np.testing.assert_allclose(as_gray(Image.fromarray(ten_bits)), ten_bits / 1023 * 255, atol=0.6)
    colours.putalpha(0)
    assert not as_gray(colours).any()
    with pytest.raises(TrainingError, match="expected a picture that converts to RGB, found mode La: save it as RGB"):
        as_gray(Image.new("La", (9, 7)))


def test_a_name_that_is_no_utf_8_is_written_with_escapes(folder, tmp_path):
    odd = tmp_path / "odd"
    odd.mkdir()
    shutil.copy(folder / "b.jpg", os.fsencode(odd) + b"/\xe9.jpg")
    shutil.copy(folder / "b.jpg", odd / "é.jpg")
    for name in ("z.csv", "z.jsonl", "z.npz"):
        assert dcign("encode", "face", odd, "--out", tmp_path / name, "--threads", "1").exit_code == 0, name
    with (tmp_path / "z.csv").open(newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {r"\xe9.jpg", "é.jpg"}


def test_a_file_whose_temporary_name_would_be_too_long_is_refused_before_the_work(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(encode_pictures_module, "open_picture", lambda *_: pytest.fail("a picture was read"))
    for name in ("z" * 235 + ".csv", "new/" + "z" * 235 + ".csv"):
        said = refused("encode", "face", folder, "--out", tmp_path / name)
        assert "the name is too long for the file system; choose a shorter one." in said


def test_a_face_that_is_not_found_is_no_reason_to_give_options_of_another_command(tmp_path):
    pytest.importorskip("cv2")
    Image.new("RGB", (200, 100)).save(tmp_path / "empty.png")
    said = refused("encode", "face", tmp_path / "empty.png", "--detect", "--out", tmp_path / "z.csv")
    assert "200 x 100 px: crop the picture around the face and leave --detect out." in said
    assert "--eyes" not in said


def test_what_cannot_be_encoded_is_named(small_faces, folder, tmp_path):
    out = tmp_path / "z.npz"
    assert "found pictures in" in refused("encode", "face", folder, "--split", "iid", "--out", out)
    assert "expected pictures with --detect, found none in" in refused(
        "encode", "face", small_faces, "--detect", "--out", out
    )
    assert "expected a file NAME.npz, NAME.csv, NAME.jsonl for codes" in refused(
        "encode", "face", folder, "--out", tmp_path / "z"
    )
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"\x89PNG and no more")
    assert "bad/x.png, found" in refused("encode", "face", tmp_path / "bad", "--out", out)
    assert not out.exists()
    Image.new("RGB", (4, 4)).save(tmp_path / "bad" / "x.png")
    assert "x.png: expected a picture of 8 px or more" in refused("encode", "face", tmp_path / "bad", "--out", out)
