"""Area and mean colour of other people's mesh files, as we read them and as assimp does.

    pip install assimp-py
    python -m benchmarks.meshes FOLDER [--count 100] [--seed 0] [--json]

Takes a random sample of the mesh files in a folder, at any depth. A file agrees if the areas differ by less than .1 %
and the mean colours, weighted by area, by less than 6 of 255. Assimp reads in a process of its own, because some files
crash it; it reads no colours of OFF and STL. Files that we refuse are listed with the reason,
and so are those that take more than a minute.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below
from dcign.arrays import Float64
from dcign.errors import ModelError
from dcign.facegen.colour import linear_to_srgb
from dcign.facegen.objects.formats.pictures import find_file
from dcign.facegen.objects.reading import READERS, read_mesh, soup_of
from dcign.printable import printable

AREA, COLOUR = 1e-3, 6.0  # largest differences of files that agree
LINEAR = (".glb", ".gltf")
COLOURLESS = (".off", ".stl")  # formats of which assimp gives no colours
SECONDS = 60.0  # for which assimp may read a file, and of CPU time for which we may
MOST_TRIANGLES = 200_000  # into which we subdivide what has a texture
BASE_COLOUR, DIFFUSE = 12, 1  # assimp's kinds of textures
PLACES = 48  # in each triangle where we look up a texture for assimp


@one_sentence()
def main() -> None:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.meshes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="mesh files, at any depth")
    parser.add_argument("--count", type=int, default=100, help="files of the sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per file")
    parser.add_argument("--assimp", action="store_true", help=argparse.SUPPRESS)  # the process that assimp runs in
    given = parser.parse_args()
    refuse_below(1, count=given.count)
    if given.assimp:
        print(json.dumps(_by_assimp(given.folder)))
        return
    files = sorted(each for each in given.folder.rglob("*") if each.is_file() and each.suffix.lower() in READERS)
    if not files:
        raise BenchmarkError(f"expected mesh files, found none in {given.folder}: choose another folder.")
    sample = sorted(random.Random(given.seed).sample(files, min(given.count, len(files))))
    rows = []
    for number, file in enumerate(sample, 1):
        name = printable(file.relative_to(given.folder).as_posix())
        rows.append(compare(file) | {"file": name})
        print(f"{number} of {len(sample)}: {name}: {rows[-1]['verdict']}", file=sys.stderr, flush=True)
    print(json.dumps(rows, indent=1) if given.json else _table(rows))


def compare(file: Path) -> dict[str, Any]:
    """Return what we and assimp find in a file, and the verdict."""
    try:
        with _at_most(SECONDS):
            ours = _by_us(file)
    except _TooSlow:
        return {"verdict": "too slow", "reason": f"it is not read after {SECONDS:g} s of CPU time"}
    except ModelError as error:
        return {"verdict": "refused", "reason": str(error)}
    command = [sys.executable, "-m", "benchmarks.meshes", "--assimp", str(file)]
    try:
        run = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
        theirs = json.loads(run.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return {"verdict": "assimp fails", "ours": ours}
    found = {"ours": ours, "assimp": theirs}
    if abs(ours["area"] - theirs["area"]) > AREA * max(ours["area"], theirs["area"]):
        return {"verdict": "other area"} | found
    if theirs["colour"] is None or file.suffix.lower() in COLOURLESS:
        return {"verdict": "agrees", "colour": "not compared"} | found
    apart = np.abs(np.array(ours["colour"]) - theirs["colour"]).max()
    return {"verdict": "agrees" if apart <= COLOUR else "other colour"} | found


class _TooSlow(Exception):
    """Reading takes too long; not a TimeoutError, which readers would take for one of the file's."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise _TooSlow in what takes more CPU time."""

    def stop(number: int, frame: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _by_us(file: Path) -> dict[str, Any]:
    content = read_mesh(file)
    soup = soup_of(content, MOST_TRIANGLES)
    areas = _areas(soup.points[soup.triangles])
    colour = np.average(soup.colours.mean(axis=1), axis=0, weights=areas) if areas.sum() > 0 else np.zeros(3)
    return {"area": float(areas.sum()), "colour": colour.round(1).tolist(), "missing": list(content.missing)}


def _by_assimp(file: Path) -> dict[str, Any]:
    import assimp_py

    scene = assimp_py.import_file(str(file), assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices)
    area, colour, known = 0.0, np.zeros(3), True
    for mesh in scene.meshes:
        triangles = np.asarray(mesh.indices).reshape(-1, 3)
        areas = _areas(np.asarray(mesh.vertices, np.float64).reshape(-1, 3)[triangles])
        found = _assimp_colours(mesh, scene.materials[mesh.material_index], triangles, file)
        known &= found is not None
        colour += 0 if found is None else (found * areas[:, None]).sum(axis=0)
        area += float(areas.sum())
    return {"area": area, "colour": (colour / max(area, 1e-300)).round(1).tolist() if known else None}


def _assimp_colours(mesh: Any, material: dict[str, Any], triangles: Any, file: Path) -> Float64 | None:
    """Return the colour of each triangle (T, 3), 0..255, or None if assimp gives none."""
    from PIL import Image

    named = material["TEXTURES"].get(BASE_COLOUR) or material["TEXTURES"].get(DIFFUSE)
    light = np.ones((len(triangles), 3))
    if mesh.colors:
        light = np.asarray(mesh.colors[0]).reshape(-1, 4)[triangles, :3].mean(axis=1)
    if named:
        path = find_file(named[0], file.parent)
        if path is None or not mesh.texcoords:
            return None
        image = np.asarray(Image.open(path).convert("RGB"))
        corners = np.asarray(mesh.texcoords[0]).reshape(-1, mesh.num_uv_components[0])[triangles, :2]
        inside = np.random.default_rng(0).dirichlet((1, 1, 1), PLACES)
        uv = np.mod(np.einsum("sc,tcx->stx", inside, corners), 1)
        columns, rows = ((uv * (1, -1) + (0, 1)) * image.shape[1::-1]).astype(int).transpose(2, 0, 1)
        return np.asarray(image[rows.clip(0, len(image) - 1), columns.clip(0, image.shape[1] - 1)].mean(axis=0))
    if "COLOR_DIFFUSE" not in material or (_default(material) and not mesh.colors):
        return None
    if mesh.colors and file.suffix.lower() not in LINEAR:
        return 255 * light
    light = light * np.array(material["COLOR_DIFFUSE"][:3])
    return 255 * (linear_to_srgb(light) if file.suffix.lower() in LINEAR else light)


def _default(material: dict[str, Any]) -> bool:
    """Return whether a material is the one that assimp gives to what has none."""
    return material.get("NAME", "") in ("", "Default", "DefaultMaterial")


def _areas(corners: Float64) -> Float64:
    """Return the areas (T,) of triangles (T, 3, 3)."""
    return np.asarray(
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    )


def _table(rows: list[dict[str, Any]]) -> str:
    """Return the counts of each verdict, and a line for each file that does not agree."""
    verdicts = [row["verdict"] for row in rows]
    counts = ", ".join(f"{verdicts.count(each)} {each}" for each in sorted(set(verdicts)))
    others = [
        f"{row['file']}: {row['verdict']} {row.get('reason') or row['ours']} {row.get('assimp', '')}".rstrip()
        for row in rows
        if row["verdict"] != "agrees"
    ]
    return "\n".join([f"{len(rows)} files: {counts}", *others])


if __name__ == "__main__":
    main()
