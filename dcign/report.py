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
    ("linear", "leakage_linear_r2", ".2f"),
    ("swap", "swap_ratio", ".2f"),
    ("copy", "copy_ratio", ".2f"),
    ("still", "invariance_ratio", ".3f"),
)
# Name, key among the metrics in evaluation.json; each 0..1, the more the better.
METRICS = (
    ("MIG", "mig"),
    ("DCI D", "dci_disentanglement"),
    ("DCI C", "dci_completeness"),
    ("DCI I", "dci_informativeness"),
    ("SAP", "sap"),
    ("modular", "modularity"),
    ("explicit", "explicitness"),
    ("IRS", "irs"),
    ("FactorVAE", "factor_vae"),
    ("BetaVAE", "beta_vae"),
)
LEGEND = (
    "unseen identities; error: mean, degrees; leak: R2 of a probe from the other latents (sampled, alive mu, all mu; "
    "linear: of a line from all mu); swap, copy: squared error over reconstruction's; still: variance of the other "
    "latents while the factor varies, over people's; as one: all latents that are no factor's as one block; +-: half "
    "the 95 % interval"
)


def evaluation_table(reports: Sequence[dict[str, Any]]) -> str:  # JSON, as in evaluation.json
    """Return one or more evaluations as a plain table, a block a run."""
    lines = []
    for report in reports:
        name = report["recipe"] + ("" if report["assigned_latents"] else " (best latents)")
        width = max(len(factor) for factor in [name, *report["factors"]]) + 2
        lines.append(name.ljust(width) + "".join(heading.rjust(9) for heading, _, _ in COLUMNS))
        for factor, score in report["factors"].items():
            cells = "".join(_cell(score.get(key), form).rjust(9) for _, key, form in COLUMNS)
            lines.append(factor.ljust(width) + cells)
        lines += [*_metrics_lines(report), _summary(report), ""]
    return "\n".join([*lines, LEGEND])


def _metrics_lines(report: dict[str, Any]) -> list[str]:  # JSON
    """Lay the figures of the literature out, a row for latents by themselves, and one with the others as one block."""
    found = report.get("metrics")
    if found is None:  # an older evaluation.json
        return []
    rows = [("", [name for name, _ in METRICS])]
    for title, figures in (("each latent", found["latents"]), ("as one", found["blocks"])):
        rows.append((title, [_value(figures.get(key)) for _, key in METRICS]))
        rows.append(("  +-", [_half_width(figures.get(key)) for _, key in METRICS]))
    return [title.ljust(13) + "".join(cell.rjust(10) for cell in cells) for title, cells in rows]


def _value(figure: dict[str, float | None] | None) -> str:
    return _cell(figure["value"], ".3f") if figure else "-"


def _half_width(figure: dict[str, float | None] | None) -> str:
    low, high = (figure.get("low"), figure.get("high")) if figure else (None, None)
    return "" if low is None or high is None else format((high - low) / 2, ".3f")


def _summary(report: dict[str, Any]) -> str:  # JSON
    picture, latents = report["reconstruction"], report["latents"]
    head = f"{_cell(picture.get('psnr_head_db'), '.1f')} dB over the head, "
    return (
        f"reconstruction {head}{_cell(picture['psnr_frame_db'], '.1f')} dB over the frame; "
        f"{latents['alive']} of {latents['count']} latents alive; "
        f"{report['steps']} steps, {report['images_seen']} images, {_cell(report['seconds'], '.0f')} s"
    )


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
