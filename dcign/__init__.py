"""Face data sets in which one thing varies at a time, and clamped-latent VAEs that are trained on them.

Comes in: shards (the trainer), or a configuration (the generator). Goes out: trained networks, or shards.
The trainer never imports facegen or render; they meet in the file format (docs/architecture.md).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcign.publish.hub import DCIGN

__version__ = "0.2.0"
__all__ = ["DCIGN", "__version__"]

if not Path(__file__).with_name("data").is_dir():
    raise ImportError(
        f"expected the folder dcign/data, found a file: this checkout has no symbolic links. Run "
        f"`git config core.symlinks true` and `git checkout -- dcign` in {Path(__file__).parents[1]} (on Windows with "
        "developer mode switched on), or install a wheel."
    )


def __getattr__(name: str) -> Any:  # DCIGN, whose import brings torch, only when it is asked for
    if name != "DCIGN":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dcign.publish.hub import DCIGN

    return DCIGN
