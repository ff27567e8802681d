"""A folder in which the examples of the pages run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.evaluate.evaluation import evaluate
from dcign.facegen.model.morphable import MorphableModel
from dcign.infer.encode import encode_dataset, save_encoding
from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import RenderConfiguration
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.data_sets import draw
from tests.support.quick import quick_evaluations


@pytest.fixture(scope="session")
def workplace(
    small_configuration: RenderConfiguration, model: MorphableModel, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with what the examples name: faces, runs, z.npz, photo.png, docs. The runs are one, of two steps."""
    folder = tmp_path_factory.mktemp("examples")
    faces, out = folder / "faces", folder / "runs" / "swap"
    measurable = replace(small_configuration.splits, iid=8)
    draw(faces, model, replace(small_configuration, splits=measurable))
    train(TrainConfiguration(data=str(faces), out=str(out), recipe=RECIPES["swap"], steps=2, seed=0, device="cpu"))
    run = TrainedRun.open(out)
    with quick_evaluations():
        evaluate(run)
    for name in ("first", "vae"):
        out.with_name(name).symlink_to(out)
    save_encoding(encode_dataset(run, faces), folder / "z.npz")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")
    (folder / "docs").symlink_to(Path(__file__).parents[2] / "docs")
    return folder
