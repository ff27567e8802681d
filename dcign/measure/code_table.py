"""A table of codes and labels, from arrays or from a .npz file of any model.

Arrays of the file, one row per image: `latents` (or `codes`, or `mu` of `dcign encode`) (N, Z) and `factors` (N, F).
Optional: `factor_names`, `factor_units`, `factor_types` (F,), each number, class or angle; `blocks` (Z,), the number or
name of each latent's block; `own` (F,), each factor's latent; `groups` (or `identity_index`) (N,), rows that are not
independent, such as those of one person; and `split` (N,), of which `train` is what maps are fitted on.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dcign.arrays import Floating, Int64, Str
from dcign.errors import TrainingError
from dcign.metrics.tables import ANGLE, CLASS, LARGEST, as_floats, checked_blocks, refuse_latents, types_of
from dcign.printable import printable

LATENTS = ("latents", "codes", "mu")
GROUPS = ("groups", "identity_index")
OPTIONAL = ("factor_names", "factor_units", "factor_types", "blocks", "own", "split", *GROUPS)
IGNORED = ("logvar", "batch", "varies", "version")  # further arrays of `dcign encode`
DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, MemoryError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, SyntaxError,
)  # fmt: skip  # what numpy and zipfile raise on damaged files
Own = int | tuple[int, ...]  # the latent of a factor, or its latents
LONGEST = 60  # characters of a name from a file in a message


@dataclass(frozen=True, eq=False)
class CodeTable:
    """Latents (N, Z), factors (N, F), and what is known about them; `place` names the source in messages.

    types (F,): number, class or angle; of factors of an integer type, class by default. own (F,), the latents of each
    factor, or None; blocks of latents or None, and their names, where they have any; groups (N,), split (N,) or None.
    Where each factor has a block of its name, that is its own, unless own is given.
    """

    latents: Floating
    factors: Floating | Int64
    names: tuple[str, ...]
    types: tuple[str, ...]
    units: tuple[str, ...] | None = None
    blocks: list[list[int]] | None = None
    block_names: tuple[str, ...] | None = None
    own: tuple[Own, ...] | None = None
    groups: Int64 | None = None
    split: Str | None = None
    place: str = "the arrays"

    @classmethod
    def of(cls, latents: ArrayLike, factors: ArrayLike, place: str = "the arrays", **more: ArrayLike) -> CodeTable:
        """Check arrays and make a table of them; more: the optional arrays that this module names.

        Raises TrainingError, which names the array and the row.
        """
        arrays = {name: np.asarray(value) for name, value in more.items()}
        for name in arrays:
            if name not in OPTIONAL:
                raise TrainingError(
                    f"expected the arrays latents, factors, and any of {', '.join(OPTIONAL)} in {place}, found "
                    f"{_shown(name)}: rename it or leave it out."
                )
        codes, truth = _numbers("latents", latents, place), _numbers("factors", factors, place)
        codes = codes.astype(np.float64) if codes.dtype.kind != "f" else codes
        if len(codes) != len(truth):
            raise TrainingError(
                f"expected one row of latents and of factors per image in {place}, found {len(codes):,} and "
                f"{len(truth):,} rows: write both for the same images."
            )
        (rows, size), count = codes.shape, truth.shape[1]
        groups = [arrays[name] for name in GROUPS if name in arrays]
        names = _strings(arrays, "factor_names", count, place)
        names = names or tuple(f"factor {index}" for index in range(count))
        types = _types(arrays, truth, place)
        blocks, block_names = _blocks(arrays, size, place)
        return cls(
            codes,
            truth,
            names,
            types,
            _strings(arrays, "factor_units", count, place),
            blocks,
            block_names,
            _own(arrays, count, size, place) or _named_own(names, types, blocks, block_names),
            np.unique(_column("groups", groups[0], rows, place), return_inverse=True)[1] if groups else None,
            _text(_column("split", arrays["split"], rows, place)) if "split" in arrays else None,
            place,
        )


def read_code_table(path: str | Path) -> CodeTable:
    """Read a .npz file. Raises TrainingError in one sentence if it is damaged, pickled, or not such a file."""
    arrays = _read(Path(path))
    place = printable(str(path))
    found = [name for name in LATENTS if name in arrays]
    if len(found) != 1 or "factors" not in arrays:
        held = ", ".join(_shown(name) for name in arrays) or "none"
        raise TrainingError(
            f"expected the array factors and one of {', '.join(LATENTS)} in {place}, found {held}: rename the arrays."
        )
    latents, factors = arrays.pop(found[0]), arrays.pop("factors")
    more = {name: values for name, values in arrays.items() if name not in IGNORED}
    return CodeTable.of(latents, factors, place, **more)


def own_latents(text: str) -> tuple[int | tuple[int, ...], ...]:
    """Return the latent or latents of each factor that an option names: "0,1+2" -> (0, (1, 2)), "" -> ()."""
    words = [[part.strip() for part in word.split("+")] for word in text.split(",")] if text.strip() else []
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for word in words for part in word):
        raise TrainingError(
            f"expected numbers of latents such as 0,1,2 or 0,1+2, found {_shown(text)!r}: change --own."
        )
    return tuple(int(word[0]) if len(word) == 1 else tuple(map(int, word)) for word in words)


def _read(path: Path) -> dict[str, NDArray[Any]]:  # of several element types
    """Return the arrays of a .npz, without running code from it."""
    place = printable(str(path))
    try:
        with path.open("rb") as file:
            head = file.read(6)
    except OSError as error:
        raise TrainingError(f"expected a file of codes, found {place}: {error.strerror}; name a .npz file.") from None
    if head == b"\x93NUMPY":
        raise TrainingError(f"expected several arrays in {place}, found one: write them with numpy.savez.")
    if not zipfile.is_zipfile(path):
        raise TrainingError(
            f"expected a .npz file of numpy, found {place} of another kind or cut short: write it again."
        )
    arrays, name = {}, ""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            for name in found.files:
                if name not in IGNORED:
                    arrays[name] = found[name]
    except DAMAGED as error:
        if name and "allow_pickle" in str(error):
            raise TrainingError(
                f"expected arrays of numbers or strings in {place}, found the pickled array {_shown(name)}, which "
                "could run code: save it with another type."
            ) from None
        raise TrainingError(
            f"expected arrays that can be read in {place}, found damaged ones: write it again."
        ) from None
    return arrays


def _numbers(name: str, values: ArrayLike, place: str) -> Any:  # Floating or Int64
    """Check a table of finite numbers with at least one row and column (N, K) -> float32, float64 or int64."""
    table = np.asarray(values)
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "biuf":
        raise TrainingError(
            f"expected {name} as numbers with one row per image and one column each in {place}, found shape "
            f"{table.shape} of type {table.dtype}: reshape or convert them."
        )
    wrong = ~(np.abs(table.astype(np.float64)) <= LARGEST)
    if wrong.any():
        row, column = (int(index[0]) for index in np.nonzero(wrong))
        further = int(np.count_nonzero(wrong)) - 1
        others = f" and in {further:,} other place{'s' * (further > 1)}" if further else ""
        raise TrainingError(
            f"expected {name} that are finite and at most {LARGEST:g} in {place}, found {table[row, column]} in row "
            f"{row}, column {column}, counted from 0{others}: remove such rows."
        )
    return as_floats(table) if table.dtype.kind == "f" else table.astype(np.int64)


def _column(name: str, values: NDArray[Any], count: int, place: str) -> NDArray[Any]:
    """Check an array of one entry per row, latent or factor: (count,)."""
    if values.shape != (count,) or values.dtype.kind not in "biufUS":
        raise TrainingError(
            f"expected {count:,} numbers or strings as {name} in {place}, found shape {values.shape} of type "
            f"{values.dtype}: write one per entry."
        )
    return values


def _text(column: NDArray[Any]) -> Str:
    """Return entries as text. Bytes that are not UTF-8 become marks."""
    return np.char.decode(column, "utf-8", "replace") if column.dtype.kind == "S" else column.astype(np.str_)


def _strings(arrays: dict[str, NDArray[Any]], name: str, count: int, place: str) -> tuple[str, ...] | None:
    if name not in arrays:
        return None
    words = tuple(_shown(word) for word in _text(_column(name, arrays[name], count, place)))
    if name == "factor_names" and len(set(words)) < count:
        raise TrainingError(f"expected {name} that differ in {place}, found {', '.join(words)}: rename them.")
    return words


def _types(arrays: dict[str, NDArray[Any]], factors: Any, place: str) -> tuple[str, ...]:  # Floating or Int64
    """Return the type of each factor. Raises TrainingError if the values of a class are no whole numbers."""
    given = _strings(arrays, "factor_types", factors.shape[1], place)
    try:
        found = types_of(factors, types=given)
    except TrainingError as error:
        raise TrainingError(f"factor_types in {place}: {error}") from None
    for index, kind in enumerate(found):
        if kind == CLASS and (factors[:, index] != np.rint(factors[:, index])).any():
            raise TrainingError(
                f"expected whole numbers as classes in column {index} of factors in {place}, found others: number the "
                "classes, or name another type."
            )
    return found


def _blocks(
    arrays: dict[str, NDArray[Any]], latents: int, place: str
) -> tuple[list[list[int]] | None, tuple[str, ...] | None]:
    """Return the latents of each block, in the order of numbers, or of first latents where blocks have names."""
    if "blocks" not in arrays:
        return None, None
    column = _column("blocks", arrays["blocks"], latents, place)
    named = column.dtype.kind in "US"
    column = _text(column) if named else column
    known = list(dict.fromkeys(column.tolist())) if named else np.unique(column).tolist()
    blocks = checked_blocks([np.flatnonzero(column == each).tolist() for each in known], latents)
    return blocks, tuple(map(_shown, known)) if named else None


def _named_own(
    factors: tuple[str, ...], types: tuple[str, ...], blocks: list[list[int]] | None, names: tuple[str, ...] | None
) -> tuple[Own, ...] | None:
    """Return the latents of the block that has each factor's name, or None if a factor has no such block.

    A number has one latent, an angle two, a class one or more.
    """
    if blocks is None or names is None:
        return None
    held = dict(zip(names, blocks, strict=True))
    own = [held.get(factor, []) for factor in factors]
    wanted = [max(1, len(latents)) if kind == CLASS else 2 if kind == ANGLE else 1
              for kind, latents in zip(types, own, strict=True)]  # fmt: skip
    if [len(latents) for latents in own] != wanted:
        return None
    return tuple(latents[0] if len(latents) == 1 else tuple(latents) for latents in own)


def _own(arrays: dict[str, NDArray[Any]], factors: int, latents: int, place: str) -> tuple[int, ...] | None:
    if "own" not in arrays:
        return None
    found = _column("own", arrays["own"], factors, place)
    if found.dtype.kind not in "iu":
        raise TrainingError(
            f"expected the number of each factor's latent as own in {place}, found type {found.dtype}: use integers."
        )
    refuse_latents(found.tolist(), latents)
    return tuple(found.tolist())


def _shown(name: object) -> str:
    text = printable(str(name))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
