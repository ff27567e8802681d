"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
from click.testing import CliRunner, Result

from dcign import cli

ROOT = Path(cli.__file__).parents[1]


def dcign(*words: str | Path | int) -> Result:
    """Run `dcign` with these words; what it printed and its exit code."""
    return CliRunner().invoke(cli.dcign, [str(word) for word in words])


def refused(*words: str | Path | int) -> str:
    """The one sentence of a command that must fail, without its line breaks."""
    result = dcign(*words)
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def parsed(name: str, *words: str) -> click.Context:
    """What the command `name` understands of these words, without running it.

    Its parent has the settings of `dcign`, because click keeps the help option of a command as its first parent had it.
    """
    with click.Context(cli.dcign, **cli.dcign.context_settings) as parent:
        return cli.dcign.commands[name].make_context(name, list(words), parent=parent)


def imported_by(*words: str | Path) -> set[str]:
    """Top-level modules, and packages of dcign, that a command has imported when it ends."""
    script = (
        "import sys\n"
        "from dcign import cli\n"
        "try:\n    cli.dcign(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "short = lambda name: '.'.join(name.split('.')[: 1 + name.startswith('dcign.')])\n"
        "print('MODULES', *sorted({short(name) for name in sys.modules}))\n"
    )
    command = [sys.executable, "-c", script, *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split()[1:])
