"""Data sets from arrays: what is written is read back, and what is wrong is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dcign.data import Factor, NewBatch, write_dataset
from dcign.data.dataset import writing
from dcign.data.dataset.reader import FaceDataset
from dcign.errors import DataError
from tests.support.data_sets import digests
from tests.support.toys import ACROSS, FORM, HUE, TOYS, toy_batches, write_toys


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    given = [*toy_batches(masks=True)]
    dataset = write_dataset(tmp_path / "toys", TOYS, given, name="toys")
    assert dataset.factors == TOYS
    for split in ("train", "test", "iid"):
        asked = [batch for batch in given if batch.split == split]
        loaded = dataset.load(split)
        assert loaded.varies.tolist() == [batch.varies for batch in asked]
        np.testing.assert_array_equal(loaded.images, [batch.images for batch in asked])
        np.testing.assert_array_equal(loaded.factors, np.array([batch.factors for batch in asked], np.float32))
        np.testing.assert_array_equal(loaded.identity_index, [batch.identity for batch in asked])
        np.testing.assert_array_equal(loaded.mask, [batch.mask for batch in asked])


def test_a_shard_names_its_own_vocabulary(tmp_path: Path) -> None:
    with h5py.File(write_toys(tmp_path / "toys") / "train" / "shard-00000.h5") as file:
        assert file.attrs["version"] == 2
        assert h5py.check_enum_dtype(file["varies"].dtype) == {
            "across": 0, "form": 1, "hue": 2, "identity": 3, "all": 4
        }  # fmt: skip
        assert json.loads(file["factors"].attrs["classes"]) == {"form": ["disc", "square", "bar"]}
        assert file["images"].shape == (24, 6, 32, 32, 3)


def test_name_licence_and_source_are_recorded(tmp_path: Path) -> None:
    folder = write_toys(tmp_path / "toys")
    manifest = FaceDataset(folder).manifest
    assert manifest.model == {"name": "toys", "licence": "CC0"}
    assert manifest.configuration["source"] == {"toys.py": "0" * 64}
    card = (folder / "README.md").read_text()
    assert "Licence: CC0." in card
    assert "- toys.py: 000" in card
    assert "| form | disc, square, bar | unchanged |" in card
    assert "No identity of another split is in train." in card
    assert (folder / "preview.png").stat().st_size > 1000


def test_shards_are_written_as_they_fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_BATCHES", 10)
    alive: list[int] = []

    def watched() -> Iterator[NewBatch]:
        for number, batch in enumerate(toy_batches()):
            alive.append(len([*tmp_path.glob(".toys.part/train/*.h5")]))
            yield batch
            assert number < 10 or alive[-1] >= 1

    dataset = write_dataset(tmp_path / "toys", TOYS, watched(), name="toys")
    assert [entry.batches for entry in dataset.splits["train"]] == [10, 10, 4]
    assert dataset.load("train").images.shape[0] == 24


def test_the_same_batches_give_the_same_bytes(tmp_path: Path) -> None:
    assert digests(write_toys(tmp_path / "one")) == digests(write_toys(tmp_path / "two"))


BUFFERS = ("images", "factors", "identity", "mask")


def refilled(batches: Iterable[NewBatch]) -> Iterator[NewBatch]:
    """Yield batches in the same arrays, which are filled again for each."""
    buffer: NewBatch | None = None
    for batch in batches:
        batch = replace(batch, factors=batch.factors.astype(np.float32))
        buffer = buffer or replace(batch, **{name: getattr(batch, name).copy() for name in BUFFERS})
        for name in BUFFERS:
            getattr(buffer, name)[:] = getattr(batch, name)
        yield replace(buffer, split=batch.split, varies=batch.varies)


def test_arrays_may_be_filled_again_for_the_next_batch(tmp_path: Path) -> None:
    given = [*toy_batches(masks=True)]
    write_dataset(tmp_path / "one", TOYS, given, name="toys")
    write_dataset(tmp_path / "two", TOYS, refilled(given), name="toys")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_sweep_is_noticed_in_arrays_that_are_filled_again(tmp_path: Path) -> None:
    one, two = toy_batches(splits={"sweep": 2}, masks=True)
    given = refilled([one, replace(two, identity=two.identity + 1)])
    with pytest.raises(DataError, match="other identities than the first batch of sweep"):
        write_dataset(tmp_path / "toys", TOYS, given, name="toys")


def test_the_card_of_unknown_people_says_nothing_of_them(tmp_path: Path) -> None:
    write_dataset(tmp_path / "toys", TOYS, toy_batches(), name="toys", identities_known=False)
    card = (tmp_path / "toys" / "README.md").read_text()
    assert "| train | 24 | 144 | not known |" in card
    assert "No label says who or which object is seen: those of other splits may be in train, too." in card
    assert "No identity of another split" not in card


def changed(**changes: Any) -> Callable[[NewBatch], NewBatch]:
    return lambda batch: replace(batch, **changes)


def labelled(column: int, image: int, value: float) -> Callable[[NewBatch], NewBatch]:
    """Change one label."""

    def change(batch: NewBatch) -> NewBatch:
        factors = np.array(batch.factors)
        factors[image, column] = value
        return replace(batch, factors=factors)

    return change


# The batch (numbers 0 to 3 vary across, form, hue, identity; 36 is iid), what is done to it, and what is said.
WRONG = {
    "NaN": (0, labelled(0, 2, np.nan), r"batch 0 \(train, varies across\) has no finite number as across in image 2"),
    "two things vary": (0, labelled(2, 1, 5.0), r"batch 0 .* has different values of hue; expected only across to"),
    "nothing varies": (2, lambda b: replace(b, factors=b.factors[:1].repeat(6, 0)), r"the same hue in all its images"),
    "no such class": (1, labelled(1, 0, 3), r"batch 1 .* has 3 as form; expected the index of a class, 0 to 2"),
    "half a class": (1, labelled(1, 0, 0.5), r"has 0\.5 as form"),
    "unknown kind": (1, changed(varies="size"), r"has 'size' as what varies; expected one of across, form, hue, ident"),
    "unknown split": (1, changed(split="dev"), r"batch 1 \(dev, varies form\) has split 'dev'; expected one of train"),
    "iid of a kind": (36, changed(varies="hue"), r"batch 36 .* another kind than all of iid; expected all"),
    "other size": (5, changed(images=np.zeros((6, 16, 16, 3), np.uint8)), r"batch 5 .* expected \(6, 32, 32, 3\), as"),
    "float images": (0, changed(images=np.zeros((6, 32, 32, 3))), r"images float64 \(6, 32, 32, 3\); expected uint8"),
    "too small": (0, changed(images=np.zeros((6, 8, 8, 3), np.uint8)), r"6 images of 8 x 8 px; expected 2 to 20 im"),
    "one image": (0, changed(images=np.zeros((1, 32, 32, 3), np.uint8)), r"1 images of 32 x 32 px; expected 2 to 20"),
    "a label short": (0, changed(factors=np.zeros((6, 2))), r"factors float64 \(6, 2\); expected numbers \(6, 3\)"),
    "texts": (0, changed(factors=np.full((6, 3), "a")), r"factors <U1 \(6, 3\); expected numbers"),
    "real identity": (0, changed(identity=np.zeros(6)), r"identity float64 \(6,\); expected whole numbers \(6,\)"),
    "negative": (0, changed(identity=np.full(6, -1)), r"identity -1; expected 0 or more"),
    "two people": (0, changed(identity=np.arange(6)), r"different identities; expected only across to vary"),
    "one person": (3, changed(identity=np.zeros(6, int)), r"the same identity twice; expected another one in each"),
    "a mask": (5, changed(mask=np.zeros((6, 32, 32), np.uint8)), r"a mask; expected masks in all batches of train or"),
    "mask's shape": (0, changed(mask=np.zeros((6, 32, 31), np.uint8)), r"a mask uint8 \(6, 32, 31\); expected uint8"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_batch_is_refused_in_one_sentence_and_nothing_is_left(case: str, tmp_path: Path) -> None:
    wrong, change, said = WRONG[case]
    batches = (change(batch) if number == wrong else batch for number, batch in enumerate(toy_batches()))
    with pytest.raises(DataError, match=said) as caught:
        write_dataset(tmp_path / "toys", TOYS, batches, name="toys")
    assert str(caught.value).endswith(": correct the batch.")
    assert not [*tmp_path.iterdir()]


WRONG_FACTORS = {
    "none": ((), "expected 1 to 200 factors, found 0"),
    "twice": ((ACROSS, ACROSS), "each once"),
    "a space": ((replace(ACROSS, name="floor hue"),), "letters, digits and _"),
    "reserved": ((replace(ACROSS, name="identity"),), "none of them identity or all"),
    "radians": ((replace(HUE, units="radian"),), "circular factors in degrees"),
    "one class": ((replace(FORM, classes=("disc",)),), "two or more classes"),
    "equal classes": ((replace(FORM, classes=("disc", "disc", "bar")),), "two or more classes"),
    "no mirror sign": ((replace(ACROSS, mirror_sign=0),), "a mirror sign of -1 or 1"),
}


@pytest.mark.parametrize("case", WRONG_FACTORS)
def test_wrong_factors_are_refused(case: str, tmp_path: Path) -> None:
    factors, said = WRONG_FACTORS[case]
    with pytest.raises(DataError, match=said):
        write_dataset(tmp_path / "toys", factors, toy_batches(), name="toys")


@pytest.mark.parametrize("error", [FileNotFoundError, NotImplementedError])
def test_an_exception_of_the_caller_passes_unchanged_and_leaves_nothing(error: type[Exception], tmp_path: Path) -> None:
    def batches() -> Iterator[NewBatch]:
        yield from list(toy_batches())[:1]
        raise error("the caller's own")

    with pytest.raises(error, match="the caller's own"):
        write_dataset(tmp_path / "toys", TOYS, batches(), name="toys")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_never_overwritten_and_no_batches_are_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected batches to write"):
        write_dataset(tmp_path / "none", TOYS, [], name="toys")
    with pytest.raises(DataError, match="expected a name of the data set"):
        write_dataset(tmp_path / "none", TOYS, toy_batches(), name=" ")
    folder = write_toys(tmp_path / "toys")
    before = digests(folder)
    with pytest.raises(DataError, match="is there already"):
        write_toys(folder)
    assert digests(folder) == before


def test_pairs_with_one_factor_are_a_data_set(tmp_path: Path) -> None:
    pairs = (
        NewBatch("train", "size", np.full((2, 28, 30, 1), number, np.uint8), np.array([[0.0], [1]]), np.zeros(2, int))
        for number in range(3)
    )
    dataset = write_dataset(tmp_path / "pairs", [Factor("size", "", 1)], pairs, name="pairs")
    assert dataset.load("train").images.shape == (3, 2, 28, 30, 1)
