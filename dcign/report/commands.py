"""The commands that made a run, as anybody can give them again."""

import shlex
from collections.abc import Sequence

from dcign.configuration import TrainConfiguration
from dcign.figures.run import EvaluatedRun
from dcign.recipes import RECIPES


def commands_of(runs: Sequence[EvaluatedRun]) -> str:
    """Return the lines that train a run, and the one that it stands beside if there is one, and evaluate it."""
    configurations = [run.codec.configuration for run in runs]
    first, *others = (configuration.out for configuration in configurations)
    evaluate = ["dcign", "evaluate", first, *(word for out in others for word in ("--against", out))]
    return "\n".join([*map(train_command, reversed(configurations)), shlex.join(evaluate)])


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
