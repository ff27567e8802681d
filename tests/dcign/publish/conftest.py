"""The run that the tests of publishing share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.noise_run import make_noise_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluated run. Read only: copy it to change it."""
    return make_noise_run(tmp_path_factory.mktemp("hub") / "run")
