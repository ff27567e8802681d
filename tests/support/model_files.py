"""Heads in the file layouts of published face models that more than one test module reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.support.heads import Head, deviations_out


def write_h5(path: Path, given: Head, **changed: Any) -> Path:
    """The layout of model2017 and model2019. changed: datasets by path with / for _, None to leave one out."""
    arrays: dict[str, Any] = {
        "/shape/representer/points": given.vertices.T.astype(np.float32),
        "/shape/representer/cells": given.triangles.T.astype(np.int32),
        "/expression/model/mean": np.full(given.vertices.size, 16.7),
        "/metadata/landmarks/json": json.dumps(
            [{"id": "center.nose.tip", "coordinates": given.vertices[given.nose].tolist()},
             {"id": "of.another.mesh", "coordinates": [500, 500, 500]}]
        ),
    }  # fmt: skip
    for group, mean, modes in (("shape", given.vertices, given.modes), ("color", given.colours, given.colour_modes)):
        columns, deviations = deviations_out(modes)
        arrays |= {
            f"/{group}/version/majorVersion": 0,
            f"/{group}/version/minorVersion": 9,
            f"/{group}/model/mean": mean.ravel().astype(np.float32),
            f"/{group}/model/pcaBasis": columns.astype(np.float32),
            f"/{group}/model/pcaVariance": deviations**2,
            f"/{group}/model/noiseVariance": [0.0],
        }
    arrays |= {"/" + key.replace("__", "/"): array for key, array in changed.items()}
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            if array is not None:
                file[key] = array
    return path


def flame(given: Head) -> dict[str, Any]:
    """What FLAME holds: metres, 300 identity columns (most of them still, here) and then expressions."""
    columns = np.zeros((*given.vertices.shape, 400))
    columns[:, :, : given.modes.shape[2]] = given.modes / 1000
    columns[:, :, 300:] = 0.05
    return {
        "v_template": given.vertices / 1000 + 0.02,
        "f": given.triangles.astype(np.uint32),
        "shapedirs": columns,
        "weights": np.eye(5)[np.zeros(len(given.vertices), int)],
    }
