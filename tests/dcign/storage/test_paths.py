"""Data sets in an object store: an S3 server on loopback has one rendered to it, looked at, repaired, trained from."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from s3fs import S3FileSystem

from dcign.data.dataset.reader import FaceDataset, Shard
from dcign.errors import DataError
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.plan.configuration import RenderConfiguration
from dcign.storage import paths as places
from dcign.storage.lock import UnlockedWarning
from dcign.storage.paths import is_remote, local_copy, to_path, with_local_copy
from tests.support.commands import dcign
from tests.support.data_sets import make
from tests.support.object_store import IGNORED_WARNINGS, object_store

pytestmark = [pytest.mark.filterwarnings(ignored) for ignored in IGNORED_WARNINGS]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tmp_path_factory.getbasetemp()  # before TMPDIR is changed
    with object_store("faces-bucket") as bucket:
        yield bucket


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.glob("**/*") if file.is_file()}


def test_a_data_set_in_a_store_is_rendered_inspected_repaired_and_trained_from(
    store: str, small_faces: Path, small_configuration: RenderConfiguration, model: MorphableModel, tmp_path: Path
) -> None:
    folder = to_path(f"{store}/faces")
    assert make(folder, model, small_configuration).made == 21
    assert contents(folder) == contents(small_faces)
    left = [path for path in Path(tempfile.gettempdir()).iterdir() if path.name.startswith("dcign-") and path.is_file()]
    assert not left

    shown = dcign("inspect", f"{store}/faces", "--verify", "--workers", 1)
    assert shown.exit_code == 0, shown.output
    assert "Verified: nothing wrong was found." in shown.output

    (folder / "train/shard-00000.h5").unlink()
    damaged = folder / "iid/shard-00000.h5"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    shown = dcign("inspect", f"{store}/faces", "--quick")
    assert shown.exit_code == 1
    assert f"{store}/faces/iid/shard-00000.h5 is cut short" in " ".join(shown.output.split())
    assert make(folder, model, small_configuration).made == 10
    assert contents(folder) == contents(small_faces)

    options = ("--steps", 3, "--threads", 1, "--data-in")
    trained = dcign("train", f"{store}/faces", "--out", tmp_path / "run", *options, "disk")
    assert trained.exit_code == 0, trained.output
    assert (tmp_path / "run" / "evaluation.json").exists()


def test_a_store_is_said_to_have_no_lock(store: str) -> None:
    from dcign.storage.lock import folder_lock

    with (
        pytest.warns(UnlockedWarning, match="cannot be locked .an object store has no locks."),
        folder_lock(to_path(f"{store}/locked")),
    ):
        pass


def test_what_a_store_does_not_hold_or_allow_is_a_sentence(store: str) -> None:
    for words, sentence in (
        (("inspect", f"{store}/nothing"), f"{store}/nothing is not there: check the name"),
        (("inspect", "s3://no-such-bucket/faces"), "s3://no-such-bucket/faces is not there"),
        (("train", f"{store}/nothing"), "expected a data set folder"),
        (("render", "--batches", 4, "--size", 16, "--workers", 1, "--out", "s3://no-such-bucket/faces"), "bucket"),
        (("inspect", "nowhere://bucket/faces"), "expected a URL of a known store"),
    ):
        result = dcign(*words)
        said = " ".join(result.output.split())
        assert result.exit_code == 1, said
        assert isinstance(result.exception, SystemExit)
        assert sentence in said


def test_wherever_a_store_stops_answering_it_is_a_sentence(
    store: str, small_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in contents(small_faces).items():
        if name.startswith("iid/") or "/" not in name:
            to_path(f"{store}/stopping/{name}").write_bytes(content)
    manifest = json.loads((small_faces / "dataset.json").read_text())
    manifest["splits"] = {"iid": manifest["splits"]["iid"]}
    to_path(f"{store}/stopping/dataset.json").write_text(json.dumps(manifest))
    call, calls, stops = S3FileSystem._call_s3, 0, 10**6

    async def counted(self: S3FileSystem, *given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > stops:
            raise EndpointConnectionError(endpoint_url=store)
        return await call(self, *given, **named)

    monkeypatch.setattr(S3FileSystem, "_call_s3", counted)
    inspected = "inspect", f"{store}/stopping", "--quick", "--workers", 1
    for _ in range(2):  # the first fetches copies
        calls = 0
        dcign(*inspected)  # finds that the train split and others are not there
    needed = calls
    assert needed > 5
    tries = [(stop, inspected) for stop in {*range(0, needed, 3), needed - 1}]
    tries += [(0, ("train", f"{store}/stopping", "--out", tmp_path / "run"))]
    tries += [(0, ("export", f"{store}/stopping", "--to", "npz", "--out", tmp_path / "out"))]
    for stops, words in tries:  # `counted` reads it
        calls = 0
        result = dcign(*words)
        assert (result.exit_code, type(result.exception)) == (1, SystemExit), (words, stops, result.exception)
        said = " ".join(result.output.split())
        assert "cannot be reached (Could not connect to the endpoint URL" in said, (words, stops, said)


def test_only_what_a_store_raises_is_said_of_it() -> None:
    with pytest.raises(ConnectionError), places.store_errors(Path("here")):
        raise ConnectionError("not ours")
    with pytest.raises(ZeroDivisionError), places.store_errors(to_path("s3://bucket/faces")):
        raise ZeroDivisionError


def test_a_copy_is_fetched_again_when_the_store_s_has_changed(store: str) -> None:
    file = to_path(f"{store}/copied/shard.h5")
    file.write_bytes(b"first")
    copy = local_copy(file)
    assert copy.read_bytes() == b"first"
    assert local_copy(file) == copy
    file.write_bytes(b"second")
    assert local_copy(file, fresh=False) == copy
    assert local_copy(file).read_bytes() == b"second"


def test_copies_used_longest_ago_make_room(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (to_path(f"{store}/copied/{name}.h5") for name in "ab")
    for file in (first, second):
        file.write_bytes(b"x" * 1000)
    kept = local_copy(first)
    monkeypatch.setattr(places, "SHARE", 0)
    local_copy(second)
    assert not kept.exists()
    assert local_copy(first, fresh=False).read_bytes() == b"x" * 1000
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("Disk", (), {"free": 10})())
    second.write_bytes(b"y" * 5000)
    with pytest.raises(
        DataError, match=r"expected .* MB for a copy, found .* MB free in .*: free some space, or set TMPDIR"
    ):
        local_copy(second)


@pytest.mark.parametrize("how", ["open to others", "a link", "a file", "another's"])
def test_a_folder_of_copies_that_others_may_write_to_is_refused(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = to_path(f"{store}/copied/a.h5")
    file.write_bytes(b"a")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    copies = local_copy(file).parent
    if how == "another's":
        user = os.getuid()
        copies.rename(tmp_path / f"dcign-copies-{user + 1}")
        monkeypatch.setattr(os, "getuid", lambda: user + 1)
    else:
        copies.rename(tmp_path / "elsewhere")
        if how == "a link":
            copies.symlink_to(tmp_path / "elsewhere")
        elif how == "a file":
            copies.write_text("")
        else:
            copies.mkdir()
            copies.chmod(0o777)
    with pytest.raises(DataError, match=r"expected a folder that only you can use .*: remove it, or set TMPDIR"):
        local_copy(file)


def test_a_copy_that_another_process_removes_is_fetched_again(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = to_path(f"{store}/copied/raced.h5")
    file.write_bytes(b"raced")
    copy, utime, removed = local_copy(file), os.utime, []

    def late(path: Path, ns: tuple[int, int]) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        utime(path, ns=ns)

    monkeypatch.setattr(places.os, "utime", late)
    assert local_copy(file).read_bytes() == b"raced"
    assert removed == [copy]

    reads = []

    def read(path: Path) -> bytes:
        reads.append(path)
        if len(reads) == 1:
            path.unlink()
        return path.read_bytes()

    assert with_local_copy(file, read) == b"raced"
    assert len(reads) == 2
    with pytest.raises(FileNotFoundError):
        with_local_copy(Path("nothing"), Path.read_bytes)


def test_what_another_process_fetches_is_left_alone(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = to_path(f"{store}/copied/a.h5")
    file.write_bytes(b"x" * 1000)
    copies = local_copy(file).parent
    young, old = copies / ".young.part", copies / ".old.part"
    for part in (young, old):
        part.write_bytes(b"x" * 100)
    os.utime(old, (1, 1))
    monkeypatch.setattr(places, "SHARE", 0)
    file.write_bytes(b"y" * 1000)
    local_copy(file)
    assert young.exists()
    assert not old.exists()
    young.unlink()


def test_names_of_this_machine_stay_paths(tmp_path: Path) -> None:
    assert to_path("faces") == Path("faces")
    assert to_path(tmp_path) is tmp_path
    assert local_copy(tmp_path) is tmp_path
    assert not is_remote(tmp_path)


@pytest.mark.parametrize(("module", "url"), [("upath", "s3://b/faces"), ("gcsfs", "gs://b/faces")])
def test_without_a_store_s_package_it_is_named(module: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        DataError,
        match=rf"expected the package of the store of {url}, found none .*{module}.*pip install 'dcign\[cloud\]'",
    ):
        to_path(url)


def test_a_store_of_no_known_kind_is_refused() -> None:
    with pytest.raises(DataError, match=r"a known store, such as .*, found s4://b/faces .*: check it"):
        to_path("s4://b/faces")


def test_python_reads_a_store_s_data_set(store: str, small_faces: Path) -> None:
    for name, content in contents(small_faces).items():
        to_path(f"{store}/small/{name}").write_bytes(content)
    dataset = FaceDataset(f"{store}/small")
    assert [batch.number for batch in dataset.batches("iid")] == [0, 1]
    with Shard(f"{store}/small/iid/shard-00000.h5") as shard:
        assert len(shard) == 2
