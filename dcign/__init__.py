"""Shards in, a disentangled code out: clamped-latent VAE training and its evaluation."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcign.hub import DCIGN

__version__ = "0.1.0"
__all__ = ["DCIGN", "__version__"]


def __getattr__(name: str) -> Any:  # DCIGN, whose import brings torch, only when it is asked for
    if name != "DCIGN":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dcign.hub import DCIGN

    return DCIGN
