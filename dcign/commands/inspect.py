"""The command `dcign inspect`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import COUNT, PATH, PATH_OR_URL, interruptible
from dcign.terminal.progress import batch_progress, console


@click.command(short_help="Describe a shard or a data set, and check it.")
@click.argument("path", type=PATH_OR_URL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--sheet", type=PATH, metavar="PNG", help="Write a contact sheet, one row per batch.")
@click.option("--truth", default="", metavar="LAYERS",
              help="Show these layers on the sheet, for example depth,landmarks, or all.")  # fmt: skip
@click.option("--verify", is_flag=True,
              help="Check in each batch that only the named factor varies, and render it again.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Check labels and statistics only, without rendering.")
@click.option("--workers", type=COUNT, metavar="N",
              help="Processes for the check.  [default: one per core; for pixels one per GPU, if any]")  # fmt: skip
def inspect(
    path: Path, as_json: bool, sheet: Path | None, truth: str, verify: bool, quick: bool, workers: int | None
) -> None:
    """Print what a shard or a data set folder holds and, with --verify or --quick, check it.

    Always compares each shard with dataset.json, checks that labels are finite and in range, and says what
    `dcign train` would refuse. Exits with code 1 if anything is wrong, and names the shard and the batch.

    \b
    Example:
      dcign inspect faces --verify
      dcign inspect faces/train/shard-00000.h5 --sheet sheet.png
      dcign inspect faces --sheet truth.png --truth depth,normals,landmarks
      dcign inspect s3://bucket/faces
    """
    from dcign.data.dataset.contact_sheet import write_sheet
    from dcign.data.dataset.summary import summarise, table
    from dcign.data.schema import IMPORTED
    from dcign.data.shard.findings import brief_lines
    from dcign.inputs.trainable import training_obstacles
    from dcign.render.produce import verification
    from dcign.storage.atomic import refuse_taken_file

    if truth and sheet is None:
        raise click.UsageError("expected a contact sheet for the layers of --truth, found none: give --sheet PNG.")
    if verify and quick:
        raise click.UsageError(
            "expected --verify or --quick, found both: leave --quick out, because --verify checks all that it checks."
        )
    if workers is not None and not (verify or quick):
        raise click.UsageError("expected --workers beside --verify or --quick, found neither: give one of them.")
    summary = summarise(path)
    if summary["kind"] == "data set":
        summary["refused_by_train"] = training_obstacles(summary)
    if sheet is not None:
        refuse_taken_file(sheet, "--sheet")
        write_sheet(path, sheet, truth=[name for each in truth.split(",") if (name := each.strip())])
    findings = None
    if verify or quick:
        with interruptible("Stopped. Nothing was changed."):
            findings = verification.verify(path, pixels=not quick, worker_count=workers, bar=batch_progress)
    if as_json:
        checked = {} if findings is None else {"verified": not findings, "findings": [str(each) for each in findings]}
        echo(json.dumps(summary | checked, indent=1))
    else:
        console(sys.stdout).print(table(summary))
        for line in summary["wrong"] if findings is None else brief_lines(findings):
            echo(f"WRONG  {line}")
        for sentence in summary.get("refused_by_train", ()):
            echo(f"`dcign train` would refuse it: {sentence}")
        if verify and summary["format_version"] == IMPORTED:
            echo("The pixels cannot be rendered again, as `dcign render` did not make them: labels alone were checked.")
        if sheet is not None:
            echo(f"Look at {sheet}.")
        if findings is not None:
            count = f"{len(findings)} finding{'s' if len(findings) > 1 else ''}."
            echo(count if findings else "Verified: nothing wrong was found.")
        if summary["kind"] == "data set" and not (findings or summary["wrong"] or summary["refused_by_train"]):
            echo(f"Next: dcign train {path}")
    if findings or summary["unreadable"] or (findings is None and summary["wrong"]):
        sys.exit(1)
