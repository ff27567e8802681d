"""What a worker keeps from one task to the next."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dcign.errors import RenderError
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce import workers
from dcign.render.produce.batch_renderer import BatchRenderer

TINY = RenderConfiguration(Splits(train=1, test=1, iid=1, sweep_levels=(1, 1, 1)), size=16)


class Room:
    """Stands for a renderer: what it was opened with, and whether it is open."""

    def __init__(self, subject: bytes, configuration: RenderConfiguration, **behind: None) -> None:
        self.subject, self.open = subject, True

    def close(self) -> None:
        self.open = False


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def model_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    no_renderers: dict[tuple[Path, str, RenderConfiguration], BatchRenderer] = {}
    monkeypatch.setattr(workers, "_open_renderers", no_renderers)
    monkeypatch.setattr(workers, "BatchRenderer", Room)
    monkeypatch.setattr(workers, "read_subject", Path.read_bytes)
    file = tmp_path / "model.npz"
    file.write_bytes(b"one")
    return file


def test_a_folder_made_again_is_drawn_with_its_new_model_and_the_old_renderer_is_closed(model_file: Path) -> None:
    first = workers.open_renderer(model_file, sha256(b"one"), TINY)
    assert workers.open_renderer(model_file, sha256(b"one"), TINY) is first
    model_file.write_bytes(b"two")
    second = workers.open_renderer(model_file, sha256(b"two"), TINY)
    assert (vars(first)["subject"], vars(first)["open"]) == (b"one", False)
    assert (vars(second)["subject"], vars(second)["open"]) == (b"two", True)


def test_another_model_than_the_task_names_is_refused(model_file: Path) -> None:
    with pytest.raises(RenderError, match=r"expected the model\.npz that the task names, found another one"):
        workers.open_renderer(model_file, sha256(b"two"), TINY)
    assert vars(workers.open_renderer(model_file, sha256(b"one"), TINY))["subject"] == b"one"
