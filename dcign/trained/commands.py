"""The commands that make a run again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dcign.recipes.fields import settable
from dcign.recipes.registry import RECIPES, setting_text
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
    registered = RECIPES.get(name)
    if registered is not None:
        values = {field: getattr(recipe, field) for field in settable(recipe)}
        settings = [f"{field}={setting_text(it)}" for field, it in values.items() if it != getattr(registered, field)]
    ratio = configuration.ratio or recipe.ratio
    if registered and registered.ratio == ratio:
        ratio = None
    return shlex.join([*train_words(configuration, configuration.data, settings, ratio), "--out", configuration.out])


def train_words(
    configuration: TrainConfiguration, data: str, settings: Sequence[str], ratio: Sequence[float] | None
) -> list[str]:
    """Return the words of a `dcign train` command up to --out."""
    words = ["dcign", "train", data, "--recipe", configuration.recipe.name.split(",")[0]]
    for setting in settings:
        words += ["--set", setting]
    if ratio is not None:
        words += ["--ratio", ":".join(f"{share:g}" for share in ratio)]
    words += ["--steps", str(configuration.steps), "--seed", str(configuration.seed)]
    return [*words, "--refine", str(configuration.refine)] if configuration.refine else words
