"""The command `dcign export`."""

from __future__ import annotations

from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import COUNT, NO_FILE_WRITTEN, PATH, PATH_OR_URL, SPLIT, interruptible
from dcign.terminal.progress import batch_progress

DATASET_FORMATS = ("png", "npz", "3dshapes", "webdataset", "parquet")
RUN_FORMATS = ("onnx", "hub", "web")


@click.command(short_help="Write a run or a data set in another format.")
@click.argument("folder", type=PATH_OR_URL)
@click.option("--to", type=click.Choice([*RUN_FORMATS, *DATASET_FORMATS]), metavar="FORMAT",
              help=f"Of a run: {', '.join(RUN_FORMATS)}.  [default: onnx]  "
              f"Of a data set: {', '.join(DATASET_FORMATS)}.")  # fmt: skip
@click.option("--out", type=PATH, metavar="PATH",
              help="Folder to write into.  [default: RUN/FORMAT, or ./FACES-FORMAT]")  # fmt: skip
@click.option("--file-batches", "--tar-batches", type=COUNT, metavar="N",
              help="Of webdataset and parquet: batches of images per file.  [default: 250]")  # fmt: skip
@click.option("--half", is_flag=True, help="Of hub: write the weights in float16, which halves their file.")
@SPLIT
def export(
    folder: Path, to: str | None, out: Path | None, file_batches: int | None, half: bool, splits: tuple[str, ...]
) -> None:
    """Write a trained network, or a data set, in the formats of other programs.

    A run: onnx is encoder.onnx and decoder.onnx, checked in ONNX Runtime. The encoder takes images (N, C, S, S), 0 to
    1, and returns mu and logvar (N, Z); the decoder takes a code (N, Z) and returns images. Needs the packages of
    `pip install 'dcign[onnx]'`. hub is weights, configuration, calibration, evaluation and a model card, read by
    DCIGN.from_pretrained(FOLDER) and by `dcign edit`. web is the page of `dcign explore` for any file server: the
    visitor's browser computes, and nothing is loaded from elsewhere.

    A data set: png is SPLIT/BATCH/IMAGE.png, SPLIT/labels.csv and Hugging Face's SPLIT/metadata.csv; npz is SPLIT.npz
    with dSprites' keys; 3dshapes is SPLIT.h5 with 3D Shapes' images and labels; webdataset is SPLIT-000000.tar and so
    on, of KEY.png and KEY.json; parquet is data/SPLIT-*.parquet for Hugging Face's `datasets` (pip install
    'dcign[parquet]'), with a card for the hub and croissant.json. All contain the truth layers. docs/shard.md describes
    each.

    \b
    Example:
      dcign export runs/swap --to onnx --out swap-onnx
      dcign export runs/swap --to hub --out swap-hub
      dcign export runs/swap --to hub --half --out swap-small
      dcign export runs/swap --to web --out swap-web
      dcign export wild --to onnx --out wild-onnx
      dcign export faces --to npz --split iid --out faces-npz
      dcign export faces --to webdataset --file-batches 50
      dcign export faces --to parquet --out faces-parquet
    """
    from dcign.data.dataset.manifest import NAME
    from dcign.storage.paths import store_errors

    with store_errors(folder):
        is_data_set = (folder / NAME).exists()
    if is_data_set:
        from dcign.data.export.dataset import ABOUT, export_dataset

        if half:
            raise click.UsageError(f"expected --half with a run, found it with the data set {folder}: leave it out.")

        out = out or Path(f"{folder.resolve().name}-{to}")
        with interruptible(NO_FILE_WRITTEN), batch_progress(f"exporting {folder}", size=1) as progress:
            count = export_dataset(folder, out, to, splits, progress=progress, file_batches=file_batches)
        echo(f"{out}: {count:,} images.")
        echo(f"Next: dcign push {out} hf://USER/NAME --dry-run" if to == "parquet" else f"Look at {out / ABOUT}.")
        return
    if to in DATASET_FORMATS or splits or file_batches:
        asked = f"--to {to}" if to in DATASET_FORMATS else "--split" if splits else "--file-batches"
        raise click.ClickException(
            f"expected {NAME} in {folder}, because {asked} is for data sets, found none: finish the data set with "
            f"`dcign render`; a run is exported --to {', '.join(RUN_FORMATS)}, without these options."
        )
    from dcign.trained.shipped import is_shipped, network_folder

    to = to or "onnx"
    if half and to != "hub":
        raise click.UsageError(f"expected --half with --to hub, found it with --to {to}: leave it out.")
    if out is None and is_shipped(network_folder(folder)):
        raise click.UsageError(f"expected --out FOLDER with {folder}, a network of the package, found none: give it.")
    if to == "web":
        from dcign.explore.web_export import export_web

        out = out or folder / "web"
        echo("Measuring what each part of the code does, and comparing the network in ONNX with torch ...")
        with interruptible(NO_FILE_WRITTEN):
            page = export_web(folder, out)
        echo(f"{page}: look at it with `python -m http.server --directory {out}`.")
        return
    from dcign.publish.onnx import export_run
    from dcign.trained.trained_run import TrainedRun

    with interruptible("Stopped. Run the same command again."):
        run = TrainedRun.open(folder)
        files = export_run(run, out or folder / to, to, half=half)
    checked = "Checked against torch: " if to == "onnx" else ""
    echo(checked + ", ".join(str(file) for file in files if file.exists()))
    if to == "hub":
        echo(f"Next: dcign push {out or folder / to} hf://USER/NAME --dry-run")
