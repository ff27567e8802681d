"""What HDF5 cannot survive is a sentence, and the next file is read as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from data import sandbox
from data.reader import Shard
from data.schema import DataError

pytest_plugins = ["tests.discs"]

HARMS = {
    "an aborting library": ("os.abort()", "dies of it, SIGABRT"),
    "a crashing library": ("os.kill(os.getpid(), 11)", "dies of it, SIGSEGV"),
    "an endless loop": ("while True: pass", "does not come to an end with it"),
    "an endless wait": ("time.sleep(100)", "does not come to an end with it"),
    "an endless answer": ("return {'names': 'x' * 2_000_000}", "does not come to an end with it"),
    "a hunger": ("bytearray(2_000_000_000)", "dies of it, exit code 1"),
}


def serving(harm: str, seconds: int) -> str:
    """A server whose files do harm if they are named so."""
    return (
        "import json, os, sys, time\nsys.path[:] = json.loads(sys.argv[1])\nfrom data import layout, sandbox\n"
        f"sandbox.CPU_SECONDS, sandbox.WALL_SECONDS, sandbox.LARGEST_ANSWER = 1, {seconds}, 1_000_000\n"
        f"def harmed(path):\n    if path.name != 'harmful.h5': return layout.described(path)\n    {harm}\n"
        "sandbox.serve(harmed)\n"
    )


@pytest.mark.parametrize("case", HARMS)
def test_what_kills_the_reading_process_is_a_sentence_and_harms_no_other_file(make_shard, monkeypatch, case):
    harm, said = HARMS[case]
    sound, harmful = make_shard(), make_shard(name="harmful.h5")
    monkeypatch.setattr(sandbox, "_servers", {})
    monkeypatch.setattr(sandbox, "START", serving(harm, seconds=1 if "wait" in case else 100))
    with pytest.raises(DataError) as refusal, Shard(harmful):
        pass
    assert str(refusal.value) == f"{harmful} is damaged (HDF5 {said}); make it again with `dcign render`."
    with Shard(sound) as shard:
        assert len(shard) == 4
    for server in sandbox._servers.values():
        server.close()


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
from data.reader import Shard

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
        "import sys; from data import sandbox; from data.reader import Shard; s = Shard(sys.argv[1]); len(s)\n"
        "print(*[server._process.pid for server in sandbox._servers.values()])"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(make_shard())]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(run.stdout), 0)
