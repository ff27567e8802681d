"""The command line, run in this process."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

import cli


def dcign(*words: str | Path | int) -> Result:
    """Run `dcign` with these words; what it printed and its exit code."""
    return CliRunner().invoke(cli.dcign, [str(word) for word in words])


def refused(*words: str | Path | int) -> str:
    """The one sentence of a command that must fail, without its line breaks."""
    result = dcign(*words)
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())
