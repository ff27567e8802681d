"""Pictures in labelled rows, before anybody decides whether they become a PNG or a page."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Pictures = NDArray[Any]  # (N, S, S, C): uint8 as rendered, or floats 0..1 as decoded


@dataclass(frozen=True, eq=False)
class Row:
    """A row of pictures, in blocks side by side; a block of None leaves the place of one picture empty."""

    label: str
    blocks: tuple[Pictures | None, ...]
    note: str = ""  # small, below the label
    captions: tuple[str, ...] = ()  # one below each picture
    pale: bool = False  # what is there to compare with

    @property
    def columns(self) -> int:
        """Number of pictures, empty places included."""
        return sum(1 if block is None else len(block) for block in self.blocks)


@dataclass(frozen=True, eq=False)
class Group:
    """Rows that belong together."""

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True, eq=False)
class Board:
    """Groups of rows under a title; the lead, a large picture beside them all, has a caption of its own."""

    title: str
    groups: tuple[Group, ...]
    lead: Pictures | None = None  # (1, S, S, C)
    lead_caption: str = ""
