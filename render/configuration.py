"""What to render: one frozen value from the command line to every worker, and saved beside the result.

Degrees throughout. Default ranges are those of Kulkarni et al.'s evaluation sweeps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from data.manifest import configuration_sha256
from data.schema import FACTORS
from render.scene import DEFAULT_SCENE, RenderError, Scene

SIZES = (16, 1024)
HAIR = ("natural", "none")
SHARD_BATCHES = 50  # 22 MB of 150-pixel gray images: what an interrupted run loses at most, and two workers wait for
SWEEP_LEVELS = (60, 17, 81)  # azimuth, elevation, light azimuth: the authors' plots
FINEST = 13_000  # vertices
TEXTURED_ABOVE = 256  # pixels: in smaller pictures vertices are close enough to hold the colours
# Vertices by picture size: up to so many pixels, so many vertices. A coarser level draws 2 to 4 times faster; over the
# head it is 35 dB from the finest at 150 px with 5,000, 31 dB at 64 px with 2,500 (docs/log.md).
LEVELS_OF_DETAIL = ((96, 2_500), (256, 5_000))


@dataclass(frozen=True)
class Range:
    """Degrees from `low` to `high`, of which a factor is drawn uniformly."""

    low: float
    high: float


@dataclass(frozen=True)
class Splits:
    """Batches a split. sweep_levels: grid points of each factor, one batch a point."""

    train: int
    test: int
    iid: int
    sweep_levels: tuple[int, int, int] = SWEEP_LEVELS

    @classmethod
    def in_paper_proportions(cls, train: int) -> Splits:
        """12,000 : 1,400 as in the paper, and 500 i.i.d. batches; never too few to measure by."""
        return cls(train, test=4 * max(10, round(train * 350 / 12_000)), iid=max(100, round(train * 500 / 12_000)))

    def batches(self) -> dict[str, int]:
        """Number of batches of each split."""
        return {"train": self.train, "test": self.test, "iid": self.iid, "sweep": sum(self.sweep_levels)}


@dataclass(frozen=True)
class RenderConfiguration:
    """Everything that the data depend on, apart from the face model and the GL that draws it.

    size: pixels of a side; channels: 1 gray or 3 colour; keep_head_size: sample head size too (by default it is
    the mean's, because size mimics camera distance); hair: natural, or none, the paper's bare heads.

    Raises RenderError for what cannot be rendered.
    """

    splits: Splits
    size: int = 150
    channels: int = 1
    seed: int = 0
    azimuth: Range = Range(-86.0, 86.0)
    elevation: Range = Range(-23.0, 23.0)
    light_azimuth: Range = Range(-80.0, 80.0)
    keep_head_size: bool = False
    hair: str = "natural"
    scene: Scene = DEFAULT_SCENE

    def __post_init__(self) -> None:
        counts = self.splits
        if min(counts.train, counts.test, counts.iid, *counts.sweep_levels) < 1:
            raise RenderError(f"{counts.train} batches asked for; at least 1 is wanted: give --batches 1 or more.")
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise RenderError(f"size {self.size} is out of bounds; give --size from {SIZES[0]} to {SIZES[1]} pixels.")
        if self.channels not in (1, 3):
            raise RenderError(f"{self.channels} channels asked for; give --channels 1 (gray) or 3 (colour).")
        has_hair(self.hair)
        if not 0 <= self.seed < 2**63:
            raise RenderError(f"seed {self.seed} is out of bounds; give --seed from 0 to 2^63 - 1.")
        for name, bound in (("azimuth", 180.0), ("elevation", 90.0), ("light_azimuth", 180.0)):
            _check_range(name, getattr(self, name), bound)

    @property
    def ranges(self) -> dict[str, Range]:
        """The range of each factor, in the order of the shard's columns."""
        return {factor.name: getattr(self, factor.name) for factor in FACTORS}

    @property
    def level_of_detail(self) -> int:
        """Vertices to draw with at this picture size."""
        return next((vertices for pixels, vertices in LEVELS_OF_DETAIL if self.size <= pixels), FINEST)

    @property
    def textured(self) -> bool:
        """Whether faces are painted finer than their vertices, where the model can."""
        return self.size > TEXTURED_ABOVE

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, every default included."""
        return {**asdict(self), "level_of_detail": self.level_of_detail, "textured": self.textured}

    def sha256(self) -> str:
        """By this shards know their configuration."""
        return configuration_sha256(self.as_dict())

    @classmethod
    def from_dict(cls, about: dict[str, Any]) -> RenderConfiguration:
        """Back from `as_dict`.

        Raises RenderError if it is not one of ours.
        """
        try:
            known = {field.name: about[field.name] for field in fields(cls)}
            known["splits"] = Splits(**{**known["splits"], "sweep_levels": tuple(known["splits"]["sweep_levels"])})
            for name in (factor.name for factor in FACTORS):
                known[name] = Range(**known[name])
            known["scene"] = Scene.from_dict(known["scene"])
            return cls(**known)
        except (KeyError, TypeError) as error:
            raise RenderError(f"the render configuration cannot be understood ({error}): render it again.") from None


def has_hair(kind: str) -> bool:
    """Whether people wear hair. Raises RenderError for what is neither natural nor none."""
    if kind not in HAIR:
        raise RenderError(f"hair {kind!r} asked for; give --hair {' or '.join(HAIR)}.")
    return kind == "natural"


def _check_range(name: str, given: Range, bound: float) -> None:
    option = "--" + name.replace("_", "-")
    if not -bound <= given.low < given.high <= bound:
        raise RenderError(
            f"{option} {given.low:g} {given.high:g} is out of bounds; "
            f"give LO < HI within -{bound:g} to {bound:g} degrees."
        )
