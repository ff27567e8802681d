"""Pictures of heads with known azimuth, elevation and light azimuth, by stock pyrender, without a shader of ours.

A picture is framed at random: the head is zoomed and shifted within limits. Behind it is black, or at random one
colour, a gradient, clouds or blocks, which are not the backgrounds of training.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from benchmarks.foreign_heads.heads import Head
from benchmarks.render.stock_pyrender import StockScene, stock_renderer
from dcign.arrays import Float32, UInt8
from dcign.inputs.framing import Framing, framed, over
from dcign.inputs.light import decoded, encoded_light
from dcign.progress import FractionProgress, no_fraction_progress
from dcign.render.draw.scene import DEFAULT_SCENE, Camera, HeadFrame, Scene

FACTORS = ("azimuth", "elevation", "light_azimuth")  # in the order of StockScene
SIZE, DRAWN = 128, 384  # px of a picture, and of what pyrender draws
WIDER = 1.4  # times as much is drawn as a picture shows: room for zooms below 1 and for shifts
CLOUDS = 5  # px of the random picture that is enlarged to clouds
BLOCKS = 12  # rectangles of a background, about the edges of a room


@dataclass(frozen=True)
class Drawing:
    """How pictures are drawn: their number and seed.

    framing: how much the size varies, as a share, either way; the place varies by half of it of the width along each
    axis. backgrounds: share of the pictures with one.
    """

    pictures: int = 400
    seed: int = 0
    framing: float = 0.1
    backgrounds: float = 1.0


def draw_pictures(
    folder: Path,
    heads: Sequence[Head],
    frame: HeadFrame,
    ranges: Mapping[str, tuple[float, float]],
    drawing: Drawing,
    progress: FractionProgress = no_fraction_progress,
) -> Path:
    """Write pictures as PNG into a folder, and their labels as labels.csv; return the file of labels.

    heads: shown in turn; frame: what the camera aims at; ranges: of FACTORS, degrees, drawn uniformly.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(drawing.seed)
    scene = _wider_scene(frame)
    rows = []
    with stock_renderer(DRAWN) as renderer:
        for shown, head in enumerate(heads):
            stock = StockScene(head.positions, head.normals, head.albedo, head.triangles, frame, scene)
            for number in range(shown, drawing.pictures, len(heads)):
                values = np.array([rng.uniform(*ranges[name]) for name in FACTORS], np.float32)
                name = f"{number:05d}.png"
                Image.fromarray(_finished(stock.colour(renderer, values), drawing, rng)).save(folder / name)
                rows.append((name, *(f"{value:.3f}" for value in values)))
                progress(len(rows) / drawing.pictures)
    labels = folder / "labels.csv"
    with labels.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", *FACTORS), *sorted(rows)])
    return labels


def _wider_scene(frame: HeadFrame) -> Scene:
    """Return the default scene with a wider field of view, from the same distance."""
    camera = DEFAULT_SCENE.camera
    half = np.radians(camera.field_of_view_degrees) / 2
    field = 2 * np.degrees(np.arctan(WIDER * np.tan(half)))
    return Scene(Camera(float(field), distance_mm=camera.distance(frame.radius)))


def _finished(drawn: UInt8, drawing: Drawing, rng: np.random.Generator) -> UInt8:
    """Frame what was drawn (H, H, 4), and lay it over a background: (SIZE, SIZE, 3) sRGB."""
    coverage = drawn[..., 3:].astype(np.float32) / 255
    # pyrender averages encoded values, with black where nothing is.
    colour = np.divide(drawn[..., :3] / np.float32(255), coverage, out=np.zeros_like(drawn[..., :3], np.float32),
                       where=coverage > 0)  # fmt: skip
    light = np.concatenate([decoded(colour.clip(0, 1)) * coverage, coverage], axis=2)
    zoom = np.exp(rng.uniform(np.log(1 - drawing.framing), np.log(1 + drawing.framing)))
    right, down = rng.uniform(-drawing.framing / 2, drawing.framing / 2, 2)
    framing = Framing.of(1, WIDER * float(zoom), float(right), float(down))
    cut = framed(torch.from_numpy(light.astype(np.float32)).permute(2, 0, 1)[None], framing, SIZE)
    behind = _background(rng) if rng.uniform() < drawing.backgrounds else torch.zeros(1, 3, SIZE, SIZE)
    laid = encoded_light(over(cut[:, :3], cut[:, 3:], behind).clamp(0, 1))
    stored: UInt8 = (laid[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return stored


def _background(rng: np.random.Generator) -> Tensor:
    """Return a random background in linear light: (1, 3, SIZE, SIZE)."""
    kind = rng.integers(4)
    if kind == 3:
        return _blocks(rng)
    side = (1, 2, CLOUDS)[kind]
    few = torch.from_numpy(_colours(side * side, rng)).reshape(1, 3, side, side)
    return functional.interpolate(few, SIZE, mode="bilinear", align_corners=True)


def _blocks(rng: np.random.Generator) -> Tensor:
    """Return rectangles of random colours over each other, slightly blurred."""
    colours = _colours(BLOCKS, rng).T
    picture = torch.from_numpy(colours[0].copy())[:, None, None].expand(3, SIZE, SIZE).clone()
    for colour in colours[1:]:
        (left, right), (top, bottom) = np.sort(rng.integers(0, SIZE + 1, (2, 2)), axis=1)
        picture[:, top:bottom, left:right] = torch.from_numpy(colour.copy())[:, None, None]
    return functional.avg_pool2d(picture[None], 5, stride=1, padding=2, count_include_pad=False)


def _colours(count: int, rng: np.random.Generator) -> Float32:
    """Return random colours in linear light, mostly muted: (3, count)."""
    gray = rng.uniform(0.02, 0.8, count)
    return np.clip(gray + rng.normal(0, 0.12, (3, count)) * gray, 0, 1).astype(np.float32)
