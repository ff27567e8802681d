"""Face data sets in which one thing varies at a time, and clamped-latent VAEs that are trained on them.

Comes in: shards (the trainer), or a configuration (the generator). Goes out: trained networks, or shards.
The trainer never imports facegen or render; they meet in the file format (docs/architecture.md).
"""

from __future__ import annotations

import os.path

TYPE_CHECKING = False  # as typing has it: every command imports this file before it handles stop signals
if TYPE_CHECKING:
    from typing import Any

    from dcign.publish.hub import DCIGN

__version__ = "0.3.0"
__all__ = ["DCIGN", "__version__"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (pathlib's import takes 10 ms)
if not os.path.isdir(f"{_FOLDER}/data"):  # noqa: PTH112
    raise ImportError(
        f"expected the folder dcign/data, found a file: this checkout has no symbolic links. Run "
        f"`git config core.symlinks true` and `git checkout -- dcign` in {os.path.dirname(_FOLDER)} (on "  # noqa: PTH120
        "Windows with developer mode switched on), or install a wheel."
    )


def __getattr__(name: str) -> Any:  # DCIGN, whose import brings torch, only when it is asked for
    if name != "DCIGN":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dcign.publish.hub import DCIGN

    return DCIGN
