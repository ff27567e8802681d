"""Putting the hair layer on a model of bare heads: its vertices follow the head's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.facegen.hair.layer import HairLayer
from dcign.facegen.model.morphable import Hair, MorphableModel, exact_in_half


def with_hair(head: MorphableModel, layer: HairLayer) -> MorphableModel:
    """The same people with hair. The head's albedo and texture already cover the layer's vertices, last."""
    first = np.int32(head.vertices)
    hair_part = np.full(len(layer.mirror), head.part_names.index("hair"), np.uint8)
    return replace(
        head,
        mean=np.concatenate([head.mean, layer.carried(head.mean).astype(np.float32)]),
        shape_basis=np.concatenate([head.shape_basis, exact_in_half(layer.carried(head.shape_basis))]),
        triangles=np.concatenate([head.triangles, layer.triangles + first]),
        mirror=np.concatenate([head.mirror, layer.mirror + first]),
        parts=np.concatenate([head.parts, hair_part]),
        hair=Hair(
            first=head.vertices,
            cut_names=layer.cut_names,
            offsets=exact_in_half(layer.offsets),
            by_length=exact_in_half(layer.by_length),
            by_volume=exact_in_half(layer.by_volume),
        ),
    )
