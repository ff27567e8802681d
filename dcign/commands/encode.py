"""The commands `dcign encode` and `dcign metrics`: codes as a file, and the metrics of such a file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import NO_FILE_WRITTEN, PATH, PATH_OR_URL, SPLIT, interruptible, on_device
from dcign.terminal.progress import stage_progress


@click.command(short_help="Write the codes and labels of a data set (.npz).")
@click.argument("run", type=PATH)
@click.argument("faces", type=PATH_OR_URL)
@click.option("--out", type=PATH, required=True, metavar="NPZ", help="File to write.")
@SPLIT
@on_device("cpu")
def encode(run: Path, faces: Path, out: Path, splits: tuple[str, ...], device: str, threads: int) -> None:
    """Write the codes and labels of every image of a data set, so that you can compute metrics yourself.

    A .npz with one row per image: mu, logvar, factors, split, batch, varies, identity_index; and factor_names,
    factor_units, factor_types.

    \b
    Example:
      dcign encode runs/swap faces --split iid --out z.npz
    """
    from dcign.infer.encode import encode_dataset, refuse_encoding_file, save_encoding
    from dcign.trained.trained_run import TrainedRun

    with interruptible(NO_FILE_WRITTEN):
        refuse_encoding_file(out)
        with stage_progress(f"encoding {faces}") as progress:
            encoding = encode_dataset(TrainedRun.open(run, device), faces, splits, threads, progress)
        save_encoding(encoding, out)
    echo(f"{out}: {len(encoding.mu):,} images, {encoding.mu.shape[1]} latents.")
    echo(f"Next: dcign metrics {out}")


@click.command(short_help="Compute every metric of codes (.npz) of any model.")
@click.argument("codes", type=PATH)
@click.option("--split", default="", metavar="NAME",
              help="Measure these rows of a file of `dcign encode`.  [default: iid, or all rows]")  # fmt: skip
@click.option("--own", default="", metavar="Z,Z,...",
              help="The latent of each factor, for example 0,1,2; of an angle or a class several, as in 0,1+2.  "
              "[default: the file's, or the ones that read the factor best]")  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave out DCI by classes, which takes most of the time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def metrics(codes: Path, split: str, own: str, quick: bool, as_json: bool) -> None:
    """Compute the metrics of disentanglement of a file of codes, with intervals and what chance gives.

    CODES is a .npz of `dcign encode`, or of any model: latents (N, Z) and factors (N, F), one row per image. Optional:
    factor_names, factor_units, own (F,); factor_types (F,), each number, class or angle (in degrees); blocks (Z,), the
    number of each latent's block; groups (N,), such as the person of each image; split (N,). Without factor_types,
    factors of an integer type are classes. docs/metrics.md describes each metric.

    \b
    Example:
      dcign metrics z.npz
      dcign metrics z.npz --split iid --own 0,1,2 --json
    """
    from dcign.measure import measure, own_latents, read_code_table
    from dcign.report import measurement_table

    with interruptible("Stopped. Nothing was changed."):
        table = read_code_table(codes)
        with stage_progress(f"measuring {codes}") as progress:
            report = measure(table, split, own_latents(own), not quick, progress)
    echo(json.dumps(report, indent=2) if as_json else measurement_table(report))
    if not as_json:
        echo(f"Next: dcign metrics {codes} --json > metrics.json keeps all of it.")
