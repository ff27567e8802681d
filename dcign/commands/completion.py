"""The command `dcign completion`."""

from __future__ import annotations

import click

PROGRAM, VARIABLE = "dcign", "_DCIGN_COMPLETE"  # click's name of the variable that asks for completions
SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print a script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets bash (4.4 or later), zsh or fish complete commands, options, choices and files.

    Evaluate it in the start-up file of the shell: ~/.bashrc or ~/.zshrc. For fish, write it into
    ~/.config/fish/completions/dcign.fish.

    \b
    Example:
      echo 'eval "$(dcign completion bash)"' >> ~/.bashrc
      echo 'eval "$(dcign completion zsh)"' >> ~/.zshrc
      dcign completion fish > ~/.config/fish/completions/dcign.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # click has these three
    click.echo(found(context.find_root().command, {}, PROGRAM, VARIABLE).source())
