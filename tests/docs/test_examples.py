"""The Python examples of README and docs/ run, page by page, on a small data set and a short run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dcign import DCIGN
from dcign.facegen.model.morphable import MorphableModel
from tests.support.pages import ROOT, python_blocks

pytestmark = pytest.mark.usefixtures("quick_evaluations")

SIZE = 32  # of the pictures of small_faces
# Not run: a formula, packages that dcign does not need, a row for a source file, meshes that nobody has.
NOT_RUN = ("half = np.tan", "webdataset", "dask_", "Push(", "chairs-64")


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("shard", "import", "training", "metrics", "face", "start"))]


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_one_after_another(
    page: str, workplace: Path, model: MorphableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    monkeypatch.setattr(DCIGN, "push_to_hub", lambda self, name: None)  # the one line that needs a network
    blocks = [block for block in python_blocks(ROOT / page) if not any(word in block for word in NOT_RUN)]
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        names["images"] = np.zeros((3, SIZE, SIZE, 1), np.uint8)
        if "DCIGN.from_pretrained" in block:
            names["images"] = torch.zeros(3, 1, SIZE, SIZE)
        exec(compile(block.replace("num_workers=2", "num_workers=0"), page, "exec"), names)
