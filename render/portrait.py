"""A picture of one person, for `dcign face --out person.png`."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from data.part_file import write_whole
from facegen.model import MorphableModel
from facegen.person import Person
from render.configuration import RenderConfiguration, Splits
from render.studio import Studio

# Turned a little, lit from the side: flat frontal light hides a face's shape.
VIEWS = ((0.0, 0.0, -35.0), (-35.0, 5.0, -35.0), (70.0, 0.0, 35.0))


def save_portrait(path: Path, model: MorphableModel, person: Person, *, size: int) -> None:
    """Write one person from three sides, in colour, `size` pixels high.

    Raises DataError if the file cannot be written.
    """
    configuration = RenderConfiguration(Splits.in_paper_proportions(1), size=size, channels=3)
    # Without its coarser levels, the model is drawn at its finest whatever the size: one picture is worth it.
    with Studio(replace(model, levels=()), configuration) as studio:
        faces = studio.faces(person.shape[None], person.albedo[None], person.attributes[None])
        pictures = studio.shoot(faces, np.array(VIEWS, np.float32))
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(list(pictures.images), axis=1)).save(buffer, "PNG")
    write_whole(path, buffer.getvalue())
