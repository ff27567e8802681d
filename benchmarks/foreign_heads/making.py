"""Write heads of other people's face models as meshes, one .glb file per person."""

from __future__ import annotations

from pathlib import Path

from benchmarks.foreign_heads.makehuman import makehuman_model
from dcign.facegen.files.mesh_file import export_face
from dcign.facegen.loaders.loading import load_model
from dcign.facegen.model.changes import Changes
from dcign.facegen.model.morphable import MorphableModel
from dcign.render.produce.person_file import drawn_people


def make_heads(out: Path, people: int, seed: int, ict: Path | None = None, makehuman: Path | None = None) -> list[Path]:
    """Write `people` random heads of ICT-FaceKit and of MakeHuman, as far as their folders are given; return the files.

    Raises BenchmarkError or ModelError if a folder does not hold its model.
    """
    models: dict[str, MorphableModel] = {}
    if ict is not None:
        models["ict"] = load_model(ict)
    if makehuman is not None:
        models["makehuman"] = makehuman_model(makehuman)
    written = []
    for name, model in models.items():
        for number, person in enumerate(drawn_people(model, seed, people, Changes()), start=seed):
            written.append(out / f"{name}-{number:03d}.glb")
            export_face(written[-1], model, person)
    return written
