"""Shards and data sets: schema, writer, reader, checks and exporters.

In: batches of images and labels. Out: HDF5 shards, data set folders, and other formats.
The only package that uses h5py for shards; it imports neither facegen nor render nor the trainer.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcign.data.dataset.new_batch import NewBatch
    from dcign.data.dataset.writing import write_dataset
    from dcign.data.schema import Factor

__all__ = ["Factor", "NewBatch", "write_dataset"]


def __getattr__(name: str) -> Any:  # one of __all__; their imports bring h5py and Pillow, only when they are asked for
    if name == "Factor":
        from dcign.data.schema import Factor as found
    elif name == "NewBatch":
        from dcign.data.dataset.new_batch import NewBatch as found
    elif name == "write_dataset":
        from dcign.data.dataset.writing import write_dataset as found
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
