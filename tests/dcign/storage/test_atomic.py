"""An atomic file appears complete or not at all, and is an ordinary file afterwards."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dcign.errors import DataError
from dcign.storage import atomic
from dcign.storage.atomic import atomic_file, is_temporary, temporary_path, write_atomic
from dcign.storage.paths import to_path


def disk_full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in (b"one", b"another"):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_name_is_hidden_and_in_the_same_folder(tmp_path: Path) -> None:
    with temporary_path(tmp_path / "a.h5") as part, temporary_path(tmp_path / "a.h5", "7f") as marked:
        assert part == tmp_path / ".a.h5.part"
        assert marked == tmp_path / ".a.h5.7f.part"
        assert is_temporary(part)
        assert is_temporary(marked)
    assert not is_temporary(tmp_path / "a.h5")


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    monkeypatch.setattr("dcign.storage.atomic.os.fsync", disk_full)
    with pytest.raises(DataError, match="file could not be written: the disk is full"):
        write_atomic(path, b"new")
    with pytest.raises(DataError, match="the disk is full"), atomic_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_of_the_caller_passes_unchanged_and_leaves_nothing(tmp_path: Path) -> None:
    for writer in (temporary_path, atomic_file):
        with pytest.raises(OSError, match="the caller's own"), writer(tmp_path / "file"):
            raise OSError("the caller's own")
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_the_permissions_of_an_ordinary_new_file(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_bytes(b"")
    (tmp_path / ".file.part").touch(mode=0o600)  # a writer that was killed left it
    with temporary_path(tmp_path / "file") as part:
        part.unlink()
        os.close(os.open(part, os.O_CREAT, 0o600))
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_folder_of_the_temporary_name_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".file.part").mkdir()
    with pytest.raises(DataError, match=r"file could not be written: there is a folder of this name"):
        write_atomic(tmp_path / "file", b"")


def test_temporary_files_of_killed_processes_are_removed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = to_path("s3://bucket/a.h5")
    script = """
import os
from dcign.storage.atomic import temporary_path
from dcign.storage.paths import to_path
with temporary_path(to_path("s3://bucket/a.h5"), "m"):
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.iterdir()
    mine, elsewhere = atomic._temporary_name(path, ""), tmp_path / "dcign-0a0a0a0a-1-00.a.h5.part"
    others = [mine, elsewhere, tmp_path / f"dcign-{atomic.HOST}-x-00.a.h5.part"]
    for part in others:
        part.touch()
    atomic._remove_files_of_dead_processes.cache_clear()
    atomic._temporary_name(path, "")
    assert not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted(others)
