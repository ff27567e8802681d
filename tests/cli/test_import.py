"""`dcign import`: every layout becomes a data set by one command, and wrong input is one sentence with file and row."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.data.dataset.reader import FaceDataset
from dcign.data.sources import npz
from tests.support import foreign_sets
from tests.support.commands import dcign, refused

MPI3D = (4, 4, 2, 2, 2, 4, 5)

SOURCES: dict[str, Callable[[Path], Path]] = {
    "grid-csv": lambda path: foreign_sets.picture_folder(path / "pictures"),
    "grid-jsonl": lambda path: foreign_sets.picture_folder(path / "pictures", table="metadata.jsonl", channels=1),
    "scattered-csv": lambda path: foreign_sets.picture_folder(path / "pictures", (0,), "metadata.csv"),
    "dsprites": lambda path: foreign_sets.dsprites(path / "sprites.npz"),
    "3dshapes": lambda path: foreign_sets.shapes3d(path / "shapes.h5"),
    "mpi3d": lambda path: foreign_sets.mpi3d(path / "mpi3d.npz", MPI3D),
    "cars3d": lambda path: foreign_sets.cars3d(path / "cars"),
    "smallnorb": lambda path: foreign_sets.small_norb(path / "norb"),
    "falcor3d": lambda path: foreign_sets.falcor3d(path / "Falcor3D"),
    "parquet": lambda path: foreign_sets.parquet(path / "hub" / "data" / "train-00000-of-00001.parquet").parents[1],
    "datasets": lambda path: foreign_sets.saved_to_disk(path / "saved"),
}
FACTORS = {
    "grid-csv": "x y tone",
    "grid-jsonl": "x y tone",
    "scattered-csv": "x y tone",
    "dsprites": "shape scale orientation position_x position_y",
    "3dshapes": "floor_hue wall_hue object_hue scale shape orientation",
    "mpi3d": "object_color object_shape object_size camera_height background_color horizontal_axis vertical_axis",
    "cars3d": "azimuth elevation",
    "smallnorb": "elevation azimuth lighting",
    "falcor3d": "lighting_z_dir camera_x_pos camera_y_pos camera_z_pos",
    "parquet": "x kind tone",
    "datasets": "x kind tone",
}


@pytest.fixture(autouse=True)
def small_mpi3d(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPI3D has 460,800 images or more; the tests' has 2,560."""
    monkeypatch.setattr(npz, "MPI3D_GRID", MPI3D[2:])


@pytest.mark.parametrize("layout", SOURCES)
def test_each_layout_becomes_a_data_set_in_which_inspect_finds_nothing_wrong(layout: str, tmp_path: Path) -> None:
    source, out = SOURCES[layout](tmp_path), tmp_path / "out"
    done = dcign("import", source, "--out", out)
    assert done.exit_code == 0, done.output
    shown = dcign("inspect", out, "--verify")
    assert shown.exit_code == 0, shown.output
    dataset = FaceDataset(out)
    assert " ".join(factor.name for factor in dataset.factors) == FACTORS[layout]
    assert {"train", "test", "iid"} <= {*dataset.splits}


