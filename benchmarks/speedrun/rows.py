"""The results of timed runs: a JSON object per run, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speedrun.timed_run import machine, seconds_of
from dcign.run.configuration import TrainConfiguration
from dcign.trained.trained_run import TrainedRun

Row = dict[str, Any]  # JSON

# Scores of each factor: our name, the key in evaluation.json, the title of the column.
PER_FACTOR = (
    ("r2", "r2", "R2"),
    ("leakage_sampled", "leakage_r2", "leak, sampled"),
    ("leakage_alive", "leakage_active_r2", "leak, alive mu"),
    ("swap", "swap_ratio", "swap / reconstruction"),
)
# Numbers of a run: our name, the title of the column, the format.
NUMBERS = (
    ("cpu_seconds", "CPU s", ",.1f"),
    ("wall_seconds", "wall s", ",.1f"),
    ("ms_per_step", "ms/step", ".1f"),
    ("ratio_cpu", "ratio, CPU", ".2f"),
    ("ratio_wall", "ratio, wall", ".2f"),
    ("head_db", "head, dB", ".2f"),
)


def row_of_run(configuration: TrainConfiguration, mark: float) -> Row:
    """Return the results of an evaluated run, without its ratios to another one."""
    folder, steps = Path(configuration.out), configuration.steps
    evaluation = TrainedRun.open(folder).evaluation
    cpu, wall = seconds_of(folder, steps)
    clock = "cpu" if configuration.device == "cpu" and configuration.threads == 1 else "wall"
    head = evaluation["reconstruction"]["psnr_head_db"]
    scores = {
        name: {factor: found.get(key) for factor, found in evaluation["factors"].items()} for name, key, _ in PER_FACTOR
    }
    return {
        "recipe": configuration.recipe.name,
        "seed": configuration.seed,
        "mark_db": mark,
        "steps": steps,
        "cpu_seconds": round(cpu, 4),
        "wall_seconds": round(wall, 4),
        "clock": clock,  # which of the two counts
        "ms_per_step": round(1000 * (cpu if clock == "cpu" else wall) / steps, 3),
        "head_db": head,
        "reached": head >= mark,
        "fine": evaluation["reconstruction"]["fine"],
        **scores,
        **machine(configuration),
        "precision": configuration.precision,
    }


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, with the machine below them."""
    titles = [title for _, title, _ in NUMBERS], [title for *_, title in PER_FACTOR]
    lines = [["recipe", "seed", "mark, dB", "steps", *titles[0], "reached", "fine", *titles[1]]]
    for row in rows:
        reached = "yes" if row["reached"] else f"no, {row['mark_db'] - row['head_db']:.2f} dB short"
        lines.append(
            [
                *(row["recipe"], str(row["seed"]), f"{row['mark_db']:g}", f"{row['steps']:,}"),
                *(format(row[name], form) for name, _, form in NUMBERS),
                *(reached, _score(row["fine"])),
                *(" / ".join(map(_score, row[name].values())) for name, *_ in PER_FACTOR),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    about = rows[0]
    used = {0: "one thread per core", 1: "one thread"}.get(about["threads"], f"{about['threads']} threads")
    return "\n".join([*text, f"{about['device']}, {used}, {about['precision']}; {about['clock']} seconds count"])


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"  # evaluation.json has null for what is not finite
