"""The tables of docs/results.md, from the evaluations of the studies: the mean over seeds, and the range."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.study.trainings import ABLATIONS, LARGE, STEPS, WEAKER_PULL, ablation_folder, large_folder
from dcign.trained.evaluation_file import rename_old_keys

Report = dict[str, Any]  # JSON, as in evaluation.json


@dataclass(frozen=True)
class Column:
    """A column: its heading, the path of its number in evaluation.json, and the number of decimals."""

    heading: str
    path: str
    digits: int


FACTOR_COLUMNS = (
    Column("R²", "r2", 3),
    Column("error, degrees", "mean_absolute_error", 1),
    Column("leak, sampled", "leakage_r2", 2),
    Column("leak, alive mu", "leakage_active_r2", 2),
    Column("swap / reconstruction", "swap_ratio", 2),
    Column("re-rendered, dB", "rerender.psnr_db", 1),
    Column("of reconstruction", "rerender.reconstruction_psnr_db", 1),
)
RUN_COLUMNS = (
    Column("MIG", "mig", 3),
    Column("DCI, classes: blocks", "dci.classes.blocks", 2),
    Column("factors", "dci.classes.factors", 2),
    Column("DCI, values: blocks", "dci.values.blocks", 2),
    Column("factors", "dci.values.factors", 2),
    Column("SAP", "metrics.latents.sap.value", 3),
    Column("modularity: latents", "metrics.latents.modularity.value", 2),
    Column("blocks", "metrics.blocks.modularity.value", 2),
    Column("IRS", "metrics.latents.irs.value", 2),
    Column("explicitness", "metrics.latents.explicitness.value", 2),
    Column("FactorVAE", "metrics.latents.factor_vae.value", 2),
    Column("BetaVAE", "metrics.latents.beta_vae.value", 2),
    Column("InfoM: blocks", "metrics.blocks.infom.value", 2),  # from here to MED: no evaluation before version 0.3
    Column("InfoE", "metrics.latents.infoe.value", 2),
    Column("InfoC: blocks", "metrics.blocks.infoc.value", 2),
    Column("DCI explicitness", "metrics.latents.dci_explicitness.value", 2),
    Column("MED: blocks", "metrics.blocks.med.value", 2),
    Column("head, dB", "reconstruction.psnr_head_db", 1),
    Column("alive", "latents.alive", 0),
    Column("right identity", "identity.right", 2),
)
ABLATION_COLUMNS = (  # factor columns hold one number per factor, with slashes between them
    FACTOR_COLUMNS[0],
    *FACTOR_COLUMNS[2:5],
    RUN_COLUMNS[0],
    Column("DCI of the factors, classes", "dci.classes.factors", 2),
    Column("values", "dci.values.factors", 2),
    *RUN_COLUMNS[-3:],
)


@dataclass(frozen=True)
class Target:
    """A number that `swap` at 64 px should reach: at least (or at most) `bound`."""

    heading: str
    path: str
    bound: float
    digits: int
    least: bool = True
    factor: str = ""

    def reached(self, value: float) -> bool:
        """Return whether a value meets the target."""
        return value >= self.bound if self.least else value <= self.bound


def _per_factor(heading: str, path: str, bounds: Sequence[float], digits: int, least: bool) -> list[Target]:
    return [
        Target(f"{heading}, {name.replace('_', ' ')}", path, bound, digits, least, name)
        for name, bound in zip(("azimuth", "elevation", "light_azimuth"), bounds, strict=True)
    ]


TARGETS = (
    *_per_factor("R²", "r2", (0.998, 0.97, 0.995), 4, True),
    *_per_factor("mean error in degrees", "mean_absolute_error", (1.5, 1.8, 2.5), 2, False),
    *_per_factor("leakage from sampled latents", "leakage_r2", (0.05, 0.05, 0.05), 3, False),
    *_per_factor("leakage from means of alive latents", "leakage_active_r2", (0.15, 0.15, 0.15), 3, False),
    *_per_factor("swap / reconstruction", "swap_ratio", (1.12, 1.05, 1.05), 3, False),
    Target("MIG", "mig", 0.66, 3),
    Target("DCI disentanglement by values, over the factors", "dci.values.factors", 0.95, 3),
    Target("DCI disentanglement by 20 classes, over the factors", "dci.classes.factors", 0.95, 3),
    Target("reconstruction, dB over the head", "reconstruction.psnr_head_db", 28, 2),
    *_per_factor("re-rendering short of reconstruction, dB", "rerender.short_db", (0.8, 0.8, 0.8), 2, False),
    Target("latents alive but the factors'", "latents.intrinsic_alive", 16, 0),
    Target("right identity of 70, 60 degrees apart", "identity.right", 0.9, 3),
    Target("share of near-frontal reconstructions that Haar finds", "haar.share", 0.9, 3),
)


def write_tables(out: Path, page: Path) -> list[str]:
    """Write each table that has evaluations between its markers in the page. Returns the names of these tables."""
    text, written = page.read_text(encoding="utf-8"), []
    for name, make in TABLES.items():
        lines = make(out)
        if not lines:
            continue
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if (text.count(start), text.count(end)) != (1, 1):
            raise BenchmarkError(
                f"expected the markers of the table {name} once in {page}, found them {text.count(start)} times: "
                "restore them."
            )
        before, rest = text.split(start)
        text = before + start + "\n".join(lines) + "\n" + end + rest.split(end)[1]
        written.append(name)
    if written:
        page.write_text(text, encoding="utf-8")
    return written


def recipe_factor_rows(out: Path) -> list[str]:
    """Return a table with one row per recipe and factor."""
    rows = []
    for name in STEPS:
        reports = reports_of(out / "recipes", name)
        for factor in reports[0]["factors"] if reports else ():
            cells = (_spread(_values(reports, column.path, factor), column.digits) for column in FACTOR_COLUMNS)
            rows.append([f"`{name}`", factor.replace("_", " "), *cells])
    return _table(["recipe", "factor", *(column.heading for column in FACTOR_COLUMNS)], rows)


def recipe_rows(out: Path) -> list[str]:
    """Return a table with one row per recipe."""
    rows = []
    for name, steps in STEPS.items():
        reports = reports_of(out / "recipes", name)
        if reports:
            cells = (_spread(_values(reports, column.path), column.digits) for column in RUN_COLUMNS)
            rows.append([f"`{name}`", str(len(reports)), f"{steps:,}", *cells])
    return _table(["recipe", "seeds", "steps", *(column.heading for column in RUN_COLUMNS)], rows)


def ablation_rows(out: Path) -> list[str]:
    """Return a table with one row per ingredient."""
    rows = []
    for ingredient, options in ABLATIONS.items():
        if cells := _cells(reports_of(out / "ablation", ablation_folder(options))):
            rows.append([ingredient, f"`{options}`" if options else "", *cells])
    return _table(["without", "options", *(column.heading for column in ABLATION_COLUMNS)], rows)


def large_rows(out: Path) -> list[str]:
    """Return a table with one row per training at 150 px."""
    rows = []
    for name, (options, steps) in LARGE.items():
        if cells := _cells(reports_of(out / "large", large_folder(options, steps))):
            rows.append([name, f"{steps:,}", *cells])
    return _table(["at 150 px", "steps", *(column.heading for column in ABLATION_COLUMNS)], rows)


def _cells(reports: list[Report]) -> list[str]:
    """Return the means over seeds, factor columns as azimuth / elevation / light azimuth; [] without reports."""
    cells = []
    for column in ABLATION_COLUMNS if reports else ():
        keys = list(reports[0]["factors"]) if column in FACTOR_COLUMNS else [""]
        cells.append(" / ".join(_mean(_values(reports, column.path, key), column.digits) for key in keys))
    return cells


def target_rows(out: Path, name: str = "swap") -> list[str]:
    """Return a table with one row per target and one column per seed."""
    reports = reports_of(out / "swap", name)
    rows = []
    for target in TARGETS:
        found = [value_of(report, target.path, target.factor) for report in reports]
        measured = [value for value in found if value is not None]
        reached = "-" if not measured else "yes" if all(map(target.reached, measured)) else "no"
        bound = f"{'≥' if target.least else '≤'} {target.bound:g}"
        rows.append([target.heading, bound, *(_number(value, target.digits) for value in found), reached])
    seeds = [f"seed {report['seed']}" for report in reports]
    return _table(["figure", "target", *seeds, "every seed"], rows) if reports else []


def supervised_rows(out: Path) -> list[str]:
    """Return a table with two rows per supervised upper bound."""
    rows = []
    for path in sorted(out.glob("ceiling/*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        rename_old_keys(found)
        for key, digits in (("r2", 4), ("mean_absolute_error", 2)):
            values = [_number(score[key], digits) for score in found["factors"].values()]
            rows.append([str(found["seed"]), f"{found['steps']:,}", {"r2": "R²"}.get(key, "error, degrees"), *values])
    return _table(["seed", "steps", "", "azimuth", "elevation", "light azimuth"], rows)


def rerendering_rows(out: Path) -> list[str]:
    """Return a table of the upper bound of re-rendering, and of `swap` at length on the same images."""
    ceilings = [json.loads(path.read_text(encoding="utf-8"))["psnr_db"] for path in out.glob("rerendering/*.json")]
    cells = [_spread([each[key] for each in ceilings], 1) for key in (ceilings[0] if ceilings else ())]
    rows = [["trained for nothing else, told all angles", *cells]] if cells else []
    reports = reports_of(out / "swap", "swap") if rows else []
    for name, path in (("`swap`", "psnr_db"), ("`swap`, plain reconstruction", "reconstruction_psnr_db")):
        keys = list(reports[0]["factors"]) if reports else []
        cells = [_spread(_values(reports, f"rerender.{path}", key), 1) for key in keys]
        rows += [[name, *cells]] if cells else []
    return _table(["re-rendered over, dB", "azimuth", "elevation", "light azimuth"], rows)


def swap_distance_rows(out: Path) -> list[str]:
    """Return a table with one row per seed: the swap error by the distance of the two images."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("swap/swap-*/swaps.json"))]
    if not found:
        return []
    headings = [f"{row['from']:.0f} to {row['to']:.0f}" for row in found[0]["bins"]]
    rows = [[Path(run["run"]).name, *(_number(row["ratio"], 2) for row in run["bins"])] for run in found]
    return _table([f"degrees of {found[0]['factor'].replace('_', ' ')} apart", *headings], rows)


