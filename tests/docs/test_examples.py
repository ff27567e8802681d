"""The Python examples of README and docs/ run, page by page, on a small data set and a short run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dcign import DCIGN
from dcign.evaluate.evaluation import evaluate
from dcign.facegen.model.morphable import MorphableModel
from dcign.infer.encode import encode_dataset, save_encoding
from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import RenderConfiguration
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.data_sets import make
from tests.support.pages import ROOT, python_blocks

SIZE = 32  # of the pictures of small_faces
# Not run: a formula, packages that dcign does not need, a row for a source file, meshes that nobody has.
NOT_RUN = ("half = np.tan", "webdataset", "dask_", "Push(", "chairs-64")


@pytest.fixture(scope="module")
def workplace(
    small_configuration: RenderConfiguration, model: MorphableModel, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with what the examples name: faces, runs, z.npz, photo.png. The runs are one, of two steps."""
    folder = tmp_path_factory.mktemp("examples")
    faces, out = folder / "faces", folder / "runs" / "swap"
    measurable = replace(small_configuration.splits, iid=8)
    make(faces, model, replace(small_configuration, splits=measurable))
    train(TrainConfiguration(data=str(faces), out=str(out), recipe=RECIPES["swap"], steps=2, seed=0, device="cpu"))
    run = TrainedRun.open(out)
    evaluate(run)
    for name in ("first", "vae"):
        out.with_name(name).symlink_to(out)
    save_encoding(encode_dataset(run, faces), folder / "z.npz")
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")
    return folder


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("shard", "import", "training", "metrics", "face"))]


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
