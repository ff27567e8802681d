"""A batch of somebody's own images and labels, and the checks that make it a batch of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.arrays import Floating, Int64, UInt8
from dcign.data.damage import shown
from dcign.data.schema import ALL, BATCH_SIZES, IDENTITY, IMPORTED, MASK, Batch, Factor
from dcign.errors import DataError

SPLITS = ("train", "test", "iid", "sweep")
SMALLEST, LARGEST = 16, 1024  # px
MOST_FACTORS = 200
LONGEST_CLASSES = 30_000  # characters of all names of classes together: HDF5 limits an attribute to 64 kB
ONLY_KIND = {"iid": ALL, "sweep": IDENTITY}  # what all batches of these splits vary


@dataclass(frozen=True, eq=False)
class NewBatch:
    """n images that differ only in what `varies` names, and their labels; n is the same in a whole data set.

    split: train, test, iid (all batches vary "all") or sweep (all vary "identity"); varies: a factor's name,
    "identity", or "all"; images (n, H, W, C), C 1 or 3; factors (n, F); identity (n,), the number of the person or
    object, 0 or more; mask (n, H, W), how much of each pixel the object covers, 0 to 255, or None. The arrays are
    copied, so that they can be filled again for the next batch.
    """

    split: str
    varies: str
    images: UInt8
    factors: Floating
    identity: Int64
    mask: UInt8 | None = None


def refuse_factors(factors: Sequence[Factor]) -> None:
    """Raise DataError unless a data set can have these factors."""
    if not 1 <= len(factors) <= MOST_FACTORS:
        raise DataError(f"expected 1 to {MOST_FACTORS} factors, found {len(factors)}: describe the columns of labels.")
    names = [factor.name for factor in factors]
    for factor in factors:
        if what := _fault_of_factor(factor, names):
            raise DataError(f"expected {what}, found factor {shown(repr(factor.name))} otherwise: change it.")
    if sum(len(each) for factor in factors for each in factor.classes) > LONGEST_CLASSES:
        raise DataError(
            f"expected at most {LONGEST_CLASSES:,} characters in the names of all classes, found more: shorten them."
        )


def _fault_of_factor(factor: Factor, names: Sequence[str]) -> str:
    """Return what is expected of a factor that it is not, or nothing."""
    if not factor.name.isidentifier() or factor.name in (IDENTITY, ALL) or names.count(factor.name) > 1:
        return f"names of letters, digits and _, each once, none of them {IDENTITY} or {ALL}"
    if not factor.units.isprintable() or factor.mirror_sign not in (-1, 1):
        return "a printable unit and a mirror sign of -1 or 1"
    if factor.circular and (factor.units != "degree" or factor.classes):
        return "circular factors in degrees, without classes"
    if factor.classes and factor.mirror_sign < 0:
        return "classes that stay the same in a mirrored image"
    if factor.classes and (len({*factor.classes}) < max(2, len(factor.classes)) or not _printable(factor.classes)):
        return "two or more classes with printable names, each once"
    return ""


def _printable(texts: Sequence[str]) -> bool:
    return all(text and text.isprintable() for text in texts)


class BatchCheck:
    """Turns new batches into batches of shards, and refuses those that do not fit the data set."""

    def __init__(self, factors: Sequence[Factor]) -> None:
        self.factors = tuple(factors)
        self._shape: tuple[int, ...] = ()  # of the images of the first batch
        self._masked: dict[str, bool] = {}  # by split
        self._sweep: Int64 | None = None  # the identities of the sweep

    def checked(self, new: NewBatch, number: int, row: int) -> Batch:
        """Return a batch as a shard holds it; number: in the order given, for messages; row: in its split.

        Raises DataError if it is malformed, or does not keep its promise.
        """
        fault = next(self._faults(new), "")
        if fault:
            about = f"{shown(str(new.split))}, varies {shown(str(new.varies))}"
            raise DataError(f"batch {number} ({about}) has {fault}: correct the batch.")
        return Batch(
            number=row,
            varies=new.varies,
            images=np.array(new.images),
            factors=np.array(new.factors, np.float32),
            identity_index=np.array(new.identity, np.int64),
            identity_shape=None,
            identity_albedo=None,
            nuisance={},
            truth={} if new.mask is None else {MASK: np.array(new.mask)},
        )

    def _faults(self, new: NewBatch) -> Iterator[str]:
        """Yield what is wrong with a batch; what comes first must be right before the rest can be looked at."""
        names = [factor.name for factor in self.factors]
        if new.split not in SPLITS:
            yield f"split {shown(repr(new.split))}; expected one of {', '.join(SPLITS)}"
        if new.varies not in (*names, IDENTITY, ALL):
            yield f"{shown(repr(new.varies))} as what varies; expected one of {', '.join([*names, IDENTITY, ALL])}"
        if new.varies != ONLY_KIND.get(new.split, new.varies):
            yield f"another kind than all of {new.split}; expected {ONLY_KIND[new.split]}"
        yield from self._shape_faults(new)
        yield from self._label_faults(new, names)
        yield from self._identity_faults(new)

    def _shape_faults(self, new: NewBatch) -> Iterator[str]:
        shape, sizes = np.shape(new.images), BATCH_SIZES[IMPORTED]
        if _dtype(new.images) != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3):
            yield f"images {_dtype(new.images)} {shape}; expected uint8 (n, H, W, 1 or 3)"
        if shape[0] not in sizes or not all(SMALLEST <= each <= LARGEST for each in shape[1:3]):
            yield (
                f"{shape[0]} images of {shape[2]} x {shape[1]} px; expected {sizes[0]} to {sizes[-1]} images of "
                f"{SMALLEST} to {LARGEST} px"
            )
        self._shape = self._shape or shape
        if shape != self._shape:
            yield f"images of shape {shape}; expected {self._shape}, as in the first batch"
        wanted = (shape[0], len(self.factors))
        if np.shape(new.factors) != wanted or _dtype(new.factors).kind not in "iuf":
            yield f"factors {_dtype(new.factors)} {np.shape(new.factors)}; expected numbers {wanted}"
        if np.shape(new.identity) != shape[:1] or _dtype(new.identity).kind not in "iu":
            yield f"identity {_dtype(new.identity)} {np.shape(new.identity)}; expected whole numbers {shape[:1]}"
        if new.mask is not None and (_dtype(new.mask) != np.uint8 or np.shape(new.mask) != shape[:3]):
            yield f"a mask {_dtype(new.mask)} {np.shape(new.mask)}; expected uint8 {shape[:3]}"
        if self._masked.setdefault(new.split, new.mask is not None) != (new.mask is not None):
            yield f"{'a' if new.mask is not None else 'no'} mask; expected masks in all batches of {new.split} or none"

    def _label_faults(self, new: NewBatch, names: Sequence[str]) -> Iterator[str]:
        with np.errstate(over="ignore"):
            values = np.asarray(new.factors, np.float32)  # as they are stored
        for factor, column in zip(self.factors, values.T, strict=True):
            if not np.isfinite(column).all():
                yield f"no finite number as {factor.name} in image {np.flatnonzero(~np.isfinite(column))[0]}"
            last = len(factor.classes) - 1
            if factor.classes and not np.isin(column, np.arange(last + 1)).all():
                wrong = column[~np.isin(column, np.arange(last + 1))][0]
                yield f"{wrong:g} as {factor.name}; expected the index of a class, 0 to {last}"
            same = bool((column == column[0]).all())
            if factor.name == new.varies and same:
                yield f"the same {factor.name} in all its images; expected it to vary"
            if not same and not (new.varies in (factor.name, ALL) or (factor.of_identity and new.varies == IDENTITY)):
                yield f"different values of {factor.name}; expected only {new.varies} to vary"

    def _identity_faults(self, new: NewBatch) -> Iterator[str]:
        identity = np.asarray(new.identity, np.int64)
        if (identity < 0).any():
            yield f"identity {identity.min()}; expected 0 or more"
        if new.varies == IDENTITY and len(np.unique(identity)) < len(identity):
            yield "the same identity twice; expected another one in each image"
        if new.varies not in (IDENTITY, ALL) and (identity != identity[0]).any():
            yield f"different identities; expected only {new.varies} to vary"
        if new.split == "sweep":
            self._sweep = identity.copy() if self._sweep is None else self._sweep
            if (identity != self._sweep).any():
                yield "other identities than the first batch of sweep; expected the same in the same order"


def _dtype(values: Any) -> np.dtype[Any]:  # whatever the caller gave
    """Return the dtype of an array, or of what numpy makes of something else."""
    array: NDArray[Any] = np.asarray(values)
    return array.dtype
