"""The recipes, as data: everything in which one way of training differs from another.

A loss is a sum over the pixels and latents of an image, and a mean over the images of a step. Every recipe
sees the same batches of images in which one factor varies; they differ in what the decoder gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from msgspec import Meta

from dcign.errors import TrainingError
from dcign.recipes.fields import (
    Decay,
    Fraction,
    PartSize,
    Ratio,
    Span,
    Steps,
    Units,
    Weights,
    Widths,
    validate_fields,
    validate_ratio,
)


@dataclass(frozen=True)
class Recipe:
    """One way of training; see `docs/training.md` for the reasons behind the numbers. The defaults are swap's."""

    name: str
    summary: str

    # The network.
    network: Literal["patch", "strided", "paper", "released"] = "patch"  # the paper's at 150 px only
    encoder_widths: Widths = (128, 96, 32)  # of the patch network: channels of each grid, the coarsest first
    decoder_widths: Widths = (128, 128, 64)  # ... at 64 px three grids, in larger images the last width repeats
    encoder_hidden: Units = 256
    decoder_hidden: Units = 256
    encoder_norm: bool = True  # of the patch network: layer normalisation before each activation of the encoder
    activation: Literal["relu", "silu"] = "silu"  # of patch and strided; the paper's networks use ReLU
    gain: Annotated[float, Meta(ge=1e-3, le=1e3)] = 2.8  # variance of the initial weights, times their layer's inputs
    latents: Annotated[int, Meta(ge=2, le=4096)] = 40  # Z, unless the data set has all parts of a person, as below
    shape_latents: PartSize = 20  # the latents of each part; factors have one or two of their own (code_layout.py)
    skin_latents: PartSize = 8
    hair_latents: PartSize = 12
    class_latents: Annotated[int, Meta(ge=0, le=1024)] = 0  # of each factor of classes; 0: one per class
    mirror: bool = True  # mirror-equivariant, with the signs that the data set gives; in patch the decoder too

    # The clamp: what the decoder gets for a latent that does not vary in the batch.
    active_by: Literal["label", "divergence"] = "label"  # which latents vary: by label, or within a pair of images
    reference: Literal["donor", "mean", "first", "none"] = "donor"  # "first": the batch's first image; "none": no clamp
    reference_gradient: bool = True  # whether the decoder's gradient reaches the reference
    clamp_of: Literal["z", "posterior"] = "z"  # "posterior": mu and the variance; each image keeps its own noise
    pretrain_steps: Steps = 0  # first steps in which nothing is clamped
    invariance_of: Literal["mu", "z", "posterior"] = "mu"  # pulled to its batch's mean; "posterior": mu, logvar
    invariance_start: Annotated[float, Meta(ge=0, le=1e9)] = 200.0  # weight of the pull where clamping begins ...
    invariance_end: Annotated[float, Meta(ge=0, le=1e9)] = 50_000.0  # ... and at the last step, geometric in between

    # The likelihood and the prior.
    likelihood: Literal["gaussian", "bernoulli"] = "gaussian"
    sigma: Annotated[float, Meta(ge=1e-3, le=1e3)] = 0.1  # of the Gaussian, in units of the range of an image
    detail: Weights = (2.0, 2.0, 1.0)  # weight of the error in each octave, the finest first, added to 1; Gaussian
    pixels: Annotated[int, Meta(ge=0, le=10**9)] = 64 * 64  # an image counts as this many values; 0: as those it has
    beta: Annotated[float, Meta(ge=0, le=1e6)] = 1.0  # weight of the KL divergence
    divergence_of: Literal["all", "active", "clamped"] = "all"  # the latents that count, or the clamped posterior

    # The images of a step.
    groups: Annotated[int, Meta(ge=1, le=1024)] = 4  # batches drawn in a step
    images: Annotated[int, Meta(ge=1, le=1024)] = 2  # images taken of each batch's 20
    ratio: Ratio | None = None  # how often each kind of batch is drawn; None: equally
    flip: bool = False  # all images of a batch are mirrored together with probability 1/2

    # The augmentation of those images, drawn once per group (train/augmentation.py). These values change nothing.
    size: Annotated[int, Meta(ge=0, le=256)] = 0  # px of the network's pictures; 0: as large as the data set's
    zoom: Span = (1.0, 1.0)  # of the picture about its centre
    shift: Annotated[float, Meta(ge=0, le=0.5)] = 0.0  # largest, either way along each axis, as a share of the width
    roll: Annotated[float, Meta(ge=0, le=180)] = 0.0  # largest, either way, degrees
    crop: Annotated[float, Meta(ge=0, le=0.45)] = 0.0  # largest share of the width that turns black at each border
    backgrounds: Fraction = 0.0  # share of the groups with something else than black behind the mask
    exposure: Span = (1.0, 1.0)  # factor of the linear light
    gamma: Span = (1.0, 1.0)  # exponent of the encoded values
    target: Literal["clean", "same"] = "clean"  # what the decoder draws: the data set's picture, or the augmented one

    # The optimiser.
    optimizer: Literal["muon", "adam", "rmsprop"] = "muon"  # Muon for the patch network's matrices, Adam for the rest
    matrix_rate: Annotated[float, Meta(ge=0, le=1e3)] = 3e-3  # Muon's learning rate
    matrix_momentum: Decay = 0.95
    matrix_every: Annotated[int, Meta(ge=1, le=1000)] = 4  # each matrix moves in one of so many steps, as much further
    learning_rate: Annotated[float, Meta(ge=0, le=1e3)] = 0.01  # of Adam and RMSprop
    momentum: Decay = 0.9  # of the mean gradient: Adam's beta1
    square_decay: Decay = 0.999  # of the mean square gradient: Adam's beta2, RMSprop's alpha
    epsilon: Fraction = 1e-8  # added to the root of the mean square
    warmup_steps: Steps = 100
    final_rate: Fraction = 0.02  # the last step's learning rate, as a fraction of learning_rate; a cosine leads to it
    weight_decay: Annotated[float, Meta(ge=0, le=1e3)] = 0.0
    gradient_norm: Annotated[float, Meta(ge=0, le=1e12)] = 2000.0  # gradients are clipped to this norm; 0: not clipped
    average: Decay = 0.995  # of the exponential moving average of the weights, per step; 0: none
    average_every: Annotated[int, Meta(ge=1, le=1000)] = 4  # steps between updates of the average
    steps: Annotated[int, Meta(ge=1, le=10**9)] = 40000  # the default of --steps

    def __post_init__(self) -> None:
        validate_fields(self)
        validate_ratio(self.ratio)
        if (self.invariance_start == 0) != (self.invariance_end == 0):
            raise TrainingError(
                "expected invariance_start and invariance_end both above 0 or both 0, found "
                f"{self.invariance_start:g} and {self.invariance_end:g}: the weight grows geometrically; set both."
            )
        if self.active_by == "divergence" and self.images != 2:
            raise TrainingError(
                f"expected images=2, as active_by=divergence compares pairs, found images={self.images}: set images=2."
            )
        for name in ("zoom", "exposure", "gamma"):
            low, high = getattr(self, name)
            if low > high:
                raise TrainingError(
                    f"expected {name} from a smaller to a larger factor, found {low:g}:{high:g}: turn them round."
                )
        if self.mirror and self.network == "patch":
            for name in ("encoder_widths", "decoder_widths", "encoder_hidden", "decoder_hidden"):
                self._refuse_odd(name)

    def _refuse_odd(self, name: str) -> None:
        """Raise TrainingError if a width is odd, because an equivariant layer has two copies of each feature."""
        found = getattr(self, name)
        for width in found if isinstance(found, tuple) else (found,):
            if width % 2:
                raise TrainingError(
                    f"expected even numbers in {name}, as a mirror-equivariant layer has two copies of each feature, "
                    f"found {width}: change it, or use --set mirror=false."
                )

    @property
    def latents_of_parts(self) -> dict[str, int]:
        """The number of latents of each part of a person, for data sets whose batches vary it."""
        return {"shape": self.shape_latents, "skin": self.skin_latents, "hair": self.hair_latents}

    @property
    def augmented(self) -> bool:
        """Whether the network sees other pictures than those of the data set."""
        neutral = all(getattr(self, name) == (1.0, 1.0) for name in ("zoom", "exposure", "gamma"))
        return not neutral or any((self.shift, self.roll, self.crop, self.backgrounds))

    @property
    def draws_clean(self) -> bool:
        """Whether the decoder must draw other pictures than those that the encoder sees."""
        return self.augmented and self.target == "clean"

    @property
    def assigned(self) -> bool:
        """Whether latent i is trained to be factor i."""
        return self.reference != "none" and self.active_by == "label"


