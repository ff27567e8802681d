"""`dcign push`: what would be uploaded, and what the hub is asked. The hub's client is faked; nothing is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from dcign.publish import hub
from tests.support.commands import dcign, refused

pytest_plugins = ["tests.support.discs"]
pytest.importorskip("pyarrow")


class FakeHub:
    """Takes the place of huggingface_hub.HfApi and notes what it is asked."""

    asked: list[tuple[str, dict[str, Any]]]
    error: Exception | None = None

    def create_repo(self, name: str, **options: Any) -> None:
        self.asked.append((f"create {name}", options))
        if self.error:
            raise self.error

    def upload_folder(self, *, folder_path: Path, **options: Any) -> None:
        files = {path.relative_to(folder_path).as_posix() for path in folder_path.rglob("*") if path.is_file()}
        self.asked.append(("upload", {**options, "files": files}))


@pytest.fixture
def fake_hub(monkeypatch):
    FakeHub.asked, FakeHub.error = [], None
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_secret")
    return FakeHub


def test_a_network_is_uploaded_as_the_hub_s_files(run, fake_hub):
    result = dcign("push", run, "hf://user/face", "--private")
    assert result.exit_code == 0, result.output
    (created, how), (_, uploaded) = fake_hub.asked
    assert (created, how) == ("create user/face", {"repo_type": "model", "private": True, "exist_ok": True})
    assert (uploaded["repo_id"], uploaded["repo_type"]) == ("user/face", "model")
    assert {hub.WEIGHTS_FILE, hub.CONFIGURATION_FILE, "README.md"} <= uploaded["files"]
    assert uploaded["files"] <= {*hub.FILES}
    assert "https://huggingface.co/user/face" in result.output


def test_a_data_set_is_uploaded_as_parquet_files_that_replace_older_ones(make_dataset, fake_hub):
    result = dcign("push", make_dataset(), "hf://datasets/user/faces", "--split", "iid", "--split", "test")
    assert result.exit_code == 0, result.output
    (created, how), (_, uploaded) = fake_hub.asked
    assert (created, how["repo_type"]) == ("create user/faces", "dataset")
    assert uploaded["files"] == {
        *("README.md", "about.json", "croissant.json"),
        *("data/iid-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
    }
    assert uploaded["delete_patterns"] == ["data/*.parquet"]
    assert "https://huggingface.co/datasets/user/faces" in result.output


def test_an_export_is_uploaded_as_it_is(make_dataset, tmp_path, fake_hub):
    make_dataset()
    dcign("export", tmp_path / "faces", "--to", "parquet", "--split", "iid", "--out", tmp_path / "out")
    (tmp_path / "out" / "note.txt").write_text("mine")
    assert dcign("push", tmp_path / "out", "hf://user/faces").exit_code == 0
    assert "note.txt" in fake_hub.asked[1][1]["files"]


def test_a_dry_run_lists_files_and_sizes_and_needs_no_token(run, fake_hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    result = dcign("push", run, "hf://user/face", "--dry-run")
    assert result.exit_code == 0, result.output
    assert re.search(rf"\d,\d{{3}} bytes  {hub.WEIGHTS_FILE}", result.output)
    assert "Nothing was." in result.output
    assert fake_hub.asked == []


def test_no_token_is_one_sentence_before_anything_is_done(run, fake_hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    said = refused("push", run, "hf://user/face")
    assert "expected a token of the Hugging Face hub, found none: run `hf auth login`, or set HF_TOKEN" in said
    assert fake_hub.asked == []


@pytest.mark.parametrize(
    "url", ["user/face", "hf://face", "hf://a/b/c", "https://huggingface.co/a/b", "hf://user/-x", "hf://user/a--b"]
)
def test_a_wrong_address_is_one_sentence(url, run, fake_hub):
    assert f"expected hf://USER/NAME, of letters, digits, '-', '_' and '.', found {url}" in refused("push", run, url)


def test_an_address_of_data_sets_is_refused_for_a_run(run, fake_hub):
    assert "leave datasets/ out" in refused("push", run, "hf://datasets/user/face")


def test_splits_are_of_data_sets(run, fake_hub):
    said = refused("push", run, "hf://user/face", "--split", "iid", "--dry-run")
    assert f"expected a data set with --split, found {run}, which is none: leave --split out." in said


def test_folders_that_are_neither_are_named(make_dataset, tmp_path, fake_hub):
    assert f"found no such folder at {tmp_path / 'none'}" in refused("push", tmp_path / "none", "hf://user/face")
    assert f"found neither at {tmp_path}" in refused("push", tmp_path, "hf://user/face")
    make_dataset()
    dcign("export", tmp_path / "faces", "--to", "npz", "--split", "iid", "--out", tmp_path / "out")
    assert "found an export --to npz at" in refused("push", tmp_path / "out", "hf://user/face")
    assert fake_hub.asked == []


def test_what_the_hub_refuses_is_one_sentence(run, fake_hub):
    fake_hub.error = OSError("403 Forbidden:\n you may not write to user/face")
    said = refused("push", run, "hf://user/face")
    assert (
        "https://huggingface.co/user/face could not be written (403 Forbidden: you may not write to user/face)" in said
    )
