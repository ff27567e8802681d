"""The model card: README.md as the Hugging Face hub has it, metadata in YAML and then what a reader should know.

It follows from the run's files alone: the same files make the same card.
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dcign.run.json_files import write_result
from dcign.trained.calibration import FactorCalibration
from dcign.trained.published import Published
from dcign.trained.trained_run import TrainedRun

FILE = "README.md"
TASK = "image-to-image"  # of the hub's names the nearest
CODE_LICENCE = "MIT"

# Heading, where it stands in evaluation.json of a factor, how to print it, and what it is.
COLUMNS = (
    ("R²", ("r2",), ".3f", "of the factor from its latent, through a monotone map"),
    ("error", ("mae_degrees",), ".1f", "mean, in the factor's units"),
    ("leakage, sampled", ("leakage_r2",), ".2f", "R² of a probe from all other latents, sampled"),
    ("leakage, alive means", ("leakage_active_r2",), ".2f", "the same from the means of those that are alive"),
    ("swap", ("swap_ratio",), ".2f", "squared error after a swap of this latent, over plain reconstruction's"),
    (
        "re-rendered, dB",
        ("rerender", "psnr_db"),
        ".1f",
        "PSNR against the truth, inside the mask if there is one, of one picture of an identity set to other values",
    ),
)


def write_card(run: TrainedRun) -> Path:
    """Write a run's model card beside its weights; replaces an older one. An evaluation, if there is one, is in it."""
    calibrations = run.calibrations if run.is_calibrated else ()
    evaluation = run.evaluation if run.is_evaluated else None
    path = run.folder / FILE
    write_result(path, model_card(run.published, calibrations, evaluation).encode())
    return path


def model_card(
    published: Published,
    calibrations: Sequence[FactorCalibration] = (),
    evaluation: dict[str, Any] | None = None,  # JSON
) -> str:
    """Return the card's text."""
    parts = (
        _front_matter(published, evaluation),
        _summary(published),
        _use(published),
        _factors(published, calibrations),
        _evaluation(published, evaluation),
        _limits(published),
        _making(published),
        _licences(published),
    )
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _name(published: Published) -> str:
    return f"dcign-{published.configuration.recipe.name.split(',')[0]}-{published.description.size}px"


def _data(published: Published) -> str:
    return Path(published.configuration.data).name


def _front_matter(published: Published, evaluation: dict[str, Any] | None) -> Iterator[str]:
    """Words are written as JSON strings, which are YAML's too."""
    yield "---"
    yield "library_name: dcign"
    if _foreign_licence(published):
        yield "license: other"
        yield "license_name: see-the-model-of-the-data"
    else:
        yield "license: mit"
    yield f"pipeline_tag: {TASK}"
    yield "tags:"
    yield from (f"- {tag}" for tag in ("dcign", "disentanglement", "inverse-graphics", "variational-autoencoder"))
    metrics = list(_metrics(evaluation)) if evaluation else []
    if metrics:
        yield "model-index:"
        yield f"- name: {json.dumps(_name(published))}"
        yield "  results:"
        yield "  - task:"
        yield f"      type: {TASK}"
        yield "      name: Factors read off pictures, and pictures rendered again"
        yield "    dataset:"
        yield "      type: dcign-dataset"
        yield f"      name: {json.dumps(_data(published))}"
        yield "    metrics:"
        for kind, name, value in metrics:
            yield f"    - type: {kind}"
            yield f"      name: {json.dumps(name, ensure_ascii=False)}"
            yield f"      value: {value}"
    yield "---"