SWAP = Recipe("swap", "donor clamp, mirror-equivariant network, ramped invariance (default)")

# The strided network is equivariant in its encoder alone, so its decoder learns from mirrored images too.
SWAP_1 = replace(
    SWAP,
    name="swap-1",
    summary="the default up to version 0.2: strided network, Adam",
    network="strided",
    latents=28,
    invariance_end=100_000.0,
    detail=(0.0,),
    flip=True,
    optimizer="adam",
    learning_rate=1e-3,
    average_every=1,
)

PAPER = replace(
    SWAP,
    name="paper",
    summary="the paper's rule: clamped to the batch's mean, gradient replaced by (z - mean) / 100",
    network="paper",
    activation="relu",
    gain=1.0,
    latents=200,
    mirror=False,
    reference="mean",
    reference_gradient=False,
    invariance_of="z",
    invariance_start=0.01,
    invariance_end=0.01,
    likelihood="bernoulli",
    detail=(0.0,),
    sigma=1.0,
    pixels=0,
    groups=1,
    images=20,
    ratio=(1.0, 1.0, 1.0, 10.0),
    flip=False,
    optimizer="rmsprop",
    learning_rate=5e-4,
    momentum=0.0,
    square_decay=0.9,  # "momentum decay 0.1", read as a mean square that forgets a tenth a step
    warmup_steps=0,
    final_rate=1.0,
    weight_decay=0.01 / 20,  # the paper's .01 is against a loss summed over 20 images; ours is their mean
    gradient_norm=0.0,
    average=0.0,
    steps=12000,
)

