"""What a run was asked to do: a frozen dataclass, written as JSON into the run's folder before work begins."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcign.data.dataset.reader import FaceDataset
from dcign.errors import TrainingError
from dcign.recipes.fields import is_ratio, parse_ratio, read_settings, settable
from dcign.recipes.registry import Recipe, changed, recipe_named, recipe_of_run, setting_word
from dcign.run.json_files import read_json
from dcign.storage.atomic import is_temporary, write_atomic
from dcign.storage.lock import LOCK_FILE

FORMAT = "dcign-run"
FORMAT_VERSION = 1
FILE = "configuration.json"

# Where and how fast a run goes on may change; what it computes may not.
MAY_DIFFER = ("data", "data_in", "out", "device", "threads", "checkpoint_every", "log_every")

BOUNDS = {
    "steps": (1, 10**9),
    "seed": (0, 2**63 - 1),
    "threads": (0, 2**16),  # what the cores at hand bear is asked where they are used: a run may move
    "checkpoint_every": (1, 10**9),
    "log_every": (1, 10**9),
}


@dataclass(frozen=True)
class TrainConfiguration:
    """A run: the data set, the recipe, and how long.

    ratio holds a share for each kind of batch, the factors in the data set's order and then the identity, or
    None for the recipe's own. precision is "bfloat16" or "float32", or "auto" for what the device does fast.
    data_in is "memory" or "disk", or "auto" for memory if the images fit.
    """

    data: str
    out: str
    recipe: Recipe
    steps: int
    seed: int
    ratio: tuple[float, ...] | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0  # 0: as many as there are cores
    data_in: str = "auto"  # "memory", or "disk": read ahead while training
    checkpoint_every: int = 1000  # steps
    log_every: int = 100  # steps: losses are read no more often, so that a GPU need not wait

    @classmethod
    def from_options(
        cls,
        data: str | Path | None = None,
        out: str | Path | None = None,
        *,
        recipe: str | None = None,
        settings: Iterable[str] = (),
        pretrain: int | None = None,
        ratio: str | None = None,
        resume: bool = False,
        **options: Any,  # the remaining fields, each of its own type
    ) -> TrainConfiguration:
        """Return the configuration that the options of `dcign train` ask for.

        Parameters
        ----------
        data, out
            The data set's folder, "faces" by default, and the run's folder, "runs/RECIPE" by default.
        recipe, settings
            The name of a recipe, "swap" by default, and changes to it such as "mirror=false".
        pretrain
            The recipe's `pretrain_steps`.
        ratio
            A share per kind of batch, such as "1:1:1:10".
        resume
            Whether to continue the run in `out`. What is not given then keeps the run's value.
        options
            Any other field: steps, seed, device, threads, data_in ... None means not given.

        Raises
        ------
        TrainingError
            If an option cannot be used, or there is no run in `out` to resume.
        """
        chosen = None
        if recipe is not None or settings or pretrain is not None:
            named = recipe_named(recipe or "swap")
            changes = read_settings(settings, named)
            chosen = changed(named, changes if pretrain is None else changes | {"pretrain_steps": pretrain})
        out = Path(out or Path("runs") / (chosen.name if chosen else "swap"))
        options |= {"data": None if data is None else str(data), "out": str(out), "recipe": chosen}
        given = {name: value for name, value in options.items() if value is not None}
        if resume:
            check_run_folder(out, resume=True)
            found, description = read(out)
            if ratio is not None:
                given["ratio"] = parse_ratio(ratio, description.kinds)
            return dataclasses.replace(found, **given)
        if ratio is not None:
            factors = FaceDataset(data or "faces").factors
            given["ratio"] = parse_ratio(ratio, (*(factor.name for factor in factors), "identity"))
        chosen = chosen or recipe_named("swap")
        return cls(**{"data": "faces", "recipe": chosen, "steps": chosen.steps, "seed": 0, **given})

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise TrainingError(f"{name} is {value}: wanted {least} to {most}")
        if self.ratio is not None and not (isinstance(self.ratio, tuple) and is_ratio(self.ratio)):
            raise TrainingError(f"ratio is {self.ratio!r}: wanted numbers >= 0, of a finite sum above 0, or none")
        for name in ("data", "out", "device", "precision", "data_in"):
            if not isinstance(getattr(self, name), str):
                raise TrainingError(f"{name} is {getattr(self, name)!r}: wanted words")
        if self.recipe.pretrain_steps >= self.steps:
            raise TrainingError(
                f"pretrain_steps is {self.recipe.pretrain_steps} and steps is {self.steps}: wanted fewer, or nothing "
                "is ever clamped; the recipe vae clamps nothing"
            )


@dataclass(frozen=True)
class ImageDescription:
    """What the network is fitted to: the images and the factors, as the data set names them."""

    size: int
    channels: int
    factors: tuple[str, ...]
    units: tuple[str, ...]
    mirror_signs: tuple[int, ...]
    data_sha256: str

    def __post_init__(self) -> None:
        of = {"factors": str, "units": str, "mirror_signs": int}
        for name, kind in of.items():
            values = getattr(self, name)
            if not isinstance(values, tuple) or not all(type(value) is kind for value in values):
                raise TrainingError(f"{name} is {values!r}: wanted one {kind.__name__} a factor")
        if not len(self.factors) == len(self.units) == len(self.mirror_signs) > 0:
            raise TrainingError(f"factors {self.factors}: wanted one or more, each with a unit and a sign in a mirror")
        if not all(sign in (-1, 1) for sign in self.mirror_signs):
            raise TrainingError(f"mirror_signs is {self.mirror_signs}: wanted -1 or 1 for each factor")
        if type(self.size) is not int or type(self.channels) is not int or self.channels not in (1, 3):
            raise TrainingError(f"images of size {self.size!r} and {self.channels!r} channels: wanted 1 or 3 channels")

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can vary in a batch: a factor, or the identity."""
        return (*self.factors, "identity")


