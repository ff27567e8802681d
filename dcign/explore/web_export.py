"""The page as static files: any file server can host it, and the visitor's browser computes (onnxruntime-web).

index.html              the page
static/                 its scripts, its style sheet, and vendor/ with the licences of what others wrote
data/description.json   the run, its calibration, its directions, and some people
data/encoder.onnx, data/decoder.onnx
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcign.errors import TrainingError
from dcign.explore.explored import Explored
from dcign.explore.page import INDEX, STATIC, index_html
from dcign.publish.hub import folder_errors
from dcign.publish.onnx import export_run
from dcign.storage.atomic import write_atomic
from dcign.storage.paths import is_there
from dcign.trained.evaluation_file import FILE as EVALUATION
from dcign.trained.shipped import network_folder
from dcign.trained.trained_run import TrainedRun

LEFT_OUT = ("three",)  # the page without a data set shows nothing in 3D
LIVE, WITHOUT_SERVER = 'name="backend" content="live"', 'name="backend" content="static"'


def export_web(folder: Path, out: Path, data: Path | None = None) -> Path:
    """Write the page of a run into a new or empty folder, which is left as it was on failure. Returns index.html.

    data: where the run's data set is now. Without it, the page shows invented people. The refiner is left out.

    Raises TrainingError if the folder is not empty, if ONNX is not installed, or if the run was not evaluated.
    """
    with folder_errors(out):
        if out.exists() and any(out.iterdir()):
            raise TrainingError(f"expected a new or empty folder, found files in {out}: choose another --out.")
    if is_there(network_folder(folder) / EVALUATION):
        TrainedRun.open(folder).refuse_old_evaluation()  # before seconds of work
    explored = Explored.open(folder, data)
    if explored.network is None:
        raise TrainingError(f"expected a run, found a data set in {folder}: the page without a server shows networks.")
    found = explored.description
    run = found["run"] | {"refiner": False}
    content = json.dumps(found | {"run": run, "data": None, "missing": ""})
    with _left_as_it_was(out), folder_errors(out):
        export_run(explored.network.run, out / "data", "onnx")
        write_atomic(out / "data" / "description.json", content.encode())
        ignored = shutil.ignore_patterns(INDEX, *LEFT_OUT)
        shutil.copytree(STATIC, out / "static", ignore=ignored)
        write_atomic(out / INDEX, index_html().replace(LIVE, WITHOUT_SERVER).encode())
    return out / INDEX


@contextmanager
def _left_as_it_was(out: Path) -> Iterator[None]:
    """Remove, on any exception and on a stop signal, whatever is in a folder that was new or empty."""
    new = not out.exists()
    try:
        yield
    except BaseException:
        for path in [*out.iterdir()] if out.is_dir() else []:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if new and out.is_dir():
            out.rmdir()
        raise
