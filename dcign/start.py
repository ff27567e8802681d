"""Entry point of the `dcign` console script: stop signals find their handler before anything large is imported."""

from __future__ import annotations

from dcign.stop_signals import note_stop_signals


def main() -> None:
    """Run the command line; a stop signal during its imports is handled when they are done."""
    note_stop_signals()
    from dcign.cli import main as run

    run()
