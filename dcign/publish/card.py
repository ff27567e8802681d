"""The model card: README.md in the Hugging Face hub's format, YAML metadata and then text.

The text stands in templates/card.md. The same files of a run make the same card.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dcign.run.code_layout import CodeLayout
from dcign.run.json_files import write_result
from dcign.trained.altered_pictures import altered_rows
from dcign.trained.calibration import Calibration
from dcign.trained.commands import train_words
from dcign.trained.evaluation_file import value_of
from dcign.trained.marks import beside
from dcign.trained.published import Published
from dcign.trained.terms import COMPARED_TERMS, RUN_TERMS, TRAIT_TABLES, Metric, TraitTable, part_terms, trait_tables
from dcign.trained.trained_run import PEOPLE, TrainedRun, subjects_of

FILE = "README.md"
TASK = "image-to-image"  # the hub's nearest task name
CODE_LICENCE = "MIT"


# The metrics of the card, by their keys in evaluation.json.
FACTOR_KEYS = ("r2", "mean_absolute_error", "leakage_r2", "leakage_active_r2", "swap_ratio", "rerender.psnr_db")
RUN_KEYS = (
    *("metrics.latents.mig.value", "metrics.latents.dci_disentanglement.value", "identity.right"),
    *("reconstruction.psnr_head_db", "reconstruction.psnr_frame_db", "reconstruction.fine"),
    *("reconstruction.ssim", "reconstruction.ms_ssim", "latents.alive"),
)
OF_FACTOR = [term for term in COMPARED_TERMS if term.key in FACTOR_KEYS]
OF_RUN = [term for term in RUN_TERMS if term.key in RUN_KEYS]


def write_card(run: TrainedRun) -> Path:
    """Write a run's model card beside its weights, with the evaluation if there is one. Replaces an older card."""
    path = run.folder / FILE
    write_result(path, model_card(run.published, *run.results).encode())
    return path


def model_card(
    published: Published,
    calibrations: Sequence[Calibration] = (),
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
        of_people=subjects_of(images) == PEOPLE,
        recipe=recipe,
        images=images,
        layout=CodeLayout.of(images, recipe),
        calibrations=list(zip(calibrations, images.units, strict=True)) if calibrations else [],
        evaluation=evaluation,
        small=_small,
        metrics=_metadata(evaluation) if evaluation else [],
        of_factor=OF_FACTOR,
        of_run=_of_run(evaluation or {}),
        traits=_of_traits(evaluation or {}),
        altered=altered_rows([evaluation]) if evaluation else [],
        alive=_alive(evaluation or {}),
        command=shlex.join(train_words(configuration, data, recipe.name.split(",")[1:], configuration.ratio)),
    )


def _small(evaluation: dict[str, Any], term: Metric, factor: str = "") -> str:  # JSON
    """Return what chance gives for a figure and its mark, in brackets, or nothing."""
    words = beside(evaluation, term, factor)
    return f" ({words})" if words else ""


def _metadata(evaluation: dict[str, Any]) -> list[tuple[str, str, float]]:  # JSON
    """Return key, name and value of each metric that is a number."""
    found = [
        (term.key, f"{term.name}, {_words(factor)}", value_of(score, term.key))
        for factor, score in evaluation["factors"].items()
        for term in OF_FACTOR
    ]
    found += [
        (term.key, f"{term.name}, {table.title}", value_of(evaluation, term.key))
        for table in trait_tables([evaluation])
        for term in table.terms
    ]
    found += [(term.key, term.name, value_of(evaluation, term.key)) for term in _of_run(evaluation)]
    return [(key, name, value) for key, name, value in found if value is not None]


def _of_run(evaluation: dict[str, Any]) -> list[Metric]:  # JSON
    return [*OF_RUN, *part_terms([evaluation])]


def _of_traits(evaluation: dict[str, Any]) -> list[tuple[str, Sequence[Metric], list[TraitTable]]]:  # JSON
    """Return a heading, the metrics in words, and a line per trait, for each table of traits that there is."""
    tables = trait_tables([evaluation])
    found = [
        (title.format("").strip(", "), terms, [each for each in tables if each.key == key])
        for key, title, terms in TRAIT_TABLES
    ]
    return [each for each in found if each[2]]


def _alive(evaluation: dict[str, Any]) -> list[tuple[str, int, int]]:  # JSON
    """Return each block that is no factor's: its name, its number of latents, and how many of them are alive."""
    blocks = evaluation.get("blocks", {}).items()
    return [(name, block["count"], block["alive"]) for name, block in blocks if name not in evaluation["factors"]]


def _words(name: str) -> str:
    return name.replace("_", " ")
