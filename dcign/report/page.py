"""report.html: one self-contained page about a run, with its pictures and charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcign import __version__
from dcign.device import threads
from dcign.errors import TrainingError
from dcign.evaluate.evaluation import refuse_unevaluable
from dcign.figures.encoded import Reading
from dcign.figures.gallery import Gallery, make_gallery, save_pictures
from dcign.figures.inferred import single_figure
from dcign.progress import StageProgress, no_stage_progress
from dcign.report.inline import chart, environment, strip_of, strips
from dcign.run import configuration as run_configuration
from dcign.run.json_files import refuse_unwritable, write_result
from dcign.trained.altered_pictures import altered_rows
from dcign.trained.commands import commands_of
from dcign.trained.evaluation_file import NOTHING, formatted, half_width, value_of
from dcign.trained.marks import beside, mark_of
from dcign.trained.terms import (
    DCI_TERMS,
    FACTOR_TABLES,
    METRIC_TERMS,
    MIX_TERMS,
    PERSON_TERMS,
    RECONSTRUCTION_TERMS,
    Metric,
    part_terms,
    view_terms,
)
from dcign.trained.trained_run import PEOPLE, TrainedRun

FILE = "report.html"
CLEAR, ALMOST = 0.98, 0.9  # R^2 on the sweep from which the page says that a latent tells a factor, or nearly does


def write_report(
    run: TrainedRun,
    data: str | Path | None = None,
    against: TrainedRun | None = None,
    thread_count: int = 0,
    progress: StageProgress = no_stage_progress,
) -> list[Path]:
    """Write report.html and the PNGs of an evaluated run into its folder. Returns their paths, the report's first.

    data: the data set's folder, if it has moved.
    against: another evaluated run of the same data set, an entangled one for example, to show beside it.
    progress: called with the picture that is drawn and the fraction of all work that is done.

    Raises TrainingError if a run cannot be read or a file cannot be written.
    """
    for each in (run, against):
        if each is not None:
            each.refuse_old_evaluation()
            run.refuse_other_data(each)
    source = run.data(data)
    with threads(thread_count):
        gallery = make_gallery(run, source, against, progress)
    path = run.folder / FILE
    write_result(path, report_html(gallery).encode())
    return [path, *save_pictures(gallery, run.folder)]


def refuse_report(run: TrainedRun, data: str | Path | None = None, against: TrainedRun | None = None) -> None:
    """Raise the errors of `write_report` that can be found before the evaluation, which takes minutes."""
    for each in (run, against):
        if each is not None and each.exported is not None:
            raise TrainingError(
                f"expected the folder of a run, found an exported network in {each.folder}, which cannot be evaluated: "
                "name the run that it was exported from."
            )
    refuse_unwritable(run.folder)
    if against is not None:
        run.refuse_other_data(against)
        _ = against.evaluation
    refuse_unevaluable(run.data(data))


def report_html(gallery: Gallery) -> str:
    """Return the page's HTML."""
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
        metrics=[(term, _code_cells(term, runs)) for term in (*METRIC_TERMS, *DCI_TERMS)],
        picture=_picture_facts(run.evaluation),
        rebuilt=_rebuilt(runs),
        refined=_refined(run),
        robustness=altered_rows([run.evaluation for run in runs]),
        parts=_rows_of(runs, "parts", PERSON_TERMS),
        mixtures=_rows_of(runs, "recombination", MIX_TERMS),
        mix_terms=MIX_TERMS,
        person_terms=PERSON_TERMS,
        identity=[_identity_words(each) for each in runs],
        strips=strips,
        strip_of=strip_of,
        chart=chart,
        commands=commands_of(runs),
        configuration=json.dumps(configuration, indent=2),
        version=__version__,
    )  # fmt: skip


def _facts(run: TrainedRun) -> list[tuple[str, str]]:
    """Return pairs of name and value: what was trained on what, and for how long."""
    report, description = run.evaluation, run.description
    colour = "gray" if description.channels == 1 else "colour"
    weights = value_of(report, "parameters")
    millions = NOTHING if weights is None else f"{weights / 1e6:.1f} million"
    alive, latents = (formatted(value_of(report, f"latents.{key}"), "d") for key in ("alive", "count"))
    pictures = formatted(value_of(report, "images.iid"), ",")
    return [
        ("data", Path(run.configuration.data).name),
        ("pictures", f"{description.size} × {description.size}, {colour}"),
        ("trained", f"{report['steps']:,} steps, {report['images_seen']:,} images, {_time(report['seconds'])}"),
        ("network", f"{report['network']}, {millions} weights, {alive} of {latents} latents alive"),
        ("seed", str(report["seed"])),
        (
            "measured",
            f"on {pictures} " + ("pictures of unseen people" if run.subjects == PEOPLE else "unseen pictures"),
        ),
    ]


def _heroes(gallery: Gallery, runs: Sequence[TrainedRun]) -> list[dict[str, Any]]:  # for the template
    """Return for each run how well its first factor is read, with a chart and a strip of pictures."""
    if gallery.relit is None:
        return []
    grid, first = gallery.turned[0].groups[0] if gallery.turned else gallery.relit.groups[-1], gallery.swept[0]
    own = [number for number, row in enumerate(gallery.readings) if row.own]
    heroes = []
    for run, number, tone in zip(runs, own, ("run", "other"), strict=False):
        row = gallery.readings[number]
        reading, factor, unit = row.readings[0], run.factors[first], run.units[first]
        heroes.append(
            {
                "name": run.name,
                "tone": tone,
                "verdict": _verdict(reading, factor),
                "words": _hero_words(reading, unit),
                "figure": single_figure(reading, factor, unit, row.colour),
                "rows": (grid.rows[number], grid.rows[-1]),
            }
        )
    return heroes


