"""The positions of the 68 landmarks on the mean face."""

from __future__ import annotations

import numpy as np

from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.template.landmarks_68 import LEFT_AND_RIGHT


def place(model: MorphableModel, number: int) -> np.ndarray:
    return model.mean[model.landmarks[f"ibug_{number}"]]


def test_all_68_are_there_each_a_vertex_of_its_own(model: MorphableModel) -> None:
    vertices = [model.landmarks[f"ibug_{number}"] for number in range(1, 69)]
    assert len(set(vertices)) == 68
    assert sorted({number for pair in LEFT_AND_RIGHT for number in pair}) == list(range(1, 69))


def test_left_and_right_are_mirror_images(model: MorphableModel) -> None:
    for left, right in LEFT_AND_RIGHT:
        vertex = model.landmarks[f"ibug_{left}"]
        assert model.mirror[vertex] == model.landmarks[f"ibug_{right}"]
        assert (left == right) == (model.mean[vertex, 0] == 0)
        assert left == right or model.mean[vertex, 0] > 0


def test_every_level_keeps_them(model: MorphableModel) -> None:
    for level in model.levels:
        coarse = model.at_level(len(level.vertices))
        assert {f"ibug_{number}" for number in range(1, 69)} <= set(coarse.landmarks)


def test_they_follow_the_features_in_the_published_order(model: MorphableModel) -> None:
    x, y, z = np.array([place(model, number) for number in range(1, 69)]).T
    assert (np.diff(x[1:16]) > 0).all()  # the jaw, from the subject's right, which is -x
    assert np.argmin(y[:17]) == 8
    assert (np.diff(x[17:27]) > 0).all()
    assert (np.diff(y[27:31]) < 0).all()
    assert np.argmax(z) == 30  # the tip of the nose
    assert (np.diff(x[31:36]) > 0).all()
    for first in (36, 42):  # around each eye: corner, two above, corner, two below
        assert (y[first + 1 : first + 3] > y[[first, first + 3]].max()).all()
        assert (y[first + 4 : first + 6] < y[[first, first + 3]].min()).all()
    assert (y[49:54] > y[60:68].max() - 1).all()
    assert (y[55:60] < y[60:68].min()).all()


def test_the_jaw_is_the_outline_seen_from_the_front(model: MorphableModel) -> None:
    bare = model.without_hair()
    in_front_of_ears = bare.mean[:, 2] > 8
    skin = bare.mean[(bare.parts == bare.part_names.index("skin")) & in_front_of_ears]
    for number in range(12, 18):
        x, y, _ = place(model, number)
        widest = skin[np.abs(skin[:, 1] - y) < 3, 0].max()
        assert x > widest - 4
