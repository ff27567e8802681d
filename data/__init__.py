"""Shards and data sets: schema, writer, reader, checks and exporters.

In: batches of images and labels. Out: HDF5 shards, data set folders, and other formats.
The only package that uses h5py for shards; it imports neither facegen nor render nor the trainer.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcign.data.dataset.new_batch import NewBatch
    from dcign.data.dataset.writing import write_dataset
    from dcign.data.schema import Factor

__all__ = ["Factor", "NewBatch", "write_dataset"]


HOMES = {"Factor": "schema", "NewBatch": "dataset.new_batch", "write_dataset": "dataset.writing"}


def __getattr__(name: str) -> Any:  # the names of __all__; their imports bring h5py and Pillow, so only when asked for
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
