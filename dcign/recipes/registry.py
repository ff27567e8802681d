"""Recipes: everything that makes one way of training differ from another, as data, in one registry.

A loss is a sum over the pixels and latents of an image, and a mean over the images of a step. Every recipe
sees the same batches of images in which one factor varies; they differ in what the decoder is given. What a
field may be set to is in `dcign.recipes.fields`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcign.errors import TrainingError
from dcign.recipes.fields import refuse_fields


@dataclass(frozen=True)
class Recipe:
    """One way of training; see `docs/training.md` for the reasons behind the numbers."""

    name: str
    summary: str

    # The network.
    network: str  # "strided", or "paper" or "released": the paper's and its code's, at their 150 px only
    activation: str  # of the strided network: "silu" or "relu"; the paper's networks are rectifiers
    gain: float  # of the weights drawn at first: their variance, times a layer's inputs
    latents: int  # Z: the first F are the factors', the others are intrinsic
    mirror: bool  # mirror-equivariant encoder, with the signs that the data set gives

    # The clamp: what the decoder gets for a latent that does not vary in the batch.
    active_by: str  # who says which latents vary: the batch's "label", or the "divergence" within a pair of images
    reference: str  # "donor", "mean", "first" (image of the batch) or "none" (nothing is clamped)
    reference_gradient: bool  # whether the decoder's gradient goes on to the reference
    clamp_of: str  # "z", or "posterior": mu and the variance, before the noise, which stays each image's own
    pretrain_steps: int  # first steps in which nothing is clamped
    invariance_of: str  # "mu", "z" or "posterior" (mu and logvar): what is pulled to its batch's mean
    invariance_start: float  # weight of that pull at the first step that clamps ...
    invariance_end: float  # ... and at the last, geometric in between

    # The likelihood and the prior.
    likelihood: str  # "gaussian" or "bernoulli"
    sigma: float  # of the Gaussian, in units of the range of an image
    pixels: int  # gray pixels that an image counts for in the likelihood, whatever its size; 0: all numbers it has
    beta: float  # weight of the KL divergence
    divergence_of: str  # KL of "all" latents, of the "active" alone, or of the posterior as "clamped"

    # The images of a step.
    groups: int  # batches drawn in a step
    images: int  # images taken of each batch's 20
    ratio: tuple[float, ...] | None  # how often each kind of batch is drawn; None: equally
    flip: bool  # a batch is mirrored as a whole with probability 1/2

    # The descent.
    optimizer: str  # "adam" or "rmsprop"
    learning_rate: float
    momentum: float  # decay of the mean gradient: Adam's beta1
    square_decay: float  # decay of the mean square gradient: Adam's beta2, RMSprop's alpha
    epsilon: float  # added to the root of the mean square
    warmup_steps: int
    final_rate: float  # learning rate at the last step, as a fraction; the way there is a cosine
    weight_decay: float
    gradient_norm: float  # clipped at this; 0: not clipped
    average: float  # decay of the exponential moving average of the weights; 0: none
    steps: int  # unless asked otherwise

    def __post_init__(self) -> None:
        refuse_fields(self)

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
    """Return the recipe of that name, or say which there are."""
    if name not in RECIPES:
        raise TrainingError(f"there is no recipe {name!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def changed(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:  # values of the fields' own types
    """Return the recipe with some of its fields set anew, and a name that says which: `swap,mirror=false`."""
    differing = {name: value for name, value in settings.items() if value != getattr(recipe, name)}
    order = [name for name in recipe.__dataclass_fields__ if name in differing]
    words = [f"{name}={setting_word(differing[name])}" for name in order]
    return replace(recipe, **differing, name=",".join([recipe.name, *words]))


def setting_word(value: bool | float | str) -> str:
    """Return how a field's value is written after `--set FIELD=`, exactly."""
    if not isinstance(value, float):
        return str(value).lower()
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def recipe_of_run(values: Mapping[str, Any], numbers: int) -> Recipe:  # JSON
    """Return the recipe that a run's record holds, of images of so many numbers; what older records lack was done so.

    Every number of an image counted then: where that is what the recipe of today says, in gray at 64 px, it is that.
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