def _hero_words(reading: Reading, unit: str) -> str:
    several = reading.circular or reading.of_classes
    words = f"{reading.name.capitalize()} {'read' if several else 'reads'} it from a picture "
    if reading.of_classes:
        return (
            f"{words}and are right in {reading.score:.0%}; a constant guess is right in {1 / len(reading.levels):.0%}"
        )
    guess = f"a constant guess has {reading.blind_error:.0f}{unit}"
    return f"{words}with a mean error of {reading.error:.1f}{unit}; {guess}"


def _verdict(reading: Reading, factor: str) -> str:
    told = "Two latents are" if reading.circular else "Some latents are" if reading.of_classes else "One latent is"
    if reading.score >= CLEAR:
        return f"{told} {factor}"
    return f"{told} nearly {factor}" if reading.score >= ALMOST else f"No latent is {factor}"


def _tables(runs: Sequence[TrainedRun]) -> list[tuple[str, list[tuple[Metric, list[list[tuple[str, str]]]]]]]:
    """Return titles with lines: a metric, and for each run its cells, one per factor. Empty lines are left out."""
    tables = []
    for title, terms in FACTOR_TABLES:
        lines = [(term, [_factor_cells(run.evaluation, term) for run in runs]) for term in terms]
        filled = [line for line in lines if any(text != NOTHING for cells in line[1] for text, _ in cells)]
        if filled:
            tables.append((title, filled))
    return tables


def _scores(report: dict[str, Any]) -> list[dict[str, Any]]:  # JSON
    """Return each factor's table, with the key `entangled` for codes without assigned latents."""
    entangled = report.get("entangled") or {}
    return [score | {"entangled": entangled.get(name)} for name, score in report["factors"].items()]


def _factor_cells(report: dict[str, Any], term: Metric) -> list[tuple[str, str]]:  # JSON
    """Return a cell for each factor, with what chance gives and the figure's mark."""
    cells = zip(report["factors"], (_cell(score, term) for score in _scores(report)), strict=True)
    return [(text, _small(half, beside(report, term, factor))) for factor, (text, half) in cells]


def _small(*words: str) -> str:
    """Join what stands in small type beside a number."""
    return " ".join(filter(None, words))


def _cell(score: dict[str, Any], term: Metric) -> tuple[str, str]:  # JSON
    """Return a number and half the width of its interval, if it has one."""
    found = (score.get("intervals") or {}).get(term.key)
    low, high = found if isinstance(found, list) and len(found) == 2 else (None, None)
    return term.text(score), half_width(low, high, term.form)


def _code_cells(term: Metric, runs: Sequence[TrainedRun]) -> list[tuple[str, str]]:
    """Return for each run the metric of each latent by itself, and with the intrinsic latents as one block.

    A metric without blocks has one empty cell.
    """
    rows = [(each, run.evaluation) for run in runs for each in (term, term.of_blocks())]
    return [(each.text(report), _small(each.half_width(report), beside(report, each))) for each, report in rows]


def _picture_facts(report: dict[str, Any]) -> str:  # JSON
    head, frame = (value_of(report["reconstruction"], f"psnr_{part}_db") for part in ("head", "frame"))
    of_head = "" if head is None else f"{formatted(head, '.1f')} dB over the head and "
    return f"{of_head}{formatted(frame, '.1f')} dB over the whole frame"


def _rows_of(
    runs: Sequence[TrainedRun], key: str, terms: Sequence[Metric]
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return a line per run and entry of a table of evaluation.json: the run, the entry, and a cell per metric.

    A cell is a figure and its mark.
    """
    return [
        (run.name, name, [(term.text(score), mark_of(score, term)) for term in terms])
        for run in runs
        for name, score in (run.evaluation.get(key) or {}).items()
    ]


def _rebuilt(runs: Sequence[TrainedRun]) -> list[tuple[Metric, list[tuple[str, str]]]]:
    """Return each metric of reconstructions, and of their parts, with its value for each run."""
    terms = (*RECONSTRUCTION_TERMS, *part_terms(run.evaluation for run in runs))
    return [(term, [(term.text(run.evaluation), beside(run.evaluation, term)) for run in runs]) for term in terms]


def _refined(run: TrainedRun) -> list[tuple[Metric, list[str]]]:
    """Return each metric of pictures without and with the run's refiner, or nothing if that was not measured."""
    found = run.evaluation.get("refiner")
    if not found:
        return []
    terms = (*RECONSTRUCTION_TERMS, *view_terms(run.description.factors))
    return [(term, [term.text(found[name]) for name in ("decoded", "refined")]) for term in terms]


def _identity_words(run: TrainedRun) -> str:
    """Return a sentence about matching people by the other latents, or nothing if that was not measured."""
    right, people, apart = (value_of(run.evaluation, f"identity.{key}") for key in ("right", "people", "degrees_apart"))
    names = run.description.factors
    factor = (run.evaluation.get("identity") or {}).get("factor", names[0])  # earlier versions used the first one
    if right is None or people is None or apart is None or factor not in names:
        return ""
    index = names.index(factor)
    return (
        f"{run.name}: its other latents find the right one of {people:.0f} people in {right:.0%} of pictures that "
        f"differ by {apart:.0f}{run.units[index]} of {run.factors[index]} (chance: {1 / people:.1%})."
    )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
