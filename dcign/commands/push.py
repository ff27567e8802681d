"""The command `dcign push`."""

from __future__ import annotations

from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import PATH, SPLIT, interruptible
from dcign.terminal.progress import batch_progress


@click.command(short_help="Upload a run or a data set to the Hugging Face hub.")
@click.argument("folder", type=PATH)
@click.argument("url", metavar="hf://USER/NAME")
@SPLIT
@click.option("--private", is_flag=True, help="Make a private repository. One that is there stays as it is.")
@click.option("--dry-run", is_flag=True, help="List the files and their sizes, and upload nothing.")
def push(folder: Path, url: str, splits: tuple[str, ...], private: bool, dry_run: bool) -> None:
    """Upload a run, a data set, or an export of either: --to hub, --to parquet.

    A run is uploaded as `dcign export --to hub` writes it, and DCIGN.from_pretrained("USER/NAME") loads it. A data set
    is uploaded as `dcign export --to parquet` writes it, and datasets.load_dataset("USER/NAME") loads it. Needs a token
    that may write: `hf auth login`, or the variable HF_TOKEN.

    \b
    Example:
      dcign push runs/swap hf://user/face --dry-run
      dcign push faces hf://user/faces --split iid --private
    """
    from dcign.publish.push import prepared, push, refuse_without_token

    if not dry_run:
        refuse_without_token()
    with (
        interruptible("Stopped. What the hub has received is complete, old or new: run the same command again."),
        batch_progress(f"exporting {folder}", size=1) as progress,
        prepared(folder, url, splits, progress) as upload,
    ):
        for name, size in upload.files.items():
            echo(f"{size:>14,} bytes  {name}")
        total = f"{sum(upload.files.values()):,} bytes in {len(upload.files)} files"
        if dry_run:
            echo(f"{upload.page}: {total} would be uploaded. Nothing was. Next: the same command without --dry-run.")
            return
        push(upload, private=private)
        echo(f"{upload.page}: {total}. Look at that page.")
