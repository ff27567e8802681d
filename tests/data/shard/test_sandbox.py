"""What HDF5 cannot survive is a sentence, and the next file is read as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dcign.data.dataset.reader import Shard
from dcign.data.shard import sandbox
from dcign.errors import DataError

pytest_plugins = ["tests.support.discs"]

HARMS = {
    "an aborting library": ("os.abort()", "crashes on it, SIGABRT"),
    "a crashing library": ("os.kill(os.getpid(), 11)", "crashes on it, SIGSEGV"),
    "an endless loop": ("while True: pass", "does not finish with it"),
    "an endless wait": ("time.sleep(100)", "does not finish with it"),
    "an endless answer": ("return {'names': 'x' * 2_000_000}", "does not finish with it"),
    "a hunger": ("bytearray(2_000_000_000)", "crashes on it, exit code 1"),
}


def serving(harm: str, seconds: int) -> str:
    """A server whose files do harm if they are named so."""
    return (
        "import os, time\n"
        "from dcign.data.shard import hdf5_layout as layout, sandbox\n"
        f"sandbox.CPU_SECONDS, sandbox.WALL_SECONDS, sandbox.LARGEST_ANSWER = 1, {seconds}, 1_000_000\n"
        f"def harmed(path):\n    if path.name != 'harmful.h5': return layout.read_layout(path)\n    {harm}\n"
        "sandbox.serve(harmed)\n"
    )


@pytest.mark.parametrize("case", HARMS)
def test_what_kills_the_reading_process_is_a_sentence_and_harms_no_other_file(make_shard, monkeypatch, case):
    harm, said = HARMS[case]
    sound, harmful = make_shard(), make_shard(name="harmful.h5")
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setattr(sandbox, "SERVER", ("-c", serving(harm, seconds=1 if "wait" in case else 100)))
    with pytest.raises(DataError) as refusal, Shard(harmful):
        pass
    assert str(refusal.value) == f"{harmful} is damaged (HDF5 {said}); make it again with `dcign render`."
    with Shard(sound) as shard:
        assert len(shard) == 4
    for server in sandbox._servers.values():
        server.close()


def test_switched_off_a_file_is_opened_in_this_process(make_shard, monkeypatch):
    path = make_shard()
    with Shard(path) as shard:
        wanted = shard.batch(0)
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setenv("DCIGN_SANDBOX", "off")
    with Shard(path) as shard:
        assert (shard.batch(0).images == wanted.images).all()
    assert not sandbox._servers


@pytest.mark.parametrize("value", ["", "on", "0", "OFF"])
def test_only_the_word_off_switches_the_sandbox_off(make_shard, monkeypatch, value):
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setenv("DCIGN_SANDBOX", value)
    with Shard(make_shard()):
        assert sandbox._servers
    sandbox.close()


@pytest.mark.parametrize("switch", ["on", "off"])
def test_a_file_of_another_program_is_refused_alike_with_and_without(make_shard, monkeypatch, switch):
    path = make_shard()
    path.write_bytes(path.read_bytes()[:5000])
    monkeypatch.setenv("DCIGN_SANDBOX", switch)
    with pytest.raises(DataError, match=r"shard\.h5 is cut short"), Shard(path):
        pass


def test_the_server_imports_nothing_from_the_working_folder(make_shard, monkeypatch, tmp_path):
    path, folder = make_shard(), tmp_path / "strange"
    folder.mkdir()
    (folder / "h5py.py").write_text("raise ImportError")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    with Shard(path) as shard:
        assert len(shard) == 4
    sandbox.close()


def test_a_server_that_was_killed_is_started_again(make_shard):
    path = make_shard()
    with Shard(path) as shard:
        (server,) = sandbox._servers.values()
        server._process.kill()
        server._process.wait()
        shard.close()
        assert len(shard) == 4


def test_a_file_is_named_as_the_user_named_it(make_shard, monkeypatch, tmp_path):
    path = make_shard()
    path.write_bytes(path.read_bytes()[:5000])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^shard\.h5 is cut short"), Shard(path.relative_to(tmp_path)):
        pass


FORKED = """
import os, sys
from dcign.data.dataset.reader import Shard

with Shard(sys.argv[1]) as shard:
    child = os.fork()
    shard.close()
    print(len(shard), shard.varies, flush=True)
    if child:
        assert os.waitpid(child, 0)[1] == 0
    else:
        os._exit(0)
"""


def test_a_forked_process_asks_a_server_of_its_own(make_shard):
    command = [sys.executable, "-c", FORKED, str(make_shard())]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == ["4 ['azimuth', 'elevation', 'light_azimuth', 'identity']"] * 2


def test_no_process_is_left_behind(make_shard):
    script = (
        "import sys; from dcign.data.shard import sandbox\n"
        "from dcign.data.dataset.reader import Shard; s = Shard(sys.argv[1]); len(s)\n"
        "print(*[server._process.pid for server in sandbox._servers.values()])"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(make_shard())]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(run.stdout), 0)


def test_a_folder_that_was_removed_under_the_process_is_no_death_of_another(make_shard):
    script = (
        "import os, sys, tempfile; from dcign.data.dataset.reader import Shard\n"
        "gone = tempfile.mkdtemp(); os.chdir(gone); os.rmdir(gone)\n"
        "with Shard(sys.argv[1]) as shard: print(len(shard))"
    )
    command = [sys.executable, "-c", script, str(make_shard())]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "4\n"), run.stderr


def test_restarts_leave_one_thing_to_do_at_exit(make_shard, monkeypatch):
    noted = []
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setattr(sandbox.atexit, "register", noted.append)
    monkeypatch.setattr(sandbox.atexit, "unregister", noted.remove)
    path = make_shard()
    for _ in range(3):
        with Shard(path):
            (server,) = sandbox._servers.values()
            server._process.kill()
            server._process.wait()
    assert noted == [server.close]
    server.close()
    assert not noted


@pytest.mark.parametrize("how", ["replaced", "written to", "removed"])
def test_a_file_that_changes_while_it_is_opened_is_not_read(make_shard, monkeypatch, how):
    path, described = make_shard(), sandbox.read_layout

    def changed(asked):
        answer = described(asked)
        if how == "replaced":
            other = asked.with_suffix(".new")
            other.write_bytes(asked.read_bytes())
            other.replace(asked)
        elif how == "removed":
            asked.unlink()
        else:
            asked.write_bytes(asked.read_bytes() + b"x")
        return answer

    monkeypatch.setattr(sandbox, "read_layout", changed)
    with pytest.raises(DataError, match=r"was written while it was opened: run the same command again\.$"), Shard(path):
        pass


def test_reading_goes_on_where_the_system_stops(make_shard, monkeypatch):
    path, pread = make_shard(), os.pread
    with Shard(path) as shard:
        wanted = shard.images(0)
        monkeypatch.setattr(os, "pread", lambda file, count, first: pread(file, min(count, 1000), first))
        assert (shard.images(0) == wanted).all()
        assert shard.factors.shape[0] == 4
