"""What the renderer draws for the values of the sliders, and people as meshes: truth beside the network's pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from dcign.arrays import Float32, UInt8
from dcign.data.schema import PERSON_PARTS
from dcign.errors import DataError
from dcign.explore.data_browser import DataBrowser
from dcign.facegen.files.mesh_file import export_face
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.person import ATTRIBUTES, Person
from dcign.facegen.model.traits import SCALARS, TRAITS, assemble
from dcign.inputs.scaling import scaled_batches
from dcign.render.plan.backdrops import read_backdrops
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.plan.objects import Subject
from dcign.render.plan.ranges import BOUNDS
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.described import subject_of
from dcign.run.code_layout import IDENTITY

KEPT = 64  # people in memory


@dataclass(frozen=True, eq=False)
class Shown:
    """What an image of a data set shows: factors (F,), nuisances, the number of the person or object, the person."""

    factors: Float32
    nuisance: dict[str, Float32]
    index: int
    person: Person | None


class TruthRenderer:
    """Draws people of a data set at any values of the factors.

    Opens an OpenGL context when it first draws. Use it from one thread, and `close` it there.

    size: of its pictures, px, scaled down from the data set's as those of a smaller network are; 0: no scaling.
    """

    def __init__(self, folder: Path, size: int = 0) -> None:
        self._browser = DataBrowser(folder)
        self._size = size
        self.shown = lru_cache(KEPT)(self._shown)

    @cached_property
    def subject(self) -> Subject:
        """The data set's face model or objects. Raises DataError if its model.npz is missing or another one."""
        return subject_of(self._browser.dataset)

    @cached_property
    def configuration(self) -> RenderConfiguration:
        """How the data set was rendered, without its truth layers."""
        return replace(RenderConfiguration.from_dict(self._browser.dataset.manifest.configuration), truth=())

    @cached_property
    def _renderer(self) -> BatchRenderer:
        background = self.configuration.background
        pictures = background is not None and background.pictures is not None
        backdrops = read_backdrops(self._browser.dataset.folder, background) if background and pictures else None
        return BatchRenderer(self.subject, self.configuration, backdrops=backdrops)

    def draw(self, origin: str, values: Mapping[str, float], parts_from: Mapping[str, str]) -> UInt8:
        """Draw what an image shows at other values of factors: (S, S, C).

        origin: SPLIT/BATCH/IMAGE. values: factor -> value in its unit; others stay. parts_from: a factor, a part of a
        person, or "identity", the rest of it -> origin of the image that gives it.

        Raises DataError for an unknown image, factor or part, and for a value that cannot be drawn.
        """
        shown = self.shown(origin)
        names = [factor.name for factor in self.configuration.factors]
        _refuse_values(values, names)
        given = {name: self.shown(parts_from[name]).factors[names.index(name)] for name in names if name in parts_from}
        labels = dict(zip(names, shown.factors.tolist(), strict=True)) | given | dict(values)
        factors = np.array([[labels[name] for name in names]], np.float32)
        if shown.person is None:
            other = self.shown(parts_from[IDENTITY]) if IDENTITY in parts_from else shown
            faces = self._renderer.objects(np.array([other.index]))
        else:
            parts = {name: giver for name, giver in parts_from.items() if name not in names}
            faces = self._renderer.faces(*self._people(shown.person, labels, parts))
        images = np.asarray(self._renderer.draw(faces, factors, shown.nuisance).images)
        picture: UInt8 = scaled_batches(images[None], self._size or images.shape[-2])[0, 0]
        return picture

    def mesh(self, origin: str) -> bytes:
        """Return the person of an image as a GLB file. Raises DataError if it shows an object."""
        person, model = self.shown(origin).person, self.subject
        if person is None or not isinstance(model, MorphableModel):
            raise DataError(f"expected an image of a person, found an object in {origin}: choose a data set of faces.")
        about = replace(person, attributes=person.attributes[: len(model.attributes)])
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "person.glb"
            export_face(file, model, about)
            return file.read_bytes()

    def close(self) -> None:
        """Release the OpenGL context, if there is one. Drawing again opens another."""
        renderer: BatchRenderer | None = self.__dict__.pop("_renderer", None)
        if renderer is not None:
            renderer.close()

    def _shown(self, origin: str) -> Shown:
        split, number, column = parse_origin(origin)
        batch = self._browser.batch_of_image(split, number, column)
        shape, albedo, about = batch.identity_shape, batch.identity_albedo, batch.identity_attributes
        person = None
        if shape is not None and albedo is not None:
            attributes = np.zeros(0, np.float32) if about is None else about[column]
            own = batch.identity_own_shape
            person = Person(shape[column], albedo[column], attributes, None if own is None else own[column])
        nuisance = {name: values[column : column + 1] for name, values in batch.nuisance.items()}
        return Shown(batch.factors[column], nuisance, int(batch.identity_index[column]), person)

    def _people(
        self, person: Person, labels: Mapping[str, float], parts_from: Mapping[str, str]
    ) -> tuple[Float32, Float32, Float32]:
        """Return shape (1, Ks), albedo (1, Ka) and attributes (1, A) of a person with these parts of others."""
        unknown = {*parts_from} - {*PERSON_PARTS, IDENTITY}
        if unknown:
            raise DataError(f"expected parts of a person, found {min(unknown)!r}: choose {', '.join(PERSON_PARTS)}.")
        whole = self._person(parts_from[IDENTITY]) if IDENTITY in parts_from else person
        traits = self.configuration.traits
        model = self.subject
        assert isinstance(model, MorphableModel)  # objects have no people
        if person.own_shape is None or model.population is None:
            return whole.shape[None], whole.albedo[None], whole.attributes[None]
        giver = {name: self._person(parts_from[name]) if name in parts_from else whole for name in TRAITS}
        people = list(giver.values())
        scalars = {name: np.array([labels[name]], np.float32) for name in SCALARS if name in traits}
        givers = {name: np.array([place]) for place, name in enumerate(giver)}
        bare = [replace(each, attributes=each.attributes[: len(ATTRIBUTES)]) for each in people]
        made = assemble(model, bare, givers, scalars, traits, keep_size=self.configuration.keep_head_size)
        if made.attributes.shape[1] > len(ATTRIBUTES):  # the giver's hair may go with another skin than the giver's
            made.attributes[:, len(ATTRIBUTES)] = giver["hair"].attributes[len(ATTRIBUTES)]
        return made.shape, made.albedo, made.attributes

    def _person(self, origin: str) -> Person:
        person = self.shown(origin).person
        assert person is not None  # one data set shows either people or objects
        return person


def parse_origin(origin: str) -> tuple[str, int, int]:
    """Return split, batch and image of SPLIT/BATCH/IMAGE. Raises DataError for anything else."""
    split, *numbers = origin.split("/")
    if len(numbers) != 2 or not all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        raise DataError(f"expected SPLIT/BATCH/IMAGE, found {origin[:60]!r}: choose an image of the data set.")
    batch, image = map(int, numbers)
    return split, batch, image


def _refuse_values(values: Mapping[str, float], names: list[str]) -> None:
    for name, value in values.items():
        if name not in names:
            raise DataError(f"expected a factor of the data set, found {name!r}: choose {', '.join(names)}.")
        bounds = BOUNDS[name]
        if not bounds.lowest <= value <= bounds.highest:
            raise DataError(
                f"expected {name} from {bounds.lowest:g} to {bounds.highest:g}, found {value:g}: choose a value within."
            )
