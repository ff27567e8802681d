"""Truth layers: checks of their content, and pictures of them.

docs/shard.md says which layers there are and what they mean. Layers of other names are allowed and not checked.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from dcign.arrays import Bool, UInt8
from dcign.data.damage import shown
from dcign.data.schema import LANDMARKS, MASK, PARTS, TRUTH

# The layers that dcign writes: dtype, and shape of the value of a pixel.
LAYOUT: dict[str, tuple[str, tuple[int, ...]]] = {
    MASK: ("uint8", ()),
    "depth": ("float32", ()),
    "normals": ("float16", (3,)),
    "albedo": ("uint8", (3,)),
    PARTS: ("uint8", ()),
    "visibility": ("uint8", ()),
    "specular": ("uint8", ()),
}
UNIT_SLACK = 0.01  # how far a normal's length may be from 1
# Largest allowed shares of the visible pixels that may disagree. BARE: the mask covers all samples of a pixel but its
# centre shows nothing. SLIVER: the reverse, for example a thin plate seen from its edge.
BARE_SHARE, SLIVER_SHARE = 0.02, 0.1
# Colours of part numbers, as different as possible; the background's comes first.
PALETTE = np.array(
    [(0, 0, 0), (226, 172, 140), (140, 180, 90), (92, 60, 40), (240, 120, 40), (60, 90, 200), (220, 40, 70),
     (150, 40, 150), (245, 245, 245), (40, 190, 220), (250, 220, 60)], np.uint8,
)  # fmt: skip

Layer = NDArray[Any]  # any real dtype


def bytes_a_pixel(layers: Collection[str]) -> int:
    """Return the bytes per pixel of layers before compression. Landmarks are not counted: they take 16 bytes each."""
    known = (LAYOUT[name] for name in layers if name in LAYOUT)
    return sum(np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in known)


def missing_layers(configuration: dict[str, Any], held: Sequence[str]) -> list[str]:
    """Return which truth layers a shard's configuration (JSON) promises and the shard does not have."""
    promised = configuration.get(TRUTH, ())
    layers = promised if isinstance(promised, list | tuple) else ()
    return [f"has no truth/{shown(layer)}, which its configuration promises" for layer in layers if layer not in held]


