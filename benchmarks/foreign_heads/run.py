"""How well a network reads heads that are not ours.

    python -m benchmarks.foreign_heads --make HEADS [--ict FaceXModel] [--makehuman makehuman/data] [--people 12]
    python -m benchmarks.foreign_heads RUN HEADS [--out FOLDER] [--framing .1] [--backgrounds 1] [--json]

HEADS is a folder of meshes of heads (GLB, OBJ, PLY, OFF or STL; +y up, facing +z), one file per head. --make writes
random people of ICT-FaceKit (MIT) and MakeHuman (CC0) there; docs/photographs.md says where to get both.

Stock pyrender draws the heads at known azimuth, elevation and light azimuth, framed at random within 10 %, in front of
random backgrounds. The pictures and labels.csv go to --out, and the network is measured on them as by `dcign evaluate
RUN --photos OUT --labels OUT/labels.csv`, which can be run on them again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError, one_sentence, refuse_below
from benchmarks.foreign_heads.pictures import FACTORS, Drawing
from dcign.trained.trained_run import TrainedRun

LIMITS = {"azimuth": 80.0, "elevation": 20.0, "light_azimuth": 80.0}  # degrees; smaller where the run's range is


@one_sentence()
def main() -> None:
    """Parse the options and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.foreign_heads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", nargs="?", help="a run's folder, or a network of the package: face, wild")
    parser.add_argument("heads", nargs="?", type=Path, help="a folder of meshes")
    parser.add_argument("--out", type=Path, default=Path("foreign-heads"), help="for pictures and scores [%(default)s]")
    parser.add_argument("--pictures", type=int, default=400, help="[%(default)s]")
    parser.add_argument("--framing", type=float, default=0.1, help="share by which the size varies, either way; the "
                        "place varies by half as much of the width [%(default)s]")  # fmt: skip
    parser.add_argument("--backgrounds", type=float, default=1.0, help="share of pictures with one [%(default)s]")
    parser.add_argument("--up", choices=("y", "z"), default="y", help="axis that points up in HEADS [%(default)s]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--make", type=Path, metavar="HEADS", help="write heads into this folder and end")
    parser.add_argument("--ict", type=Path, metavar="FOLDER", help="with --make: ICT-FaceKit's FaceXModel")
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with --make: MakeHuman's data")
    parser.add_argument("--people", type=int, default=12, help="with --make: heads of each model [%(default)s]")
    given = parser.parse_args()
    refuse_below(0, seed=given.seed)
    if given.make is not None:
        _make(given)
        return
    if given.run is None or given.heads is None:
        raise BenchmarkError("expected RUN and HEADS, or --make HEADS, found less: name a run and a folder of meshes.")
    refuse_below(2, pictures=given.pictures)
    for name in ("framing", "backgrounds"):
        share, most = getattr(given, name), 0.3 if name == "framing" else 1.0
        if not 0 <= share <= most:
            raise BenchmarkError(f"expected --{name} from 0 to {most:g}, found {share:g}: correct it.")
    drawing = Drawing(given.pictures, given.seed, given.framing, given.backgrounds)
    report = measure_heads(TrainedRun.open(given.run), given.heads, given.out, drawing, given.up)
    if given.json:
        print(json.dumps(report, indent=2))
    else:
        from dcign.photographs.measurement import photograph_table

        print(photograph_table(report))
        print(f"{given.out}: {given.pictures} pictures of {len(report['heads'])} heads, labels.csv, photos.json")


def _make(given: argparse.Namespace) -> None:
    from benchmarks.foreign_heads.making import make_heads

    refuse_below(1, people=given.people)
    if given.ict is None and given.makehuman is None:
        raise BenchmarkError("expected --ict or --makehuman with --make, found neither: name the folder of a model.")
    made = make_heads(given.make, given.people, given.seed, given.ict, given.makehuman)
    print(f"{given.make}: {len(made)} heads.")


def measure_heads(run: TrainedRun, heads: Path, out: Path, drawing: Drawing, up: str = "y") -> dict[str, Any]:  # JSON
    """Draw pictures of heads into a folder, and measure how a run reads them: the contents of photos.json."""
    from benchmarks.foreign_heads.heads import read_heads
    from benchmarks.foreign_heads.pictures import draw_pictures
    from dcign.facegen.build import procedural_model
    from dcign.photographs.labels import read_photographs
    from dcign.photographs.measurement import FILE, measure_photographs
    from dcign.render.produce.batch_renderer import head_frame
    from dcign.storage.atomic import write_atomic

    ranges = _ranges(run)
    model = procedural_model().without_hair()
    found = read_heads(heads, model.mean, up)
    labels = draw_pictures(out, found, head_frame(model), ranges, drawing)
    measured = measure_photographs(run, read_photographs(out, labels, run.description.factors))
    report = {"heads": [head.name for head in found], **measured.report}
    write_atomic(out / FILE, (json.dumps(report, indent=2) + "\n").encode())
    return report


def _ranges(run: TrainedRun) -> dict[str, tuple[float, float]]:
    """Return the range of each of FACTORS: that of the calibration, within LIMITS."""
    known = {fit.factor: fit.range for fit in run.calibrations}
    missing = [name for name in FACTORS if name not in known]
    if missing:
        raise BenchmarkError(
            f"expected a run of {', '.join(FACTORS)}, found one without {missing[0]}: name a run that was trained on "
            "faces."
        )
    return {name: (max(known[name][0], -LIMITS[name]), min(known[name][1], LIMITS[name])) for name in FACTORS}
