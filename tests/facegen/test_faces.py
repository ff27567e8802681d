"""Rendered faces: a published face detector finds them, and no two people look alike."""

from __future__ import annotations

import cv2
import numpy as np

from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person, stacked
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.batch_renderer import BatchRenderer

PEOPLE_PER_BATCH = 20


def photograph(
    model: MorphableModel, people: int, ranges: tuple[float, float, float], seed: int, hair: bool = True
) -> np.ndarray:
    """Colour pictures (people, 150, 150, 3) of random people, each within +-ranges of azimuth, elevation, light."""
    rng = np.random.default_rng(seed)
    pictures = []
    with BatchRenderer(
        model, RenderConfiguration(Splits.in_paper_proportions(1), size=150, channels=3)
    ) as batch_renderer:
        for _ in range(-(-people // PEOPLE_PER_BATCH)):
            drawn = [sample_person(model, rng, hair=hair) for _ in range(PEOPLE_PER_BATCH)]
            faces = batch_renderer.faces(*stacked(drawn))
            factors = rng.uniform(-1, 1, (PEOPLE_PER_BATCH, 3)) * ranges
            pictures.append(batch_renderer.draw(faces, factors.astype(np.float32)).images)
    return np.concatenate(pictures)[:people]


def test_a_face_detector_finds_nearly_every_face(model: MorphableModel) -> None:
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = 0
    for picture in photograph(model, 250, (10, 5, 40), seed=0):
        enlarged = cv2.resize(
            cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC
        )
        found += len(detector.detectMultiScale(enlarged, minSize=(100, 100))) > 0
    assert found >= 245


def test_no_two_of_64_bare_heads_look_alike(model: MorphableModel) -> None:
    pictures = photograph(model.without_hair(), 64, (0, 0, 0), seed=1, hair=False).reshape(64, -1).astype(np.float64)
    squares = (pictures**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * pictures @ pictures.T, 0))
    pairs = distances[np.triu_indices(64, 1)]
    assert pairs.min() >= pairs.mean() / 4  # hair sets most people far apart; two with cropped hair are nearer
