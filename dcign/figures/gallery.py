"""All pictures of a run, computed once for the PNGs and for the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from dcign.evaluate.codes import encode_split
from dcign.evaluate.held_out import held_out_names, read_sweep
from dcign.figures.chart import OTHER, RUN, as_png
from dcign.figures.curves import invariance_figure, training_figure
from dcign.figures.encoded import EncodedImages, count_sweep_images, encode_sweeps
from dcign.figures.grids import JUDGED, reconstruction_grid, relit_grid, swap_grid, traversal_grid, turned_grid
from dcign.figures.inferred import InferredRun, inferred_figure
from dcign.figures.mixtures import mixture_grids
from dcign.figures.picture_grid import PictureGrid, save_grid
from dcign.inputs.source import DataSource
from dcign.progress import PartProgress, StageProgress, no_stage_progress
from dcign.run.json_files import write_result
from dcign.trained.trained_run import TrainedRun


@dataclass(frozen=True, eq=False)
class Gallery:
    """The picture grids and charts of a run, and of another run beside it if one was named."""

    run: TrainedRun
    other: TrainedRun | None
    relit: PictureGrid | None  # None, as is inferred, where no factor has a sweep
    swept: tuple[int, ...]  # the numbers of the factors that have a sweep
    turned: tuple[
        PictureGrid, ...
    ]  # one per factor that has a sweep, by every direction; empty if there is only one direction
    traversal: PictureGrid
    exchanges: tuple[PictureGrid, ...]  # one per factor
    mixtures: tuple[PictureGrid, ...]  # one per part of a person, if the data set has mixtures
    reconstruction: PictureGrid
    readings: tuple[InferredRun, ...]  # of every set of directions, in the order of the rows of `turned`
    inferred: Figure | None
    invariance: Figure | None
    training: Figure | None


def make_gallery(
    run: TrainedRun,
    source: DataSource,
    other: TrainedRun | None = None,
    progress: StageProgress = no_stage_progress,
) -> Gallery:
    """Compute every picture of a run from the sweep and iid splits, beside those of the other run.

    progress: called with the name of the picture and the fraction of all work that is done.
    """
    sweep, iid = read_sweep(source), source.labelled(held_out_names(source)[0])
    images = float(iid.images.shape[0] * iid.images.shape[1])
    stages = {
        "drawing sweeps": count_sweep_images(sweep),
        "drawing traversal": images,
        "drawing reconstruction": JUDGED,
    }
    if other is not None:
        stages["drawing the other run"] = count_sweep_images(sweep)
    meter = PartProgress(progress, {**stages, "drawing pictures": 400})
    encoded = encode_sweeps(run, sweep, meter, "drawing sweeps")
    beside = () if other is None else (encode_sweeps(other, sweep, meter, "drawing the other run"),)
    drawn = EncodedImages(iid, encode_split(run.codec, iid, meter.part("drawing traversal")))
    rebuilt = reconstruction_grid(run, drawn, meter.part("drawing reconstruction"))
    done = meter.part("drawing pictures")
    person, swept = encoded.median_person(), encoded.swept
    names, units = ([texts[index] for index in swept] for texts in (run.factors, run.units))
    compared = (encoded, *beside)
    rows = tuple(
        InferredRun(each.run.name, each.readings(directions), colour, own=directions is each.directions)
        for each, colour in zip(compared, (RUN, OTHER), strict=False)
        for directions in (each.directions, *each.baselines)
    )
    several = len(rows) > 1
    reports = [(each.run.name, each.run.evaluation) for each in compared]
    gallery = Gallery(
        run=run,
        other=other,
        relit=relit_grid(encoded, person) if swept else None,
        swept=swept,
        turned=tuple(turned_grid(compared, factor, person) for factor in swept) if several else (),
        traversal=traversal_grid(encoded, drawn),
        exchanges=tuple(swap_grid(encoded, drawn, factor) for factor in range(len(run.factors))),
        mixtures=mixture_grids(run, source.mixed()),
        reconstruction=rebuilt,
        readings=rows,
        inferred=inferred_figure(rows, names, units) if swept else None,
        invariance=invariance_figure(reports, run.factors, run.units),
        training=training_figure(run.folder),
    )
    done(1.0)
    return gallery


def save_pictures(gallery: Gallery, folder: Path) -> list[Path]:
    """Write traversal, inferred, reconstruction and relight as PNGs. Raises TrainingError if one cannot be written."""
    files = [save_grid(gallery.traversal, folder / "traversal.png")]
    if gallery.inferred is not None:
        files.append(folder / "inferred.png")
        write_result(files[-1], as_png(gallery.inferred))
    files.append(save_grid(gallery.reconstruction, folder / "reconstruction.png"))
    return files if gallery.relit is None else [*files, save_grid(gallery.relit, folder / "relight.png")]
