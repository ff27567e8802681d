"""The shared data sets: the option that names each, and how it is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SharedSet:
    """One data set: the word of its option and of its folder, its title, and further options of `dcign import`."""

    word: str
    title: str
    options: tuple[str, ...] = ()


# At 64 px, as in papers. No mirror signs of the originals are known, so all are trained with mirror=false.
SETS = (
    SharedSet("shapes3d", "Shapes3D"),
    SharedSet("dsprites", "dSprites"),
    SharedSet("mpi3d", "MPI3D"),
    SharedSet("cars3d", "Cars3D", ("--size", "64")),
    SharedSet("smallnorb", "smallNORB", ("--size", "64")),
)

# Recipe -> what it is told of the labels, besides images.
SUPERVISION = {
    "swap": "which factor varies in a batch",
    "paper": "which factor varies in a batch",
    "ada-gvae": "that few factors vary in a pair",
    "beta-vae": "nothing",
    "vae": "nothing",
}
RECIPES = ("swap", "ada-gvae", "beta-vae", "paper")


def import_words(each: SharedSet, source: str, out: str) -> list[str]:
    """Return the words of `dcign import` for a set."""
    return ["import", source, "--out", out, "--name", each.title, *each.options]


def training_words(data: str, out: str, recipe: str, seed: int, steps: int | None) -> list[str]:
    """Return the words of `dcign train` for one run, with one thread. steps: None for the recipe's own number."""
    words = ["train", data, "--out", out, "--recipe", recipe, "--seed", str(seed), "--threads", "1"]
    return [*words, *(["--steps", str(steps)] if steps else []), "--set", "mirror=false"]
