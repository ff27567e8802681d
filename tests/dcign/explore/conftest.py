"""A run of two steps on people of 32 px in colour, with calibrations: what the explorer opens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dcign.explore.explored import Explored
from dcign.metrics.circular import ClosedCurve
from dcign.recipes.registry import SWAP, Recipe, changed
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.calibration import CircularCalibration, calibrate, calibrate_coordinates, write_calibrations
from dcign.trained.trained_run import TrainedRun
from tests.support.toys import FORM, write_toys

SMALLER = 28  # px: the least that a network can have
SIZES = {"shape_latents": 4, "skin_latents": 3, "hair_latents": 2}
RANGES = {"azimuth": 86, "elevation": 23, "light_azimuth": 80}


@pytest.fixture(scope="session")
def run_folder(people_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder. Its factors of the scene are -2 to 2 in the code, age 18 to 80, sex -2 to 2."""
    return trained(people_faces, tmp_path_factory.mktemp("explore") / "run", changed(SWAP, SIZES))


@pytest.fixture(scope="session")
def smaller_run(people_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `run_folder`, but the network has 28 px and its data set 32 px."""
    return trained(people_faces, tmp_path_factory.mktemp("smaller") / "run", changed(SWAP, SIZES | {"size": SMALLER}))


def trained(faces: Path, folder: Path, recipe: Recipe) -> Path:
    """Train two steps and write calibrations that are known; return the folder."""
    train(TrainConfiguration(str(faces), str(folder), recipe, 2, 0, device="cpu", threads=1))
    codes = np.linspace(-2, 2, 81)
    fits = []
    for latent, name in enumerate(TrainedRun.open(folder).description.factors):
        values = codes / 2 * RANGES[name] if name in RANGES else 49 + 15.5 * codes if name == "age" else codes
        fits.append(calibrate(name, latent, codes, values))
    write_calibrations(folder, fits)
    return folder


@pytest.fixture(scope="session")
def explored(run_folder: Path) -> Explored:
    """The run, opened beside its data set."""
    return Explored.open(run_folder)


@pytest.fixture(scope="session")
def toys_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on imported data: batches of 6, a number `across`, a factor of classes `form`, an angle `hue`."""
    folder = tmp_path_factory.mktemp("toys")
    faces, run = write_toys(folder / "faces"), folder / "run"
    train(TrainConfiguration(str(faces), str(run), changed(SWAP, {}), 2, 0, device="cpu", threads=1))
    across, form, hue = (block.latents for block in TrainedRun.open(run).layout.factors)
    rng = np.random.default_rng(0)
    values = np.arange(90) % 3
    coordinates = np.eye(3)[values] + rng.normal(scale=0.1, size=(90, 3))
    angles = np.linspace(-np.pi, np.pi, 72, endpoint=False)
    curve = ClosedCurve(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    write_calibrations(run, [calibrate("across", across[0], np.linspace(-2, 2, 81), np.linspace(-1, 1, 81)),
                             calibrate_coordinates("form", form, coordinates, values, FORM.classes),
                             CircularCalibration("hue", (hue[0], hue[1]), curve)])  # fmt: skip
    return run


@pytest.fixture(scope="session")
def toys(toys_run: Path) -> Explored:
    """That run, opened beside its data set."""
    return Explored.open(toys_run)
