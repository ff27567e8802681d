"""The part of a picture that a network gets: the eyes, or the box, end up where our renders have them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from dcign.errors import TrainingError
from dcign.infer.face_detector import asked_window, detected_window
from dcign.infer.read_picture import fitted
from dcign.infer.window import (
    EYES_APART,
    EYES_DOWN,
    FACE_DOWN,
    FACE_HEIGHT,
    Window,
    middle_square,
    window_of_box,
    window_of_eyes,
)
from tests.support.foreign_heads import shots

SIZE = 64


def places_of(mask):
    """Return the centres of the left and of the right half of what a mask (S, S) marks, in shares from the centre."""
    rows, columns = np.nonzero(mask)
    left = columns < mask.shape[1] / 2
    return [
        ((columns[side].mean() + 0.5) / mask.shape[1] - 0.5, (rows[side].mean() + 0.5) / mask.shape[0] - 0.5)
        for side in (left, ~left)
    ]


def test_the_eyes_of_foreign_heads_come_to_lie_where_those_of_our_renders_do():
    for shot in shots(4, np.random.default_rng(3)):
        seen = fitted(Image.fromarray(shot.picture), SIZE, 3, window_of_eyes(shot.eyes)).astype(int)
        background = shot.picture[0, 0].astype(int)
        blue = (seen[..., 2] > seen[..., :2].max(axis=-1) + 60) & (np.abs(seen - background).max(axis=-1) > 40)
        middle = np.zeros_like(blue)
        middle[20:44, 14:50] = True
        for found, side in zip(places_of(blue & middle), (-1, 1), strict=True):
            assert found == pytest.approx((side * EYES_APART / 2, EYES_DOWN), abs=1.3 / SIZE)


def test_the_order_of_the_eyes_does_not_matter():
    assert window_of_eyes((10, 20, 40, 25)) == window_of_eyes((40, 25, 10, 20))


def test_the_middle_square_as_a_window_is_the_default():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize(
        (240, 192), Image.Resampling.BICUBIC
    )
    default, same = (fitted(smooth, 32, 3, window).astype(int) for window in (None, middle_square(240, 192)))
    assert np.abs(default - same).max() <= 1


def test_a_box_puts_the_face_where_our_renders_have_it():
    side = 200.0
    x, y = 300.0, 250.0
    height = FACE_HEIGHT * side
    box = (x - 30, y + FACE_DOWN * side - height / 2, 60, height)
    found = window_of_box(box)
    assert (found.x, found.y, found.side, found.turned) == pytest.approx((x, y, side, 0))


def test_a_window_beyond_the_picture_is_black_there():
    white = Image.new("L", (40, 40), 255)
    seen = fitted(white, 32, 1, Window(20, 20, 80))[..., 0]
    assert (seen[:7] == 0).all()
    assert (seen[10:22, 10:22] == 255).all()


def test_reframing_zooms_and_shifts_what_the_network_sees():
    picture = np.zeros((100, 100), np.uint8)
    picture[48:52, 58:62] = 255  # centre (60, 50)
    plain = middle_square(100, 100)
    shifted = fitted(Image.fromarray(picture), 100, 1, plain.reframed(right=0.1, down=-0.2))[..., 0]
    zoomed = fitted(Image.fromarray(picture), 100, 1, plain.reframed(zoom=2.0))[..., 0]
    assert [float(at.mean()) + 0.5 for at in np.nonzero(shifted > 128)] == pytest.approx([30, 70], abs=0.6)
    assert [float(at.mean()) + 0.5 for at in np.nonzero(zoomed > 128)] == pytest.approx([50, 70], abs=0.6)


def test_what_was_done_is_said_in_a_line():
    said = window_of_eyes((100, 100, 150, 110)).describe(400, 300)
    assert said == (
        "cut a square of 253 px around (125, 103), turned by +11.3 degrees out of 400 x 300 px: "
        "its eyes are where our renders have them"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: window_of_eyes((5, 5, 6, 5)), "expected two eyes 3 px or more apart, found 5 5 6 5: give"),
        (lambda: window_of_eyes((5, 5, float("nan"), 5)), "expected two eyes"),
        (
            lambda: window_of_box((5, 5, 0, 20)),
            "expected a box X Y W H with a width and a height above 0, found 5 5 0 20",
        ),
    ],
    ids=["near", "nan", "flat"],
)
def test_places_that_are_none_are_refused_in_a_sentence(make, words):
    with pytest.raises(TrainingError, match=words):
        make()


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(50, 50, 1000), r"expected a face whose square has a side from 8 to 160 px, found 1000 px"),
        (Window(-5, 20, 20), r"expected a face inside the picture of 40 x 40 px, found one around \(-5, 20\)"),
    ],
    ids=["large", "outside"],
)
def test_a_window_that_shows_nothing_is_refused_in_a_sentence(window, words):
    with pytest.raises(TrainingError, match=words):
        fitted(Image.new("L", (40, 40)), 32, 1, window)


def test_only_one_way_of_finding_the_face_may_be_asked_for():
    picture = Image.new("L", (40, 40))
    assert asked_window(picture) is None
    with pytest.raises(TrainingError, match=r"expected one of --eyes, --box and --detect, found more"):
        asked_window(picture, eyes=(1, 2, 3, 4), box=(1, 2, 3, 4))


def test_a_picture_without_a_face_and_a_machine_without_a_detector_are_told(monkeypatch):
    picture = Image.new("RGB", (200, 100))
    with pytest.raises(
        TrainingError, match=r"expected a face seen from the front, found none in the picture of 200 x 100"
    ):
        detected_window(picture)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(TrainingError, match=r"expected OpenCV, to look for the face, found none: install OpenCV"):
        detected_window(picture)
