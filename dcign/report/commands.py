"""The commands that made a run, as anybody can give them again."""

import shlex

from dcign.configuration import TrainConfiguration
from dcign.figures.run import EvaluatedRun
from dcign.recipes import RECIPES


def commands_of(run: EvaluatedRun) -> str:
    """Return the lines that train the run and evaluate it."""
    configuration = run.codec.configuration
    return f"{train_command(configuration)}\ndcign evaluate {shlex.quote(configuration.out)}"


def train_command(configuration: TrainConfiguration) -> str:
    """Return the `dcign train` that asks for this configuration; a recipe that is in no registry goes by its name."""
    name, *settings = configuration.recipe.name.split(",")
    words = ["dcign", "train", configuration.data, "--recipe", name]
    for setting in settings:
        words += ["--set", setting]
    registered = RECIPES.get(name)
    if configuration.ratio is not None and not (registered and registered.ratio == configuration.ratio):
        words += ["--ratio", ":".join(f"{share:g}" for share in configuration.ratio)]
    words += ["--steps", str(configuration.steps), "--seed", str(configuration.seed), "--out", configuration.out]
    return shlex.join(words)
