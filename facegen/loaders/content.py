"""The content of a model file, before it is converted to this project's conventions."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcign.arrays import Bool, Float32, Int32, UInt8

PARTS = ("skin", "sclera", "iris", "mouth")


@dataclass(frozen=True, eq=False)
class Content:
    """A model in its file's units. All formats agree on the axes: +x the subject's left, +y up, +z out of the nose.

    deviations: how the columns were scaled to one standard deviation each; millimetres: length of one unit; mean
    (V, 3); basis (V, 3, K); triangles (T, 3), from 0; colour_mean (V, 3) and colour_basis (V, 3, Ka), sRGB 0..1, or
    None if the file has no colours; parts (V,) index into PARTS, or None if everything is skin; drawn (V,), or None if
    everything is drawn; landmarks: name -> vertex.
    """

    name: str
    licence: str
    deviations: str
    millimetres: float
    mean: Float32
    basis: Float32
    triangles: Int32
    colour_mean: Float32 | None = None
    colour_basis: Float32 | None = None
    parts: UInt8 | None = None
    drawn: Bool | None = None
    landmarks: dict[str, int] = field(default_factory=dict)
