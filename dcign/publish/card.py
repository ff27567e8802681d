"""The model card: README.md in the Hugging Face hub's format, YAML metadata and then text.

The text stands in templates/card.md. The same files of a run make the same card.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dcign.run.json_files import write_result
from dcign.trained.calibration import FactorCalibration
from dcign.trained.commands import train_words
from dcign.trained.evaluation_file import formatted, value_of
from dcign.trained.published import Published
from dcign.trained.trained_run import TrainedRun

FILE = "README.md"
TASK = "image-to-image"  # the hub's nearest task name
CODE_LICENCE = "MIT"


@dataclass(frozen=True)
class _Metric:
    """A metric of the card: its title, key in evaluation.json, format, type in the metadata and meaning."""

    title: str
    key: str  # dots separate the keys of nested tables
    form: str
    kind: str
    meaning: str = ""

    def text(self, table: Mapping[str, Any]) -> str:  # JSON
        return formatted(value_of(table, self.key), self.form, "-")


OF_FACTOR = (
    _Metric("R²", "r2", ".3f", "r2", "of the factor from its latent, through a monotone map"),
    _Metric("error", "mean_absolute_error", ".1f", "mean_absolute_error", "mean, in the factor's units"),
    _Metric("leakage, sampled", "leakage_r2", ".2f", "leakage_r2", "R² of a probe from all other latents, sampled"),
    _Metric("leakage, alive means", "leakage_active_r2", ".2f", "leakage_active_r2",
            "the same from the means of those that are alive"),
    _Metric("swap", "swap_ratio", ".2f", "swap_ratio",
            "squared error after a swap of this latent, divided by that of plain reconstruction"),
    _Metric("re-rendered, dB", "rerender.psnr_db", ".1f", "psnr_db",
            "PSNR against the truth, inside the mask if there is one, of a picture decoded at other values"),
)  # fmt: skip
OF_CODE = (
    _Metric("reconstruction of unseen identities, inside the mask, dB", "reconstruction.psnr_head_db", ".1f", "psnr"),
    _Metric("reconstruction of unseen identities, frame, dB", "reconstruction.psnr_frame_db", ".1f", "psnr"),
    _Metric("MIG", "mig", ".3f", "mig"),
    _Metric("DCI disentanglement", "metrics.latents.dci_disentanglement.value", ".3f", "dci"),
    _Metric("latents alive", "latents.alive", ".0f", "alive"),
    _Metric("right identity among many, at different values of the first factor", "identity.right", ".2f", "identity"),
)


def write_card(run: TrainedRun) -> Path:
    """Write a run's model card beside its weights, with the evaluation if there is one. Replaces an older card."""
    path = run.folder / FILE
    write_result(path, model_card(run.published, *run.results).encode())
    return path


def model_card(
    published: Published,
    calibrations: Sequence[FactorCalibration] = (),
    evaluation: dict[str, Any] | None = None,  # JSON
) -> str:
    """Return the text of the card."""
    loader = PackageLoader("dcign.publish")
    templates = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    templates.filters.update(json=json.dumps, words=_words)  # JSON strings are valid YAML
    configuration, images = published.configuration, published.description
    recipe, data = configuration.recipe, Path(configuration.data).name
    return templates.get_template("card.md").render(
        name=f"dcign-{recipe.name.split(',')[0]}-{images.size}px",
        task=TASK,
        code_licence=CODE_LICENCE,
        foreign=published.data_model.get("licence", CODE_LICENCE) != CODE_LICENCE,
        model=published.data_model,
        data=data,
        published=published,
        recipe=recipe,
        images=images,
        calibrations=list(zip(calibrations, images.units, strict=True)) if calibrations else [],
        evaluation=evaluation,
        metrics=_metadata(evaluation) if evaluation else [],
        of_factor=OF_FACTOR,
        of_code=OF_CODE,
        command=shlex.join(train_words(configuration, data, recipe.name.split(",")[1:], configuration.ratio)),
    )


def _metadata(evaluation: dict[str, Any]) -> list[tuple[str, str, float]]:  # JSON
    """Return type, name and value of each metric that is a number."""
    found = [
        (metric.kind, f"{metric.title}, {_words(factor)}", value_of(score, metric.key))
        for factor, score in evaluation["factors"].items()
        for metric in OF_FACTOR
    ]
    found += [(metric.kind, metric.title, value_of(evaluation, metric.key)) for metric in OF_CODE]
    return [(kind, name, value) for kind, name, value in found if value is not None]


def _words(name: str) -> str:
    return name.replace("_", " ")
