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

from dcign import __version__
from dcign.terminal.options import Commands

SECTIONS = {  # each command's name, and where it is: only the one that runs is imported
    "Data sets": {
        "face": "dcign.commands.face:face",
        "render": "dcign.commands.render:render",
        "import": "dcign.commands.import_:import_",
        "inspect": "dcign.commands.inspect:inspect",
    },
    "Networks": {
        "train": "dcign.commands.train:train",
        "evaluate": "dcign.commands.train:evaluate",
        "compare": "dcign.commands.compare:compare",
    },
    "Use of networks and codes": {
        "explore": "dcign.commands.explore:explore",
        "edit": "dcign.commands.edit:edit",
        "encode": "dcign.commands.encode:encode",
        "metrics": "dcign.commands.encode:metrics",
    },
    "Other programs and this machine": {
        "export": "dcign.commands.export:export",
        "push": "dcign.commands.push:push",
        "completion": "dcign.commands.completion:completion",
        "doctor": "dcign.commands.doctor:doctor",
    },
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


@click.group(
    cls=Commands,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def dcign() -> None:
    """Make face data sets in which one thing varies at a time, and train networks whose first latents are
    the factors that varied.

    \b
    Example:
      dcign render --batches 1500 --size 64
      dcign inspect faces
      dcign train faces
    """


if __name__ == "__main__":
    main()
