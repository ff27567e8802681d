"""An atomic file appears complete or not at all, and is an ordinary file afterwards."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
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
    with temporary_path(tmp_path / "a.h5") as part:
        assert part.parent == tmp_path
        assert part.name.startswith(".a.h5.")
        assert is_temporary(part)
    assert is_temporary(tmp_path / ".a.h5.part")  # of earlier versions
    assert not any(is_temporary(tmp_path / name) for name in ("a.h5", "a.part", ".a"))


def test_two_writers_of_one_file_each_write_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with temporary_path(path) as first:
        first.write_bytes(b"first")
        with temporary_path(path) as second:
            second.write_bytes(b"2")
        assert path.read_bytes() == b"2"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os
import sys
from dcign.storage.atomic import temporary_path
from dcign.storage.paths import to_path
with temporary_path(to_path(sys.argv[1])):
    os._exit(0)
"""


def test_the_next_writer_of_a_file_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    for name in ("file", "other"):
        subprocess.run([sys.executable, "-c", KILLED, tmp_path / name], check=True)
    assert len(list(tmp_path.glob(".*.part"))) == 2
    (left,) = tmp_path.glob(".other.*.part")
    here, mine = f".file.{atomic.HOST}", f".file.{atomic.HOST}-{os.getpid()}-00000000.part"  # a container's PIDs repeat
    elsewhere, alive = tmp_path / ".file.0a0a0a0a-1-00000000.part", tmp_path / f"{here}-{os.getppid()}-00000000.part"
    for part in (tmp_path / mine, elsewhere, alive):
        part.touch()
    write_atomic(tmp_path / "file", b"new")
    assert sorted(tmp_path.iterdir()) == sorted([left, elsewhere, alive, tmp_path / "file"])


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
    with temporary_path(tmp_path / "file") as part:
        part.unlink()
        os.close(os.open(part, os.O_CREAT, 0o600))
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_folder_of_the_name_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(DataError, match=r"file could not be written: there is a folder of this name"):
        write_atomic(tmp_path / "file", b"")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_temporary_files_of_killed_processes_are_removed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = to_path("s3://bucket/a.h5")
    words = [sys.executable, "-c", KILLED, str(path)]
    subprocess.run(words, check=True, env=os.environ | {"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.iterdir()
    mine, elsewhere = atomic._temporary_name(path), tmp_path / "dcign-a.h5.0a0a0a0a-1-00000000.part"
    alive = tmp_path / f"dcign-a.h5.{atomic.HOST}-{os.getppid()}-00000000.part"
    others = [mine, elsewhere, alive, tmp_path / f"dcign-a.h5.{atomic.HOST}-x-00000000.part"]
    for part in others:
        part.touch()
    atomic._remove_uploads_of_killed_processes.cache_clear()
    with suppress(ValueError), temporary_path(path):
        raise ValueError
    assert not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted(others)
