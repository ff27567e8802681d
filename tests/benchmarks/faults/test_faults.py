"""The fault campaign in small: every mutated file ends in one sentence, and every damage is noticed."""

from __future__ import annotations

import random
import shutil

import pytest

from benchmarks.faults import alterations, campaign, injection
from benchmarks.faults.mutations import mutate_shard, mutate_text, read_shard, read_text
from dcign.data.dataset.manifest import read_manifest
from dcign.data.shard.reader import Shard


@pytest.mark.parametrize(("kind", "count"), [("shards", 45), ("manifests", 30)])
def test_mutants_end_in_sentences(small_faces, tmp_path, kind, count):
    shutil.copytree(small_faces, tmp_path / "faces")
    told = campaign.fuzz_files(tmp_path, kind, 0, count)
    assert told["faults"] == []
    assert sum(told["outcomes"].values()) == count
    assert told["outcomes"]["found"] > count / 2
    assert 50 < told["peak MB"] < 1100


def test_what_ends_the_reading_process_is_a_fault_and_the_others_go_on(small_faces, tmp_path, monkeypatch):
    shutil.copytree(small_faces, tmp_path / "faces")
    (tmp_path / "faces" / "dataset.json").write_text("{}")  # without splits: mutating it ends the process
    told = campaign.fuzz_files(tmp_path, "manifests", 0, 3)
    assert told["outcomes"] == {"died": 2, "found": 1}
    assert [fault.split(" ")[0] for fault in told["faults"]] == ["1", "2"]


def test_the_same_number_is_the_same_mutant(small_faces, tmp_path):
    shard, text = read_shard(small_faces / "iid" / "shard-00000.h5"), read_text(small_faces / "dataset.json")
    for number in (1, 2, 3):
        done = [mutate_shard(shard, tmp_path / name, 5, number) for name in ("one.h5", "two.h5")]
        assert done[0] == done[1]
        assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes() != shard.content
        assert mutate_text(text, tmp_path / "a.json", 5, number) == mutate_text(text, tmp_path / "b.json", 5, number)
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_folder_is_compared_file_by_file(small_faces, tmp_path):
    wanted, folder = injection.digests(small_faces), tmp_path / "faces"
    shutil.copytree(small_faces, folder)
    assert injection.differences(folder, wanted) == []
    injection.HARMS["a byte changed"](folder / "iid" / "shard-00000.h5", random.Random(0))
    injection.HARMS["the model lost"](folder / "iid" / "shard-00000.h5", random.Random(0))
    (folder / "train" / ".shard-00000.h5.part").write_bytes(b"")
    assert sorted(injection.differences(folder, wanted)) == [
        "iid/shard-00000.h5 has other bytes",
        "model.npz is missing",
        "train/.shard-00000.h5.part is unexpected",
    ]


def test_a_file_that_is_made_again_is_told_from_one_that_stayed(tmp_path):
    for name in ("stays.h5", "goes.h5", "lost.h5"):
        (tmp_path / name).write_bytes(b"same")
    before = injection.inodes(tmp_path)
    (tmp_path / "new").write_bytes(b"same")
    (tmp_path / "new").replace(tmp_path / "goes.h5")
    (tmp_path / "lost.h5").unlink()
    assert injection.made_again(tmp_path, before) == {"goes.h5"}


def test_an_unknown_part_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["faults", "floods"])
    with pytest.raises(SystemExit, match="expected a part, found 'floods': choose from kills, harms"):
        campaign.main()


def test_every_alteration_changes_a_shard_and_is_named_by_inspect(small_faces, tmp_path):
    faces = tmp_path / "faces"
    shutil.copytree(small_faces, faces)
    told = alterations.alter_shards(faces, None, 12, 0)
    assert told["faults"] == []
    assert told["named by"]["inspect"] == told["named by"]["export --to npz"] == 12
    assert len(told["kinds"]) >= 4


def test_an_alteration_that_no_command_names_is_a_fault(small_faces, tmp_path, monkeypatch):
    faces = tmp_path / "faces"
    shutil.copytree(small_faces, faces)
    monkeypatch.setattr(Shard, "sha256", lambda shard: next(
        entry.sha256 for entries in read_manifest(faces).splits.values() for entry in entries
        if faces / entry.file == shard.path
    ))  # fmt: skip
    told = alterations.alter_shards(faces, None, 6, 0)
    assert told["faults"]
