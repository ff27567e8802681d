"""Evaluations as text: what evaluation.json says, for a person at a terminal."""

from collections.abc import Sequence
from typing import Any

# Heading, key in evaluation.json, and how to print it.
COLUMNS = (
    ("latent", "latent", "d"),
    ("R2", "r2", ".3f"),
    ("linear", "r2_linear", ".3f"),
    ("Spearman", "spearman", ".3f"),
    ("error", "mae_degrees", ".1f"),
    ("leak z", "leakage_r2", ".2f"),
    ("leak mu", "leakage_active_r2", ".2f"),
    ("all mu", "leakage_all_r2", ".2f"),
    ("swap", "swap_ratio", ".2f"),
    ("copy", "copy_ratio", ".2f"),
)
LEGEND = (
    "unseen identities; error: mean, degrees; leak: R2 of a probe from the other latents (sampled, alive mu, all mu); "
    "swap, copy: squared error over reconstruction's"
)


def evaluation_table(reports: Sequence[dict[str, Any]]) -> str:  # JSON, as in evaluation.json
    """Return one or more evaluations as a plain table, a block a run."""
    lines = []
    for report in reports:
        name = report["recipe"] + ("" if report["assigned_latents"] else " (best latents)")
        width = max(len(factor) for factor in [name, *report["factors"]]) + 2
        lines.append(name.ljust(width) + "".join(heading.rjust(9) for heading, _, _ in COLUMNS))
        for factor, score in report["factors"].items():
            cells = "".join(_cell(score[key], form).rjust(9) for _, key, form in COLUMNS)
            lines.append(factor.ljust(width) + cells)
        lines += [_summary(report), ""]
    return "\n".join([*lines, LEGEND])


def _summary(report: dict[str, Any]) -> str:  # JSON
    picture, latents = report["reconstruction"], report["latents"]
    head = f"{_cell(picture.get('psnr_head_db'), '.1f')} dB over the head, "
    return (
        f"reconstruction {head}{_cell(picture['psnr_frame_db'], '.1f')} dB over the frame; "
        f"{latents['alive']} of {latents['count']} latents alive; MIG {_cell(report['mig'], '.3f')}; "
        f"{report['steps']} steps, {report['images_seen']} images, {_cell(report['seconds'], '.0f')} s"
    )


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