def _metrics(evaluation: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield the type, name and value of each figure that is a number."""
    found = [
        (path[-1], f"{heading}, {_words(factor)}", _at(score, *path))
        for factor, score in evaluation["factors"].items()
        for heading, path, _, _ in COLUMNS
    ]
    found += [(key, title, _at(evaluation, *path)) for key, title, _, path in _OVERALL]
    yield from ((kind, name, value) for kind, name, value in found if isinstance(value, int | float))


# Type, title, how to print it, and where it stands in evaluation.json.
_OVERALL = (
    ("psnr", "reconstruction of unseen identities, inside the mask, dB", ".1f", ("reconstruction", "psnr_head_db")),
    ("psnr", "reconstruction of unseen identities, frame, dB", ".1f", ("reconstruction", "psnr_frame_db")),
    ("mig", "MIG", ".3f", ("mig",)),
    ("dci", "DCI disentanglement", ".3f", ("metrics", "latents", "dci_disentanglement", "value")),
    ("alive", "latents alive", ".0f", ("latents", "alive")),
    ("identity", "right identity among many, across the first factor", ".2f", ("identity", "right")),
)


def _summary(published: Published) -> Iterator[str]:
    recipe, description = published.configuration.recipe, published.description
    names = ", ".join(_words(factor) for factor in description.factors)
    yield f"# {_name(published)}"
    yield ""
    yield (
        f"A variational auto-encoder of {description.size} x {description.size} px pictures, "
        f"{'gray' if description.channels == 1 else 'colour'}, whose code of {recipe.latents} latents says what "
        f"varied: {names}. Recipe `{recipe.name}` ({recipe.summary}), after Kulkarni et al., *Deep Convolutional "
        "Inverse Graphics Network* (2015)."
    )


def _use(published: Published) -> Iterator[str]:
    first = published.description.factors[0]
    yield "## Use"
    yield ""
    yield "```python"
    yield "from dcign import DCIGN"
    yield ""
    yield 'model = DCIGN.from_pretrained("FOLDER")    # this folder, or USER/MODEL on the hub'
    yield "mu, logvar = model.encode(images)          # (N, C, S, S), 0 to 1 -> (N, Z)"
    yield "pictures = model.decode(mu)                # (N, C, S, S), 0 to 1"
    yield "```"
    yield ""
    yield f"    dcign edit FOLDER photo.png --{first.replace('_', '-')} VALUE --out new.png"


def _factors(published: Published, calibrations: Sequence[FactorCalibration]) -> Iterator[str]:
    yield "## What the latents stand for"
    yield ""
    if not calibrations:
        yield "The network has not been evaluated, so nothing says which latent stands for which factor."
        return
    yield "| factor | latent | units | range of training |"
    yield "|---|---|---|---|"
    for fit, units in zip(calibrations, published.description.units, strict=True):
        low, high = fit.range
        yield f"| {_words(fit.factor)} | {fit.latent} | {units} | {low:.4g} to {high:.4g} |"
    yield ""
    yield "`calibration.json` holds the monotone maps from latent to factor and back; beyond their ends they stay."


def _evaluation(published: Published, evaluation: dict[str, Any] | None) -> Iterator[str]:
    yield "## Evaluation"
    yield ""
    if evaluation is None:
        yield "None yet: `dcign evaluate RUN`."
        return
    yield "On identities that are not in the training split. Calibrations and probes are fitted on those that are."
    yield ""
    yield "| factor | " + " | ".join(heading for heading, *_ in COLUMNS) + " |"
    yield "|---|" + "---|" * len(COLUMNS)
    for factor, score in evaluation["factors"].items():
        cells = (_cell(_at(score, *path), form) for _, path, form, _ in COLUMNS)
        yield f"| {_words(factor)} | " + " | ".join(cells) + " |"
    yield ""
    yield from (f"- {heading}: {meaning}" for heading, _, _, meaning in COLUMNS)
    yield ""
    for _, title, form, path in _OVERALL:
        yield f"- {title}: {_cell(_at(evaluation, *path), form)}"
    yield ""
    yield (
        f"{evaluation['steps']} steps, {evaluation['images_seen']} images seen, seed {evaluation['seed']}. One run: "
        "another seed gives other figures. Leakage depends on how one asks, so two ways are shown, and evaluation.json "
        "has more."
    )


def _limits(published: Published) -> Iterator[str]:
    yield "## Intended use and limits"
    yield ""
    yield "For research in disentanglement and inverse graphics, and for teaching."
    yield ""
    yield (
        "- It knows rendered pictures of one data set: there the figures hold. Of photographs it makes a rendered "
        "picture of somebody else, and what it reads off them is a guess."
    )
    yield "- Pictures that come back are soft: detail that the code does not hold is averaged away."
    yield "- Values that training did not cover cannot be asked for."
    yield "- It is no means to recognise, judge or imitate real people, and must not be used as one."


def _making(published: Published) -> Iterator[str]:
    configuration = published.configuration
    recipe, *settings = configuration.recipe.name.split(",")
    words = ["dcign", "train", _data(published), "--recipe", recipe]
    for setting in settings:
        words += ["--set", setting]
    if configuration.ratio is not None:
        words += ["--ratio", ":".join(f"{share:g}" for share in configuration.ratio)]
    words += ["--steps", str(configuration.steps), "--seed", str(configuration.seed)]
    yield "## How it was made"
    yield ""
    yield f"    {shlex.join(words)}"
    yield "    dcign export RUN --to hub --out FOLDER"
    yield ""
    yield (
        f"{published.step} steps, {configuration.precision}. The data set is named by the hash of its shards, "
        f"`{published.description.data_sha256}`; `dcign inspect` says with what it was rendered."
    )


def _licences(published: Published) -> Iterator[str]:
    yield "## Licences"
    yield ""
    yield f"The code is under the {CODE_LICENCE} licence."
    model = published.data_model
    if not model:
        yield "What the data were drawn with is not known here: see the data set's card."
    elif _foreign_licence(published):
        yield (
            f"The data were drawn with {model.get('name', 'a model')}, under terms of its own, which may bind what was "
            f"trained on them: {model['licence']}"
        )
    else:
        yield f"The data were drawn with {model.get('name', 'a model')}, under the {CODE_LICENCE} licence too."


def _foreign_licence(published: Published) -> bool:
    return published.data_model.get("licence", CODE_LICENCE) != CODE_LICENCE


def _at(found: Any, *path: str) -> Any:  # JSON
    """Return what stands at a path, None where it does not lead anywhere."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _cell(value: Any, form: str) -> str:  # JSON
    return format(float(value), f"z{form}") if isinstance(value, int | float) else "-"  # z: no -0.00


def _words(name: str) -> str:
    return name.replace("_", " ")
