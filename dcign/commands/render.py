"""The command `dcign render`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dcign.machine import available_cores
from dcign.terminal.echo import echo
from dcign.terminal.options import (
    COUNT,
    HAIRCUTS,
    KEEP_HEAD_SIZE,
    MODEL,
    PATH,
    PATH_OR_URL,
    SEED,
    PeopleCommand,
    interruptible,
    interval,
)
from dcign.terminal.progress import batch_progress, stage_progress

TRUTH_HELP = "Truth beside the images: mask,depth,normals,albedo,parts,visibility,specular,landmarks, or all."


@click.command(cls=PeopleCommand, short_help="Render a data set of faces or meshes.")
@click.option("--batches", type=COUNT, required=True, metavar="N",
              help="Training batches of 20 images. The splits test, iid and sweep add 298 or more.")  # fmt: skip
@click.option("--out", type=PATH_OR_URL, default="faces", show_default=True,
              help="Folder to make, or s3://BUCKET/FOLDER.")  # fmt: skip
@click.option("--size", type=click.IntRange(16, 1024), default=150, show_default=True, metavar="PIXELS",
              help="Side of an image, 16 to 1024.")  # fmt: skip
@click.option("--channels", type=click.Choice(["1", "3"]), default="1", show_default=True,
              help="1 gray, 3 colour.")  # fmt: skip
@SEED
@click.option("--workers", type=COUNT, metavar="N",
              help="Processes.  [default: one per GPU, or one per core without a GPU]")  # fmt: skip
@click.option("--cluster", default="", metavar="TCP://HOST:PORT",
              help="A dask scheduler whose workers render (docs/scale.md).  [default: this machine]")  # fmt: skip
@interval("--azimuth", -180, 180, "How far the head turns, degrees.", (-86, 86))
@interval("--elevation", -90, 90, "How far the camera rises, degrees.", (-23, 23))
@interval("--light-azimuth", -180, 180, "Where the light comes from, degrees.", (-80, 80))
@interval("--light-elevation", -85, 85, "How high the light stands, degrees.  [default: 20 20; -30 70 if varied]")
@interval("--light-to-ambient", 0.2, 100, "Strength of the light over the ambient light.  "
           "[default: 3.83 3.83; 1 12 if varied]")  # fmt: skip
@interval("--distance", 300, 20_000, "Camera to the head's centre, mm.  "
           "[default: the head fills 90 % of the height; 750 1300 if varied]")  # fmt: skip
@interval("--field-of-view", 2, 60, "Degrees; without --distance the head keeps its size.  "
           "[default: 20 20; 8 45 if varied]")  # fmt: skip
@click.option("--vary", multiple=True, metavar="NAME",
              help="A further factor: light_elevation, light_to_ambient, distance, field_of_view, age or sex; or a "
              "part of people: shape, skin or hair (docs/traits.md). May be given several times.")  # fmt: skip
@click.option("--background", default="black", show_default=True, metavar="NAME",
              help="A colour (gray, '#336699'), random, or a folder of pictures.")  # fmt: skip
@click.option("--correlate", multiple=True, metavar="A,B=R",
              help="Draw two factors with correlation R, for example azimuth,light_azimuth=0.8. May be given several "
              "times.")  # fmt: skip
@interval("--age", 18, 80, "Only people of this age, years; with --vary age its range.  [default: 18 to 80]")
@interval("--sex", -3, 3, "Only women, only men, or a range in standard deviations, below 0 women; with --vary sex its "
          "range.")  # fmt: skip
@click.option("--people", type=PATH, metavar="FILE.json",
              help="Show the people of this file: 80 or more, 100 with a split mix (docs/face.md).")  # fmt: skip
@KEEP_HEAD_SIZE
@HAIRCUTS
@click.option("--shadows/--no-shadows", default=True, show_default=True,
              help="Whether faces cast shadows on themselves.")  # fmt: skip
@click.option("--truth", default="", metavar="LAYERS", help=TRUTH_HELP)
@MODEL
@click.option("--meshes", type=PATH, metavar="FOLDER",
              help="Objects instead of faces: 40 meshes or more, OBJ, PLY, GLB (docs/meshes.md).")  # fmt: skip
@click.option("--up", type=click.Choice(["y", "z"]), help="Which axis of --meshes points up.  [default: y]")
@click.option("--dry-run", is_flag=True, help="Print what would be made, and make nothing.")
def render(
    batches: int,
    channels: str,
    out: Path,
    workers: int | None,
    cluster: str,
    model_path: Path | None,
    meshes: Path | None,
    up: str | None,
    people: Path | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Render a data set: batches of 20 faces in which only azimuth, elevation, light azimuth or identity varies.

    Makes the splits train, test, iid and sweep. If it is stopped (Ctrl-C, TERM, HUP), the same command continues after
    the last complete shard. --azimuth, --elevation and --light-azimuth are factors. The other
    options with LO HI are nuisances: one value per batch, or fixed if LO = HI. --vary makes one of them a factor,
    and adds batches that vary one trait of a person. If two or more traits vary, the split mix recombines people.

    \b
    Example:
      dcign render --batches 12000 --out faces
      dcign render --batches 400 --channels 3 --truth depth,normals,landmarks
      dcign render --batches 1500 --size 64 --vary light_elevation --distance 800 1100 --background random
      dcign render --batches 1500 --size 64 --age 18 30 --sex women --hair bob,curls
      dcign render --batches 1500 --size 64 --people crowd.json --vary age --vary hair
      dcign render --batches 1500 --size 64 --correlate azimuth,light_azimuth=0.8
      dcign render --batches 12000 --size 64 --vary age --vary sex --vary shape --vary skin --vary hair
      dcign render --batches 1500 --size 64 --model model2019_face12.h5 --out basel
      dcign render --batches 1500 --size 64 --meshes chairs --out chairs-64
      dcign render --batches 50000 --out s3://bucket/faces --cluster tcp://login1:8786
    """
    from dcign.render.gl import devices
    from dcign.render.plan.configuration import RenderConfiguration
    from dcign.render.plan.size_estimate import plan_lines
    from dcign.render.produce import subjects
    from dcign.render.produce.folder import check_folder
    from dcign.render.produce.production import render_dataset
    from dcign.storage.paths import store_errors

    if cluster and workers is not None:
        raise click.UsageError("expected --workers or --cluster, found both: a cluster has its own workers; give one.")
    configuration, backdrops = RenderConfiguration.from_options(
        batches=batches,
        channels=int(channels),
        model_path=model_path,
        meshes=meshes,
        up=up,
        people=people is not None,
        **options,
    )
    if meshes is None:  # a file that is not a model is refused before the folder is made
        subject, sha256 = subjects.faces(model_path, stage_progress)
    else:
        subject, sha256 = subjects.objects(meshes, up or "y", configuration, out, stage_progress)
    configuration, crowd = subjects.with_crowd(configuration, people, out, subject)
    if dry_run:
        with store_errors(out):
            check_folder(out, configuration)
        echo("\n".join(plan_lines(configuration, out)))
        return
    resumes = f"Stopped. Complete shards are kept in {out}: run the same command again to continue."
    with interruptible(resumes), batch_progress(f"rendering {out}") as progress:
        made = render_dataset(
            out,
            configuration,
            subject,
            worker_count=workers or devices.worker_count(available_cores()),
            cluster=cluster,
            progress=progress,
            source_sha256=sha256,
            backdrops=backdrops,
            crowd=crowd,
        )
    others = made.made + made.kept - batches
    echo(
        f"{out}: {made.made:,} batches made, {made.kept:,} were there; {batches:,} are to train on, {others:,} to test "
        f"with. Look at {out / 'preview.png'}."
    )
    kinds = len(configuration.kinds)
    if batches < kinds:
        echo(f"Next: dcign inspect {out}. To train on it takes {kinds} batches or more, one of each kind.")
    else:
        echo(f"Next: dcign inspect {out}, or dcign train {out}")
