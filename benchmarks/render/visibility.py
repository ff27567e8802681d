"""The truth layer `visibility` against rays through every triangle.

    python -m benchmarks.render.visibility [--size 256] [--faces 40] [--objects FOLDER] [--pixels 500]

Random people, poses and lights; of each picture, `--pixels` random pixels that face the light. A pixel agrees if its
visibility is above one half exactly where a ray from its centre reaches the light. A picture counts as much as it has
pixels that face the light. --objects adds up to as many meshes from a folder. The exit code is 1 if fewer than 98.5 %
of the pixels of faces, or of objects, agree.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.render.rays import reached, unprojected
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.population import sample_person, stacked
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import AtlasRenderer, Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import DEFAULT_SCENE, HeadFrame, Scene
from dcign.render.draw.views import Labels, make_views
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.batch_renderer import batch_mesh, head_frame

BATCH = 20
LEAST = 0.985


@dataclass(frozen=True, eq=False)
class Shown:
    """Up to 20 faces or objects, and what drawing them needs."""

    faces: Faces
    mesh: Mesh
    head: HeadFrame
    scene: Scene
    labels: Labels


def people(model: MorphableModel, size: int, count: int, rng: np.random.Generator) -> Shown:
    """Return random people at the level of detail of this picture size, at random poses in random light."""
    level = model.at_level(RenderConfiguration(Splits.in_paper_proportions(4), size=size).level_of_detail)
    shape, albedo, attributes = stacked([sample_person(model, rng) for _ in range(count)])
    positions = level.shapes(shape, attributes)
    normals = VertexNormals(level.triangles, level.vertices)(positions)
    faces = Faces(positions, normals, srgb_to_linear(level.albedos(albedo, attributes)))
    return Shown(faces, batch_mesh(level), head_frame(model), DEFAULT_SCENE, random_labels(count, rng))


def random_labels(count: int, rng: np.random.Generator) -> Labels:
    """Return poses and lights from the default ranges, degrees."""
    reach = {"azimuth": 86.0, "elevation": 23.0, "light_azimuth": 80.0}
    return {name: rng.uniform(-most, most, count) for name, most in reach.items()}


def agreements(shown: Shown, size: int, pixels: int, rng: np.random.Generator) -> Iterator[tuple[float, int]]:
    """Yield for each picture the share of `pixels` random pixels facing the light that agree, and the number of all."""
    with AtlasRenderer(size=size, channels=1, mesh=shown.mesh, head=shown.head, scene=shown.scene,
                       truth=("depth", "normals", "visibility")) as renderer:  # fmt: skip
        truth = renderer.draw(shown.faces, shown.labels).truth
    views = make_views(shown.labels, shown.head, shown.scene)
    for number, (view, light) in enumerate(zip(views.views.astype(float), views.lights.astype(float), strict=True)):
        depth = truth["depth"][number]
        facing = np.argwhere((depth > 0) & (truth["normals"][number].astype(float) @ light > 0))
        chosen = facing[rng.permutation(len(facing))[:pixels]].astype(np.int32)
        at = tuple(chosen.T)
        camera = shown.faces.positions[number] @ view[:3, :3].T + view[:3, 3]
        own = shown.faces.triangles
        triangles = shown.mesh.triangles if own is None else own[number]
        seen = unprojected(depth[at].astype(float), chosen, size, shown.scene.camera.field_of_view_degrees)
        free = reached(seen, camera, triangles, light)
        yield float((free == (truth["visibility"][number][at] > 127)).mean()), len(facing)


def objects(folder: Path, size: int, count: int, rng: np.random.Generator) -> Iterator[Shown]:
    """Yield the objects of a folder of meshes in batches, at random poses in random light."""
    from dcign.facegen.objects.folder import mesh_folder, pack
    from dcign.render.plan.objects import FRAME, object_faces, object_mesh, object_scene, triangles_for

    collection = pack(mesh_folder(folder, fewest=1), triangles_for(size), lambda *_: None)
    mesh, chosen = object_mesh(collection), rng.permutation(len(collection.solids))[:count]
    for first in range(0, len(chosen), BATCH):
        some = chosen[first : first + BATCH]
        faces, labels = object_faces(collection, some.tolist(), mesh), random_labels(len(some), rng)
        yield Shown(faces, mesh, FRAME, object_scene(), labels)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.render.visibility",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--faces", type=int, default=40, help="number of people, and at most of objects")
    parser.add_argument("--objects", type=Path, help="a folder of meshes")
    parser.add_argument("--pixels", type=int, default=500, help="of each picture")
    given = parser.parse_args()
    from dcign.facegen.build import procedural_model

    rng, model = np.random.default_rng(0), procedural_model()
    counts = [min(BATCH, given.faces - first) for first in range(0, given.faces, BATCH)]
    batches = {"faces": [people(model, given.size, count, rng) for count in counts]}
    if given.objects is not None:
        batches["objects"] = list(objects(given.objects, given.size, given.faces, rng))
    means = {}
    for name, several in batches.items():
        found = [pair for shown in several for pair in agreements(shown, given.size, given.pixels, rng)]
        shares, weights = np.array(found).T
        means[name] = np.average(shares, weights=weights)
        print(f"{len(shares)} {name}, {given.size} px: {means[name]:.2%} agree, the worst picture {shares.min():.2%}")
    if min(means.values()) < LEAST:
        sys.exit(f"expected at least {LEAST:.1%} of the pixels to agree, found {min(means.values()):.2%}.")


if __name__ == "__main__":
    main()
