"""The command line: the group of all commands (dcign/commands/), stop signals and exit codes."""

from __future__ import annotations

from dcign.stop_signals import exit_code, note_stop_signals, stop_signals

if __name__ == "__main__":  # as dcign.start does: no signal may find Python's own handlers during the imports
    note_stop_signals()

import sys

try:
    import click
except ModuleNotFoundError:
    sys.exit("dcign: expected the package click, found none: run `pip install -e .` in the folder of dcign.")

from dcign.commands.compare import compare
from dcign.commands.completion import completion
from dcign.commands.doctor import doctor
from dcign.commands.edit import edit
from dcign.commands.encode import encode, metrics
from dcign.commands.explore import explore
from dcign.commands.export import export
from dcign.commands.face import face
from dcign.commands.import_ import import_
from dcign.commands.inspect import inspect
from dcign.commands.push import push
from dcign.commands.render import render
from dcign.commands.train import evaluate, train
from dcign.terminal.options import Commands

SECTIONS = {
    "Data sets": (face, render, import_, inspect),
    "Networks": (train, evaluate, compare),
    "Use of networks and codes": (explore, edit, encode, metrics),
    "Other programs and this machine": (export, push, completion, doctor),
}


def main() -> None:
    """Entry point of the `dcign` console script."""
    with stop_signals() as handler:
        try:
            handler.raise_noted()
            sys.exit(dcign(prog_name="dcign", standalone_mode=False) or 0)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt) as stopped:  # before the command had begun anything
            click.echo("\nStopped before anything was begun: run the same command again.", err=True)
            sys.exit(exit_code(stopped.__cause__ or stopped))
        finally:
            handler.end()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="dcign", message="%(prog)s %(version)s")
def dcign() -> None:
    """Make face data sets in which one thing varies at a time, and train networks whose first latents are
    the factors that varied.

    \b
    Example:
      dcign render --batches 1500 --size 64
      dcign inspect faces
      dcign train faces
    """


for title, commands in SECTIONS.items():
    dcign.add_section(title, commands)


if __name__ == "__main__":
    main()
