"""Which columns of a source are factors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dcign.data.importing.choice import Choice, chosen_labels
from dcign.data.sources.picture_folder import PictureFolder
from tests.support.foreign_sets import drawn, write_csv, write_pictures


def test_a_column_whose_values_are_one_float32_is_no_factor(tmp_path: Path) -> None:
    names = [f"{row}.png" for row in range(4)]
    write_pictures(tmp_path, drawn(np.zeros((4, 1)), side=16), names)
    rows = [[name, row, 1_700_000_000 + row] for row, name in enumerate(names)]
    write_csv(tmp_path / "labels.csv", ["file_name", "x", "time"], rows)
    labels = chosen_labels(PictureFolder(tmp_path), Choice())
    assert [factor.name for factor in labels.factors] == ["x"]
    assert labels.left_out == ("time: the same in all images, as float32",)
