"""What the commands share: option types, common options, and how errors, warnings and stop signals are shown."""

from __future__ import annotations

import sys
import warnings
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from dcign.errors import DcignError, DcignWarning, TrainingError, TrainingInterrupted
from dcign.printable import printable
from dcign.stop_signals import exit_code
from dcign.storage.paths import expand_home, is_there, to_path, unreachable
from dcign.terminal.echo import echo, printable_lines
from dcign.trained.shipped import advice, network_folder

LONGEST_TEXT = 80  # characters of a path in a message
NO_FILE_WRITTEN = "Stopped. Nothing was written."
F = TypeVar("F", bound=Callable[..., Any])
SPLITS = ("train", "test", "iid", "sweep", "mix")


class PathOrUrl(click.ParamType):  # type: ignore[type-arg]  # older versions are not generic
    """A folder or file, or the URL of one in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return _reachable(self, to_path(expand_home(value) if isinstance(value, str) else value), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Let the shell complete files."""
        return [CompletionItem(incomplete, type="file")]


class LocalPath(click.Path):
    """A folder or file of this machine."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path: Any = super().convert(expand_home(value) if isinstance(value, str) else value, param, ctx)
        return _reachable(self, path, param, ctx)


def _reachable(kind: click.ParamType, path: Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # type: ignore[type-arg]
    if reason := unreachable(path):
        text = printable(str(path))
        found = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
        kind.fail(f"expected a path that can be reached, found {found} ({reason}): name another.", param, ctx)
    return path


class FactorValues(click.ParamType):  # type: ignore[type-arg]  # older versions are not generic
    """Values of a factor: -30, or -30,0,30, or -30:30:7; names of classes where it has any."""

    name = "values"

    def __init__(self, classes: tuple[str, ...] = ()) -> None:
        self.classes = classes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        from dcign.infer.edit import parse_values

        try:
            return parse_values(value, self.classes) if isinstance(value, str) else value
        except TrainingError as error:
            self.fail(str(error), param, ctx)


PATH = LocalPath(path_type=Path)
PATH_OR_URL = PathOrUrl()
COUNT = click.IntRange(min=1)
NOT_NEGATIVE = click.IntRange(min=0)


def interval(
    name: str, low: float, high: float, text: str, default: tuple[float, float] | None = None
) -> Callable[[F], F]:
    """Return the option --NAME LO HI, both from `low` to `high`."""
    bounds = click.FloatRange(low, high)
    return click.option(name, type=bounds, nargs=2, metavar="LO HI", default=default, show_default=True, help=text)


def on_device(default: str | None) -> Callable[[F], F]:
    """Return a decorator that adds --device and --threads."""
    text = "cpu, cuda, cuda:1 ..." if default else "cpu, cuda, cuda:1 ...  [default: a GPU if there is one]"
    device = click.option("--device", default=default, show_default=default is not None, metavar="NAME", help=text)
    threads = click.option("--threads", type=NOT_NEGATIVE, default=None if default is None else 0,
                           metavar="N", help="CPU threads.  [default: one per core]")  # fmt: skip
    return lambda command: device(threads(command))


DATA = click.option("--data", type=PATH_OR_URL, metavar="FACES", help="The data set, if it has moved.")
SPLIT = click.option("--split", "splits", multiple=True, metavar="NAME",
                     help=f"Only this split: {', '.join(SPLITS)}. May be given several times.")  # fmt: skip
MODEL = click.option("--model", "model_path", type=PATH, metavar="PATH",
                     help="Your own face model: BFM, FLAME, ICT-FaceKit or GNM (docs/models.md).  "
                     "[default: the procedural model]")  # fmt: skip
HAIR = click.option("--hair", default="natural", show_default=True, metavar="CUT",
                    help="A haircut, for example bob; none: bare heads, as in the paper (docs/face.md).")  # fmt: skip
HAIRCUTS = click.option("--hair", default="natural", show_default=True, metavar="CUT,...",
                        help="Only these haircuts, for example bob,curls; none: bare heads, as in the paper "
                        "(docs/face.md).")  # fmt: skip
KEEP_HEAD_SIZE = click.option("--keep-head-size", is_flag=True,
                              help="Let the head's size vary, which looks like the camera's distance.")  # fmt: skip
SEED = click.option("--seed", type=NOT_NEGATIVE, default=0, show_default=True, metavar="N",
                    help="The same seed makes the same bytes.")  # fmt: skip


class FactorCommand(click.Command):
    """A command with an additional option for each factor, and each part, of the run that its arguments name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read which factors the run has, then parse."""
        words = (expand_home(word) for word in args if not word.startswith("-"))
        if ctx.resilient_parsing:  # the shell completes a command, which must not take the seconds that torch takes
            return super().parse_args(ctx, args)
        folder = next((found for word in words if is_there(found := network_folder(word)) and found.is_dir()), None)
        if folder is not None:
            taken = {word for parameter in super().get_params(ctx) for word in parameter.opts}
            ctx.meta["dcign.edit.factors"] = self._factor_options(folder, taken)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if folder is not None or not error.option_name.startswith("--"):
                raise
            raise click.UsageError(
                f"expected a run that has the option {error.option_name}, found no folder of a run: {advice()}"
            ) from None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the fixed parameters, and the factors' options if the run is known."""
        *fixed, help_option = super().get_params(ctx)
        return [*fixed, *ctx.meta.get("dcign.edit.factors", ()), help_option]

    @staticmethod
    def _factor_options(folder: Path, taken: set[str]) -> list[click.Parameter]:
        """Return the options; that of a factor whose name is taken begins with --factor-."""
        from dcign.infer.edit import plural
        from dcign.trained.calibration import read_calibrations
        from dcign.trained.trained_run import TrainedRun

        run = TrainedRun.open(folder)
        fits = read_calibrations(folder, run.description.factors, run.layout.size)  # the command warns of old ones
        options: list[click.Parameter] = []
        for fit, units in zip(fits, run.description.units, strict=True):
            low, high = fit.range
            text = f"Values from {low:.4g} to {high:.4g} {plural(units)}".rstrip() + "."
            if fit.circular:
                text = "Any angles, degrees: 190 is -170."
            if fit.classes:
                text = f"Out of {', '.join(fit.classes)}."
            word = fit.factor.replace("_", "-")
            names = [f"--factor-{word}" if f"--{word}" in taken else f"--{word}", f"factor_{fit.factor}"]
            options.append(click.Option(names, type=FactorValues(fit.classes), multiple=True, help=text))
        for part in run.description.parts if run.configuration.recipe.assigned else ():
            names = [f"--{part}-from", f"{part}_from"]
            options.append(click.Option(names, type=PATH, metavar="PICTURE", help=f"Take the {part} of this picture."))
        return options


