"""What the commands of the pages name, made small: data sets, runs, photographs, meshes, models and pictures.

A builder makes one thing in the shelf's folder. `Shelf.lay_out` gives a command a folder of its own with what it names.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from PIL import Image

from dcign.evaluate.evaluation import evaluate
from dcign.facegen.model.morphable import MorphableModel
from dcign.infer.encode import encode_dataset, save_encoding
from dcign.recipes.registry import RECIPES
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.plan.objects import FEWEST
from dcign.render.plan.ranges import Range
from dcign.run.configuration import TrainConfiguration
from dcign.train.training import train
from dcign.trained.trained_run import TrainedRun
from tests.support.chairs import write_chairs
from tests.support.commands import dcign
from tests.support.data_sets import draw
from tests.support.foreign_sets import drawn, grid, shares, small_norb, write_csv, write_pictures
from tests.support.heads import head
from tests.support.model_files import flame, python2, write_h5
from tests.support.pages import ROOT
from tests.support.quick import quick_evaluations

SHIPPED = ROOT / "dcign" / "trained" / "networks" / "face"
SIZE = 32  # px
EYES = 0.45  # how far down the eyes are in a picture of `dcign face`, as a share of its height
FACES = RenderConfiguration(
    Splits(train=8, test=4, iid=8, sweep_levels=(3, 2, 2)), size=SIZE, seed=3, truth=("depth", "normals", "landmarks")
)
PEOPLE = RenderConfiguration(
    Splits(train=9, test=9, iid=4, sweep_levels=(2,) * 5, mix=2),
    size=SIZE,
    channels=3,
    age=Range(18.0, 80.0),
    sex=Range(-2.0, 2.0),
    vary=("age", "sex", "shape", "skin", "hair"),
    truth=("mask",),
)
OBJECTS = ("--meshes", "chairs", "--size", str(SIZE), "--batches", "4")


class Shelf:
    """A folder in which each thing is made when it is first named.

    folder: empty; model: the face model of the data sets.
    """

    def __init__(self, folder: Path, model: MorphableModel) -> None:
        self.folder, self.model = folder, model

    def get(self, name: str) -> Path:
        """Return the path of a thing, made if it is not there."""
        path = self.folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            BUILDERS[name](self, path)
        return path

    def lay_out(self, words: Sequence[str], folder: Path, copied: bool) -> None:
        """Put into a folder what these words of a command name: links, or copies for a command that changes them."""
        for name in sorted({name for word in words for name in named(word)}):
            source, target = self.get(name), folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if copied and source.is_dir():
                shutil.copytree(source, target)
            else:
                target.symlink_to(source.resolve())


def named(word: str) -> list[str]:
    """Return the names of the things that a word of a command names: itself, what it lies in, what its * stands for."""
    return [name for name in BUILDERS if fnmatchcase(name, word) or word.startswith(f"{name}/")]


def _faces(shelf: Shelf, path: Path) -> None:
    draw(path, shelf.model, FACES)


def _people(shelf: Shelf, path: Path) -> None:
    draw(path, shelf.model, PEOPLE)


def _run(recipe: str) -> Callable[[Shelf, Path], None]:
    """Return the builder of an evaluated run of two steps on faces."""

    def build(shelf: Shelf, path: Path) -> None:
        data = str(shelf.get("faces"))
        train(TrainConfiguration(data=data, out=str(path), recipe=RECIPES[recipe], steps=2, seed=0, device="cpu"))
        with quick_evaluations():
            evaluate(TrainedRun.open(path))

    return build


def _shipped(shelf: Shelf, path: Path) -> None:
    """The network of the package as a run of the user's: its people have ages, its faces are in colour."""
    shutil.copytree(SHIPPED, path)


def _like(name: str) -> Callable[[Shelf, Path], None]:
    return lambda shelf, path: path.symlink_to(shelf.get(name))


def _made_by(*words: str) -> Callable[[Shelf, Path], None]:
    """Return the builder of what a command of dcign writes."""

    def build(shelf: Shelf, path: Path) -> None:
        given = [str(shelf.get(word)) if word in BUILDERS else word for word in words]
        result = dcign(*given, "--out", path)
        assert result.exit_code == 0, result.output

    return build


def _codes(shelf: Shelf, path: Path) -> None:
    save_encoding(encode_dataset(TrainedRun.open(shelf.get("runs/swap")), shelf.get("faces")), path)


def _photograph(shelf: Shelf, path: Path) -> None:
    """A face in a larger picture, its eyes where docs/photographs.md says they are."""
    side, between = 440, (354, 408)  # px: five distances between the eyes; the point between them
    face = _front(shelf).resize((side, side))
    canvas = Image.new("RGB", (720, 720), (90, 110, 120))
    canvas.paste(face, (between[0] - side // 2, between[1] - round(EYES * side)))
    canvas.save(path, quality=95)


def _front(shelf: Shelf) -> Image.Image:
    """The middle one of the three views that `dcign face` draws."""
    views = Image.open(shelf.get("person.png"))
    return views.crop((views.height, 0, 2 * views.height, views.height))


def _photographs(shelf: Shelf, path: Path) -> None:
    """Pictures of faces with the table of their azimuths."""
    path.mkdir()
    files = [f"{number}.png" for number in range(2)]
    for file in files:
        _front(shelf).save(path / file)
    write_csv(path / "labels.csv", ["file", "azimuth"], [[file, 0.0] for file in files])


def _pictures(shelf: Shelf, path: Path) -> None:
    """Pictures with labels as in docs/import.md: a grid of two angles, a class, and who is seen."""
    codes = grid(3, 5, 4)
    names = [f"{row:03d}.png" for row in range(len(codes))]
    write_pictures(path, drawn(shares(codes)), names)
    rows = [
        [name, yaw * 0.5, 30 * light, f"person {person}", f"make {person % 2}"]
        for name, (person, yaw, light) in zip(names, codes, strict=True)
    ]
    write_csv(path / "labels.csv", ["file_name", "yaw", "light", "person", "make"], rows)


def _chairs(shelf: Shelf, path: Path) -> None:
    write_chairs(path, FEWEST)


def _norb(shelf: Shelf, path: Path) -> None:
    small_norb(path)


def _basel(shelf: Shelf, path: Path) -> None:
    write_h5(path, head())


def _flame(shelf: Shelf, path: Path) -> None:
    path.write_bytes(python2(flame(head()), wrapped="chumpy"))


BUILDERS: dict[str, Callable[[Shelf, Path], None]] = {
    "faces": _faces,
    "people": _people,
    "people64c": _like("people"),
    "wild96": _like("people"),
    "chairs": _chairs,
    "chairs-64": _made_by("render", *OBJECTS),
    "runs/swap": _run("swap"),
    "runs/swap-seed1": _like("runs/swap"),
    "runs/first": _like("runs/swap"),
    "runs/vae": _like("runs/swap"),
    "runs/people": _shipped,
    "runs/wild": _shipped,
    "z.npz": _codes,
    "person.png": _made_by("face", "--seed", "7"),
    "photo.png": _like("person.png"),
    "other.png": _made_by("face", "--seed", "8"),
    "photo.jpg": _photograph,
    "docs": lambda shelf, path: path.symlink_to(ROOT / "docs"),
    "photos": _photographs,
    "pictures": _pictures,
    "norb": _norb,
    "crowd.json": _made_by("face", "--gallery", "100", "--seed", "1000"),
    "her.json": _made_by("face", "--seed", "4"),
    "model2019_face12.h5": _basel,
    "flame2023_Open.pkl": _flame,
}