TABLES: dict[str, Callable[[Path], list[str]]] = {
    "recipes, factors": recipe_factor_rows,
    "recipes": recipe_rows,
    "ablation": ablation_rows,
    "large": large_rows,
    "swap": target_rows,
    "swap, weaker pull": partial(target_rows, name=ablation_folder(WEAKER_PULL)),
    "swaps": swap_distance_rows,
    "ceiling": supervised_rows,
    "rerendering": rerendering_rows,
}


def reports_of(folder: Path, name: str) -> list[Report]:
    """Return the evaluations of all seeds of a run, with derived numbers added, in the order of seeds."""
    found = []
    for path in folder.glob(f"{name}-*/evaluation.json"):
        if not re.fullmatch(rf"{re.escape(name)}-\d+", path.parent.name):
            continue  # another run whose name starts with the same text
        report = json.loads(path.read_text(encoding="utf-8"))
        rename_old_keys(report)
        for score in report["factors"].values():
            if turned := score.get("rerender"):
                turned["short_db"] = turned["reconstruction_psnr_db"] - turned["psnr_db"]
        scores = report["factors"].values()
        own = {latent for score in scores for latent in score.get("latents", [score["latent"]])}
        nats = report["latents"]["kl_nats"]
        report["latents"]["intrinsic_alive"] = sum(value > 0.1 for z, value in enumerate(nats) if z not in own)
        haar = path.with_name("haar.json")
        if haar.exists():
            report["haar"] = json.loads(haar.read_text(encoding="utf-8"))
        found.append(report)
    return sorted(found, key=lambda report: int(report["seed"]))


def value_of(report: Report, path: str, factor: str = "") -> float | None:
    """Return the number at a path of keys with dots between them, within a factor's scores if one is named."""
    found: Any = report["factors"].get(factor) if factor else report
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return None if found is None else float(found)


def _values(reports: Iterable[Report], path: str, factor: str = "") -> list[float]:
    return [value for report in reports if (value := value_of(report, path, factor)) is not None]


def _spread(values: list[float], digits: int) -> str:
    """Return the mean, and the range if it differs from the mean."""
    mean = _mean(values, digits)
    least, greatest = (_number(end, digits) for end in (min(values, default=None), max(values, default=None)))
    return mean if least == greatest == mean else f"{mean} ({least} to {greatest})"


def _mean(values: list[float], digits: int) -> str:
    return _number(sum(values) / len(values), digits) if values else "-"


def _number(value: float | None, digits: int) -> str:
    """Format a number as this project does: .98, not 0.98."""
    if value is None:
        return "-"
    words = f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0 turns -0.0 into 0.0
    return re.sub(r"^(-?)0\.", r"\1.", words)


def _table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table, none without rows."""
    if not rows:
        return []
    rule = ["---"] * len(headings)
    return ["| " + " | ".join(row) + " |" for row in (headings, rule, *rows)]
