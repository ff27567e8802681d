"""The images that an evaluation measures on: of the splits that the data set has, or what stands in for a missing one.

Data sets of `dcign render` have all splits. Others may lack the sweep, which is then cut from the grid of the labels,
and one of iid and test, for which the other stands in.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcign.errors import TrainingError
from dcign.evaluate.sweeps import cut_sweep, has_sweep
from dcign.inputs.source import DataSource, LabelledBatches
from dcign.run.configuration import ImageDescription

SPLITS = ("train", "iid", "test", "sweep")  # that an evaluation reads


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The three splits that are measured on, the name of the one that is used as iid and as test, and what is missing.

    left_out: one sentence about each thing that cannot be measured, or is measured on something else.
    """

    iid: LabelledBatches
    test: LabelledBatches
    sweep: LabelledBatches
    iid_name: str
    test_name: str
    left_out: tuple[str, ...]


def held_out_names(source: DataSource) -> tuple[str, str]:
    """Return the splits that are used as iid and as test. Raises TrainingError if there is neither."""
    found = [name for name in ("iid", "test") if source.has(name)]
    if not found:
        raise TrainingError(
            "expected a split iid or test, on which a network is evaluated, found none: write one of them, too."
        )
    return found[0], found[-1]


def read_held_out(source: DataSource, description: ImageDescription) -> HeldOut:
    """Read the splits, and say what is missing."""
    iid_name, test_name = held_out_names(source)
    test = source.labelled(test_name)
    iid = test if iid_name == test_name else source.labelled(iid_name)
    whole = source.has("sweep")
    sweep = read_sweep(source)
    left_out = []
    if iid_name == test_name:
        missing = "test" if iid_name == "iid" else "iid"
        left_out.append(f"There is no split {missing}: {iid_name} is measured in its place.")
    swept = [has_sweep(sweep.factors, index) for index in range(len(description.factors))]
    lacking = [name for name, found in zip(description.factors, swept, strict=True) if not found]
    if not whole and any(swept):
        left_out.append(f"There is no split sweep: sweeps were cut from the grid of {test_name}.")
    if lacking:
        left_out.append(f"No two images of {test_name} share levels of {', '.join(lacking)}: re-rendering is left out.")
    for index, name in enumerate(description.factors):
        if not (test.kind == index).any():
            left_out.append(f"{name} never varies alone in {test_name}: its swaps are left out.")
    return HeldOut(iid, test, sweep, iid_name, test_name, tuple(left_out))


def read_sweep(source: DataSource) -> LabelledBatches:
    """Read the sweep, or cut one from the test split, or from what stands in for it."""
    if source.has("sweep"):
        return source.labelled("sweep")
    name = held_out_names(source)[1]
    return cut_sweep(source.labelled(name), source.identity(name))