def truth_faults(layers: dict[str, Layer], names: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield what is wrong with one batch's layers, each (20, H, W), (20, H, W, 3) or landmarks (20, L, 4).

    names: layer -> names of its numbers or rows, if they are known.
    """
    sound: dict[str, Layer] = {}
    for name, layer in layers.items():
        dtype, shape = LAYOUT.get(name, (layer.dtype, layer.shape[3:]))
        if layer.dtype != dtype or layer.shape[3:] != shape:
            yield f"truth/{name} is {layer.dtype} {layer.shape}; expected {dtype} {(*layer.shape[:3], *shape)}"
        elif layer.dtype.kind == "f" and name != LANDMARKS and not np.isfinite(layer).all():  # they are labels, too
            yield f"truth/{name} is not a finite number everywhere"
        else:
            sound[name] = layer
    seen = _seen(sound)
    yield from _disagreements(seen, sound.get(MASK))
    if PARTS in sound and PARTS in names and sound[PARTS].max() >= len(names[PARTS]):
        yield f"truth/{PARTS} holds {sound[PARTS].max()}; its names end at {len(names[PARTS]) - 1}"
    if "normals" in sound:
        lengths = np.linalg.norm(sound["normals"].astype(np.float32), axis=-1)[seen["normals"]]
        if (np.abs(lengths - 1) > UNIT_SLACK).any():
            yield "truth/normals are not all of unit length"
    if "depth" in sound and (sound["depth"] < 0).any():
        yield "truth/depth is negative somewhere"
    if LANDMARKS in sound:
        yield from _landmark_faults(sound[LANDMARKS])


def _seen(layers: dict[str, Layer]) -> dict[str, Bool]:
    """Return where each layer says that something is visible (20, H, W)."""
    found = {name: layers[name] > 0 for name in ("depth", PARTS) if name in layers}
    if "normals" in layers:
        found["normals"] = (layers["normals"] != 0).any(axis=-1)
    return found


def _disagreements(seen: dict[str, Bool], mask: Layer | None) -> Iterator[str]:
    """Yield layers that disagree with the first one about where something is visible.

    The mask describes the whole pixel, the others its centre. So the mask may differ in a few pixels, and next to
    pixels where it agrees: for example, two chair legs may fill a pixel from both sides and leave its centre empty.
    """
    if not seen:
        return
    (first, shown), *others = seen.items()
    wrong = {name: (shown != layer).any(axis=(1, 2)) for name, layer in others}
    if mask is not None:
        count = shown.sum(axis=(1, 2))
        bare = ((mask == 255) & ~_widened(shown)).sum(axis=(1, 2))
        slivers = (shown & ~_widened(mask > 0)).sum(axis=(1, 2))
        wrong[MASK] = (bare > BARE_SHARE * count) | (slivers > SLIVER_SHARE * count)
    for name, images in wrong.items():
        for image in np.flatnonzero(images)[:1]:
            yield f"truth/{first} and truth/{name} disagree on which pixels of image {image} show the subject"


def _widened(where: Bool) -> Bool:
    """Add the neighbouring pixels (20, H, W)."""
    return np.asarray(binary_dilation(where, np.ones((1, 3, 3), np.bool_)))


def _landmark_faults(landmarks: Layer) -> Iterator[str]:
    visible = landmarks[..., 3]
    if not np.isin(visible, (0, 1)).all():
        yield f"truth/{LANDMARKS} has a visibility that is neither 0 nor 1"
    if (landmarks[..., 2][visible == 1] <= 0).any():
        yield f"truth/{LANDMARKS} has a landmark marked visible behind the camera"


def as_pictures(name: str, layer: Layer, images: UInt8) -> UInt8:
    """Turn a layer of one batch into pictures to look at: images (20, H, W, C) -> (20, H, W, 3).

    Near depth is light; x, y and z of normals are red, green and blue; landmarks are dots on the images, green if they
    are visible and red if hidden; the other layers are shown as they are.
    """
    if name == LANDMARKS:
        return _dotted(images, layer)
    if name == PARTS and layer.dtype == np.uint8 and layer.ndim == 3:
        return np.asarray(PALETTE[np.where(layer < len(PALETTE), layer, layer % (len(PALETTE) - 1) + 1)])
    if name == "normals" and layer.shape[3:] == (3,):
        shown = (layer != 0).any(axis=-1, keepdims=True)
        levels = 127.5 * (np.nan_to_num(layer.astype(np.float32)) + 1)
        return np.asarray(shown * np.round(np.clip(levels, 0, 255)), np.uint8)
    if layer.dtype != np.uint8:
        layer = np.nan_to_num(layer.astype(np.float64), posinf=0, neginf=0)
        near, far = (layer[layer > 0].min(), layer.max()) if (layer > 0).any() else (0, 1)
        layer = np.where(layer > 0, 255 - np.round(200 * (layer - near) / max(far - near, 1e-6)), 0).astype(np.uint8)
    flat = layer.reshape(*layer.shape[:3], -1)
    return np.asarray(flat if flat.shape[3] == 3 else np.repeat(flat[..., :1], 3, axis=-1))


def _dotted(images: UInt8, landmarks: Layer) -> UInt8:
    """Draw one pixel per landmark, hidden ones first; leave out those outside the image."""
    size = images.shape[1:3]
    shown = np.broadcast_to(images, (*images.shape[:3], 3)).copy()
    for picture, rows in zip(shown, landmarks, strict=True):
        for x, y, _, visible in rows[np.argsort(rows[:, 3])].tolist():
            if 0 <= x < size[1] and 0 <= y < size[0]:
                picture[int(y), int(x)] = (60, 255, 60) if visible else (255, 60, 60)
    return shown
