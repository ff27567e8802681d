"""Slow, plain numpy versions of the atlas renderer and its truth pass, which draw one triangle after another.

They follow render/gl/shaders line by line: the same 2 x 2 sample grid, the same arithmetic per vertex, sample and
pixel, the same 8 bits between samples and shading, and their own shadow map. They use no OpenGL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dcign.arrays import Bool, Float32, Float64, Int32, UInt8
from dcign.data.schema import GRAY_WEIGHTS
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.render.draw.mesh import Mesh, gloss_rows
from dcign.render.draw.scene import FINE_SHADOW_BIAS, SHADOW_BIAS, SHADOW_REACH, HeadFrame, Scene
from dcign.render.draw.shadows import FINE_APART, casters, is_fine, map_slope, map_texels
from dcign.render.draw.truth_pass import Truth
from dcign.render.draw.views import Views, make_views

SUPERSAMPLING = 2
FLAT = 0.0002  # of depth, as in shade.frag


@dataclass(frozen=True, eq=False)
class _Samples:
    """The surface at each of (2 H, 2 W) samples: albedo (..., 3), n.l, specular, and depth 0..1, 1 without a face."""

    albedo: Float64
    normal_dot_light: Float64
    specular: Float64
    depth: Float64

    @property
    def covered(self) -> Bool:
        return self.depth < 1


def rasterise(
    positions: Float32,
    normals: Float32,
    albedo: Float32,
    mesh: Mesh,
    *,
    size: int,
    channels: int,
    labels: Mapping[str, float],
    head: HeadFrame,
    scene: Scene,
    background: UInt8 | None = None,
) -> tuple[UInt8, UInt8]:
    """Draw one face.

    positions, normals, albedo (V, 3) linear; labels: of one picture, named as for `make_views`; background
    (size, size, 3) sRGB, or None for black
    -> image (size, size, channels), mask (size, size), both uint8
    """
    views = make_views({name: np.array([value]) for name, value in labels.items()}, head, scene)
    samples = _seen(positions, normals, albedo, mesh, views, size, scene)
    visible = np.ones_like(samples.depth)
    if scene.light.shadows:
        fine = is_fine(mesh, size)
        texels, slope = map_texels(size, fine=fine), map_slope(mesh, fine=fine)
        depths = _shadow_map(positions, casters(mesh, fine=fine), views.light_spaces[0], texels, slope)
        visible = _visibility(samples, depths, views.from_clip[0], head, fine=fine)
    radiance = _shade(samples, visible, float(views.ambient[0]), scene)
    mask = _average(samples.covered[..., None].astype(np.float64))[..., 0]
    if background is not None:
        radiance += (1 - mask)[..., None] * srgb_to_linear(background / 255)
    if channels == 1:
        radiance = radiance @ np.array(GRAY_WEIGHTS)[:, None]
    image = linear_to_srgb(radiance)
    return _bytes(image), _bytes(mask)


def rasterise_truth(
    positions: Float32,
    normals: Float32,
    albedo: Float32,
    mesh: Mesh,
    *,
    size: int,
    view: Float64,
    projection: Float64,
) -> Truth:
    """Return what shaders/truth draws, unrounded: depth (H, W) mm, normals and albedo (H, W, 3), parts (H, W).

    positions, normals, albedo (V, 3) linear; view, projection (4, 4): model to camera space to clip space
    """
    camera = positions @ view[:3, :3].T + view[:3, 3]
    clip = np.c_[camera, np.ones(len(camera))] @ projection.T
    shares = np.eye(len(mesh.part_names))[mesh.parts]
    attributes = np.c_[-camera[:, 2], normals @ view[:3, :3].T, albedo, shares]
    found, depth, _ = nearest_fragments(clip, attributes, mesh.triangles, size)
    seen = np.isfinite(depth)
    turned = found[..., 1:4]
    lengths = np.linalg.norm(turned, axis=-1, keepdims=True)
    return {
        "depth": found[..., 0],
        "normals": np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0),
        "albedo": seen[..., None] * 255 * linear_to_srgb(found[..., 4:7]),
        "parts": seen * (1 + found[..., 7:].argmax(axis=-1)),
    }


def _seen(
    positions: Float32,
    normals: Float32,
    albedo: Float32,
    mesh: Mesh,
    views: Views,
    size: int,
    scene: Scene,
) -> _Samples:
    """Do what face.vert and face.frag do, down to the 8 bits that they write."""
    view, light = views.views[0].astype(np.float64), views.lights[0].astype(np.float64)
    camera = positions @ view[:3, :3].T + view[:3, 3]
    clip = np.c_[camera, np.ones(len(camera))] @ views.projections[0].astype(np.float64).T
    turned = normals @ view[:3, :3].T
    half = _unit(light - _unit(camera))
    rows = gloss_rows(mesh, scene).astype(int)
    broad, sharp, strands = np.array([(row.broad, row.sharp, row.strands) for row in scene.gloss], np.float64)[rows].T
    strand = view[:3, 1] - turned * normals[:, 1:2]
    along = (strand * half).sum(1)
    across = np.sqrt(np.maximum(1 - along**2 / np.maximum((strand**2).sum(1), 0.01), 0))
    shine = np.where(strands > 0, across, (turned * half).sum(1))
    attributes = np.c_[turned @ light, shine, albedo]
    fragments, depth, last = nearest_fragments(clip, attributes, mesh.triangles, size * SUPERSAMPLING)
    highlight = np.maximum(fragments[..., 1], 0) ** 16
    specular = broad[last] * highlight + sharp[last] * highlight**8
    specular *= np.clip(4 * fragments[..., 0], 0, 1)
    code = np.maximum(0.5 + 0.5 * fragments[..., 0], 1 / 255)
    return _Samples(
        albedo=_stored(np.sqrt(fragments[..., 2:])) ** 2,
        normal_dot_light=2 * _stored(code) - 1,
        specular=_stored(np.sqrt(specular)) ** 2,
        depth=np.minimum(0.5 + 0.5 * depth, 1),
    )


def _shadow_map(positions: Float32, triangles: Int32, light_space: Float64, texels: int, slope: float) -> Float64:
    """Return the depth 0..1 of surfaces that face away from the light (texels, texels); row 0 is the top.

    Each triangle is moved away by `slope` times its fall per texel: glPolygonOffset's formula.
    """
    placed = (positions @ light_space[:3, :3].T + light_space[:3, 3])[triangles[:, ::-1]]
    facing = np.cross(placed[:, 1] - placed[:, 0], placed[:, 2] - placed[:, 0])
    fall = np.abs(facing[:, :2]).max(axis=1) / np.maximum(np.abs(facing[:, 2]), 1e-12)
    placed[..., 2] += slope * (2 / texels) * fall[:, None]
    corners = np.c_[placed.reshape(-1, 3), np.ones(placed.size // 3)]
    apart = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    _, depth, _ = nearest_fragments(corners, np.zeros((len(corners), 1)), apart, texels)
    return np.minimum(0.5 + 0.5 * depth, 1)


def _visibility(samples: _Samples, depths: Float64, from_clip: Float64, head: HeadFrame, *, fine: bool) -> Float64:
    """Return the share of each sample's surroundings that the light reaches (2 H, 2 W), as shade.frag looks it up."""
    covered = samples.covered
    near = _spread(samples.depth, np.min)
    far = _spread(np.where(covered, samples.depth, 0), np.max)
    share = np.clip((samples.depth - near + FLAT / 2) / (far - near + FLAT), 0, 1)
    visible = np.zeros_like(share)
    steps = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(16, 2) - 1.5
    for depth, weight, shift in ((near, 1 - share, 0.35), (far, share, -0.35)):
        total = _spread(covered * weight, np.sum) + 1e-4
        cosine = _spread(covered * weight * samples.normal_dot_light, np.sum) / total
        offsets = FINE_APART * steps if fine else np.full((1, 2), shift)
        lookups = (_lookup(depth, cosine, offset, depths, from_clip, head, fine=fine) for offset in offsets)
        visible += weight * np.mean(list(lookups), axis=0)
    return visible


