"""Put the hair layer on a model of bare heads: its vertices follow those of the head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcign.facegen.hair.layer import HairLayer
from dcign.facegen.model.albedo import round_to_float16
from dcign.facegen.model.morphable import Hair, MorphableModel


def with_hair(head: MorphableModel, layer: HairLayer) -> MorphableModel:
    """Add hair to a model. Its albedo and texture already cover the vertices of the layer, which come last."""
    first = np.int32(head.vertices)
    hair_part = np.full(len(layer.mirror), head.part_names.index("hair"), np.uint8)
    return replace(
        head,
        mean=np.concatenate([head.mean, layer.carried(head.mean).astype(np.float32)]),
        shape_basis=np.concatenate([head.shape_basis, round_to_float16(layer.carried(head.shape_basis))]),
        triangles=np.concatenate([head.triangles, layer.triangles + first]),
        mirror=np.concatenate([head.mirror, layer.mirror + first]),
        parts=np.concatenate([head.parts, hair_part]),
        hair=Hair(
            first=head.vertices,
            cut_names=layer.cut_names,
            offsets=round_to_float16(layer.offsets),
            by_length=round_to_float16(layer.by_length),
            by_volume=round_to_float16(layer.by_volume),
        ),
    )
