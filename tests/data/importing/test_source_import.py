"""Imports of our own exports keep their batches, and say who is seen; imports of unknown people say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dcign.data.export.dataset import export_dataset
from dcign.data.importing.choice import Choice
from dcign.data.importing.plan import Plan, Settings
from dcign.data.importing.plan_text import plan_text
from dcign.data.importing.source_import import prepare_import, run_import
from dcign.errors import DataError
from tests.support import foreign_sets
from tests.support.toys import write_toys

KINDS = ("across", "identity")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toys that vary across alone, and identity, exported. Read only."""
    folder = tmp_path_factory.mktemp("toys")
    toys = write_toys(folder / "toys", kinds=KINDS)
    export_dataset(toys, folder / "exported", "3dshapes", ("train", "test", "iid"), progress=lambda *_: None)
    return folder / "exported"


def rows_of(plan: Plan) -> list[list[int]]:
    return [each.rows.ravel().tolist() for each in plan.batches]


def test_units_signs_and_kinds_keep_the_batches_of_an_export(exported: Path) -> None:
    before = prepare_import(exported, Choice(), Settings())
    choice = Choice(units={"across": "metre"}, mirror={"across": 1, "hue": -1}, circular=("hue",))
    after = prepare_import(exported, choice, Settings())
    assert [factor.units for factor in after.plan.factors] == ["metre", "", "degree"]
    assert [factor.mirror_sign for factor in after.plan.factors] == [1, 1, -1]
    assert rows_of(after.plan) == rows_of(before.plan)
    assert np.array_equal(after.plan.identity, before.plan.identity)
    assert after.plan.why == "as exported"


def test_options_that_would_change_the_batches_of_an_export_are_refused(exported: Path) -> None:
    for settings, found in (
        (Settings(batch=4, test_share=0.4, hold_out="images", seed=9), "--seed, --test-share, --hold-out, --batch"),
        (Settings(seed=9), "--seed"),
    ):
        with pytest.raises(DataError, match=f"as those of an export are kept, found {found}: leave them out, or cho"):
            prepare_import(exported, Choice(mirror={"across": -1}), settings)
        prepare_import(exported, Choice(factors=("across",)), Settings(seed=9))


def test_exports_say_who_is_seen(exported: Path) -> None:
    kept = prepare_import(exported, Choice(), Settings())
    count = len(np.unique(kept.plan.identity))
    assert f"identity  identity_index: {count} different" in plan_text(kept)
    assert "identity_index" not in "".join(kept.plan.left_out)
    for choice in (Choice(identity=("identity_index",)), Choice(factors=("across", "form"))):
        anew = prepare_import(exported, choice, Settings(batch=3))
        assert np.array_equal(anew.labels.identity, kept.plan.identity)
        assert anew.plan.size == 3
    assert prepare_import(exported, Choice(identity=()), Settings()).labels.identity is None


def test_factors_of_a_kept_export_are_as_exported(exported: Path) -> None:
    """Each person of such a set has one form; that does not make it a property of people."""
    assert not any(factor.of_identity for factor in prepare_import(exported, Choice(), Settings()).plan.factors)


def test_an_export_of_mixtures_alone_is_refused(exported: Path, tmp_path: Path) -> None:
    about = json.loads((exported / "about.json").read_text())
    (tmp_path / "about.json").write_text(json.dumps(about | {"splits": {"mix": about["splits"]["train"]}}))
    with pytest.raises(DataError, match="batches of train, test, iid or sweep in the export, found none: exp"):
        prepare_import(tmp_path, Choice(), Settings())


@pytest.mark.parametrize("sizes", [(0,), (4, 5, 6)], ids=["scattered", "grid"])
def test_the_card_says_that_nobody_is_known(sizes: tuple[int, ...], tmp_path: Path) -> None:
    made = prepare_import(foreign_sets.picture_folder(tmp_path / "pictures", sizes), Choice(), Settings())
    run_import(made, tmp_path / "out", progress=lambda *_: None)
    assert "No label says who or which object is seen" in (tmp_path / "out" / "README.md").read_text()
