"""The command `dcign encode`."""

from __future__ import annotations

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
    factor_units.

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
