"""The labels of one image outside HDF5: nested for JSON, or flat as a row of a table."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from dcign.data.export.split import SplitLayout
from dcign.data.schema import Batch

Json = dict[str, Any]


def image_labels(layout: SplitLayout, batch: Batch, image: int) -> Json:
    """Return all labels of one image of a batch as JSON; the numbers read back as the same float32."""
    attributes = () if batch.identity_attributes is None else batch.identity_attributes[image]
    sources = {} if batch.identity_source is None else {
        "sources": dict(zip(layout.sources, batch.identity_source[image].tolist(), strict=True))
    }  # fmt: skip
    return {
        "batch": batch.number,
        "image": image,
        "varies": batch.varies,
        "identity_index": int(batch.identity_index[image]),
        "factors": _named([factor.name for factor in layout.factors], batch.factors[image]),
        "attributes": _named(layout.attributes, attributes),
        "nuisances": {name: _number(batch.nuisance[name][image]) for name in layout.nuisances},
        **sources,
    }


def table_heading(layout: SplitLayout) -> list[str]:
    """Return the column names of `table_row`: factors end with their unit, the others begin with their kind."""
    return [
        *("batch", "image", "varies", "identity_index"),
        *(f"{factor.name}_{factor.units}" for factor in layout.factors),
        *(f"attribute_{name}" for name in layout.attributes),
        *(f"nuisance_{name}" for name in layout.nuisances),
        *(f"source_{name}" for name in layout.sources),
    ]


def table_row(labels: Json) -> list[Any]:  # text and numbers
    """Return the labels of `image_labels` as one row; a number that is not finite is left empty."""
    groups = ("factors", "attributes", "nuisances", "sources")
    plain = [value for name, value in labels.items() if name not in groups]
    return plain + [value for group in groups for value in labels.get(group, {}).values()]


def _named(names: Any, values: Any) -> Json:  # sequences of as many names as float32 numbers
    return {name: _number(value) for name, value in zip(names, values, strict=True)}


def _number(value: np.float32) -> float | None:
    """Return the shortest decimal number that is this float32; None (JSON's null) if it is not finite."""
    return float(str(value)) if isfinite(value) else None