def _lookup(
    depth: Float64,
    cosine: Float64,
    offset: Float64,
    depths: Float64,
    from_clip: Float64,
    head: HeadFrame,
    *,
    fine: bool,
) -> Float64:
    """Look up the shadow map for each sample's pixel, moved `offset` (2,) texels to the right and up."""
    size, texels = len(depth) // SUPERSAMPLING, len(depths)
    across = np.repeat((2 * np.arange(size) + 1) / size - 1, SUPERSAMPLING)  # of pixels, not of samples
    x, y = np.meshgrid(across, -across)
    lit = np.stack([x, y, 2 * depth - 1, np.ones_like(x)], axis=-1) @ from_clip.T
    at = 0.5 + 0.5 * lit[..., :3] / lit[..., 3:]
    bias, more = np.array(FINE_SHADOW_BIAS if fine else SHADOW_BIAS) / (2 * SHADOW_REACH * head.radius)
    wanted = at[..., 2] - bias - more * (1 - cosine)
    place = np.clip(at[..., :2] + offset / texels, 1 / texels, 1 - 1 / texels) * texels - 0.5
    corner = np.floor(place).astype(int)
    part = place - corner
    reached = np.zeros_like(wanted)
    for right, share_x in ((0, 1 - part[..., 0]), (1, part[..., 0])):
        for up, share_y in ((0, 1 - part[..., 1]), (1, part[..., 1])):
            map_depth = depths[texels - 1 - corner[..., 1] - up, corner[..., 0] + right]
            reached += (wanted <= map_depth) * share_x * share_y
    return np.asarray(reached)


