"""What a shard holds: names, types and provenance. docs/shard.md says the same in prose.

Conventions: factors are in the unit that the file names, degrees; images are (n, H, W, C) uint8, row 0 at
the top; B batches of n images, H rows, W columns, C channels, F factors, Ks shape and Ka albedo coefficients.

There are two versions of the format. Version 1 is what `dcign render` writes: batches of 20, and a fixed list of what
can vary. Version 2 is of any other data: batches of 2 to 20, and any factors, each of which can vary.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from dcign.arrays import Float32, Int64, UInt8

FORMAT = "dcign-shard"
RENDERED, IMPORTED = FORMAT_VERSIONS = (1, 2)
BATCH_SIZE = 20  # images that share everything but one factor; the paper's number
BATCH_SIZES = {RENDERED: range(BATCH_SIZE, BATCH_SIZE + 1), IMPORTED: range(2, BATCH_SIZE + 1)}
SPLITS = ("train", "test", "iid", "sweep", "mix")

# Paths of the datasets and groups in the file. A reader in another language needs only these.
IMAGES = "images"
FACTOR_VALUES = "factors"
VARYING = "varies"
BATCH_NUMBER = "batch"
IDENTITY_INDEX = "identity/index"
IDENTITY_SHAPE = "identity/shape"
IDENTITY_ALBEDO = "identity/albedo"
IDENTITY_ATTRIBUTES = "identity/attributes"
IDENTITY_OWN_SHAPE = "identity/own_shape"
COEFFICIENTS = (  # absent without a morphable model; own_shape only where batches vary traits of people
    IDENTITY_SHAPE,
    IDENTITY_ALBEDO,
    IDENTITY_ATTRIBUTES,
    IDENTITY_OWN_SHAPE,
)
IDENTITY_SOURCE = "identity/source"  # in mix only
VARIES_WITH = "varies_with"  # attribute of coefficients: which traits move each column, separated by commas
NUISANCE = "nuisance"
TRUTH = "truth"
MASK, PARTS, LANDMARKS = "mask", "parts", "landmarks"
# The truth layers that can be rendered, in this order; see docs/shard.md. All but landmarks have a value per pixel.
TRUTH_LAYERS = (MASK, "depth", "normals", "albedo", PARTS, "visibility", "specular", LANDMARKS)
LANDMARK_COLUMNS = ("x", "y", "depth", "visible")
# A coefficient beyond this is damaged. The largest of 40,000 people was 5.3. numpy's normal numbers end at 13.7; the
# correlations of a sex spread them by at most 1.09, and sex and age add at most 2.7 at 4 standard deviations and 80.
LARGEST_COEFFICIENT = 20.0  # standard deviations
# The columns of identity/attributes of the procedural model: the lowest and the highest value that a person can have.
ATTRIBUTE_LIMITS = {
    "sex": (-8.0, 8.0),  # standard deviations
    "age": (18.0, 80.0),  # years
    "hair_cut": (0.0, 10.0),  # index
    "hair_length": (-2.0, 2.0),  # standard deviations
    "hair_volume": (-2.0, 2.0),
}
WHOLE_ATTRIBUTES = ("hair_cut",)
BACKGROUND = "background"  # part 0
# Weights of linear R, G, B in a gray image (Kulkarni et al. 2015); light adds up in linear colour.
GRAY_WEIGHTS = (0.21, 0.72, 0.07)


@dataclass(frozen=True)
class Factor:
    """One column of `factors`.

    mirror_sign: -1 if a left-right flip of the image negates it, else +1; of_identity: whether it is a property of the
    person, so that batches of other people vary it, too; circular: whether its range is the full turn, so that a value
    and the same value + 360 are equal; classes: the names of the classes of a categorical factor, whose column in
    `factors` is the index of the class.
    """

    name: str
    units: str
    mirror_sign: int
    of_identity: bool = False
    circular: bool = False
    classes: tuple[str, ...] = ()

    @property
    def plural(self) -> str:
        """The plural of the unit."""
        return "" if self.units in ("", "ratio") else f"{self.units}s"


FACTOR_FLAGS = ("of_identity", "circular")  # uint8 attributes of `factors`, absent where no factor has the flag
CLASSES = "classes"  # attribute of `factors`: JSON text, factor -> names of its classes; absent where none has any
FACTORS = (
    Factor("azimuth", "degree", -1),
    Factor("elevation", "degree", +1),
    Factor("light_azimuth", "degree", -1),
)
# What a data set may sample besides these, as nuisances or as further factors, in this order.
MORE_FACTORS = (
    Factor("light_elevation", "degree", +1),
    Factor("distance", "millimetre", +1),
    Factor("field_of_view", "degree", +1),
    Factor("light_to_ambient", "ratio", +1),
    Factor("age", "year", +1, of_identity=True),
    Factor("sex", "standard deviation", +1, of_identity=True),
)
PERSON_PARTS = ("shape", "skin", "hair")  # what a batch may vary of a person that is no single number
FULL_TURN = 360.0  # degrees
IDENTITY, ALL = "identity", "all"
# What can vary in version 1.
VARIES = {name: code for code, name in enumerate([factor.name for factor in FACTORS] + [IDENTITY, ALL])}
ALWAYS_VARIES = tuple(VARIES)  # in the enum of every shard: codes 0 to 4
_BEFORE_PARTS = 6  # factors whose codes come before those of the parts; those that are appended come after them
_CODED = [factor.name for factor in MORE_FACTORS]
_CODED[_BEFORE_PARTS:_BEFORE_PARTS] = PERSON_PARTS
VARIES |= {name: len(VARIES) + place for place, name in enumerate(_CODED)}


def varies_codes(factors: Iterable[str], parts: Iterable[str] = (), version: int = RENDERED) -> dict[str, int]:
    """Return the enum of a shard with factors of these names and parts that vary alone: what varies -> code."""
    if version == IMPORTED:
        return {name: code for code, name in enumerate((*factors, IDENTITY, ALL))}
    names = {*ALWAYS_VARIES, *factors, *parts}
    return {name: code for name, code in VARIES.items() if name in names}


def traits(factors: Iterable[Factor], parts: Iterable[str]) -> tuple[str, ...]:
    """Return what batches vary of people alone, in the order of the columns of `identity/source`."""
    return (*(factor.name for factor in factors if factor.of_identity), *parts)


def with_circles(factors: Iterable[Factor], ranges: Mapping[str, tuple[float, float]]) -> tuple[Factor, ...]:
    """Return the factors, circular where a range in degrees spans the full turn; ranges: name -> (lowest, highest)."""

    def spans(factor: Factor) -> bool:
        low, high = ranges.get(factor.name, (0.0, 0.0))
        return factor.units == "degree" and high - low >= FULL_TURN

    return tuple(replace(factor, circular=factor.circular or spans(factor)) for factor in factors)


@dataclass(frozen=True, eq=False)
class Batch:
    """n images and their labels, in version 1 twenty; `varies` names what differs between the images.

    number: k within its split; images (n, H, W, C); factors (n, F); identity_index (n,), which person;
    identity_shape (20, Ks) and identity_albedo (20, Ka), N(0, 1), or None where there is no morphable model;
    identity_attributes (20, A), what the header names (sex, age, hair ...), or None where nothing is known;
    identity_own_shape (20, Ks), before sex and age moved the shape, or None where no trait of people varies alone;
    identity_source (20, T), in mix, the image of the batch that shows whom each trait of an image is of;
    nuisance: name -> (n,); truth: name -> (n, H, W) or (n, H, W, 3), e.g. "mask", the head's coverage 0..255, but
    landmarks (n, L, 4).
    """

    number: int
    varies: str
    images: UInt8
    factors: Float32
    identity_index: Int64
    identity_shape: Float32 | None
    identity_albedo: Float32 | None
    nuisance: dict[str, Float32]
    truth: dict[str, NDArray[Any]]  # any real dtype: coverage, depth, part labels
    identity_attributes: Float32 | None = None
    identity_own_shape: Float32 | None = None
    identity_source: UInt8 | None = None


@dataclass(frozen=True)
class ShardHeader:
    """A shard's provenance; with model.npz it is enough to render the shard again. Everything is JSON-able.

    configuration: the whole render configuration; ranges: factor or nuisance -> (lowest, highest) configured;
    renderer: GL vendor, renderer and version; attributes: names of the columns of identity/attributes;
    parts: those of PERSON_PARTS that batches of the data set vary alone; varies_with: path of coefficients -> for each
    column the traits that move it, separated by commas;
    truth_names: "parts" -> name of each number, "landmarks" -> name of each of the L, if the shard has them;
    version: of the format.
    """

    split: str
    seed: int
    configuration: dict[str, Any]  # JSON
    configuration_sha256: str
    model_sha256: str
    renderer: dict[str, Any]  # JSON
    ranges: dict[str, tuple[float, float]]
    camera: dict[str, Any]  # JSON
    factors: tuple[Factor, ...] = FACTORS
    attributes: tuple[str, ...] = ()
    truth_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    varies_with: dict[str, tuple[str, ...]] = field(default_factory=dict)
    version: int = RENDERED

    @property
    def codes(self) -> dict[str, int]:
        """The enum of `varies`: what varies -> code."""
        return varies_codes((factor.name for factor in self.factors), self.parts, self.version)

    @property
    def traits(self) -> tuple[str, ...]:
        """What batches vary of people alone: factors that are properties of the person, then parts."""
        return traits(self.factors, self.parts)


def configuration_sha256(configuration: Mapping[str, Any]) -> str:
    """Return the hash that identifies a configuration: SHA-256 of its canonical JSON."""
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
