"""How well a network reads photographs whose factors are known, and how much that depends on their framing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcign.arrays import Float64, UInt8
from dcign.device import refuse_threads, threads
from dcign.errors import TrainingError
from dcign.infer.face_detector import asked_window
from dcign.infer.read_picture import fitted, open_picture
from dcign.infer.window import middle_square
from dcign.metrics import psnr_decibels, r_squared, spearman
from dcign.metrics.categorical import same_class
from dcign.metrics.circular import circular_r_squared, near
from dcign.metrics.regression import fit_line
from dcign.photographs.labels import Photograph
from dcign.progress import StageProgress, no_stage_progress
from dcign.trained.calibration import Calibration, factor_values
from dcign.trained.trained_run import TrainedRun

FORMAT, FORMAT_VERSION = "dcign-photographs", 1
FILE = "photos.json"
# Framings within 10 %: of the size of the face, and of the place of the face (5 % of the width either way).
FRAMINGS: dict[str, dict[str, float]] = {
    "as given": {},
    "zoom .9": {"zoom": 0.9},
    "zoom 1.1": {"zoom": 1.1},
    "5 % left": {"right": -0.05},
    "5 % right": {"right": 0.05},
    "5 % up": {"down": -0.05},
    "5 % down": {"down": 0.05},
}
GIVEN = "as given"
LABELLED = "give its eyes, X Y X Y, or its box, X Y W H, in the table of labels"
COLUMNS = {  # of the table: each score and its heading
    "r2": "R2", "r2_line": "R2 line", "spearman": "Spearman", "mean_absolute_error": "error", "slope": "slope",
    "bias": "bias", "spread": "spread",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PhotographReport:
    """The contents of photos.json; what was read as given (N, F); and the labels (N, F), NaN where there is none."""

    report: dict[str, Any]  # JSON
    read: Float64
    labels: Float64

    def as_json(self) -> bytes:
        """Return the contents of photos.json."""
        return (json.dumps(self.report, indent=2) + "\n").encode()


def measure_photographs(
    run: TrainedRun,
    photographs: Sequence[Photograph],
    detect: bool = False,
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> PhotographReport:
    """Read the factors of photographs, under each framing, and compare them with the labels.

    detect: whether a face detector says where the face is, for photographs without eyes and box.

    Raises TrainingError that names the row of a picture that cannot be read.
    """
    refuse_threads(thread_count)
    size, channels = run.description.size, run.description.channels
    names = [fit.factor for fit in run.calibrations]
    labels = np.array([[photo.labels.get(name, np.nan) for name in names] for photo in photographs])
    framings: dict[str, Any] = {}  # JSON
    read_as_given = labels
    with threads(thread_count):
        for number, (framing, change) in enumerate(FRAMINGS.items()):
            progress(f"reading photographs, {framing}", number / len(FRAMINGS))
            images = np.stack([_image(photo, change, size, channels, detect) for photo in photographs])
            mu, _ = run.codec.encode(images)
            read = factor_values(mu, run.calibrations)
            error = run.codec.decode(mu) - images.astype(np.float32) / 255
            framings[framing] = {
                "factors": _all_scores(run.calibrations, read, labels),
                "psnr_db": float(psnr_decibels(error).mean()),
            }
            if framing == GIVEN:
                read_as_given = np.asarray(read, np.float64)
    report = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "recipe": run.name,
        "photographs": len(photographs),
        "framings": framings,
        "over_framings": _over(framings),
    }
    return PhotographReport(report, read_as_given, labels)


def _image(photo: Photograph, change: dict[str, float], size: int, channels: int, detect: bool) -> UInt8:
    """Return a photograph as the network gets it, under a framing: (S, S, C) uint8."""
    try:
        picture = open_picture(photo.path)
        detect = detect and photo.eyes is None and photo.box is None
        window = asked_window(picture, photo.eyes, photo.box, detect, LABELLED)
        if change:
            window = (window or middle_square(*picture.size)).reframed(**change)
        return fitted(picture, size, channels, window)
    except TrainingError as error:
        raise TrainingError(f"{photo.path.name}, row {photo.row}: {error}") from None


def _all_scores(fits: Sequence[Calibration], read: Any, labels: Float64) -> dict[str, dict[str, float]]:
    """Score each factor that has labels: read, labels (N, F), NaN where there is no label."""
    found = {}
    for fit, values, truth in zip(fits, np.asarray(read, np.float64).T, labels.T, strict=True):
        known = np.isfinite(truth)
        if known.any():
            found[fit.factor] = label_scores(values[known], truth[known], fit.circular, bool(fit.classes))
    return found


def label_scores(read: Float64, truth: Float64, circular: bool = False, classes: bool = False) -> dict[str, float]:
    """Compare the values of a factor that were read with the labels: (N,), (N,).

    Indices of classes have the accuracy alone, because no error or line of indices means anything. Other labels that
    are all equal have the spread of the values instead of R^2, Spearman and the line.
    """
    if classes:
        return {"photographs": len(truth), "accuracy": same_class(truth, read)}
    values = near(read, truth) if circular else read
    errors = values - truth
    found = {
        "photographs": len(truth),
        "mean_absolute_error": float(np.abs(errors).mean()),
        "bias": float(errors.mean()),
    }
    if np.ptp(truth) == 0:
        return found | {"spread": float(values.std())}
    slope, offset = fit_line(truth, values)
    back = fit_line(values, truth)
    return found | {
        "r2": circular_r_squared(truth, values) if circular else r_squared(truth, values),
        "r2_line": r_squared(truth, back[0] * values + back[1]),
        "spearman": spearman(values, truth),
        "slope": slope,
        "offset": offset,
    }


def _over(framings: dict[str, Any]) -> dict[str, dict[str, list[float]]]:  # JSON
    """Return the least and the largest value of each score of each factor over all framings."""
    tables = [framing["factors"] for framing in framings.values()]
    return {
        factor: {
            score: [min(table[factor][score] for table in tables), max(table[factor][score] for table in tables)]
            for score in scores
            if score != "photographs"
        }
        for factor, scores in tables[0].items()
    }


def photograph_table(report: dict[str, Any]) -> str:  # JSON
    """Return a report as a plain table: a line per factor, as given, and the range over the framings below it."""
    given, over = report["framings"][GIVEN], report["over_framings"]
    classes = any("accuracy" in scores for scores in given["factors"].values())
    columns = COLUMNS | ({"accuracy": "accuracy"} if classes else {})
    rows = [["", "photos", *columns.values()]]
    for factor, scores in given["factors"].items():
        rows.append([factor, f"{scores['photographs']}", *(_cell(scores.get(name)) for name in columns)])
        ranges = (" to ".join(map(_cell, over[factor][name])) if name in scores else "" for name in columns)
        rows.append(["  any framing", "", *ranges])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))])
        for first, *cells in rows
    ]
    lines.append(f"reconstruction {given['psnr_db']:.1f} dB over the whole frame")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.2f}"
