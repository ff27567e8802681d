"""report.html: one page of a run that needs nothing else, its pictures and charts within it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcign import __version__
from dcign.device import threads
from dcign.errors import TrainingError
from dcign.figures.dial import Reading
from dcign.figures.gallery import Gallery, make_gallery, save_pictures
from dcign.figures.inferred import dial_figure
from dcign.progress import StageProgress, no_stage_progress
from dcign.report.commands import commands_of
from dcign.report.inline import chart, environment, strip_of, strips
from dcign.report.terms import (
    BASELINE_TERMS,
    DCI_TERMS,
    LEAKAGE_TERMS,
    METRIC_TERMS,
    NOTHING,
    PICTURE_TERMS,
    READING_TERMS,
    RERENDER_TERMS,
    STILL_TERMS,
    Term,
    value_of,
    written,
)
from dcign.run import configuration as run_configuration
from dcign.run.json_files import refuse_unwritable, write_result
from dcign.trained.trained_run import TrainedRun

FILE = "report.html"
DIAL, ALMOST = 0.98, 0.9  # R^2 on the sweep from which a latent is called a dial, or almost one

TABLES = (
    ("The factor read off its latent", READING_TERMS),
    ("What the other latents know of it: leakage, which depends on how one asks", LEAKAGE_TERMS),
    ("Pictures with the factor taken from elsewhere", (*PICTURE_TERMS, *RERENDER_TERMS)),
    ("The other latents while the factor moves", STILL_TERMS),
    ("The factor read as one reads a code without assigned latents", BASELINE_TERMS),
)


def write_report(
    run: TrainedRun,
    data: str | Path | None = None,
    against: TrainedRun | None = None,
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> list[Path]:
    """Draw an evaluated run: report.html and the PNGs, into its folder; returns their paths, the report's first.

    data is the data set's folder if it has moved; against another evaluated run of the same data set, an entangled one
    say, to stand beside it. progress is told which is drawn and the fraction of all that is done. Raises TrainingError
    where a run cannot be read or a file not be written.
    """
    for each in (run, against):
        if each is not None:
            each.refuse_old_evaluation()
            run.refuse_other_data(each)
    source = run.data(data)
    source.refuse_missing(("iid", "sweep"))
    with threads(thread_count):
        gallery = make_gallery(run, source, against, progress)
    path = run.folder / FILE
    write_result(path, report_html(gallery).encode())
    return [path, *save_pictures(gallery, run.folder)]


def refuse_report(run: TrainedRun, data: str | Path | None = None, against: TrainedRun | None = None) -> None:
    """Raise what `write_report` would, as far as can be told before a run is evaluated, which takes minutes."""
    for each in (run, against):
        if each is not None and each.exported is not None:
            raise TrainingError(
                f"{each.folder} holds an exported network, not the run with its data and log, and cannot be evaluated: "
                "wanted the folder of the run that it was exported from"
            )
    refuse_unwritable(run.folder)
    if against is not None:
        run.refuse_other_data(against)
        _ = against.evaluation
    source = run.data(data)
    source.refuse_missing(("train", "iid", "test", "sweep"))


def report_html(gallery: Gallery) -> str:
    """Return the page."""
    run = gallery.run
    runs = [run] if gallery.other is None else [run, gallery.other]
    configuration = run_configuration.to_json(run.configuration, run.description)
    return environment().get_template("report.html").render(
        gallery=gallery,
        run=run,
        runs=runs,
        facts=_facts(run),
        heroes=_heroes(gallery, runs),
        tables=_tables(runs),
        metrics=[
            *((term, _metric_cells(term, runs)) for term in METRIC_TERMS),
            *((term, _dci_cells(term, runs)) for term in DCI_TERMS),
        ],
        picture=_picture_facts(run.evaluation),
        identity=[_identity_words(each) for each in runs],
        strips=strips,
        strip_of=strip_of,
        chart=chart,
        commands=commands_of(runs),
        configuration=json.dumps(configuration, indent=2),
        version=__version__,
    )  # fmt: skip


def _facts(run: TrainedRun) -> list[tuple[str, str]]:
    """Say in a few pairs what was trained on what, and for how long."""
    report, description = run.evaluation, run.description
    colour = "gray" if description.channels == 1 else "colour"
    return [
        ("data", Path(run.configuration.data).name),
        ("pictures", f"{description.size} × {description.size}, {colour}"),
        ("trained", f"{report['steps']:,} steps, {report['images_seen']:,} images, {_time(report['seconds'])}"),
        ("network", f"{report['network']}, {_millions(report.get('parameters'))} weights, {_latents(report)}"),
        ("seed", str(report["seed"])),
        ("measured", f"on {_count(report, 'iid')} pictures of people never seen"),
    ]


def _heroes(gallery: Gallery, runs: Sequence[TrainedRun]) -> list[dict[str, Any]]:  # for the template
    """Say of each run whether the first factor is a dial, and show it."""
    board = gallery.turned[0].groups[0] if gallery.turned else gallery.relit.groups[-1]
    own = [place for place, row in enumerate(gallery.readings) if row.own]
    heroes = []
    for run, place, tone in zip(runs, own, ("run", "other"), strict=False):
        row = gallery.readings[place]
        reading, factor, unit = row.readings[0], run.factors[0], run.units[0]
        heroes.append(
            {
                "name": run.name,
                "tone": tone,
                "verdict": _verdict(reading, factor),
                "words": _reads(reading, unit),
                "figure": dial_figure(reading, factor, unit, row.colour),
                "rows": (board.rows[place], board.rows[-1]),
            }
        )
    return heroes


def _verdict(reading: Reading, factor: str) -> str:
    if reading.r2 >= DIAL:
        return f"{factor.capitalize()} is a dial"
    return f"{factor.capitalize()} is almost a dial" if reading.r2 >= ALMOST else f"{factor.capitalize()} is no dial"


def _reads(reading: Reading, unit: str) -> str:
    return (
        f"{reading.name.capitalize()} reads it off a picture to within {reading.error:.1f}{unit} on average; guessing "
        f"without looking would be {reading.blind_error:.0f}{unit} off"
    )


def _tables(runs: Sequence[TrainedRun]) -> list[tuple[str, list[tuple[Term, list[list[tuple[str, str]]]]]]]:
    """Return titles with lines: a term, and for each run its cells, one a factor; without lines that are empty."""
    tables = []
    for title, terms in TABLES:
        lines = [(term, [[_cell(score, term) for score in _scores(run.evaluation)] for run in runs]) for term in terms]
        told = [line for line in lines if any(text != NOTHING for cells in line[1] for text, _ in cells)]
        if told:
            tables.append((title, told))
    return tables


def _scores(report: dict[str, Any]) -> list[dict[str, Any]]:  # JSON
    """Return each factor's table, with what was found for codes without assigned latents within it."""
    entangled = report.get("entangled") or {}
    return [score | {"entangled": entangled.get(name)} for name, score in report["factors"].items()]


