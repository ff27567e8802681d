"""Arrays out of a pickle without running any code in it.

A pickle is a program that may call whatever it names. Here every name that a published face model needs stands for
something inert that only remembers what it was given, and any other name is refused. Not even numpy's own
unpickling runs: arrays are put together here, from as many bytes as there are.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcign.errors import ModelError

LARGEST = 2**31  # bytes of a file; published ones have 53 MB
_NUMBER = re.compile(r"[fiub][1248]")
_INERT_PACKAGES = ("chumpy.", "scipy.sparse.")

# Any: what is in a pickle, until it has been looked at.


def read_pickled_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The numeric arrays of a pickled dictionary, by key; whatever else is in it is left out.

    Raises ModelError if the pickle asks for a name that is not on the list, or holds no dictionary.
    """
    if path.stat().st_size > LARGEST:
        raise ModelError(f"{path} has {path.stat().st_size:,} bytes; expected at most {LARGEST:,}: download it again.")
    with path.open("rb") as stream:
        found = _Unpickler(stream, path).load()
    if not isinstance(found, dict):
        raise ModelError(f"{path} is a pickle of no dictionary; expected a FLAME model: give the file as published.")
    arrays = {str(key): _array_of(value) for key, value in found.items()}
    return {key: array for key, array in arrays.items() if array is not None}


class _Inert:
    """Stands for any object: remembers its state and does nothing.

    A pickle cannot alter the class: giving state to it calls `__setstate__` without an object, which fails.
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
    """Stands for numpy's ndarray: its state is (version, shape, dtype, is Fortran, bytes)."""

    __slots__ = ()


class _Dtype(_Inert):
    """Stands for numpy's dtype: made of ("f8", ...), its state begins with (version, byte order)."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: Any, *arguments: Any) -> Any:
        made = super().__new__(cls)
        made.code = str(code)
        return made


class _Reconstruct(_Inert):
    """Stands for the function that makes an empty array to be filled."""

    __slots__ = ()

    def __new__(cls, *arguments: Any) -> Any:
        return _Array()


class _FromBuffer(_Inert):
    """Stands for the function that makes an array of bytes, dtype, shape and order."""

    __slots__ = ()

    def __new__(cls, raw: Any, dtype: Any, shape: Any, order: Any) -> Any:
        made = _Array()
        made.state = {"state": (1, shape, dtype, order == "F", raw)}
        return made


class _Encode(_Inert):
    """Stands for the function that writes bytes as text in old protocols."""

    __slots__ = ()

    def __new__(cls, text: Any, encoding: Any = "latin1") -> Any:
        return str(text).encode("latin1")


class _Reconstructor(_Inert):
    """Stands for the function that makes an instance of a class."""

    __slots__ = ()

    def __new__(cls, kind: Any, *arguments: Any) -> Any:
        return kind() if kind is _Inert else _Inert()


_KNOWN: dict[tuple[str, str], type] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _FromBuffer for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Inert for core in ("core", "_core")},
    ("numpy", "ndarray"): _Inert,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Encode,
    **{(module, "_reconstructor"): _Reconstructor for module in ("copy_reg", "copyreg")},
    **{(module, name): _Inert for module in ("__builtin__", "builtins") for name in ("object", "set", "frozenset")},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: Any, path: Path) -> None:
        super().__init__(stream, encoding="latin1")  # Python 2 wrote bytes as text
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name.

        Raises ModelError for a name that no face model needs.
        """
        if f"{module}.".startswith(_INERT_PACKAGES):
            return _Inert
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise ModelError(
                f"{self._path} asks for {module}.{name}, which no face model needs and was not run: give the file "
                "as its makers publish it, and distrust whoever gave you this one."
            ) from None


def _array_of(value: Any) -> NDArray[Any] | None:
    """The numbers that an object holds, if it is one of numpy's arrays or chumpy's wrappers of one."""
    if isinstance(value, _Array):
        return _assembled(value.state.get("state"))
    if not isinstance(value, _Inert):
        return None
    if "x" in value.state:  # chumpy.ch.Ch
        return _array_of(value.state["x"])
    if {"a", "idxs"} <= value.state.keys():  # chumpy.reordering.Select: some of another's numbers
        whole, chosen = _array_of(value.state["a"]), _array_of(value.state["idxs"])
        if whole is not None and chosen is not None:
            picked = whole.ravel()[chosen.ravel().astype(np.intp)]
            return picked.reshape(value.state.get("preferred_shape") or picked.shape)
    return None


def _assembled(state: Any) -> NDArray[Any] | None:
    """An array of (version, shape, dtype, is Fortran, bytes); None if it is of objects, not numbers."""
    shape, dtype, fortran, raw = state[-4:]
    code = getattr(dtype, "code", "")
    if not _NUMBER.fullmatch(code):
        return None
    order = dtype.state.get("state", (3, "<"))[1]
    kind = np.dtype(code).newbyteorder(">" if order == ">" else "<")
    content = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)
    return np.frombuffer(content, kind).reshape(tuple(int(length) for length in shape), order="F" if fortran else "C")