VAE = replace(
    SWAP,
    name="vae",
    summary="a plain VAE: the same layers and schedule, nothing clamped, not equivariant",
    mirror=False,
    reference="none",
    invariance_start=0.0,
    invariance_end=0.0,
    flip=False,
)

BETA_VAE = replace(VAE, name="beta-vae", summary="a VAE with four times the divergence", beta=4.0)

RELEASED = replace(
    PAPER,
    name="released",
    summary="the authors' released code: clamped to the batch's first image, no gradient to clamped latents",
    network="released",
    reference="first",
    clamp_of="posterior",
    divergence_of="active",
    # The code's option to pull clamped latents together; it is off there too, and its sign pushes them apart.
    # Ours, if it is turned on, pulls.
    invariance_of="posterior",
    invariance_start=0.0,
    invariance_end=0.0,
    ratio=None,
    optimizer="adam",
    momentum=0.9,
    square_decay=0.99,
    epsilon=1e-4 / 20,  # theirs is 1e-8 within the root, against a sum over 20 images; ours is their mean
    weight_decay=0.0,
)

ADA_GVAE = replace(
    VAE,
    name="ada-gvae",
    summary="Locatello 2020: pairs of images share what differs least between them, no labels",
    active_by="divergence",
    reference="mean",
    reference_gradient=True,
    clamp_of="posterior",
    divergence_of="clamped",
    images=2,
)

WILD = replace(
    SWAP,
    name="wild",
    summary="for photographs: swap on pictures with random framing, background and exposure",
    # A pull of 50,000 leaves 2 to 4 latents of the person alive, and elevation dies first.
    invariance_end=1000.0,
    zoom=(0.8, 1.8),
    shift=0.1,
    roll=15.0,
    crop=0.12,
    backgrounds=0.75,
    exposure=(0.6, 1.6),
    gamma=(0.7, 1.4),
)

# Fields that older versions did not have: of the augmentation, the patch network, Muon, and parts of a person.
UNUSED_BEFORE = (
    "size",
    "zoom",
    "shift",
    "roll",
    "crop",
    "backgrounds",
    "exposure",
    "gamma",
    "target",
    "shape_latents",
    "skin_latents",
    "hair_latents",
    "class_latents",
    "encoder_widths",
    "decoder_widths",
    "encoder_hidden",
    "decoder_hidden",
    "encoder_norm",
    "matrix_rate",
    "matrix_momentum",
    "matrix_every",
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (SWAP, SWAP_1, WILD, PAPER, RELEASED, VAE, BETA_VAE, ADA_GVAE)
}


def recipe_named(name: str) -> Recipe:
    """Return the recipe of that name. Raises TrainingError if there is none."""
    if name not in RECIPES:
        raise TrainingError(f"expected the name of a recipe, found {name!r}: choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]


def changed(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:  # values of the fields' own types
    """Return the recipe with other values for some fields. Its name lists them: `swap,mirror=false`."""
    different = {
        name: settings[name]
        for name in recipe.__dataclass_fields__
        if name in settings and settings[name] != getattr(recipe, name)
    }
    name = ",".join([recipe.name, *(f"{field}={setting_text(value)}" for field, value in different.items())])
    return replace(recipe, **different, name=name)


def setting_text(value: bool | float | str | tuple[float, ...]) -> str:
    """Return the text of a field's value, as in `--set FIELD=`, without loss of precision."""
    if isinstance(value, tuple):
        return ":".join(map(setting_text, value))
    if not isinstance(value, float):
        return str(value).lower()
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def recipe_of_run(values: Mapping[str, Any], numbers: int) -> Recipe:  # JSON
    """Return the recipe of a stored run. Fields that older records lack get the values that version used.

    numbers: how many values an image of the run has. Older versions counted each of them in the likelihood. Where
    today's recipe counts the same number (gray images of 64 px), the field gets today's value.
    """
    today = RECIPES.get(str(values.get("name")).split(",")[0])
    adam = values.get("optimizer") == "adam"
    before = {
        "activation": "relu",
        "gain": 1.0,
        "active_by": "label",
        "reference_gradient": values.get("reference") != "mean",
        "clamp_of": "z",
        "pretrain_steps": 0,
        "divergence_of": "all",
        "pixels": numbers if today is not None and today.pixels == numbers else 0,
        "momentum": 0.9 if adam else 0.0,
        "square_decay": 0.999 if adam else 0.9,
        "epsilon": 1e-8,
        **{name: getattr(SWAP, name) for name in UNUSED_BEFORE},
        "average_every": 1,
        "detail": (0.0,),
    }
    missing = Recipe.__dataclass_fields__.keys() - before.keys() - values.keys()
    if missing:
        raise ValueError(f"expected every field of a recipe, found no {min(missing)}")
    return Recipe(**{**before, **values})