def _cell(score: dict[str, Any], term: Term) -> tuple[str, str]:  # JSON
    """Return a number and the half width of its interval, if it has one."""
    found = (score.get("intervals") or {}).get(term.key)
    half = ""
    if isinstance(found, list) and len(found) == 2 and all(isinstance(end, int | float) for end in found):
        half = f"±{written((found[1] - found[0]) / 2, term.form)}"
    return written(value_of(score, term.key), term.form), half


def _metric_cells(term: Term, runs: Sequence[TrainedRun]) -> list[tuple[str, str]]:
    """Return for each run its latents by themselves, and with the others as one block."""
    cells = []
    for run in runs:
        found = run.evaluation.get("metrics") or {}
        for kind in ("latents", "blocks"):
            value, low, high = (value_of(found, f"{kind}.{term.key}.{part}") for part in ("value", "low", "high"))
            half = "" if low is None or high is None else f"±{written((high - low) / 2, term.form)}"
            cells.append((written(value, term.form), half))
    return cells


def _dci_cells(term: Term, runs: Sequence[TrainedRun]) -> list[tuple[str, str]]:
    """Return for each run its latents by themselves, and, where these are meant, with the others as one block."""
    blocks = term.key.replace(".latents", ".blocks")
    keys = [term.key, blocks if blocks != term.key else ""]
    return [(written(value_of(run.evaluation, key), term.form), "") for run in runs for key in keys]


def _picture_facts(report: dict[str, Any]) -> str:  # JSON
    head, frame = (value_of(report["reconstruction"], f"psnr_{part}_db") for part in ("head", "frame"))
    of_head = "" if head is None else f"{written(head, '.1f')} dB over the head and "
    return f"{of_head}{written(frame, '.1f')} dB over the whole frame"


def _identity_words(run: TrainedRun) -> str:
    """Say how often a person is known again by the other latents, nothing where that was not measured."""
    right, people, apart = (value_of(run.evaluation, f"identity.{key}") for key in ("right", "people", "degrees_apart"))
    if right is None or people is None or apart is None:
        return ""
    return (
        f"{run.name}: by its other latents the right one of {people:.0f} people is found in {right:.0%} of "
        f"pictures {apart:.0f}{run.units[0]} of {run.factors[0]} apart (by chance {1 / people:.1%})."
    )


def _latents(report: dict[str, Any]) -> str:  # JSON
    alive, count = (value_of(report["latents"], key) for key in ("alive", "count"))
    return f"{written(alive, 'd')} of {written(count, 'd')} latents alive"


def _count(report: dict[str, Any], split: str) -> str:  # JSON
    return written(value_of(report, f"images.{split}"), ",")


def _millions(count: int | None) -> str:
    return NOTHING if count is None else f"{count / 1e6:.1f} million"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
