"""Recipes: everything that makes one way of training differ from another, as data, in one registry.

A loss is a sum over the pixels and latents of an image, and a mean over the images of a step. Every recipe
sees the same batches of images in which one factor varies; they differ in what the decoder is given.
"""

import math
from dataclasses import dataclass, replace

from dcign.errors import TrainingError


@dataclass(frozen=True)
class Recipe:
    """One way of training; see `docs/training.md` for the reasons behind the numbers."""

    name: str
    summary: str

    # The network.
    network: str  # "strided", or "paper": the paper's, at its 150 px only
    latents: int  # Z: the first F are the factors', the others are intrinsic
    mirror: bool  # mirror-equivariant encoder, with the signs that the data set gives

    # The clamp: what the decoder gets for a latent that does not vary in the batch.
    reference: str  # "donor", "mean" or "none" (nothing is clamped)
    invariance_of: str  # "mu" or "z": what is pulled to its batch's mean
    invariance_start: float  # weight of that pull at the first step ...
    invariance_end: float  # ... and at the last, geometric in between

    # The likelihood and the prior.
    likelihood: str  # "gaussian" or "bernoulli"
    sigma: float  # of the Gaussian, in units of the range of an image
    beta: float  # weight of the KL divergence

    # The images of a step.
    groups: int  # batches drawn in a step
    images: int  # images taken of each batch's 20
    ratio: tuple[float, ...] | None  # how often each kind of batch is drawn; None: equally
    flip: bool  # a batch is mirrored as a whole with probability 1/2

    # The descent.
    optimizer: str  # "adam" or "rmsprop"
    learning_rate: float
    warmup_steps: int
    final_rate: float  # learning rate at the last step, as a fraction; the way there is a cosine
    weight_decay: float
    gradient_norm: float  # clipped at this; 0: not clipped
    average: float  # decay of the exponential moving average of the weights; 0: none
    steps: int  # unless asked otherwise

    @property
    def assigned(self) -> bool:
        """Whether latent i is trained to be factor i."""
        return self.reference != "none"


SWAP = Recipe(
    name="swap",
    summary="donor clamp, mirror-equivariant encoder, ramped invariance (default)",
    network="strided",
    latents=32,
    mirror=True,
    reference="donor",
    invariance_of="mu",
    invariance_start=1.0,
    invariance_end=100.0,
    likelihood="gaussian",
    sigma=0.2,
    beta=1.0,
    groups=4,
    images=2,
    ratio=None,
    flip=True,
    optimizer="adam",
    learning_rate=2e-3,
    warmup_steps=100,
    final_rate=0.02,
    weight_decay=0.0,
    gradient_norm=2000.0,
    average=0.995,
    steps=16000,
)

PAPER = Recipe(
    name="paper",
    summary="the paper's rule: clamped to the batch's mean, gradient replaced by (z - mean) / 100",
    network="paper",
    latents=200,
    mirror=False,
    reference="mean",
    invariance_of="z",
    invariance_start=0.01,
    invariance_end=0.01,
    likelihood="bernoulli",
    sigma=1.0,
    beta=1.0,
    groups=1,
    images=20,
    ratio=(1.0, 1.0, 1.0, 10.0),
    flip=False,
    optimizer="rmsprop",
    learning_rate=5e-4,
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

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (SWAP, PAPER, VAE)}


def recipe_named(name: str) -> Recipe:
    """Return the recipe of that name, or say which there are."""
    if name not in RECIPES:
        raise TrainingError(f"there is no recipe {name!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[name]


def parse_ratio(text: str, kinds: tuple[str, ...]) -> tuple[float, ...]:
    """Read proportions such as "1:1:1:10", one number for each kind of batch, in the data set's order."""
    example = ":".join("1" * len(kinds))
    wanted = f"wanted {len(kinds)} numbers >= 0, of a finite sum above 0, for {':'.join(kinds)}, such as {example}"
    try:
        ratio = tuple(float(part) for part in text.split(":"))
    except ValueError:
        raise TrainingError(f"cannot read the ratio {text!r}: {wanted}") from None
    if len(ratio) != len(kinds) or not all(part >= 0 for part in ratio) or not 0 < sum(ratio) < math.inf:
        raise TrainingError(f"cannot use the ratio {text!r}: {wanted}")
    return ratio
