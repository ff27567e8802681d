"""Truth layers outside HDF5, one file per image: PNG if the layer is a picture of 8 bits, else .npy with its dtype."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.data.export.png_bytes import png_bytes
from dcign.data.export.split import SplitLayout


def is_picture(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Return whether one image's layer of this dtype and shape is a picture of 8 bits, gray or colour."""
    return dtype == np.uint8 and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3))


def layer_file(layer: NDArray[Any]) -> tuple[str, bytes]:
    """Return the file name's extension and the content for one image's layer.

    layer: (H, W), (H, W, 3) or landmarks (L, 4), of any real dtype.
    """
    if is_picture(layer.dtype, layer.shape):
        return "png", png_bytes(layer.reshape(*layer.shape[:2], -1))
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(layer), version=(1, 0), allow_pickle=False)
    return "npy", buffer.getvalue()


def describe_truth(layout: SplitLayout) -> dict[str, Any]:  # JSON
    """Return dtype, shape per image, and names of parts or landmarks of each layer."""
    return {
        name: {
            "dtype": column.dtype.name,
            "shape": list(column.shape[1:]),
            **({"names": list(layout.truth_names[name])} if name in layout.truth_names else {}),
        }
        for name, column in layout.truth.items()
    }
