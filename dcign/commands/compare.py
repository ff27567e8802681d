"""The command `dcign compare`."""

from __future__ import annotations

from pathlib import Path

import click

from dcign.terminal.echo import echo
from dcign.terminal.options import DATA, NO_FILE_WRITTEN, NOT_NEGATIVE, PATH, interruptible
from dcign.terminal.progress import stage_progress


@click.command(short_help="Compare evaluated runs, grouped by recipe.")
@click.argument("runs", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, metavar="HTML|PNG",
              help="Write a page with pictures, or the picture of inferred against true factors.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@DATA
@click.option("--any-data", is_flag=True, help="Compare runs of different data sets, too.")
@click.option("--threads", type=NOT_NEGATIVE, default=0, metavar="N",
              help="CPU threads for --out.  [default: one per core]")  # fmt: skip
def compare(
    runs: tuple[Path, ...], out: Path | None, as_json: bool, data: Path | None, any_data: bool, threads: int
) -> None:
    """Show evaluated runs side by side, grouped by recipe: the mean over seeds, and half the range.

    With --out, writes one self-contained HTML file with inferred against true factors; or a PNG of those
    alone, one column per recipe.

    \b
    Example:
      dcign compare runs/swap runs/swap-seed* runs/vae --out compare.html
    """
    if data is not None and out is None:
        raise click.UsageError("expected --out with --data, which is for pictures, found none: leave --data out.")
    from dcign import report
    from dcign.storage.atomic import refuse_taken_file

    with interruptible(NO_FILE_WRITTEN):
        comparison = report.compare(runs, any_data)
        if out is not None:
            report.refuse_comparison_file(out)
            refuse_taken_file(out)
            with stage_progress("comparing") as progress:
                report.write_comparison(comparison, out, data, thread_count=threads, progress=progress)
    echo(report.comparison_json(comparison) if as_json else report.comparison_table(comparison))
    if not as_json and out is not None:
        echo(f"Look at {out}.")
    elif not as_json and report.has_pictures(comparison):
        echo("Next: the same with --out compare.html, which adds pictures.")
