"""Whether a network can be trained on a data set: what `dcign train` would refuse, from the summary of `dcign inspect`.

This imports no torch, so that `dcign inspect` starts fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dcign.data.schema import ALL, IDENTITY, IMPORTED, PERSON_PARTS, VARIES
from dcign.run.sizes import LARGEST, SMALLEST

Json = dict[str, Any]
NEEDED = ("train", "test", "iid", "sweep")  # splits, in version 1
HELD_OUT = ("test", "iid")  # one of which version 2 needs
ONE_THING_VARIES = (
    "expected training batches in which one thing varies, found only batches in which everything varies: train the "
    "recipe vae or beta-vae, which need no others."
)


def training_obstacles(summary: Json) -> list[str]:
    """Return one sentence about each thing for which `dcign train` would refuse a data set.

    summary: of a whole folder, by `dcign.data.dataset.summary.summarise`.
    """
    if summary["format_version"] == IMPORTED:
        return [*_image_obstacles(summary["image"]), *_imported_obstacles(summary)]
    missing = [split for split in NEEDED if not summary["splits"].get(split, {}).get("batches")]
    found = [
        f"expected the splits {', '.join(NEEDED)}, as training and evaluation read them all, found no batch of "
        f"{', '.join(missing)}: write {'this one' if len(missing) == 1 else 'these'}, too."
    ] if missing else []  # fmt: skip
    return [*found, *_image_obstacles(summary["image"]), *_kind_obstacles(summary)]


def _image_obstacles(image: Json) -> Iterator[str]:
    if not image:
        return
    width, height = image["width"], image["height"]
    if width != height:
        yield f"expected square images, found {width} x {height} px: cut or scale them."
    elif not SMALLEST <= width <= LARGEST:
        yield f"expected images of {SMALLEST} to {LARGEST} px, found {width} px: scale them."


def _imported_obstacles(summary: Json) -> Iterator[str]:
    """Yield what is missing in a data set of version 2, whose own factors are what can vary."""
    batches = {split: held.get("batches_of_kind", {}) for split, held in summary["splits"].items()}
    if not batches.get("train"):
        yield "expected a split train, found none: write one."
    elif not batches["train"].keys() - {ALL}:
        yield ONE_THING_VARIES
    if not any(batches.get(split) for split in HELD_OUT):
        yield f"expected a split {' or '.join(HELD_OUT)}, on which a network is evaluated, found none: write one."


def _kind_obstacles(summary: Json) -> Iterator[str]:
    """Yield what is missing among the kinds of training batches. Batches in which everything varies are never drawn."""
    kinds = [*summary["factors"], *summary.get("parts", ()), IDENTITY]
    counts = summary["splits"].get("train", {}).get("batches_of_kind", {})
    if not counts:
        return
    strange = [kind for kind in kinds if kind not in VARIES]
    if strange:
        names = [name for name in VARIES if name not in (IDENTITY, ALL, *PERSON_PARTS)]
        yield (
            f"expected factors that can vary, {', '.join(names)}, "
            f"found {', '.join(strange)}: use these names, or leave {strange[0]} out of the factors."
        )
    absent = [kind for kind in kinds if not counts.get(kind) and kind not in strange]
    or_none = f", or give {'it' if len(absent) == 1 else 'them'} the share 0 with --ratio"
    if len(absent) == len(kinds):
        or_none = ""
    if absent:
        yield (
            f"expected batches of train in which one thing varies, for {', '.join(kinds)}, found none for "
            f"{', '.join(absent)}: write some{or_none}."
        )
