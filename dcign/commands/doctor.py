"""The command `dcign doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import click

from dcign.machine import available_cores
from dcign.terminal.echo import echo
from dcign.terminal.options import interruptible


@click.command(short_help="Check the installation and say how to repair it.")
@click.option("--quick", is_flag=True, help="Do not measure rendering.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def doctor(quick: bool, as_json: bool) -> None:
    """Check whether everything that dcign needs is installed and fast, and print how to repair what is not.

    Checks Python, packages, OpenGL through EGL, images per second, cores, memory, disk, and the device that training
    would use. Exits with code 1 if anything needed is missing.

    \b
    Example:
      dcign doctor
      dcign doctor --quick --json
    """
    from dcign.data.doctor import MISSING, check_machine
    from dcign.doctor import check_training
    from dcign.render.doctor import check_rendering

    checks, cores = [], available_cores()
    with interruptible("Stopped. Nothing was changed."):
        machine = check_machine(cores, Path.cwd())
        for check in chain(machine, check_rendering(cores, quick=quick), check_training()):
            checks.append(check)
            if not as_json:
                echo(f"{check.verdict:8}{check.name:23} {check.found}")
                if check.mend:
                    echo(f"{'':32}{check.mend}")
    missing = [check.name for check in checks if check.needed and check.verdict == MISSING]
    if as_json:
        echo(json.dumps({"good": not missing, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        echo(f"Missing: {', '.join(missing)}." if missing else "Everything that is needed is here.")
        if not missing:
            echo("Next: dcign render --batches 600 --size 64")
    sys.exit(1 if missing else 0)
