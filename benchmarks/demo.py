"""The demo's last step: the two runs side by side, as a table and a plot.

    python -m benchmarks.demo demo

Reads demo/swap and demo/vae, which `make demo` trained; copies the pictures worth showing into demo/.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from dcign.figures import draw_inferred, load_evaluated
from dcign.report import evaluation_table
from dcign.source import DataSource

RUNS = ("swap", "vae")
PICTURES = ("relight", "traversal", "reconstruction")


def main(demo: Path) -> None:
    """Print the table, draw the plot, gather the pictures."""
    print(evaluation_table([json.loads((demo / run / "evaluation.json").read_text()) for run in RUNS]))
    sweep = DataSource(demo / "faces").labelled("sweep")
    draw_inferred([load_evaluated(demo / run) for run in RUNS], sweep, demo / "inferred.png")
    shutil.copy(demo / "faces" / "preview.png", demo / "faces.png")
    for picture in PICTURES:
        shutil.copy(demo / "swap" / f"{picture}.png", demo / f"{picture}.png")
    shutil.copy(demo / "vae" / "relight.png", demo / "relight-vae.png")
    print(
        f"Pictures in {demo}: faces.png, relight.png, relight-vae.png, inferred.png, traversal.png, reconstruction.png"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
