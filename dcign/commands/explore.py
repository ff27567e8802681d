"""The command `dcign explore`."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from dcign.terminal.echo import echo
from dcign.terminal.options import DATA, PATH, interruptible, on_device


@click.command(short_help="Look at a network or a data set in the browser.")
@click.argument("folder", type=PATH, required=False, metavar="[RUN|FACES]")
@DATA
@click.option("--port", type=click.IntRange(0, 65535), default=8321, show_default=True, metavar="N",
              help="Port to listen on; 0: any free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Address to listen on. Anything but this machine's own asks visitors for a token.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@on_device("cpu")
def explore(
    folder: Path | None, data: Path | None, port: int, host: str, no_browser: bool, device: str, threads: int
) -> None:
    """Open a page in the browser, on which sliders move a face live.

    Without an argument it shows face, a network that comes with dcign; `dcign explore wild` shows the other one, which
    reads photographs however they are framed. Of a trained RUN: a slider for each factor and for each part of a person,
    the renderer's truth beside it if the data set is at hand, your own pictures, people with exchanged parts, sweeps as
    PNG or GIF, and the code as numbers. Of a data set FACES: its batches, filters, truth layers, histograms, and people
    in 3D. The page loads nothing from other machines, and your pictures stay on this one. Ctrl-C ends it.
    docs/explore.md describes the page.

    \b
    Example:
      dcign explore
      dcign explore wild
      dcign explore runs/swap
      dcign explore faces --port 9000
      dcign explore runs/swap --host 0.0.0.0 --no-browser
    """
    from dcign import device as devices
    from dcign.data.dataset.manifest import NAME
    from dcign.explore.explored import Explored
    from dcign.explore.serve import listen, serve

    if folder is not None and (folder / NAME).exists():
        source = click.get_current_context().get_parameter_source
        for name in ("data", "device"):
            if source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"expected --{name} with a run, found the data set {folder}: leave it out.")
    with interruptible("Stopped."), listen(host, port) as listening, devices.threads(threads or 1):
        # One thread: a single picture is faster on one than on several.
        explored = Explored.open(folder, data, device)
        _ = explored.description  # a few seconds: before the page opens, not while it waits
        serve(explored, listening, host, not no_browser, lambda url: echo(f"Open {url}  (Ctrl-C ends it)"))