def to_json(configuration: TrainConfiguration, description: ImageDescription) -> dict[str, Any]:  # JSON
    """Return everything that determines a run, as JSON-able values."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **dataclasses.asdict(configuration),
        "description": dataclasses.asdict(description),
    }


def write(configuration: TrainConfiguration, description: ImageDescription) -> None:
    """Write configuration.json into the run's folder, aside and then renamed."""
    path = Path(configuration.out) / FILE
    write_atomic(path, (json.dumps(to_json(configuration, description), indent=2) + "\n").encode())


def settings_of(configuration: TrainConfiguration, kinds: int) -> dict[str, str]:
    """Return in words all that makes two runs of a recipe's name different but data and seed; kinds of batches."""
    recipe = configuration.recipe
    ratio = configuration.ratio or recipe.ratio or (1.0,) * kinds
    return {
        **{name: setting_word(getattr(recipe, name)) for name in settable(recipe)},
        "ratio": ":".join(f"{share / sum(ratio):.4g}" for share in ratio),
        "precision": configuration.precision,
        "planned_steps": str(configuration.steps),
    }


def holds_run(folder: str | Path) -> bool:
    """Return whether the folder's configuration.json is a run's: a data set's folder has one too."""
    try:
        found = read_json(Path(folder) / FILE)
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def check_run_folder(folder: Path, resume: bool) -> None:
    """Raise TrainingError unless a run can start in a folder or, if `resume`, unless the folder holds a run."""
    if holds_run(folder):
        if not resume:
            raise TrainingError(f"{folder} already holds a run: go on with --resume, or choose another --out")
    elif resume and (folder / FILE).is_file():
        read(folder)  # raises an error that says what is wrong with the file
    elif folder.exists() and (not folder.is_dir() or any(map(_is_foreign, folder.iterdir()))):
        raise TrainingError(f"{folder} is there already and holds no run: choose an --out that is new or empty")
    elif resume:
        raise TrainingError(f"there is no run in {folder} to go on with: train without --resume to begin one")


def _is_foreign(path: Path) -> bool:
    """Return whether a file is neither the lock nor the partial file of a process that was killed."""
    return path.name != LOCK_FILE and not is_temporary(path)


def read(folder: str | Path) -> tuple[TrainConfiguration, ImageDescription]:
    """Read a run's configuration.json, or say that the folder holds no run."""
    path = Path(folder) / FILE
    try:
        if path.is_file():
            found = read_json(path)  # raises ValueError where it is damaged
            if isinstance(found, dict) and found.get("format") == FORMAT:
                return from_json(found)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error}): train again into a new folder") from None
    raise TrainingError(
        f"{folder} holds no run: there is no {FILE} of one in it; wanted a folder that `dcign train` wrote"
    )


def from_json(found: dict[str, Any]) -> tuple[TrainConfiguration, ImageDescription]:  # JSON
    """Read what `to_json` gave; raises ValueError, saying what is wrong, for anything else."""
    try:
        if found.pop("version") != FORMAT_VERSION:
            raise ValueError(f"not version {FORMAT_VERSION}")
        del found["format"]
        description = ImageDescription(**_tuples(found.pop("description")))
        recipe = recipe_of_run(_tuples(found.pop("recipe")), description.size**2 * description.channels)
        if recipe.latents <= len(description.factors):
            raise ValueError(f"{recipe.latents} latents for {len(description.factors)} factors")
        return TrainConfiguration(recipe=recipe, **_tuples(found)), description
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def refuse_difference(
    found: tuple[TrainConfiguration, ImageDescription], asked: tuple[TrainConfiguration, ImageDescription]
) -> None:
    """Raise if going on as asked would not end where the run found was going."""
    before, now = to_json(*found), to_json(*asked)
    if found[1].data_sha256 != asked[1].data_sha256:
        raise TrainingError(
            f"{asked[0].data} is another data set than the run in {asked[0].out} was trained on: name that data set, "
            "or choose another --out"
        )
    for name in before:
        if name not in MAY_DIFFER and before[name] != now[name]:
            there, here = _difference(before[name], now[name])
            raise TrainingError(
                f"{asked[0].out} holds a run of another configuration: {name} is {there} there and {here} was "
                "asked for; ask for the same, or choose another --out"
            )


def _difference(before: Any, now: Any) -> tuple[str, str]:  # two JSON values
    """Return what differs, named where it is part of a larger thing."""
    if not isinstance(before, dict):
        return json.dumps(before), json.dumps(now)
    if "name" in before and before["name"] != now["name"]:
        return str(before["name"]), str(now["name"])
    key = next(key for key in before if before[key] != now.get(key))
    return f"{key} {json.dumps(before[key])}", f"{key} {json.dumps(now.get(key))}"


def _tuples(values: dict[str, Any]) -> dict[str, Any]:  # JSON has lists where the dataclasses have tuples
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