class PeopleCommand(click.Command):
    """A command whose option --sex takes two numbers, or a word for them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Replace `--sex women` and `--sex men` by their numbers, then parse."""
        if any(word.partition("=")[0] == "--sex" for word in args):
            from dcign.render.plan.choice import SEX_RANGES

            words = list(
                chain.from_iterable(word.split("=", 1) if word.startswith("--sex=") else [word] for word in args)
            )
            args = words[:1]
            for before, word in pairwise(words):
                args += map(str, SEX_RANGES[word]) if before == "--sex" and word in SEX_RANGES else [word]
        return super().parse_args(ctx, args)


class CommandTable(UserDict[str, Any]):  # the values that it keeps are names, the values that it gives are commands
    """Commands by name. A command is imported when it is looked up, from where its entry says: MODULE:FUNCTION."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, function = self.data[name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command


class Commands(click.Group):
    """The commands. Each error and each warning of dcign is printed as one sentence; an error exits with code 1.

    sections: the titles of the help text, and under each the names of its commands with their MODULE:FUNCTION.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, str]], **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.sections = sections
        self.commands = CommandTable({name: at for names in sections.values() for name, at in names.items()})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section, in the order of the work."""
        width = max(map(len, self.commands))
        limit = formatter.width - 6 - width
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{name:{width}}", self.commands[name].get_short_help_str(limit)) for name in names]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Parse and run a command."""
        with _warnings_shown():
            try:
                return super().invoke(ctx)
            except DcignError as error:
                raise click.ClickException(printable(str(error))) from None
            except click.ClickException as error:  # the words of the command line may hold anything
                error.message = printable_lines(error.message)  # type: ignore[misc]  # final, but there is no other way
                raise


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """Print each warning of dcign as one sentence, and other warnings as usual."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any) -> None:
            if issubclass(category, DcignWarning):
                click.echo(f"Warning: {printable(str(message))}", err=True)
            else:
                usual(message, category, *where)

        warnings.simplefilter("always", DcignWarning)
        warnings.showwarning = show  # type: ignore[assignment]  # it passes on whatever it was given
        yield


@contextmanager
def interruptible(sentence: str | Callable[[], str]) -> Iterator[None]:
    """On a stop signal print how to continue, and exit with its code: 130 for Ctrl-C, 143 for TERM, 129 for HUP.

    sentence: or a function that returns it.
    """
    try:
        yield
    except (TrainingInterrupted, KeyboardInterrupt) as stopped:
        said = sentence if isinstance(sentence, str) else sentence()
        echo(f"\n{stopped if isinstance(stopped, TrainingInterrupted) else said}", err=True)
        sys.exit(exit_code(stopped))


def refuse_beside(context: click.Context, option: str, *allowed: str) -> None:
    """Raise a usage error if other options than these were given beside one."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in (option, *allowed)
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"expected --{option} without {given[0]}, found both: leave one out.")
