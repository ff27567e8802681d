"""What to render: one frozen dataclass, from the command line to every worker, saved beside the result.

Angles are degrees. Default ranges are those of the evaluation sweeps of Kulkarni et al. 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from dcign.data.damage import shown
from dcign.data.schema import FACTORS, MORE_FACTORS, PERSON_PARTS, Factor, configuration_sha256, traits, with_circles
from dcign.errors import RenderError
from dcign.facegen.model.traits import TRAITS
from dcign.render.draw.light_pass import VISIBILITY, light_texels
from dcign.render.draw.scene import DEFAULT_SCENE, Scene, without_unset
from dcign.render.draw.truth_pass import checked_truth, parse_truth
from dcign.render.plan.backdrops import Backdrops, Background, parse_background
from dcign.render.plan.choice import HAIR, Choice, check_crowd_options, chosen_part, parse_hair
from dcign.render.plan.correlation import Correlation, check_correlations, parse_correlations
from dcign.render.plan.objects import check_object_options, object_scene
from dcign.render.plan.ranges import BOUNDS, FURTHER, Pair, Range, check_range, further_fields

SIZES = (16, 1024)
# Batches per shard: 22 MB of gray images at 150 px. An interrupted run loses at most one shard per worker.
SHARD_BATCHES = 50
SWEEP_LEVELS = (60, 17, 81)  # azimuth, elevation, light azimuth: the authors' plots
SWEEP_LEVELS_OF_MORE = 21  # of any further factor
FINEST = 13_000  # vertices
TEXTURED_ABOVE = 256  # pixels: in smaller pictures the vertices are dense enough to hold the colours
# (picture size up to, vertices): the level of detail with the nearest number of vertices is drawn. This is twice as
# fast and not visible: 43 dB from the finest level, 40 over the head, at 64 and at 150 px (docs/log.md).
LEVELS_OF_DETAIL = ((96, 2_500), (256, 5_000))
_DERIVED = {"level_of_detail", "textured", "visibility_texels"}  # in the JSON only: they follow from size and truth


class ConfigurationError(RenderError):
    """A stored render configuration cannot be read."""


@dataclass(frozen=True)
class Splits:
    """Batches per split.

    sweep_levels: grid points of each factor, one batch per point; mix: None where fewer than two traits of people vary.
    """

    train: int
    test: int
    iid: int
    sweep_levels: tuple[int, ...] = SWEEP_LEVELS
    mix: int | None = None

    @classmethod
    def in_paper_proportions(cls, train: int, further_factors: int = 0, parts: int = 0, traits: int = 0) -> Splits:
        """Return splits in the paper's proportions: for 12,000 training batches 1,400 test and 500 i.i.d. batches.

        Each further factor adds test batches and a sweep, each part of a person test batches. Small sets get at least
        10 test batches per kind and 100 i.i.d. batches. If two or more traits of people vary, there is a split mix; it
        has as many batches as a kind in test.
        """
        of_a_kind = max(10, round(train * 350 / 12_000))
        return cls(
            train,
            test=(4 + further_factors + parts) * of_a_kind,
            iid=max(100, round(train * 500 / 12_000)),
            sweep_levels=(*SWEEP_LEVELS, *(SWEEP_LEVELS_OF_MORE,) * further_factors),
            mix=of_a_kind if traits > 1 else None,
        )

    def batches(self) -> dict[str, int]:
        """Return the number of batches of each split."""
        counts = {"train": self.train, "test": self.test, "iid": self.iid, "sweep": sum(self.sweep_levels)}
        return counts if self.mix is None else counts | {"mix": self.mix}


@dataclass(frozen=True)
class RenderConfiguration:
    """Everything that the data depend on, besides the face model and the OpenGL renderer.

    size: pixels of a side; channels: 1 gray or 3 colour; keep_head_size: whether head size is sampled too (otherwise it
    is the mean's, because size mimics camera distance); hair: natural, or none, the paper's bare heads;
    light_elevation, distance, field_of_view, light_to_ambient: the sampled range, or None for the scene's value;
    age, sex: the range if they are factors, else None: then they are those of the population; vary: names of those six
    that are factors, then of the parts of people that batches vary alone; background: what is behind the heads, or None
    for black; truth: names of `dcign.data.schema.TRUTH_LAYERS` to write beside the images; people: whom it shows, or
    None for everybody; correlate: which factors are correlated.

    Raises RenderError if a value is out of bounds or contradicts another.
    """

    splits: Splits
    size: int = 150
    channels: int = 1
    seed: int = 0
    azimuth: Range = BOUNDS["azimuth"].usual
    elevation: Range = BOUNDS["elevation"].usual
    light_azimuth: Range = BOUNDS["light_azimuth"].usual
    keep_head_size: bool = False
    hair: str = "natural"
    scene: Scene = DEFAULT_SCENE
    light_elevation: Range | None = None
    distance: Range | None = None
    field_of_view: Range | None = None
    light_to_ambient: Range | None = None
    age: Range | None = None
    sex: Range | None = None
    vary: tuple[str, ...] = ()
    background: Background | None = None
    truth: tuple[str, ...] = ()
    people: Choice | None = None
    correlate: tuple[Correlation, ...] = ()

    def __post_init__(self) -> None:
        counts, (smallest, largest) = self.splits, SIZES
        has_hair(self.hair)
        object.__setattr__(self, "truth", checked_truth(self.truth))
        for factor in (*FACTORS, *MORE_FACTORS):
            given: Range | None = getattr(self, factor.name)
            if given is not None:
                check_range(factor, given)
        further = (*(factor.name for factor in self.factors[len(FACTORS) :]), *self.parts)
        unused = [each.name for each in MORE_FACTORS if each.of_identity and each.name not in self.vary
                  and getattr(self, each.name)]  # fmt: skip
        sweeps, factors = len(counts.sweep_levels), len(self.factors)
        for holds, sentence in (
            (min(*counts.batches().values(), *counts.sweep_levels) >= 1,
             f"expected at least 1 batch, found {counts.train}: give --batches 1 or more."),
            (smallest <= self.size <= largest,
             f"expected a size from {smallest} to {largest} pixels, found {self.size}: give another --size."),
            (self.channels in (1, 3),
             f"expected 1 channel (gray) or 3 (colour), found {self.channels}: give --channels 1 or 3."),
            (0 <= self.seed < 2**63, f"expected a seed from 0 to 2^63 - 1, found {self.seed}: give another --seed."),
            (self.vary == further, f"expected further factors that are sampled, once each, found {self.vary}."),
            (not unused, f"expected --vary {' and '.join(unused)} beside its range, found none: give it."),
            ((counts.mix is not None) == (len(self.traits) > 1),
             f"expected a split mix if two traits of people vary, found {counts.mix} batches for {len(self.traits)}."),
            ("hair" not in self.parts or has_hair(self.hair),
             "expected people with hair for --vary hair, found --hair none: leave one of them out."),
            (sweeps == factors, f"expected one sweep per factor, found {sweeps} for {factors}."),
        ):  # fmt: skip
            if not holds:
                raise RenderError(sentence)
        check_correlations(self.correlate, [factor.name for factor in self.factors if not factor.of_identity])

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The columns of the labels; batches vary these in turn, and identity."""
        more = (factor for factor in MORE_FACTORS if factor.name in self.vary and getattr(self, factor.name))
        return with_circles((*FACTORS, *more), {each.name: self._range(each) for each in (*FACTORS, *MORE_FACTORS)})

    def _range(self, factor: Factor) -> Pair:
        given: Range | None = getattr(self, factor.name)
        return (given.low, given.high) if given else (0.0, 0.0)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What training batches vary in turn: each factor, each part of a person that varies alone, and identity."""
        return (*(factor.name for factor in self.factors), *self.parts, "identity")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a person that batches vary alone."""
        return tuple(part for part in PERSON_PARTS if part in self.vary)

    @property
    def traits(self) -> tuple[str, ...]:
        """What batches vary of people alone: age and sex if they are factors, and parts."""
        return traits(self.factors, self.parts)

    @property
    def ranges(self) -> dict[str, Range]:
        """The range of each factor, in the order of the shard's columns."""
        return {factor.name: getattr(self, factor.name) for factor in self.factors}

    @property
    def nuisances(self) -> dict[str, Range]:
        """The ranges of everything else that is sampled once per batch; a background is sampled as an integer."""
        names = (factor.name for factor in MORE_FACTORS if not factor.of_identity and factor.name not in self.vary)
        found = {name: given for name in names if (given := getattr(self, name)) is not None}
        return found | (self.background.nuisances(self.channels) if self.background else {})

    @property
    def level_of_detail(self) -> int:
        """Number of vertices to draw with at this picture size."""
        return next((vertices for pixels, vertices in LEVELS_OF_DETAIL if self.size <= pixels), FINEST)

    @property
    def textured(self) -> bool:
        """Whether faces use textures, which are finer than their vertices, if the model has them."""
        return self.size > TEXTURED_ABOVE

    @classmethod
    def from_options(
        cls,
        *,
        batches: int,
        size: int = 150,
        channels: int = 1,
        seed: int = 0,
        vary: Sequence[str] = (),
        background: str = "black",
        keep_head_size: bool = False,
        hair: str = HAIR[0],
        shadows: bool = True,
        truth: str = "",
        model_path: Path | None = None,
        meshes: Path | None = None,
        up: str | None = None,
        age: Pair | None = None,
        sex: Pair | None = None,
        people: bool = False,
        correlate: Sequence[str] = (),
        **ranges: Pair | None,
    ) -> tuple[RenderConfiguration, Backdrops | None]:
        """Return what the options of `dcign render` ask for, and the pictures behind the heads, if there are any.

        Parameters
        ----------
        batches : training batches; the other splits follow from them
        vary : names of further factors, with "_" or "-"
        background : a colour, "random", or a folder of pictures
        truth : names of layers, separated by commas, or "all"
        hair : "natural", "none", or names of haircuts, separated by commas
        age, sex : lowest and highest of the people, years and standard deviations; of a factor, its range
        correlate : pairs of factors, for example "azimuth,light_azimuth=0.8"
        model_path, meshes, up, people : only checked: options for faces and options for objects exclude each other, and
            the people of a file are not chosen
        ranges : lowest and highest value of a factor by its name, e.g. azimuth=(-86, 86); equal values fix a further
            factor; None or absent means the default

        Raises
        ------
        RenderError or ModelError : if the options contradict each other, are out of bounds or unknown, or the folder of
            pictures is unusable
        """
        layers, scene = parse_truth(truth), replace(DEFAULT_SCENE, light=replace(DEFAULT_SCENE.light, shadows=shadows))
        if meshes is not None:
            scene = object_scene(scene)
            check_object_options(model=model_path is not None, hair=hair != HAIR[0], keep_head_size=keep_head_size,
                                 people=people, age=age is not None, sex=sex is not None, truth=layers,
                                 vary=vary)  # fmt: skip
        elif up is not None:
            raise RenderError(f"expected --meshes beside --up {up}, found none: give --meshes, or leave --up out.")
        if people:
            # of people whose traits vary, age and sex can be factors, and the head's size is part of the shape
            check_crowd_options(hair=hair != HAIR[0], keep_head_size=keep_head_size and not {*TRAITS} & {*vary},
                                age=age is not None and "age" not in vary,
                                sex=sex is not None and "sex" not in vary)  # fmt: skip
        kind, cuts = parse_hair(hair)
        of_people = {"age": age, "sex": sex}  # of a factor the range, else whom the data set shows
        pairs = {name: of_people.pop(name) if name in of_people and name in vary else ranges.pop(name, None)
                 for name in FURTHER}  # fmt: skip
        further = further_fields(scene, pairs, vary)
        given: dict[str, Any] = {name: Range(*pair) for name, pair in ranges.items() if pair is not None}
        configuration = cls(
            _splits(batches, further["vary"]),
            size=size,
            channels=channels,
            seed=seed,
            keep_head_size=keep_head_size,
            hair=kind,
            truth=layers,
            people=chosen_part(of_people.get("age"), of_people.get("sex"), cuts),
            correlate=parse_correlations(correlate),
            **given,
            **further,
        )
        behind, backdrops = parse_background(background, size)
        return replace(configuration, background=behind), backdrops

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-able values, defaults included, except fields that are None or (): see `scene.without_unset`."""
        about = asdict(self, dict_factory=without_unset)
        derived = {"level_of_detail": self.level_of_detail, "textured": self.textured}
        if VISIBILITY in self.truth:  # other configurations keep their hash
            derived["visibility_texels"] = light_texels(self.size)
        return {**about, **derived}

    def sha256(self) -> str:
        """Return the hash by which shards name their configuration."""
        return configuration_sha256(self.as_dict())

    @classmethod
    def from_dict(cls, about: dict[str, Any]) -> RenderConfiguration:
        """Return the configuration that `as_dict` wrote, also in earlier versions.

        Raises ConfigurationError if a field is missing, unknown, of another type, or out of bounds.
        """
        try:
            made = msgspec.convert(about, cls)
        except msgspec.ValidationError as error:
            raise _unreadable(str(error)) from None
        known = msgspec.to_builtins(made)
        missing = made.as_dict().keys() - about.keys() - _DERIVED
        unknown = _unknown_names({name: about[name] for name in known.keys() & about.keys()}, known)
        if missing or unknown:
            raise _unreadable(f"missing fields: {sorted(missing)}, unknown fields: {unknown}")
        return made


def _splits(batches: int, vary: Sequence[str]) -> Splits:
    """Return the splits of a data set that varies these further factors and parts."""
    parts = [name for name in vary if name in PERSON_PARTS]
    of_people = [each.name for each in MORE_FACTORS if each.of_identity and each.name in vary]
    more = len(vary) - len(parts)
    return Splits.in_paper_proportions(batches, more, len(parts), len(parts) + len(of_people))


def _unknown_names(found: Any, known: Any) -> list[str]:  # JSON
    """Return names at any depth of `found` that `known` lacks. msgspec refuses them in its own classes only."""
    if isinstance(found, dict):
        below = [name for key in found.keys() & known.keys() for name in _unknown_names(found[key], known[key])]
        return [*sorted(found.keys() - known.keys()), *below]
    if isinstance(found, list):
        return [name for pair in zip(found, known, strict=False) for name in _unknown_names(*pair)]
    return []


def _unreadable(what: str) -> ConfigurationError:
    return ConfigurationError(f"expected a render configuration, found {shown(what, 120)}: render the data set again.")


def has_hair(kind: str) -> bool:
    """Return whether people have hair. Raises RenderError if the kind is neither natural nor none."""
    if kind not in HAIR:
        raise RenderError(f"expected hair {' or '.join(HAIR)}, found {kind!r}: give --hair with one of them.")
    return kind == "natural"
