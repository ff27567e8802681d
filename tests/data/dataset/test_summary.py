"""What `inspect` says of a shard or a folder is what was written, as JSON, as a table and as a picture."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from dcign.data.dataset import contact_sheet as sheets
from dcign.data.dataset.contact_sheet import contact_sheet, write_sheet
from dcign.data.dataset.summary import summarise, table
from dcign.data.schema import FACTORS, VARIES
from dcign.errors import DataError

pytest_plugins = ["tests.support.discs"]


def printed(summary):
    console = Console(file=io.StringIO(), width=80)
    console.print(table(summary))
    return console.file.getvalue()


def test_a_shard_is_described_by_what_is_in_it(make_shard, header):
    path = make_shard()
    summary = json.loads(json.dumps(summarise(path)))
    assert summary["kind"] == "shard"
    assert summary["image"] == {"height": 24, "width": 24, "channels": 1}
    train = summary["splits"]["train"]
    assert train["batches_of_kind"] == dict.fromkeys([*VARIES][:4], 1)
    assert (train["batches"], train["images"], train["identities"]) == (4, 80, 23)
    assert train["bytes"] == path.stat().st_size
    azimuth = summary["factors"]["azimuth"]
    assert azimuth["configured"] == [-86, 86]
    assert -86 <= azimuth["observed"][0] < azimuth["observed"][1] <= 86
    assert summary["provenance"]["model"]["sha256"] == header.model_sha256


def test_a_folder_is_the_sum_of_its_shards(make_dataset):
    folder = make_dataset()
    whole = summarise(folder)
    shards = [summarise(path) for path in sorted(folder.glob("train/*.h5"))]
    for count in ("batches", "images", "bytes", "shards"):
        assert whole["splits"]["train"][count] == sum(part["splits"]["train"][count] for part in shards)
    assert whole["splits"]["train"]["shards"] == 2
    assert whole["splits"]["iid"]["batches_of_kind"] == {"all": 2}
    assert whole["splits"]["sweep"]["truth"] == ["mask"]
    assert whole["provenance"]["model"]["name"] == "discs"


def test_the_table_fits_eighty_columns_and_names_everything(make_dataset):
    text = printed(summarise(make_dataset()))
    assert max(map(len, text.splitlines())) <= 80
    for word in ("train", "sweep", "light_azimuth", "-86.0 to 86.0", "discs", "mask", "seed"):
        assert word in text


@pytest.mark.parametrize(("channels", "word"), [(1, "24 x 24 px, gray"), (3, "24 x 24 px, colour")])
def test_the_title_says_gray_or_colour(make_shard, make_batch, channels, word):
    text = printed(summarise(make_shard([make_batch(0, "identity", channels=channels)])))
    assert word in " ".join(text.split())


def test_unreadable_shards_of_a_folder_are_named_and_the_others_described(make_dataset):
    folder = make_dataset()
    (folder / "train" / "shard-00000.h5").unlink()
    (folder / "iid" / "shard-00000.h5").write_bytes((folder / "iid" / "shard-00000.h5").read_bytes()[:-9])
    summary = json.loads(json.dumps(summarise(folder)))
    missing, short = summary["unreadable"]
    assert "train/shard-00000.h5 is not there" in missing
    assert "iid/shard-00000.h5 is cut short" in short
    assert [split["batches"] for split in summary["splits"].values()] == [3, 4, 0, 1]
    assert printed(summary).count("UNREADABLE") == 2


def test_a_folder_without_a_readable_shard_is_described_all_the_same(make_dataset):
    folder = make_dataset()
    for path in folder.glob("*/*.h5"):
        path.unlink()
    assert printed(summarise(folder)).count("UNREADABLE") == 5


def test_a_sound_folder_and_a_sound_shard_have_nothing_unreadable(make_dataset):
    folder = make_dataset()
    assert summarise(folder)["unreadable"] == summarise(folder / "iid" / "shard-00000.h5")["unreadable"] == []


def test_neither_a_shard_nor_a_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        summarise(tmp_path / "none")
    with pytest.raises(DataError, match=r"has no dataset\.json"):
        summarise(tmp_path)


def test_a_sheet_has_a_row_a_batch_in_the_order_of_what_varies(make_shard, make_batch, tmp_path):
    batch = make_batch(0, "elevation")
    write_sheet(make_shard([batch]), tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    ordered = batch.images[np.argsort(batch.factors[:, 1]), ..., 0]
    row = np.concatenate(list(ordered), axis=1).repeat(3, axis=0).repeat(3, axis=1)  # 24 px shown as 72
    np.testing.assert_array_equal(sheet[:72, -20 * 72 :, 0], row)
    label = sheet[:, : -20 * 72]
    assert (label < 128).any()  # its text
    assert 60 < label.shape[1] < 130
    assert (label[:, -4:] == 255).all()  # which ends before the pictures


def test_a_sheet_of_a_folder_shows_every_split_and_keeps_to_its_rows(make_dataset):
    folder = make_dataset()
    row = contact_sheet(folder, rows=1).height
    gap = contact_sheet(folder, rows=2).height - 2 * row
    for of_each_kind, shown in {1: 4 + 4 + 1 + 1, 2: 5 + 4 + 2 + 1}.items():
        sheet = contact_sheet(folder, of_each_kind=of_each_kind, rows=100)
        assert sheet.height == shown * row + (shown - 1) * gap


def test_rows_of_a_sweep_say_at_what_level_they_stand(make_shard, make_batch):
    batch = make_batch(0, "identity")
    level = np.tile(np.float32([12.5, 0, 0]), (20, 1))
    said = [sheets._lines("sweep", FACTORS, replace(batch, factors=factors), ())
            for factors in (level, 0 * level)]  # fmt: skip
    assert [next(iter(lines))[0] for lines in said] == [
        "sweep, batch 0\nidentity\nazimuth 12.5",
        "sweep, batch 0\nidentity\nall at 0",
    ]


def test_colour_images_make_a_colour_sheet(make_shard, make_batch):
    sheet = contact_sheet(make_shard([make_batch(0, "identity", channels=3)]))
    assert sheet.mode == "RGB"


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet", "png"])
def test_a_sheet_is_refused_a_name_that_is_not_of_a_png(make_shard, tmp_path, name):
    source = make_shard()
    with pytest.raises(DataError, match=r"ends in \.png"):
        write_sheet(source, tmp_path / name)
    assert list(tmp_path.iterdir()) == [source]
    write_sheet(source, tmp_path / "SHEET.PNG")


def test_a_sheet_that_cannot_be_written_is_one_sentence(make_shard, tmp_path):
    with pytest.raises(DataError, match="could not be written"):
        write_sheet(make_shard(), tmp_path / "shard.h5" / "sheet.png")
