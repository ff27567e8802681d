"""Paint the population on a template: at its vertices for speed, at the texels of a texture for close views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from dcign.arrays import Float64, Int64, UInt8
from dcign.facegen.model.morphable import Texture
from dcign.facegen.primitives import bump
from dcign.facegen.sculpture.features import near
from dcign.facegen.sculpture.landmarks import LANDMARKS
from dcign.facegen.skin.albedo import PaintedAlbedo, as_bytes
from dcign.facegen.skin.masks import Sites, all_masks, find_spots
from dcign.facegen.skin.spots import Spots
from dcign.facegen.template.mesh import Template
from dcign.facegen.template.regions import Regions, regions_at
from dcign.facegen.template.unwrap import hair_uv, head_uv, rasterise, strand_at, texel_uv

TEXTURE_SIZE = 1024
_LOCK = 3.0  # mm between vertices of the hair, roughly
MARGIN = 4.0  # texels painted beyond the edge of the head, for filters that read across it
CHUNK = 1 << 17  # texels per step, to limit memory: unpacked masks take 4 bytes per texel
# Where the published skin colours were measured.
CHEEK, CHEEK_RADII = near("malare", 0, -8), (7, 7, 20)


@dataclass(frozen=True, eq=False)
class Painting:
    """Colours at the vertices of head and hair, and the texture of the same people."""

    vertices: PaintedAlbedo
    texture: Texture


@dataclass(frozen=True, eq=False)
class Strands:
    """The hair's vertices: their positions on the hair surface (Vh, 2), and their openness under each cut (Vh, S).

    masks.Sites defines both.
    """

    positions: Float64
    openness: Float64


def painting(template: Template, regions: Regions, hair: Strands) -> Painting:
    """Compute the masks at the vertices of the template, then of the hair, and at the texels."""
    spots = find_spots(template.vertices, template.triangles)
    head = len(template.vertices)
    sites = Sites(
        points=np.concatenate([template.vertices, np.zeros((len(hair.positions), 3))]),
        footprint=np.concatenate([_edge_lengths(template), np.full(len(hair.positions), _LOCK)]),
        regions=regions,
        strand=np.concatenate([np.full((head, 2), np.nan), hair.positions]),
        openness=np.concatenate([np.ones((head, hair.openness.shape[1])), hair.openness]),
    )
    masks = all_masks(sites, spots)
    weight = bump(regions.half, CHEEK.position(LANDMARKS), CHEEK_RADII)
    cheek = np.array([mask[:head] @ (weight / weight.sum()) for mask in masks.values()], np.float32)
    at_vertices = PaintedAlbedo.from_masks({name: as_bytes(name, mask) for name, mask in masks.items()}, cheek)
    uv = np.concatenate([head_uv(template.directions), hair_uv(hair.positions)]).astype(np.float32)
    texels = PaintedAlbedo.from_masks(_texels(template, regions, hair, spots), cheek)
    return Painting(at_vertices, Texture(uv, texels, TEXTURE_SIZE))


def _texels(template: Template, regions: Regions, hair: Strands, spots: dict[str, Spots]) -> dict[str, UInt8]:
    """Return masks (size * size,) by name, row 0 on top; 0 where there is neither head nor hair."""
    size = TEXTURE_SIZE
    shown, where = rasterise(head_uv(template.directions), template.triangles, size)
    strand = strand_at(texel_uv(size))
    shown[~np.isnan(strand[:, 0])] = -1
    used = np.flatnonzero((shown >= 0) | ~np.isnan(strand[:, 0]))  # texels of the head or of the hair
    footprint = _texel_sizes(template, size)
    packed: dict[str, UInt8] = {}
    for first in range(0, len(used), CHUNK):
        own = used[first : first + CHUNK]
        sites = _texel_sites(template, regions, shown[own], where[own], footprint, strand[own], hair)
        for name, mask in all_masks(sites, spots).items():
            packed.setdefault(name, np.zeros(size * size, np.uint8))[own] = as_bytes(name, mask)
    beyond, nearest = _margin(used, size)
    for row in packed.values():
        row[beyond] = row[nearest]
    return packed


def _texel_sites(
    template: Template,
    regions: Regions,
    shown: Int64,
    where: Float64,
    footprint: Float64,
    strand: Float64,
    hair: Strands,
) -> Sites:
    """Return where some texels lie.

    shown (S,): the triangle of each texel, -1 for hair; where (S, 3): its barycentric weights; footprint (T,) mm;
    strand (S, 2): its position on the hair.
    """
    on_head = shown >= 0
    corners, weights = template.triangles[shown[on_head]], where[on_head]

    def between(values: Float64) -> Float64:
        return np.asarray(np.einsum("sk,sk...->s...", weights, values[corners]))

    points = np.zeros((len(shown), 3))
    points[on_head] = between(template.vertices)
    own = regions_at(points[on_head], between(regions.normals), between(regions.on_ear), between(regions.openness))
    openness = np.ones((len(shown), hair.openness.shape[1]))
    openness[~on_head] = hair.openness[cKDTree(hair.positions).query(strand[~on_head])[1]]
    return Sites(points, np.where(on_head, footprint[shown], 0.0), own, strand, openness)


def _edge_lengths(template: Template) -> Float64:
    """Return the mean length (V,), mm, of the edges at each vertex."""
    start, end = template.triangles.ravel(), np.roll(template.triangles, -1, 1).ravel()
    length = np.linalg.norm(template.vertices[start] - template.vertices[end], axis=1)
    return np.asarray(np.bincount(start, length) / np.bincount(start))


def _texel_sizes(template: Template, size: int) -> Float64:
    """Return the side (T,), mm, of the patch of skin that one texel of each triangle shows."""
    skin = template.vertices[template.triangles]
    flat = np.pad(head_uv(template.directions) * size, ((0, 0), (0, 1)))[template.triangles]
    areas = [np.linalg.norm(np.cross(c[:, 1] - c[:, 0], c[:, 2] - c[:, 0]), axis=1) for c in (skin, flat)]
    return np.asarray(np.sqrt(areas[0] / np.maximum(areas[1], 1e-6)))


def _margin(used: Int64, size: int) -> tuple[Int64, Int64]:
    """Return the texels within MARGIN of the painted ones, and the painted texel nearest to each."""
    empty = np.ones(size * size, bool)
    empty[used] = False
    away, (row, column) = distance_transform_edt(empty.reshape(size, size), return_indices=True)
    beyond = np.flatnonzero((away > 0) & (away <= MARGIN))
    return beyond, (row * size + column).ravel()[beyond]
