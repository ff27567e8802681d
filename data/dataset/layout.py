"""What all shards of a split share, and the sentence about the shard that does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcign.data.damage import AGAIN, shown
from dcign.data.schema import TRUTH
from dcign.data.shard.reader import Shard
from dcign.errors import DataError

Layout = dict[str, Any]  # JSON: what is compared -> its value


def shard_layout(shard: Shard) -> Layout:
    """Return shape and dtype of each dataset, and the names and ranges of their columns."""
    header = shard.header
    columns = {path: f"{column.dtype} {column.shape}" for path, column in shard.columns().items()}
    truth = {path: columns.pop(path) for path in [*columns] if path.startswith(f"{TRUTH}/")}
    return columns | {
        "truth": truth,
        "factors": [factor.name for factor in header.factors],
        "classes": [factor.classes for factor in header.factors],
        "attributes": header.attributes,
        "ranges": header.ranges,
        "names of truth": header.truth_names,
    }


def unlike_shard(split: Sequence[tuple[Path, Layout]], others: Sequence[Layout]) -> DataError:
    """Return the error that names the shard of a split that is not as most of them, and says what differs.

    others: layouts of shards of other splits. If two layouts are equally frequent in the split, these decide.
    """
    layouts = [layout for _, layout in split]
    here = Counter(map(_key, layouts))
    everywhere = Counter(_key(layout | {"truth": None}) for layout in (*layouts, *others))
    usual = max(layouts, key=lambda layout: (here[_key(layout)], everywhere[_key(layout | {"truth": None})]))
    path, layout = next(pair for pair in split if _key(pair[1]) != _key(usual))
    what = next(what for what in {**usual, **layout} if _key(usual.get(what)) != _key(layout.get(what)))
    has, wanted = (shown(each.get(what, "none")) for each in (layout, usual))
    return DataError(f"{path} has {what} {has}; expected {wanted}, as in the other shards; {AGAIN}")


def _key(value: Any) -> str:  # JSON
    return json.dumps(value, sort_keys=True)