def _shade(samples: _Samples, visible: Float64, ambient: float, scene: Scene) -> Float64:
    """Return shade.frag's formula, averaged over each pixel's samples: (H, W, 3), linear."""
    light, skin = scene.light, scene.skin
    cosine = samples.normal_dot_light[..., None]
    k = np.array([skin.scatter_red, skin.scatter_green_blue, skin.scatter_green_blue])
    soft = np.clip(cosine + k, 0, 2 * k) ** 2 / (4 * k) + np.maximum(cosine - k, 0)
    here = samples.covered[..., None]
    indirect = _average(here * samples.albedo * ambient * (1 + light.fill * cosine))
    direct = _average(visible[..., None] * here * (samples.albedo * light.diffuse * soft + samples.specular[..., None]))
    return np.asarray(indirect + direct)


def nearest_fragments(
    clip: Float64, attributes: Float64, triangles: Int32, extent: int
) -> tuple[Float64, Float64, Int32]:
    """Return for each sample of the nearest front face: attributes (extent, extent, A), depth, and its last corner.

    Row 0 is the top. Attributes are interpolated with perspective: a/w and 1/w are linear on the screen.
    """
    inverse_w = 1.0 / clip[:, 3]
    screen = np.c_[
        (clip[:, 0] * inverse_w + 1) / 2 * extent, (1 - clip[:, 1] * inverse_w) / 2 * extent, clip[:, 2] * inverse_w
    ]
    over_w = attributes * inverse_w[:, None]
    depth = np.full((extent, extent), np.inf)
    found = np.zeros((extent, extent, attributes.shape[1]))
    last = np.zeros((extent, extent), np.int32)
    for a, b, c in triangles:
        corners = screen[[a, b, c]]
        low = np.maximum(np.ceil(corners[:, :2].min(0) - 0.5), 0).astype(int)
        high = np.minimum(np.floor(corners[:, :2].max(0) - 0.5), extent - 1).astype(int)
        area = _cross(corners[1] - corners[0], corners[2] - corners[0])
        if (low > high).any() or area >= 0:  # off the picture or between samples, or facing away (y points down)
            continue
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        at = np.stack([x + 0.5, y + 0.5], axis=-1)
        weights = np.stack([_cross(corners[(i + 2) % 3] - corners[(i + 1) % 3], at - corners[(i + 1) % 3, :2])
                            for i in range(3)], axis=-1) / area  # fmt: skip
        z = weights @ corners[:, 2]
        nearer = (weights >= 0).all(-1) & (z < depth[y, x])
        w = 1.0 / (weights[nearer] @ inverse_w[[a, b, c]])
        depth[y[nearer], x[nearer]] = z[nearer]
        found[y[nearer], x[nearer]] = (weights[nearer] @ over_w[[a, b, c]]) * w[:, None]
        last[y[nearer], x[nearer]] = c
    return found, depth, last


def _unit(vectors: Float64) -> Float64:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def _cross(a: Float64, b: Float64) -> Float64:
    """Return z of the cross product of the first two components."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _average(samples: Float64) -> Float64:
    """(2 H, 2 W, C) -> (H, W, C)"""
    height, width, channels = samples.shape
    blocks = (height // SUPERSAMPLING, SUPERSAMPLING, width // SUPERSAMPLING, SUPERSAMPLING, channels)
    return np.asarray(samples.reshape(blocks).mean(axis=(1, 3)))


def _spread(samples: Float64, what: Callable[..., Float64]) -> Float64:
    """Return for each sample the minimum, maximum or sum over its pixel (2 H, 2 W)."""
    size = len(samples) // SUPERSAMPLING
    found = what(samples.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING), axis=(1, 3))
    return np.repeat(np.repeat(found, SUPERSAMPLING, axis=0), SUPERSAMPLING, axis=1)


def _bytes(values: Float64) -> UInt8:
    return np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)


def _stored(values: Float64) -> Float64:
    """Round numbers in 0..1 to 8 bits."""
    return np.asarray(np.round(255 * np.clip(values, 0, 1)) / 255)
