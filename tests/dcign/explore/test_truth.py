"""The renderer's truth: the data set's own pictures again, and people put together as in the split mix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError
from dcign.explore.truth import TruthRenderer, parse_origin


@pytest.fixture(scope="module")
def truth(people_faces: Path) -> Iterator[TruthRenderer]:
    renderer = TruthRenderer(people_faces)
    yield renderer
    renderer.close()


@pytest.mark.parametrize("origin", ["test/0/3", "test/4/7", "test/8/2", "iid/0/5", "mix/1/9"])
def test_unchanged_values_draw_the_picture_of_the_data_set(
    truth: TruthRenderer, people_faces: Path, origin: str
) -> None:
    split, batch, image = parse_origin(origin)
    [wanted] = [each.images[image] for each in FaceDataset(people_faces).batches(split) if each.number == batch]
    assert np.abs(truth.draw(origin, {}, {}).astype(int) - wanted).max() <= 1


def test_a_batch_is_drawn_from_its_first_image_and_the_values_of_the_others(
    truth: TruthRenderer, people_faces: Path
) -> None:
    for batch in FaceDataset(people_faces).batches("test"):
        if batch.varies in ("azimuth", "age", "sex"):
            names = [factor.name for factor in FaceDataset(people_faces).factors]
            value = float(batch.factors[7, names.index(batch.varies)])
            drawn = truth.draw(f"test/{batch.number}/0", {batch.varies: value}, {})
            assert np.abs(drawn.astype(int) - batch.images[7]).mean() < 0.05, batch.varies


def test_parts_of_others_make_the_people_of_the_split_mix(truth: TruthRenderer, people_faces: Path) -> None:
    dataset = FaceDataset(people_faces)
    batch = next(dataset.batches("mix"))
    traits = [factor.name for factor in dataset.factors if factor.of_identity] + list(dataset.parts)
    assert batch.identity_source is not None
    mixed = [image for image in range(20) if len({*batch.identity_source[image].tolist()}) > 1]
    for image in mixed[:4]:
        givers = dict(zip(traits, batch.identity_source[image].tolist(), strict=True))
        parts = {name: f"mix/0/{giver}" for name, giver in givers.items()}
        drawn = truth.draw("mix/0/0", {}, parts).astype(int)
        assert np.abs(drawn - batch.images[image]).mean() < 0.05


def test_hair_of_another_changes_the_picture(truth: TruthRenderer) -> None:
    own, other = (truth.draw("test/0/3", {}, parts) for parts in ({}, {"hair": "iid/0/5"}))
    assert np.abs(own.astype(int) - other).max() > 20


def test_after_closing_it_draws_the_same_again(truth: TruthRenderer) -> None:
    before = truth.draw("test/0/3", {}, {})
    truth.close()
    truth.close()
    np.testing.assert_array_equal(truth.draw("test/0/3", {}, {}), before)


def test_a_person_is_written_as_glb(truth: TruthRenderer) -> None:
    assert truth.mesh("test/0/3").startswith(b"glTF")


@pytest.mark.parametrize(
    ("origin", "values", "parts", "sentence"),
    [
        ("test/0", {}, {}, "expected SPLIT/BATCH/IMAGE, found 'test/0'"),
        ("test/-1/0", {}, {}, "expected SPLIT/BATCH/IMAGE"),
        ("test/0/20", {}, {}, "expected an image from 0 to 19, found 20"),
        ("test/999/0", {}, {}, "expected a batch of .*, found test/999"),
        ("../0/0", {}, {}, "expected a batch of"),
        ("test/0/0", {"mood": 1.0}, {}, "expected a factor of the data set, found 'mood'"),
        ("test/0/0", {"azimuth": 400.0}, {}, "expected azimuth from -180 to 180, found 400"),
        ("test/0/0", {"azimuth": float("nan")}, {}, "expected azimuth from -180 to 180, found nan"),
        ("test/0/0", {}, {"nose": "test/0/1"}, "expected parts of a person, found 'nose'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(
    truth: TruthRenderer, origin: str, values: dict[str, float], parts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        truth.draw(origin, values, parts)
