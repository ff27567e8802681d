"""The pictures of a run, all of people held out of training.

traversal.png       one latent moved at a time, the others left
inferred.png        inferred against true factor, over the sweeps
reconstruction.png  originals above what comes back through the code
relight.png         one picture re-lit and turned, above the renderer's truth (the paper's figure 5a)
"""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dcign.aside import write_result
from dcign.calibration import FactorCalibration
from dcign.codec import Codec, load_codec
from dcign.codes import Codes, encode_split
from dcign.evaluation import load_calibrations
from dcign.meter import Fraction, Meter, Told, unheard, untold
from dcign.metrics import r_squared
from dcign.sheet import GAP, TILE, Sheet, row_width
from dcign.source import DataSource, LabelledBatches
from dcign.sweeps import Sweep, at_rest, sweep_of

INTRINSIC_ROWS = 4
STEPS = 7  # pictures in a traversal
STRIP = 9  # pictures in a re-lit strip
EXAMPLES = 12  # pictures in a row of reconstructions
LABEL = 150  # pixels left of a row, for its name

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Evaluated:
    """An evaluated run, with a name to show it by."""

    name: str
    codec: Codec
    calibrations: tuple[FactorCalibration, ...]


def load_evaluated(folder: str | Path, name: str = "") -> Evaluated:
    """Read a run that has been evaluated; unnamed, it goes by its recipe."""
    codec = load_codec(folder)
    return Evaluated(name or codec.configuration.recipe.name, codec, load_calibrations(folder))


def draw_figures(
    folder: str | Path, data: str | Path | None = None, out: str | Path | None = None, progress: Told = untold
) -> list[Path]:
    """Draw all four pictures of an evaluated run into its folder, or `out`; returns their paths.

    progress is told which is drawn and the fraction of all that is done. Raises TrainingError where one cannot be
    written.
    """
    run = load_evaluated(folder)
    source = DataSource(data or run.codec.configuration.data)
    sweep, iid = source.labelled("sweep"), source.labelled("iid")
    where = Path(out or folder)
    # In images that pass through the network, about.
    swept, many = sweep.images.shape[:2]
    work = {"traversal": iid.images[..., 0, 0, 0].size, "inferred": swept * many, "reconstruction": 48, "relight": 60}
    meter = Meter(progress, {f"drawing {name}": images for name, images in work.items()})
    drawn = [
        draw_traversal(run, sweep, iid, where / "traversal.png", progress=meter.part("drawing traversal")),
        draw_inferred([run], sweep, where / "inferred.png", meter.part("drawing inferred")),
    ]
    meter.part("drawing reconstruction")
    drawn.append(draw_reconstruction(run, iid, where / "reconstruction.png"))
    done = meter.part("drawing relight")
    drawn.append(draw_relight(run, sweep, where / "relight.png"))
    done(1.0)
    return drawn


def draw_comparison(folders: Sequence[str | Path], path: Path, data: str | Path | None = None) -> Path:
    """Plot inferred against true factor of several evaluated runs on one data set, a row each."""
    runs = [load_evaluated(folder) for folder in folders]
    return draw_inferred(runs, DataSource(data or runs[0].codec.configuration.data).labelled("sweep"), path)


