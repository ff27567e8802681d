"""The trainings of the studies of docs/results.md, as `dcign train` commands named by the folders of their runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcign.recipes.registry import SWAP

# Steps of each recipe in 15 minutes of one core at 64 px: 900 s divided by the CPU time of one step with one thread, on
# an AMD EPYC (Zen 4) with bfloat16 products. `swap` takes 22 ms, `vae` and `beta-vae` 29, `ada-gvae` 30. Those of
# `swap-1`, `paper` and `released` are of version 0.2, from a faster machine (22.3, 34 and 34 ms).
STEPS = {
    "swap": 40_000,
    "swap-1": 40_000,
    "paper": 26_500,
    "released": 26_500,
    "vae": 31_000,
    "beta-vae": 31_000,
    "ada-gvae": 30_000,
}
ABLATION_STEPS = 6_000
FULL_STEPS = 120_000  # of the study `swap`
WEAKER_PULL = "--set invariance_end=20000"  # tests whether the strongest pull makes intrinsic latents inactive

# Ingredient of `swap` -> the options that remove or change it.
ABLATIONS = {
    "all of them": "",
    "mirror-equivariant network": "--set mirror=false",
    "mirror-equivariant network: mirrored batches instead": "--set mirror=false --set flip=true",
    "patch network: strided instead": "--set network=strided --set optimizer=adam --set learning_rate=0.001",
    "normalised encoder": "--set encoder_norm=false",
    "donor: the mean instead": "--set reference=mean",
    "donor: the detached mean instead": "--set reference=mean --set reference_gradient=false",
    "gradient to the donor": "--set reference_gradient=false",
    "the clamp": "--set reference=none",
    "noise that travels with the donor": "--set clamp_of=posterior",
    "the pull": "--set invariance_start=0 --set invariance_end=0",
    "the pull's growth": "--set invariance_end=200",
    "the pull's growth: strong from the start": "--set invariance_start=50000",
    "the pull's being on mu": "--set invariance_of=z",
    "KL of clamped latents": "--set divergence_of=active",
    "Gaussian likelihood": "--set likelihood=bernoulli",
    "sigma: .2 instead": "--set sigma=0.2",
    "beta: .25 instead": "--set beta=0.25",
    "40 latents: 64 instead": "--set latents=64",
    "fine structure counts more": "--set detail=0",
    "SiLU: rectifiers instead": "--set activation=relu",
    "first weights that keep the size of what passes": "--set gain=1",
    "many small steps: a quarter as many of 4 x 8 images": "--set images=8",
    "warm-up": "--set warmup_steps=0",
    "cosine": "--set final_rate=1",
    "clipped gradient": "--set gradient_norm=0",
    "averaged weights": "--set average=0",
    "Muon: Adam instead": "--set optimizer=adam --set learning_rate=0.001",
    "Muon: each matrix in every step": "--set matrix_every=1",
    "average in every fourth step: in every step": "--set average_every=1",
    "equal kinds": "--ratio 1:1:1:10",
    "clamping from the first step": "--pretrain 1000",
}
FEWER_STEPS = {"--set images=8": ABLATION_STEPS // 4}  # for an equal number of images


# Training at 150 px, the image size of the paper and of `dcign render` -> its options and steps.
LARGE = {
    "`dcign train`": ("", SWAP.steps),
    "the same, shorter": ("", 6_000),
    "shorter, every number of an image counts": ("--set pixels=0", 6_000),
}


@dataclass(frozen=True)
class Training:
    """One run: its folder within the folder of studies, and its options of `dcign train`."""

    name: str
    options: tuple[str, ...]


def recipe_trainings(seeds: int) -> list[Training]:
    """Train every recipe for 15 minutes of one core: the first seed of all recipes, then the second."""
    return [
        Training(f"recipes/{name}-{seed}", ("--recipe", name, "--steps", str(steps), "--seed", str(seed)))
        for seed in range(seeds)
        for name, steps in STEPS.items()
    ]


def ablation_trainings(seeds: int) -> list[Training]:
    """Train `swap` without each of its ingredients, for fewer steps."""
    found = []
    for seed in range(seeds):
        for options in ABLATIONS.values():
            steps = FEWER_STEPS.get(options, ABLATION_STEPS)
            words = ("--recipe", "swap", *options.split(), "--steps", str(steps), "--seed", str(seed))
            found.append(Training(f"ablation/{ablation_folder(options)}-{seed}", words))
    return found


def swap_trainings(seeds: int) -> list[Training]:
    """Train the default recipe until it stops improving, and with half of its final pull."""
    return [
        Training(
            f"swap/{ablation_folder(options)}-{seed}",
            ("--recipe", "swap", *options.split(), "--steps", str(FULL_STEPS), "--seed", str(seed)),
        )
        for options in ("", WEAKER_PULL)
        for seed in range(seeds)
    ]


def large_trainings(seeds: int) -> list[Training]:
    """Train the default recipe on images of 150 px, and without the weight that offsets their number of pixels."""
    return [
        Training(
            f"large/{large_folder(options, steps)}-{seed}",
            ("--recipe", "swap", *options.split(), "--steps", str(steps), "--seed", str(seed)),
        )
        for seed in range(seeds)
        for options, steps in LARGE.values()
    ]


def ablation_folder(options: str) -> str:
    """Return the name of an ablation's folder, without its seed."""
    return options.replace("--set ", "").replace("--", "").replace(":", "-").replace(" ", ",") or "swap"


def large_folder(options: str, steps: int) -> str:
    """Return the name of the folder of a training at 150 px, without its seed."""
    return f"{ablation_folder(options)},{steps}"


def command(training: Training, faces: str | Path, out: str | Path) -> list[str]:
    """Return the arguments of `dcign` for this training, with one thread."""
    return ["train", str(faces), *training.options, "--threads", "1", "--out", str(Path(out) / training.name)]


STUDIES: dict[str, Callable[[int], list[Training]]] = {
    "recipes": recipe_trainings,
    "ablation": ablation_trainings,
    "swap": swap_trainings,
    "large": large_trainings,
}
