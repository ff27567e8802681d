"""The configuration of a run: a frozen dataclass, stored as JSON in the run's folder before training starts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from dcign.data.dataset.reader import FaceDataset
from dcign.errors import TrainingError
from dcign.recipes.fields import Ratio, parse_ratio, read_settings, settable, validate_fields, validate_ratio
from dcign.recipes.registry import Recipe, changed, recipe_named, recipe_of_run, setting_text
from dcign.run.code_layout import IDENTITY, CodeLayout
from dcign.run.json_files import read_json
from dcign.storage.atomic import is_temporary, write_atomic
from dcign.storage.lock import LOCK_FILE

FORMAT = "dcign-run"
FORMAT_VERSION = 1
FILE = "configuration.json"

# A resumed run may change where and how fast it is computed, but not what is computed.
MAY_DIFFER = ("data", "data_in", "out", "device", "threads", "checkpoint_every", "log_every", "refine")

Interval = Annotated[int, Meta(ge=1, le=10**9)]  # steps
Precision = Literal["auto", "bfloat16", "float32"]
Storage = Literal["auto", "memory", "disk"]
Strings = Annotated[tuple[str, ...], Meta(min_length=1, description="one string per factor")]
Signs = Annotated[tuple[int, ...], Meta(min_length=1, description="-1 or 1 for each factor")]
Names = Annotated[tuple[str, ...], Meta(description="names")]
Classes = Annotated[tuple[Names, ...], Meta(description="names of classes for each factor, or nothing")]


@dataclass(frozen=True)
class TrainConfiguration:
    """A run: the data set, the recipe, and how long it is trained."""

    data: str
    out: str
    recipe: Recipe
    steps: Annotated[int, Meta(ge=1, le=10**9)]
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    ratio: Ratio | None = None  # a share per kind of batch, in the order of the description's kinds
    device: str = "auto"
    precision: Precision = "auto"  # "auto": bfloat16 where the device is fast at it
    threads: Annotated[int, Meta(ge=0, le=2**16)] = 0  # 0: one per core. Checked against the cores where they are used
    data_in: Storage = "auto"  # "memory", or "disk": read ahead while training; "auto": memory if the images fit
    checkpoint_every: Interval = 1000
    log_every: Interval = 100  # losses are read no more often, so that a GPU need not wait
    refine: Annotated[int, Meta(ge=0, le=10**9)] = 0  # steps of the refiner, trained after the network; 0: none

    def __post_init__(self) -> None:
        validate_fields(self)
        validate_ratio(self.ratio)
        if self.recipe.pretrain_steps >= self.steps:
            raise TrainingError(
                f"expected fewer pretrain_steps than steps, found {self.recipe.pretrain_steps} and {self.steps}: "
                "nothing would ever be clamped; lower pretrain_steps, or train the recipe vae, which clamps nothing."
            )

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

        An option that is not given has the default of `dcign train` or, with `resume`, the value of the run in `out`.

        Parameters
        ----------
        recipe, settings
            The name of a recipe, and changes to it such as "mirror=false".
        pretrain
            The recipe's `pretrain_steps`.
        ratio
            A share per kind of batch, such as "1:1:1:10".
        options
            Any other field of the configuration, such as steps, seed, device. None means not given.

        Raises TrainingError if an option cannot be used, or there is no run in `out` to resume.
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
            given["ratio"] = parse_ratio(ratio, kinds_of(FaceDataset(data or "faces")))
        chosen = chosen or recipe_named("swap")
        return cls(**{"data": "faces", "recipe": chosen, "steps": chosen.steps, "seed": 0, **given})


@dataclass(frozen=True)
class ImageDescription:
    """What the network is fitted to: square images and what varies in them, as the data set names it.

    circular: the factors whose range is the full turn. of_identity: those that belong to a person, so that they vary in
    identity batches too. parts: of a person, of which batches vary one. classes: the names of the classes of each
    factor, none for a number or an angle; empty if no factor has any. open_kinds: whether the data set's own factors
    are what can vary, so that there need not be batches of each kind. Records of older versions have none of these.
    """

    size: int
    channels: Literal[1, 3]
    factors: Strings
    units: Strings
    mirror_signs: Signs
    data_sha256: str
    circular: Names = ()
    of_identity: Names = ()
    parts: Names = ()
    classes: Classes = ()
    open_kinds: bool = False

    def __post_init__(self) -> None:
        validate_fields(self)
        if unknown := {*self.circular, *self.of_identity} - {*self.factors}:
            raise TrainingError(
                f"expected circular factors and factors of the identity out of {self.factors}, found {min(unknown)!r}: "
                "correct the record of the factors."
            )
        counts = len(self.factors), len(self.units), len(self.mirror_signs)
        if len(set(counts)) != 1 or not set(self.mirror_signs) <= {-1, 1}:
            raise TrainingError(
                f"expected a unit and a mirror sign of -1 or 1 for each of the factors {self.factors}, found "
                f"{self.units} and {self.mirror_signs}: correct the record of the factors."
            )
        if self.classes and len(self.classes) != len(self.factors):
            raise TrainingError(
                f"expected classes for each of the factors {self.factors}, found {len(self.classes)} of them: correct "
                "the record of the factors."
            )

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Return the number of classes of each factor, 0 for numbers and angles: (F,)."""
        return tuple(map(len, self.classes)) or (0,) * len(self.factors)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return what can vary in a batch: each factor, then each part, then the identity."""
        return (*self.factors, *self.parts, IDENTITY)


def kinds_of(dataset: FaceDataset) -> tuple[str, ...]:
    """Return what can vary in a batch of a data set, in the order of `ImageDescription.kinds`."""
    return (*(factor.name for factor in dataset.factors), *dataset.parts, IDENTITY)


def to_json(configuration: TrainConfiguration, description: ImageDescription) -> dict[str, Any]:  # JSON
    """Return everything that determines a run, as values that JSON can hold."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        **dataclasses.asdict(configuration),
        "description": dataclasses.asdict(description),
    }


