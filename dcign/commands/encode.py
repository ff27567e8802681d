"""The commands `dcign encode` and `dcign metrics`: codes as a file, and the metrics of such a file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import NO_FILE_WRITTEN, PATH, PATH_OR_URL, SPLIT, interruptible, on_device
from dcign.terminal.progress import stage_progress


@click.command(short_help="Write the codes of a data set or of pictures.")
@click.argument("run", type=PATH)
@click.argument("faces", type=PATH_OR_URL)
@click.option("--out", type=PATH, required=True, metavar="NPZ",
              help="File to write; of pictures also .csv or .jsonl.")  # fmt: skip
@SPLIT
@click.option("--detect", is_flag=True, help="Of pictures: cut out the face that a detector finds (the extra photos).")
@on_device("cpu")
def encode(run: Path, faces: Path, out: Path, splits: tuple[str, ...], detect: bool, device: str, threads: int) -> None:
    """Write the codes and labels of every image of a data set, so that you can compute metrics yourself.

    A .npz with one row per image: mu, logvar, factors, split, batch, varies, identity_index; and factor_names,
    factor_units, factor_types, and blocks, the name of each latent's block of the code.

    FACES may also be a folder of pictures, or one picture, such as photographs: then the file has mu, logvar, the name
    of each file, the factors that the network reads from it, and a warning where it is far from the training data.

    \b
    Example:
      dcign encode runs/swap faces --split iid --out z.npz
      dcign encode wild photos --out photos.csv
    """
    from dcign.infer.encode import encode_dataset, refuse_encoding_file, save_encoding
    from dcign.infer.encode_pictures import holds_pictures
    from dcign.trained.trained_run import TrainedRun

    if holds_pictures(faces):
        if splits:
            raise click.UsageError(f"expected a data set with --split, found pictures in {faces}: leave --split out.")
        _encode_pictures(run, faces, out, detect, device, threads)
        return
    if detect:
        raise click.UsageError(f"expected pictures with --detect, found none in {faces}: leave --detect out.")
    with interruptible(NO_FILE_WRITTEN):
        refuse_encoding_file(out)
        with stage_progress(f"encoding {faces}") as progress:
            encoding = encode_dataset(TrainedRun.open(run, device), faces, splits, threads, progress)
        save_encoding(encoding, out)
    echo(f"{out}: {len(encoding.mu):,} images, {encoding.mu.shape[1]} latents.")
    echo(f"Next: dcign metrics {out}")


def _encode_pictures(run: Path, pictures: Path, out: Path, detect: bool, device: str, threads: int) -> None:
    from dcign.infer.encode import refuse_encoding_file
    from dcign.infer.encode_pictures import WRITERS, encode_pictures, save_picture_codes
    from dcign.trained.trained_run import TrainedRun

    with interruptible(NO_FILE_WRITTEN):
        refuse_encoding_file(out, tuple(WRITERS))
        trained = TrainedRun.open(run, device)
        with stage_progress(f"encoding {pictures}") as progress:
            codes = encode_pictures(
                trained, pictures, detect, threads, lambda done: progress("encoding pictures", done)
            )
        save_picture_codes(codes, out)
    read = ", ".join(fit.factor for fit in codes.fits) or "no factors, because the run was not evaluated"
    echo(f"{out}: {len(codes.files):,} pictures, {codes.mu.shape[1]} latents; read: {read}.")
    if warned := sum(map(bool, codes.warnings)):
        echo(f"{warned:,} of them are far from what the network was trained on: see the column warning.", err=True)


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
    number or name of each latent's block; groups (N,), such as the person of each image; split (N,). Without
    factor_types, factors of an integer type are classes. docs/metrics.md describes each metric.

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
