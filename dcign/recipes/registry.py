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
from dcign.recipes.fields import Decay, Fraction, Ratio, Steps, validate_fields, validate_ratio


@dataclass(frozen=True)
class Recipe:
    """One way of training; see `docs/training.md` for the reasons behind the numbers."""

    name: str
    summary: str

    # The network.
    network: Literal["strided", "paper", "released"]  # the paper's network and its released code's: at 150 px only
    activation: Literal["relu", "silu"]  # of the strided network; the paper's networks use ReLU
    gain: Annotated[float, Meta(ge=1e-3, le=1e3)]  # variance of the initial weights, times the inputs of their layer
    latents: Annotated[int, Meta(ge=2, le=4096)]  # Z: the first F are the factors', the others are intrinsic
    mirror: bool  # mirror-equivariant encoder, with the signs that the data set gives

    # The clamp: what the decoder gets for a latent that does not vary in the batch.
    active_by: Literal["label", "divergence"]  # which latents vary: by the batch's label, or within a pair of images
    reference: Literal["donor", "mean", "first", "none"]  # "first": the batch's first image; "none": nothing is clamped
    reference_gradient: bool  # whether the decoder's gradient reaches the reference
    clamp_of: Literal["z", "posterior"]  # "posterior": mu and the variance; each image keeps its own noise
    pretrain_steps: Steps  # first steps in which nothing is clamped
    invariance_of: Literal["mu", "z", "posterior"]  # what is pulled to its batch's mean; "posterior": mu and logvar
    invariance_start: Annotated[float, Meta(ge=0, le=1e9)]  # weight of that pull at the first step that clamps ...
    invariance_end: Annotated[float, Meta(ge=0, le=1e9)]  # ... and at the last step, geometric in between

    # The likelihood and the prior.
    likelihood: Literal["gaussian", "bernoulli"]
    sigma: Annotated[float, Meta(ge=1e-3, le=1e3)]  # of the Gaussian, in units of the range of an image
    pixels: Annotated[int, Meta(ge=0, le=10**9)]  # an image counts as this many gray pixels; 0: as the values it has
    beta: Annotated[float, Meta(ge=0, le=1e6)]  # weight of the KL divergence
    divergence_of: Literal[
        "all", "active", "clamped"
    ]  # KL of all latents, of the active ones, of the clamped posterior

    # The images of a step.
    groups: Annotated[int, Meta(ge=1, le=1024)]  # batches drawn in a step
    images: Annotated[int, Meta(ge=1, le=1024)]  # images taken of each batch's 20
    ratio: Ratio | None  # how often each kind of batch is drawn; None: equally
    flip: bool  # all images of a batch are mirrored together with probability 1/2

    # The optimiser.
    optimizer: Literal["adam", "rmsprop"]
    learning_rate: Annotated[float, Meta(ge=0, le=1e3)]
    momentum: Decay  # of the mean gradient: Adam's beta1
    square_decay: Decay  # of the mean square gradient: Adam's beta2, RMSprop's alpha
    epsilon: Fraction  # added to the root of the mean square
    warmup_steps: Steps
    final_rate: Fraction  # the last step's learning rate, as a fraction of learning_rate; a cosine leads to it
    weight_decay: Annotated[float, Meta(ge=0, le=1e3)]
    gradient_norm: Annotated[float, Meta(ge=0, le=1e12)]  # gradients are clipped to this norm; 0: not clipped
    average: Decay  # of the exponential moving average of the weights; 0: none
    steps: Annotated[int, Meta(ge=1, le=10**9)]  # the default of --steps

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

    @property
    def assigned(self) -> bool:
        """Whether latent i is trained to be factor i."""
        return self.reference != "none" and self.active_by == "label"


SWAP = Recipe(
    name="swap",
    summary="donor clamp, mirror-equivariant encoder, ramped invariance (default)",
    network="strided",
    activation="silu",
    gain=2.8,
    latents=28,
    mirror=True,
    active_by="label",
    reference="donor",
    reference_gradient=True,
    clamp_of="z",
    pretrain_steps=0,
    invariance_of="mu",
    invariance_start=200.0,
    invariance_end=100_000.0,
    likelihood="gaussian",
    sigma=0.1,
    pixels=64 * 64,
    beta=1.0,
    divergence_of="all",
    groups=4,
    images=2,
    ratio=None,
    flip=True,
    optimizer="adam",
    learning_rate=1e-3,
    momentum=0.9,
    square_decay=0.999,
    epsilon=1e-8,
    warmup_steps=100,
    final_rate=0.02,
    weight_decay=0.0,
    gradient_norm=2000.0,
    average=0.995,
    steps=40000,
)

PAPER = Recipe(
    name="paper",
    summary="the paper's rule: clamped to the batch's mean, gradient replaced by (z - mean) / 100",
    network="paper",
    activation="relu",
    gain=1.0,
    latents=200,
    mirror=False,
    active_by="label",
    reference="mean",
    reference_gradient=False,
    clamp_of="z",
    pretrain_steps=0,
    invariance_of="z",
    invariance_start=0.01,
    invariance_end=0.01,
    likelihood="bernoulli",
    sigma=1.0,
    pixels=0,
    beta=1.0,
    divergence_of="all",
    groups=1,
    images=20,
    ratio=(1.0, 1.0, 1.0, 10.0),
    flip=False,
    optimizer="rmsprop",
    learning_rate=5e-4,
    momentum=0.0,
    square_decay=0.9,  # "momentum decay 0.1", read as a mean square that forgets a tenth a step
    epsilon=1e-8,
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
    summary="a plain VAE: the same network and schedule, nothing clamped",
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

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (SWAP, PAPER, RELEASED, VAE, BETA_VAE, ADA_GVAE)}


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


def setting_text(value: bool | float | str) -> str:
    """Return the text of a field's value, as in `--set FIELD=`, without loss of precision."""
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
    }
    return Recipe(**{**before, **values})
