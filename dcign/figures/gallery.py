"""Everything that is shown of a run, computed once: the PNGs beside it and the report take it from here."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from dcign.figures.board import Board
from dcign.figures.chart import OTHER, RUN, as_png
from dcign.figures.curves import invariance_figure, training_figure
from dcign.figures.exchange import exchange_board
from dcign.figures.held import encode_iid, encode_sweeps, sweeps_work
from dcign.figures.inferred import InferredRow, inferred_figure
from dcign.figures.reconstruction import JUDGED, reconstruction_board
from dcign.figures.relight import relit_board, turned_board
from dcign.figures.sheet import save_board
from dcign.figures.traversal import traversal_board
from dcign.inputs.source import DataSource
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.run.json_files import write_result
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class Gallery:
    """The boards and charts of a run, and of another beside it if one was named."""

    run: TrainedRun
    other: TrainedRun | None
    relit: Board
    turned: tuple[Board, ...]  # one a factor, by every dial; empty where there is nothing to compare
    traversal: Board
    exchanges: tuple[Board, ...]  # one a factor
    reconstruction: Board
    readings: tuple[InferredRow, ...]  # of every dial, in the order of the rows of `turned`
    inferred: Figure
    invariance: Figure | None
    training: Figure | None


def make_gallery(
    run: TrainedRun,
    source: DataSource,
    other: TrainedRun | None = None,
    progress: StageProgress = no_stage_progress,
) -> Gallery:
    """Compute every picture of a run from the sweep and iid splits, with the other run's beside them.

    progress is told which is drawn and the fraction of all that is done.
    """
    sweep, iid = source.labelled("sweep"), source.labelled("iid")
    images = float(iid.images.shape[0] * iid.images.shape[1])
    stages = {"drawing sweeps": sweeps_work(sweep), "drawing traversal": images, "drawing reconstruction": JUDGED}
    if other is not None:
        stages["drawing the other run"] = sweeps_work(sweep)
    meter = PartProgress(progress, {**stages, "drawing pictures": 400})
    held = encode_sweeps(run, sweep, meter, "drawing sweeps")
    beside = () if other is None else (encode_sweeps(other, sweep, meter, "drawing the other run"),)
    drawn = encode_iid(run, iid, meter, "drawing traversal")
    rebuilt = reconstruction_board(run, drawn, meter.part("drawing reconstruction"))
    done = meter.part("drawing pictures")
    person, factors = held.median_person(), range(len(run.factors))
    compared = (held, *beside)
    rows = tuple(
        InferredRow(each.run.name, each.readings(dials), colour, own=dials is each.dials)
        for each, colour in zip(compared, (RUN, OTHER), strict=False)
        for dials in (each.dials, *each.baselines)
    )
    several = len(rows) > 1
    reports = [(each.run.name, each.run.evaluation) for each in compared]
    gallery = Gallery(
        run=run,
        other=other,
        relit=relit_board(held, person),
        turned=tuple(turned_board(compared, place, person) for place in factors) if several else (),
        traversal=traversal_board(held, drawn),
        exchanges=tuple(exchange_board(held, drawn, place) for place in factors),
        reconstruction=rebuilt,
        readings=rows,
        inferred=inferred_figure(rows, run.factors, run.units),
        invariance=invariance_figure(reports, run.factors, run.units),
        training=training_figure(run.folder),
    )
    done(1.0)
    return gallery


def save_pictures(gallery: Gallery, folder: Path) -> list[Path]:
    """Write traversal, inferred, reconstruction and relight as PNGs; raises TrainingError where one cannot be."""
    inferred = folder / "inferred.png"
    write_result(inferred, as_png(gallery.inferred))
    return [
        save_board(gallery.traversal, folder / "traversal.png"),
        inferred,
        save_board(gallery.reconstruction, folder / "reconstruction.png"),
        save_board(gallery.relit, folder / "relight.png"),
    ]