def draw_traversal(
    run: Evaluated,
    sweep: LabelledBatches,
    iid: LabelledBatches,
    path: Path,
    people: Sequence[int] = (0, 1),
    progress: Fraction = unheard,
) -> Path:
    """Move one latent at a time over the middle 98 % of what the iid split gives it, the others left."""
    codes = encode_split(run.codec, iid, progress)
    faces = run.codec.encode(at_rest(sweep)[list(people)])[0]
    rows = [(fit.latent, fit.factor.replace("_", " ")) for fit in run.calibrations]
    rows += [(latent, f"latent {latent}") for latent in _intrinsic(run, codes)[:INTRINSIC_ROWS]]
    block = row_width(STEPS) + 24
    sheet = Sheet(LABEL + block * len(people) - 8, 52 + len(rows) * (TILE + GAP) + 10)
    sheet.words(LABEL, 32, f"One latent moved at a time, the rest of the code left as it was ({run.name})", 17)
    for row, (latent, label) in enumerate(rows):
        top = 52 + row * (TILE + GAP)
        sheet.words(LABEL - 14, top + TILE // 2, label, anchor="rm")
        low, high = np.percentile(codes.flat_mu[:, latent], (1, 99))
        if row < len(run.calibrations):
            if run.calibrations[row].value(np.array([high]))[0] < run.calibrations[row].value(np.array([low]))[0]:
                low, high = high, low  # a latent may fall as its factor rises; the row always rises
            ends = (_angle(run, row, end) for end in run.calibrations[row].value(np.array([low, high])))
            sheet.words(LABEL - 14, top + TILE // 2 + 20, " to ".join(ends), 12, anchor="rm", pale=True)
        for place, code in enumerate(faces):
            moved = np.repeat(code[None], STEPS, axis=0)
            moved[:, latent] = np.linspace(low, high, STEPS)
            sheet.pictures(LABEL + place * block, top, run.codec.decode(moved))
    return sheet.save(path)


def draw_inferred(runs: Sequence[Evaluated], sweep: LabelledBatches, path: Path, progress: Fraction = unheard) -> Path:
    """Plot inferred against true factor for every person of the sweeps: a row a run, a panel a factor."""
    factors = runs[0].codec.description.factors
    figure = Figure(figsize=(3.7 * len(factors), 3.75 * len(runs) + 0.55), layout="constrained")
    grid = figure.subplots(len(runs), len(factors), squeeze=False)
    people = sweep.images.shape[1]
    figure.suptitle(f"Inferred against true: {people} people never seen in training", fontsize=13)
    for row, (run, axes) in enumerate(zip(runs, grid, strict=True)):
        for place, axis in enumerate(axes):
            part = functools.partial(_share, progress, row * len(axes) + place, grid.size)
            _plot_inferred(axis, run, sweep_of(sweep, place), place, part)
    content = io.BytesIO()
    figure.savefig(content, dpi=130, format="png")
    write_result(path, content.getvalue())
    return path


def draw_reconstruction(run: Evaluated, iid: LabelledBatches, path: Path) -> Path:
    """Show originals above their reconstructions, every factor and person random."""
    images = iid.images[:, 0][: 2 * EXAMPLES]
    pairs: tuple[tuple[str, NDArray[Any]], ...] = (  # uint8 as rendered, floats as decoded
        ("original", images),
        ("reconstruction", run.codec.decode(run.codec.encode(images)[0])),
    )
    rows = -(-len(images) // EXAMPLES)
    high = 2 * TILE + GAP + 16
    sheet = Sheet(LABEL + row_width(EXAMPLES) + 16, 52 + rows * high)
    sheet.words(LABEL, 32, f"People never seen in training, and what comes back through the code ({run.name})", 17)
    for row in range(rows):
        top = 52 + row * high
        chosen = slice(row * EXAMPLES, (row + 1) * EXAMPLES)
        for place, (label, pictures) in enumerate(pairs):
            y = top + place * (TILE + GAP)
            sheet.words(LABEL - 14, y + TILE // 2, label, anchor="rm")
            sheet.pictures(LABEL, y, pictures[chosen])
    return sheet.save(path)


def draw_relight(run: Evaluated, sweep: LabelledBatches, path: Path, person: int | None = None) -> Path:
    """Re-light and turn one picture by its latents alone, the renderer's pictures of the same angles below.

    Unless named, the person is the one of median reconstruction error: neither the luckiest nor the unluckiest.
    """
    people = at_rest(sweep)
    codes = run.codec.encode(people)[0]
    chosen = _median_person(run.codec, people, codes) if person is None else person
    left = 2 * TILE + 60 + LABEL
    high = 2 * TILE + GAP + 44
    sheet = Sheet(left + row_width(STRIP) + 16, 52 + len(run.calibrations) * high)
    sheet.words(left, 32, "One picture of a person never seen in training, re-lit and turned by one latent each", 17)
    middle = 52 + (len(run.calibrations) * high - 44 - 2 * TILE) // 2
    sheet.pictures(20, middle, people[chosen][None], tile=2 * TILE)
    sheet.words(20 + TILE, middle - 10, "all that the network sees", anchor="ms", pale=True)
    order = sorted(range(len(run.calibrations)), key=lambda place: -place)  # the light first, as the paper has it
    for row, place in enumerate(order):
        fit, strip = run.calibrations[place], sweep_of(sweep, place).near(STRIP)
        moved = np.repeat(codes[chosen][None], STRIP, axis=0)
        moved[:, fit.latent] = fit.code(strip.levels)
        top = 52 + row * high
        for column, level in enumerate(strip.levels):
            x = left + column * (TILE + GAP) + TILE // 2
            sheet.words(x, top + 2 * TILE + GAP + 18, _angle(run, place, level), 13, "ms", pale=True)
        sheet.words(left - 14, top + TILE // 2, fit.factor.replace("_", " "), anchor="rm")
        sheet.words(left - 14, top + GAP + 3 * TILE // 2, "renderer's truth", anchor="rm", pale=True)
        sheet.pictures(left, top, run.codec.decode(moved))
        sheet.pictures(left, top + TILE + GAP, strip.images[:, chosen])
    return sheet.save(path)


def _share(progress: Fraction, panels: int, of: int, done: float) -> None:
    progress((panels + done) / of)


def _plot_inferred(axis: Axes, run: Evaluated, sweep: Sweep, place: int, progress: Fraction) -> None:
    fit, description = run.calibrations[place], run.codec.description
    levels, people = sweep.images.shape[:2]
    mu = run.codec.encode(sweep.images.reshape(-1, *sweep.images.shape[2:]), progress)[0][:, fit.latent]
    inferred = fit.value(mu).reshape(levels, people)
    truth = np.repeat(sweep.levels[:, None], people, axis=1)
    ends = [sweep.levels[0], sweep.levels[-1]]
    axis.plot(ends, ends, color="0.55", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axis.plot(sweep.levels, inferred, color="#1f6fb4", linewidth=0.8, alpha=0.55, zorder=2)
    unit = _unit(run, place)
    score, error = r_squared(truth.ravel(), inferred.ravel()), np.abs(truth - inferred).mean()
    axis.text(0.04, 0.95, f"R² {score:.3f}\nmean error {error:.1f}{unit}", va="top", transform=axis.transAxes)
    name = fit.factor.replace("_", " ")
    axis.set_title(f"{name} from latent {fit.latent} ({run.name})", fontsize=11)
    axis.set_xlabel(f"true {name} ({description.units[place]})")
    axis.set_ylabel("inferred")
    margin = 0.06 * (ends[1] - ends[0])
    axis.set_xlim(ends[0] - margin, ends[1] + margin)
    axis.set_ylim(ends[0] - margin, ends[1] + margin)
    axis.set_aspect("equal")
    axis.spines[["top", "right"]].set_visible(False)


def _unit(run: Evaluated, place: int) -> str:
    """Return how a factor's unit is written behind a number."""
    unit = run.codec.description.units[place]
    return "°" if unit.startswith("deg") else f" {unit}"


def _angle(run: Evaluated, place: int, value: float) -> str:
    sign = "+" if round(value) > 0 else "−" if round(value) < 0 else ""
    return f"{sign}{abs(round(value))}{_unit(run, place)}"


def _intrinsic(run: Evaluated, codes: Codes) -> list[int]:
    """Return the latents that are no factor's, the most telling first."""
    owned = {fit.latent for fit in run.calibrations}
    order = np.argsort(-codes.mean_divergence())
    return [int(latent) for latent in order if int(latent) not in owned]


def _median_person(codec: Codec, people: NDArray[np.uint8], codes: Array) -> int:
    error = np.square(codec.decode(codes) - people.astype(np.float32) / 255).mean(axis=(1, 2, 3))
    return int(np.argsort(error)[len(error) // 2])
