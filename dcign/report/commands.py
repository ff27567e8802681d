"""The commands that make a run again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dcign.recipes.fields import settable
from dcign.recipes.registry import RECIPES, setting_word
from dcign.run.configuration import TrainConfiguration
from dcign.trained.trained_run import TrainedRun


def commands_of(runs: Sequence[TrainedRun]) -> str:
    """Return the commands that train these runs and evaluate the first against the others."""
    configurations = [run.configuration for run in runs]
    first, *others = (configuration.out for configuration in configurations)
    evaluate = ["dcign", "evaluate", first, *(word for out in others for word in ("--against", out))]
    return "\n".join([*map(train_command, reversed(configurations)), shlex.join(evaluate)])


def train_command(configuration: TrainConfiguration) -> str:
    """Return the `dcign train` command of a configuration, with --set for fields that differ from today's recipe.

    For a recipe that is not registered, the settings in its name are used.
    """
    recipe = configuration.recipe
    name, *settings = recipe.name.split(",")
    words = ["dcign", "train", configuration.data, "--recipe", name]
    registered = RECIPES.get(name)
    if registered is not None:
        values = {field: getattr(recipe, field) for field in settable(recipe)}
        settings = [f"{field}={setting_word(it)}" for field, it in values.items() if it != getattr(registered, field)]
    for setting in settings:
        words += ["--set", setting]
    ratio = configuration.ratio or recipe.ratio
    if ratio is not None and not (registered and registered.ratio == ratio):
        words += ["--ratio", ":".join(f"{share:g}" for share in ratio)]
    words += ["--steps", str(configuration.steps), "--seed", str(configuration.seed), "--out", configuration.out]
    return shlex.join(words)