@pytest.mark.parametrize("layout", SOURCES)
def test_a_dry_run_prints_the_plan_and_writes_nothing(layout: str, tmp_path: Path) -> None:
    source, out = SOURCES[layout](tmp_path), tmp_path / "out"
    before = {*tmp_path.rglob("*")}
    done = dcign("import", source, "--out", out, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "held out" in done.output
    assert all(name in done.output for name in FACTORS[layout].split())
    assert {*tmp_path.rglob("*")} == before


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    source = SOURCES["grid-csv"](tmp_path)
    for name, seed in (("one", 4), ("two", 4), ("three", 5)):
        assert dcign("import", source, "--out", tmp_path / name, "--seed", seed).exit_code == 0
    one, two, three = ((tmp_path / name / "dataset.json").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_the_card_says_where_the_images_came_from_and_what_train_does_not_show(tmp_path: Path) -> None:
    source, out = SOURCES["3dshapes"](tmp_path), tmp_path / "out"
    assert dcign("import", source, "--out", out).exit_code == 0
    about = json.loads((out / "dataset.json").read_text())["configuration"]
    assert about["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert "combinations of labels" in (out / "README.md").read_text()


def test_options_change_kinds_units_signs_size_and_channels(tmp_path: Path) -> None:
    source, out = SOURCES["grid-csv"](tmp_path), tmp_path / "out"
    done = dcign("import", source, "--out", out, "--factors", "x,tone", "--identity", "y", "--circular", "tone",
                 "--units", "tone=turn", "--mirror", "tone=-1", "--categorical", "x", "--size", 16,
                 "--channels", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    dataset = FaceDataset(out)
    x, tone = dataset.factors
    assert x.classes == ("0", "0.333333", "0.666667", "1")
    assert (tone.circular, tone.units, tone.mirror_sign) == (True, "degree", -1)
    batch = next(dataset.batches("train"))
    assert batch.images.shape[1:] == (16, 16, 1)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_as_spreadsheets_save_it_is_read(delimiter: str, tmp_path: Path) -> None:
    folder, out = foreign_sets.picture_folder(tmp_path / "pictures"), tmp_path / "out"
    table = folder / "labels.csv"
    assert dcign("import", folder, "--out", tmp_path / "as-written").exit_code == 0
    text = table.read_text().replace(",", delimiter)
    head, *rows = text.split("\n")
    table.write_text("\n".join([head, *(_with_decimal_commas(row, delimiter) for row in rows)]))
    assert dcign("import", folder, "--out", out).exit_code == 0
    for one, two in zip(
        FaceDataset(tmp_path / "as-written").batches("train"), FaceDataset(out).batches("train"), strict=True
    ):
        assert np.array_equal(one.factors, two.factors)


def _with_decimal_commas(row: str, delimiter: str) -> str:
    name, *cells = row.split(delimiter)
    return delimiter.join([name, *(cell.replace(".", ",") for cell in cells)])


def damaged(folder: Path, what: str) -> None:
    """Spoil a folder of pictures: its row 3, which names pictures/0001.png."""
    picture, table = folder / "pictures" / "0001.png", folder / "labels.csv"
    lines = table.read_text().splitlines()
    pixels = np.zeros((32, 32), np.uint16)
    if what == "missing picture":
        picture.unlink()
    elif what == "missing pictures":
        for each in (picture, picture.with_stem("0002"), picture.with_stem("0005")):
            each.unlink()
    elif what == "gaps":
        lines[2:5] = [line.rsplit(",", 1)[0] + "," for line in lines[2:5]]
    elif what == "NaN":
        lines[2] = lines[2].rsplit(",", 1)[0] + ",nan"
    elif what == "gap":
        lines[2] = lines[2].rsplit(",", 1)[0] + ","
    elif what == "duplicate":
        lines[3] = lines[2]
    elif what == "mixed sizes":
        Image.new("RGB", (40, 32)).save(picture)
    elif what == "16-bit":
        Image.fromarray(pixels + 40000).save(picture)
    elif what == "CMYK":
        Image.new("CMYK", (32, 32)).save(picture.with_suffix(".jpg"))
        lines[2] = lines[2].replace("png", "jpg")
    elif what == "truncated file":
        picture.write_bytes(picture.read_bytes()[:-30])
    elif what == "escaping path":
        lines[2] = lines[2].replace("pictures/", "../other/")
    elif what == "short row":
        lines[2] = lines[2].rsplit(",", 1)[0]
    elif what == "web page":
        picture.write_text("<!DOCTYPE html>")
    table.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing picture", "labels.csv, row 3: expected the picture pictures/0001.png, found no such file"),
        ("NaN", "labels.csv, row 3: expected a finite number in tone, found none"),
        ("missing pictures", "found no such file, nor in 2 further rows"),
        ("gap", "labels.csv, row 3: expected a finite number in tone, found none: "),
        ("gaps", "labels.csv, row 3: expected a finite number in tone, found none, nor in 2 further rows"),
        ("duplicate", "labels.csv, row 4: expected each picture once, found pictures/0001.png, as in row 3"),
        ("mixed sizes", "labels.csv, row 3, with 40 x 32 px: expected 32 x 32 px"),
        ("16-bit", "labels.csv, row 3: expected a picture of 8-bit gray or RGB, found one of 16 bits"),
        ("CMYK", "labels.csv, row 3: expected a picture of 8-bit gray or RGB, found one in CMYK"),
        ("truncated file", "labels.csv, row 3: expected a picture in 0001.png, found a picture that is damaged"),
        ("escaping path", "labels.csv, row 3: expected a picture in"),
        ("short row", "labels.csv, row 3: expected 4 cells, found 3"),
        ("web page", "labels.csv, row 3: expected a picture in 0001.png, found a web page"),
    ],
)
def test_wrong_pictures_and_tables_are_one_sentence_with_file_and_row(what: str, said: str, tmp_path: Path) -> None:
    folder = foreign_sets.picture_folder(tmp_path / "pictures")
    damaged(folder, what)
    assert said in refused("import", folder, "--out", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--factors", "x,z"], "expected a column z"),
        (["--mirror", "x=2"], "expected -1 or 1 in --mirror x, found 2"),
        (["--categorical", "x", "--mirror", "x=-1"], "expected numbers in x, which --mirror negates, found classes"),
        (["--units", "x"], "expected NAME=VALUE in --units, found x"),
        (
            ["--circular", "x", "--units", "x=hour"],
            "expected numbers in degree, radian, turn for the circular factor x",
        ),
        (["--circular", "x", "--categorical", "x"], "expected x in --circular or --categorical, found it in both"),
        (["--factors", "x,y", "--identity", "x"], "expected x in --factors or --identity, found it in both"),
        (["--hold-out", "identity"], "identities or more"),
        (["--out", "pictures"], "is there already"),
    ],
)
def test_wrong_options_are_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign_sets.picture_folder(tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    assert said in refused("import", "pictures", *(words if "--out" in words else [*words, "--out", "out"]))


@pytest.mark.parametrize(
    ("layout", "file", "said"),
    [
        ("dsprites", "sprites.npz", "sprites.npz: expected an npz archive of arrays"),
        ("3dshapes", "shapes.h5", "shapes.h5 is cut short"),
        ("mpi3d", "mpi3d.npz", "mpi3d.npz: expected an npz archive of arrays"),
        ("cars3d", "cars/car_003_mesh.mat", "car_003_mesh.mat: expected"),
        ("smallnorb", "norb/smallnorb-5x01235x9x18x6x2x96x96-testing-dat.mat", "testing-dat.mat: expected"),
        ("falcor3d", "Falcor3D/images/000001.png", "000001.png: expected a picture"),
        ("parquet", "hub/data/train-00000-of-00001.parquet", "parquet: expected a whole Parquet or Arrow file"),
        ("datasets", "saved/data-00000-of-00001.arrow", "arrow: expected a whole Parquet or Arrow file"),
    ],
)
def test_a_file_that_is_cut_short_is_named(layout: str, file: str, said: str, tmp_path: Path) -> None:
    source, out = SOURCES[layout](tmp_path), tmp_path / "out"
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[: len(content) * 2 // 3])
    assert said in refused("import", source, "--out", out)
    assert not out.exists()


def test_what_is_no_data_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "empty").mkdir()
    assert "found a zip archive" in refused("import", tmp_path / "a.zip", "--out", tmp_path / "out")
    assert "expected a table of labels" in refused("import", tmp_path / "empty", "--out", tmp_path / "out")
    assert "expected a file or a folder, found none" in refused("import", tmp_path / "x", "--out", tmp_path / "out")


FIELDS = ("varies", "images", "factors", "identity_index")


def test_labels_of_an_npz_may_be_in_fortran_order_and_images_may_not(tmp_path: Path) -> None:
    """numpy saves a transposed table so; images in this order cannot be read from front to back."""
    with np.load(foreign_sets.dsprites(tmp_path / "given.npz"), allow_pickle=True) as given:
        arrays = {name: given[name] for name in ("imgs", "latents_values")}
    labels = np.asfortranarray(arrays["latents_values"])
    np.savez(tmp_path / "labels.npz", imgs=arrays["imgs"], latents_values=labels)
    said = dcign("import", tmp_path / "labels.npz", "--out", tmp_path / "out", "--dry-run")
    assert said.exit_code == 0, said.output
    np.savez(tmp_path / "images.npz", imgs=np.asfortranarray(arrays["imgs"]), latents_values=labels)
    told = refused("import", tmp_path / "images.npz", "--out", tmp_path / "out")
    assert "images.npz, array imgs: expected images in C order, found Fortran order: save numpy.ascont" in told


@pytest.mark.parametrize("to", ["png", "npz", "3dshapes", "webdataset"])
def test_our_own_exports_come_back_unchanged(to: str, small_faces: Path, tmp_path: Path) -> None:
    exported, out = tmp_path / "exported", tmp_path / "out"
    assert dcign("export", small_faces, "--to", to, "--out", exported).exit_code == 0
    done = dcign("import", exported, "--out", out)
    assert done.exit_code == 0, done.output
    before, after = FaceDataset(small_faces), FaceDataset(out)
    assert after.factors == before.factors
    for split in before.splits:
        for one, other in zip(before.batches(split), after.batches(split), strict=True):
            assert all(np.array_equal(getattr(one, field), getattr(other, field)) for field in FIELDS)
    shutil.rmtree(exported)
