"""One image as a PNG file."""

from __future__ import annotations

import io

from PIL import Image

from dcign.arrays import UInt8


def png_bytes(image: UInt8) -> bytes:
    """Return one image (H, W, 1 or 3) as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
