"""The plan of an import: what is in a batch, what train does not show, and how large batches are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dcign.data.importing.choice import Labels
from dcign.data.importing.plan import Plan, Settings, make_plan
from dcign.data.schema import Factor
from dcign.errors import DataError
from tests.support.foreign_sets import grid


def labels_of(values: np.ndarray, identity: np.ndarray | None = None) -> Labels:
    factors = tuple(Factor(f"f{place}", "", 1) for place in range(values.shape[1]))
    return Labels(factors, values.astype(np.float32), identity)


def rows_of(plan: Plan, split: str) -> np.ndarray:
    return np.unique(np.concatenate([each.rows.ravel() for each in plan.batches if each.split == split]))


def assert_batches_keep_their_promise(plan: Plan) -> None:
    """Only what `varies` names differs within a batch, and it has no value twice."""
    columns = {factor.name: plan.values[:, place] for place, factor in enumerate(plan.factors)}
    columns["identity"] = plan.identity
    moving = {factor.name for factor in plan.factors if factor.of_identity}
    for each in plan.batches:
        for name, column in columns.items():
            held = np.sort(column[each.rows], axis=1)
            if each.varies == name:
                assert (np.diff(held, axis=1) > 0).all(), f"{name} has a value twice in {each.split}"
            elif each.varies != "all" and not (each.varies == "identity" and name in moving):
                assert (held[:, :1] == held).all(), f"{name} differs in a batch that varies {each.varies}"


SIZES = ((4, 5, 6), (2, 3, 40), (25, 30), (7, 7, 7))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("hold_out", ["combinations", "images"])
def test_a_grid_is_cut_into_batches_in_which_one_factor_varies(sizes: tuple[int, ...], hold_out: str) -> None:
    plan = make_plan(labels_of(grid(*sizes)), Settings(seed=1, hold_out=hold_out))
    assert_batches_keep_their_promise(plan)
    assert plan.size == min(20, *sizes)
    assert not {*rows_of(plan, "train")} & {*rows_of(plan, "test"), *rows_of(plan, "iid")}
    train = {each.varies for each in plan.batches if each.split == "train"}
    assert train == {f"f{place}" for place in range(len(sizes))}


def test_held_out_combinations_leave_every_level_in_train_and_whole_lines_in_test() -> None:
    plan = make_plan(labels_of(grid(4, 5, 6)), Settings())
    for column in plan.values.T:
        assert {*column[rows_of(plan, "train")]} == {*column}
    test = {each.varies: len(each.rows) for each in plan.batches if each.split == "test"}
    assert all(test[name] for name in ("f0", "f1", "f2"))


def test_a_grid_with_gaps_and_twins_is_still_cut() -> None:
    values = np.random.default_rng(0).permutation(grid(6, 6, 6))[:190]  # 26 are missing
    plan = make_plan(labels_of(np.concatenate([values, values[:30]])), Settings(batch=4))
    assert_batches_keep_their_promise(plan)
    assert any("30 images have the labels of another image" in sentence for sentence in plan.left_out)


def test_scattered_labels_give_batches_of_everything() -> None:
    plan = make_plan(labels_of(np.random.default_rng(0).normal(size=(500, 3))), Settings())
    assert {each.varies for each in plan.batches} == {"all"}
    assert not {*rows_of(plan, "train")} & {*rows_of(plan, "test")}
    assert len({*plan.identity}) == 500
    assert any("no other that differs in f1 alone" in sentence for sentence in plan.left_out)


def people(count: int, *sizes: int) -> Labels:
    """A grid of each of so many people, whose third label, their age, each has one value of."""
    codes = grid(count, *sizes)
    values = np.column_stack([codes[:, 1:], 20 + codes[:, 0] % 7])
    labels = labels_of(values, codes[:, 0])
    aged = replace(labels.factors[-1], of_identity=True)
    return replace(labels, factors=(*labels.factors[:-1], aged))


def test_with_many_people_whole_people_are_held_out_and_swept() -> None:
    plan = make_plan(people(60, 5, 4), Settings())
    assert_batches_keep_their_promise(plan)
    train, test = ({*plan.identity[rows_of(plan, split)]} for split in ("train", "test"))
    assert not train & test
    assert len(test) >= plan.size == 4
    sweep = next(each.rows for each in plan.batches if each.split == "sweep")
    assert sweep.shape == (5 + 4 - 1, 4)  # the cell at rest is of both factors
    assert (plan.identity[sweep] == plan.identity[sweep[:1]]).all()
    assert not {*plan.identity[sweep].ravel()} & train


def test_a_factor_of_people_varies_only_with_them() -> None:
    plan = make_plan(people(60, 5, 4), Settings())
    assert "f2" not in plan.counts()
    assert any("each identity has only one f2" in sentence for sentence in plan.left_out)


def test_batches_are_smaller_where_identities_are_to_be_held_out_and_are_few() -> None:
    plan = make_plan(people(6, 7, 6), Settings(hold_out="identity"))
    assert plan.size == 3  # six identities: three in train, three in test
    kinds = {(each.split, each.varies) for each in plan.batches}
    assert {("train", "identity"), ("test", "identity")} <= kinds
    shown = [{*plan.identity[rows_of(plan, split)]} for split in ("train", "test")]
    assert not shown[0] & shown[1]
    with pytest.raises(DataError, match="expected 4 identities or more, to hold out 2 of them, found 3"):
        make_plan(people(3, 7, 6), Settings(hold_out="identity"))
    with pytest.raises(DataError, match="expected 10 identities or more, to hold out 5 of them, found 6"):
        make_plan(people(6, 7, 6), Settings(hold_out="identity", batch=5))


def test_people_of_whom_every_factor_is_a_property_are_held_out_and_have_no_sweep() -> None:
    plan = make_plan(people(40, 10, 1), Settings())  # 40 people, 10 levels; then of 40 people ten pictures each
    ages = replace(labels_of(plan.values[:, 2:], plan.identity), factors=plan.factors[2:])
    plan = make_plan(ages, Settings())
    assert_batches_keep_their_promise(plan)
    assert "of 40 identities" in plan.held_out
    assert {each.varies for each in plan.batches if each.split == "train"} == {"identity"}
    assert "sweep" not in {each.split for each in plan.batches}


@pytest.mark.parametrize("levels", [5, 3000])
def test_of_one_factor_alone_images_are_held_out(levels: int) -> None:
    """All images are one line, which would be held out whole."""
    labels = labels_of(np.arange(3000)[:, None] % levels)
    plan = make_plan(labels, Settings())
    assert_batches_keep_their_promise(plan)
    assert plan.held_out == "300 random images."
    assert plan.size == min(levels, 20)
    assert {each.split for each in plan.batches if each.varies == "f0"} == {"train", "test"}
    with pytest.raises(DataError, match=r"found 3,000 images in all: .* another --test-share or --hold-out"):
        make_plan(labels, Settings(hold_out="combinations"))


def test_few_people_are_in_train_and_test() -> None:
    plan = make_plan(people(6, 5, 4), Settings())
    assert "combinations" in plan.held_out


def test_a_size_that_is_asked_for_leaves_narrow_factors_out() -> None:
    plan = make_plan(labels_of(grid(3, 8, 9)), Settings(batch=8))
    assert plan.size == 8
    assert "f0" not in plan.counts()
    assert any("f0: batches of 8 need more levels" in sentence for sentence in plan.left_out)


def test_batches_are_made_smaller_until_each_split_has_some() -> None:
    plan = make_plan(labels_of(grid(10, 10)), Settings())
    assert plan.size == 9
    assert all({"train", "test"} <= {*plan.counts()[name]} for name in ("f0", "f1"))
    assert plan.why == "the most with which each split has some"
    with pytest.raises(DataError, match="expected enough images for a batch of 10 of each"):
        make_plan(labels_of(grid(10, 10)), Settings(batch=10))


def test_the_seed_alone_decides() -> None:
    labels = labels_of(grid(4, 5, 6))
    one, two, other = (make_plan(labels, Settings(seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(one.batches, two.batches, strict=True))
    assert not np.array_equal(one.batches[0].rows, other.batches[0].rows)


@pytest.mark.parametrize(
    ("values", "settings", "said"),
    [
        (grid(2, 2), Settings(), "expected enough images for a batch of 2"),
        (np.random.default_rng(0).normal(size=(90, 2)), Settings(hold_out="combinations"), "found scattered ones"),
        (grid(4, 5), Settings(hold_out="identity"), "found 0: choose another --hold-out"),
    ],
    ids=["few", "scattered", "nobody"],
)
def test_what_is_impossible_is_one_sentence(values: np.ndarray, settings: Settings, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make_plan(labels_of(values), settings)
