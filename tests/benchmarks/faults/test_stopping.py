"""What the campaign of stop signals counts as a fault."""

from __future__ import annotations

import signal

import pytest

from benchmarks.faults.stopping import Stopped

LINE = "Stopped. Complete shards are kept in faces: run the same command again to continue.\n"


@pytest.mark.parametrize(
    ("sent", "code", "said", "faults"),
    [
        (signal.SIGTERM, 143, LINE, 0),
        (signal.SIGHUP, 129, LINE, 0),
        (signal.SIGTERM, 0, "", 0),  # it had finished
        (signal.SIGKILL, -9, "", 0),
        (None, 0, "", 0),
        (None, 1, "", 1),
        (signal.SIGTERM, 130, LINE, 1),
        (signal.SIGHUP, 129, "", 1),
        (signal.SIGHUP, 129, LINE + LINE, 1),
        (signal.SIGTERM, 143, LINE + "Traceback (most recent call last):", 1),
        (signal.SIGKILL, -9, "resource_tracker: 5 leaked semaphore objects", 1),
    ],
)
def test_an_ending_is_a_fault_unless_it_has_its_code_and_one_line(sent, code, said, faults):
    assert len(list(Stopped(sent, code, said).faults("run the same command again"))) == faults