def write(configuration: TrainConfiguration, description: ImageDescription) -> None:
    """Write configuration.json into the run's folder."""
    path = Path(configuration.out) / FILE
    write_atomic(path, (json.dumps(to_json(configuration, description), indent=2) + "\n").encode())


def settings_of(configuration: TrainConfiguration, kinds: int) -> dict[str, str]:
    """Return the text of every setting in which runs of one recipe can differ, except the data set and the seed.

    kinds: the number of kinds of batches.
    """
    recipe = configuration.recipe
    ratio = configuration.ratio or recipe.ratio or (1.0,) * kinds
    return {
        **{name: setting_text(getattr(recipe, name)) for name in settable(recipe)},
        "ratio": ":".join(f"{share / sum(ratio):.4g}" for share in ratio),
        "precision": configuration.precision,
        "planned_steps": str(configuration.steps),
    }


def holds_run(folder: str | Path) -> bool:
    """Return whether the folder's configuration.json is a run's: a data set's folder has such a file too."""
    try:
        return _is_run(read_json(Path(folder) / FILE))
    except (OSError, ValueError):
        return False


def _is_run(found: object) -> bool:
    return isinstance(found, dict) and found.get("format") == FORMAT


def check_run_folder(folder: Path, resume: bool) -> None:
    """Raise TrainingError unless a run can start in a folder or, if `resume`, unless the folder holds a run."""
    if holds_run(folder):
        if not resume:
            raise TrainingError(
                f"expected a new or empty folder, found a run in {folder}: continue it with --resume, or choose "
                "another --out."
            )
    elif resume and (folder / FILE).is_file():
        read(folder)  # raises an error that says what is wrong with the file
    elif folder.exists() and not (folder.is_dir() and all(map(_is_left_over, folder.iterdir()))):
        raise TrainingError(f"expected a new or empty folder, found other files in {folder}: choose another --out.")
    elif resume:
        raise TrainingError(f"expected a run to resume, found none in {folder}: train without --resume.")


def _is_left_over(path: Path) -> bool:
    """Return whether a file is the lock or the partial file of a process that was killed."""
    return path.name == LOCK_FILE or is_temporary(path)


def read(folder: str | Path) -> tuple[TrainConfiguration, ImageDescription]:
    """Read a run's configuration.json. Raises TrainingError if the folder holds no run, or a damaged one."""
    path = Path(folder) / FILE
    try:
        if path.is_file() and _is_run(found := read_json(path)):
            return from_json(found)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path} ({error}): train again into a new folder.") from None
    raise TrainingError(
        f"expected the folder of a run, found {folder}, which holds no run: name one that dcign train wrote."
    )


def from_json(found: dict[str, Any]) -> tuple[TrainConfiguration, ImageDescription]:  # JSON
    """Read what `to_json` returned. Raises ValueError for anything else."""
    try:
        if found.pop("version") != FORMAT_VERSION:
            raise ValueError(f"expected version {FORMAT_VERSION}, found another")
        del found["format"]
        description = ImageDescription(**found.pop("description"))
        recipe = recipe_of_run(found.pop("recipe"), description.size**2 * description.channels)
        CodeLayout.of(description, recipe)  # raises if there are too few latents
        return TrainConfiguration(recipe=recipe, **found), description
    except (TrainingError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def refuse_difference(
    found: tuple[TrainConfiguration, ImageDescription], asked: tuple[TrainConfiguration, ImageDescription]
) -> None:
    """Raise TrainingError if a run resumed with what is asked for would not compute what the stored run did."""
    before, now = _entries(to_json(*found)), _entries(to_json(*asked))
    data, out = asked[0].data, asked[0].out
    if found[1].data_sha256 != asked[1].data_sha256:
        raise TrainingError(
            f"expected the data set on which the run in {out} was trained, found another in {data}: name the first, or "
            "choose another --out."
        )
    for name, value in before.items():
        if name not in MAY_DIFFER and value != now[name]:
            raise TrainingError(
                f"expected {name} to be {json.dumps(value)}, as in the run in {out}, found {json.dumps(now[name])}: "
                "ask for the same, or choose another --out."
            )


def _entries(record: dict[str, Any]) -> dict[str, Any]:  # JSON
    """Return the entries of a run's record, with those of the recipe and the description as recipe.NAME and so on."""
    inner = {f"{key}.{name}": value for key in ("recipe", "description") for name, value in record[key].items()}
    return {**{key: value for key, value in record.items() if not isinstance(value, dict)}, **inner}
