"""Putting the hair layer on a model of bare heads: its vertices follow the head's, at every level of detail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facegen.hair_layer import HairLayer
from facegen.model import Hair, Level, MorphableModel, exact_in_half


def with_hair(head: MorphableModel, layer: HairLayer) -> MorphableModel:
    """The same people with hair. The head's albedo and texture already cover the layer's vertices, last."""
    first = head.vertices
    own = Level(np.arange(len(layer.mirror), dtype=np.int32), layer.triangles, layer.mirror)
    whole = _both(Level(np.arange(first, dtype=np.int32), head.triangles, head.mirror), own, first)
    hair_part = np.full(len(layer.mirror), head.part_names.index("hair"), np.uint8)
    return replace(
        head,
        mean=np.concatenate([head.mean, layer.carried(head.mean).astype(np.float32)]),
        shape_basis=np.concatenate([head.shape_basis, exact_in_half(layer.carried(head.shape_basis))]),
        triangles=whole.triangles,
        mirror=whole.mirror,
        parts=np.concatenate([head.parts, hair_part]),
        levels=tuple(_both(*pair, first) for pair in zip(head.levels, layer.levels, strict=True)),
        hair=Hair(
            first=first,
            cut_names=layer.cut_names,
            offsets=exact_in_half(layer.offsets),
            by_length=exact_in_half(layer.by_length),
            by_volume=exact_in_half(layer.by_volume),
        ),
    )


def _both(head: Level, hair: Level, first: int) -> Level:
    """One level from the head's and the hair's, whose vertices begin at `first` in the model."""
    shift = np.int32(len(head.vertices))
    return Level(
        np.concatenate([head.vertices, hair.vertices + np.int32(first)]),
        np.concatenate([head.triangles, hair.triangles + shift]),
        np.concatenate([head.mirror, hair.mirror + shift]),
    )
