"""Read arrays from a pickle without running any code in it.

A pickle is a program that may call anything it names. Here every name that a published face model needs is replaced by
an inert class that only stores its state, and any other name is refused. Not even numpy's own unpickling runs: arrays
are assembled here, from exactly the bytes that the file has.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.errors import ModelError
from dcign.facegen.loaders.array_file import ADVICE
from dcign.facegen.loaders.damage import damaged, has_altered_line_ends

LARGEST = 2**31  # bytes of a file; published files have 53 MB
_NUMBER = re.compile(r"[fiub][1248]")
_INERT_PACKAGES = ("chumpy.", "scipy.sparse.")

# Any: the content of a pickle before it is checked.


def read_pickled_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the numeric arrays of a pickled dictionary, by key. Other values are left out.

    Raises ModelError if the pickle asks for a name that no face model needs, or holds no dictionary.
    """
    if path.stat().st_size > LARGEST:
        raise ModelError(f"expected at most {LARGEST:,} bytes in {path}, found {path.stat().st_size:,}: {ADVICE}")
    try:
        with path.open("rb") as stream:
            found = _Unpickler(stream, path).load()
    except ModelError as unknown_name:
        if has_altered_line_ends(path):  # which alters names, too
            raise damaged(path, unknown_name) from None
        raise
    if not isinstance(found, dict):
        raise ModelError(f"expected a pickled dictionary in {path}, found a {type(found).__name__}: {ADVICE}")
    arrays = {str(key): _array_of(value) for key, value in found.items()}
    return {key: array for key, array in arrays.items() if array is not None}


class _Inert:
    """Replace any object, and any function that makes one: store the state and do nothing else.

    A pickle cannot alter the class. Giving state to it calls `__setstate__` without an object, which fails. Functions
    in place of these classes would be unsafe: a pickle can set their attributes.
    """

    __slots__ = ("state",)
    state: dict[str, Any]

    def __new__(cls, *arguments: Any) -> Any:
        made = object.__new__(cls)
        made.state = {}
        return made

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {"state": state}


class _Array(_Inert):
    """Replace numpy's ndarray: its state is (version, shape, dtype, is Fortran, bytes)."""

    __slots__ = ()


class _Dtype(_Inert):
    """Replace numpy's dtype: made from ("f8", ...), its state begins with (version, byte order)."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: Any, *arguments: Any) -> Any:
        made = super().__new__(cls)
        made.code = str(code)
        return made


class _FromBuffer(_Inert):
    """Replace the function that makes an array from bytes, dtype, shape and order."""

    __slots__ = ()

    def __new__(cls, raw: Any, dtype: Any, shape: Any, order: Any) -> Any:
        made = _Array()
        made.state = {"state": (1, shape, dtype, order == "F", raw)}
        return made


class _Encode(_Inert):
    """Replace the function that encodes text as bytes: old protocols store bytes as text."""

    __slots__ = ()

    def __new__(cls, text: Any, encoding: Any = "latin1") -> Any:
        return str(text).encode("latin1")


_KNOWN: dict[tuple[str, str], type] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _FromBuffer for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Inert for core in ("core", "_core")},
    ("numpy", "ndarray"): _Inert,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Encode,
    **{(module, "_reconstructor"): _Inert for module in ("copy_reg", "copyreg")},
    **{(module, name): _Inert for module in ("__builtin__", "builtins") for name in ("object", "set", "frozenset")},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: Any, path: Path) -> None:
        super().__init__(stream, encoding="latin1")  # Python 2 wrote bytes as text
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """Return the inert class for a name.

        Raise ModelError for a name that no face model needs, UnpicklingError for what cannot be a name.
        """
        if f"{module}.".startswith(_INERT_PACKAGES):
            return _Inert
        try:
            return _KNOWN[module, name]
        except KeyError:
            if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
                raise pickle.UnpicklingError("a name of random bytes") from None
            raise ModelError(
                f"expected only arrays in {self._path}, found {module}.{name}, which no face model needs and was not "
                f"run: {ADVICE}"
            ) from None


def _array_of(value: Any) -> NDArray[Any] | None:
    """Return the numbers of an object that replaces a numpy array or one of chumpy's wrappers; else None."""
    if isinstance(value, _Array):
        return _assembled(value.state.get("state"))
    if not isinstance(value, _Inert):
        return None
    if "x" in value.state:  # chumpy.ch.Ch
        return _array_of(value.state["x"])
    if {"a", "idxs"} <= value.state.keys():  # chumpy.reordering.Select: some numbers of another array
        whole, chosen = _array_of(value.state["a"]), _array_of(value.state["idxs"])
        if whole is not None and chosen is not None:
            picked = whole.ravel()[chosen.ravel().astype(np.intp)]
            return picked.reshape(value.state.get("preferred_shape") or picked.shape)
    return None


def _assembled(state: Any) -> NDArray[Any] | None:
    """Return the array for (version, shape, dtype, is Fortran, bytes); None if it holds objects, not numbers."""
    shape, dtype, fortran, raw = state[-4:]
    code = getattr(dtype, "code", "")
    if not _NUMBER.fullmatch(code):
        return None
    order = dtype.state.get("state", (3, "<"))[1]
    kind = np.dtype(code).newbyteorder(">" if order == ">" else "<")
    content = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
    return np.frombuffer(content, kind).reshape(tuple(int(length) for length in shape), order="F" if fortran else "C")
