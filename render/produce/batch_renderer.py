"""Where faces are photographed: a model at one level of detail, or objects, in front of one batch renderer."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.data.schema import BATCH_SIZE, MASK, Batch
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel, head_sphere
from dcign.facegen.normals import VertexNormals
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.atlas import AtlasRenderer, Faces, Pictures
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import HeadFrame
from dcign.render.draw.truth_pass import truth_names
from dcign.render.draw.views import Labels
from dcign.render.gl.context import Closeable, Renderer
from dcign.render.plan.backdrops import Backdrops, choose_backdrops
from dcign.render.plan.batches import BatchPlan
from dcign.render.plan.configuration import RenderConfiguration, has_hair
from dcign.render.plan.objects import FRAME, object_faces, object_mesh
from dcign.render.plan.subject import Subject

NO_NUISANCE: Labels = MappingProxyType({})


def head_frame(model: MorphableModel) -> HeadFrame:
    """What the camera aims at: the mean head's bounding sphere, the same at every level of detail."""
    centre, radius = head_sphere(model)
    return HeadFrame((float(centre[0]), float(centre[1]), float(centre[2])), float(radius))


def batch_mesh(model: MorphableModel, *, textured: bool = False) -> Mesh:
    """What all of the model's faces have in common; their places on textures too if the model has such."""
    uv = model.texture.uv if textured and model.texture is not None else None
    return Mesh(model.triangles, model.mean, model.parts, model.part_names, uv, landmarks=model.landmarks)


class BatchRenderer(Closeable):
    """Turns plans into batches. Holds an OpenGL context: use as a context manager, one a process.

    model: the people, at the level of detail of the picture size, or the objects; head: what the camera aims at;
    textured: whether to paint people finer than their vertices where the model can, by default in large pictures;
    backdrops: the pictures behind them, where the configuration wants such.
    """

    def __init__(
        self,
        model: Subject,
        configuration: RenderConfiguration,
        *,
        textured: bool | None = None,
        backdrops: Backdrops | None = None,
    ) -> None:
        self.model = model
        self._background, self._backdrops, self._size = configuration.background, backdrops, configuration.size
        self._factors = tuple(factor.name for factor in configuration.factors)
        if isinstance(model, Collection):
            self.head, self._mesh = FRAME, object_mesh(model)
        else:
            self.head = head_frame(model)
            whole = model if has_hair(configuration.hair) else model.without_hair()
            self.model = people = whole.at_level(configuration.level_of_detail)
            self._mesh = batch_mesh(people, textured=configuration.textured if textured is None else textured)
            self._normals = VertexNormals(people.triangles, people.vertices)
        self._atlas = AtlasRenderer(
            size=configuration.size,
            channels=configuration.channels,
            mesh=self._mesh,
            head=self.head,
            scene=configuration.scene,
            background=configuration.background is not None,
            truth=configuration.truth,
        )
        self._truth = configuration.truth
        self.truth_names = truth_names(self._mesh, configuration.truth)

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._atlas.close()

    @property
    def opengl_renderer(self) -> Renderer:
        """Who draws here."""
        return self._atlas.renderer

    def faces(self, shape: Float32, albedo: Float32, attributes: Float32) -> Faces:
        """People as meshes: shape (P, Ks) and albedo (P, Ka), N(0, 1); attributes (P, A)."""
        model = self.model
        assert isinstance(model, MorphableModel)  # objects have no coefficients
        positions = model.shapes(shape, attributes)
        albedos = srgb_to_linear(model.albedos(albedo, attributes))
        textures = None
        if self._mesh.uv is not None:  # one at a time: a person takes 12 MB on the way
            each = [model.textures(albedo[i : i + 1], attributes[i : i + 1]) for i in range(len(albedo))]
            textures = np.concatenate([texture for texture in each if texture is not None])
        return Faces(positions, self._normals(positions), albedos, textures)

    def objects(self, index: Int64) -> Faces:
        """Objects by their numbers (N,): one, if all are the same."""
        assert isinstance(self.model, Collection)
        one = (index == index[0]).all()
        return object_faces(self.model, (index[:1] if one else index).tolist(), self._mesh)

    def draw(self, faces: Faces, factors: Float32, nuisance: Labels = NO_NUISANCE) -> Pictures:
        """Pictures of faces; factors (N, F), columns as in the configuration's factors; nuisance: name -> (N,)."""
        labels = dict(zip(self._factors, factors.T, strict=True)) | dict(nuisance)
        if self._background is None:
            return self._atlas.draw(faces, labels)
        backgrounds = choose_backdrops(self._background, self._backdrops, nuisance, self._size, len(factors))
        return self._atlas.draw(faces, labels, backgrounds)

    def draw_batch(self, plan: BatchPlan) -> Batch:
        """One batch, whole, with the truth asked for. All splits but train carry the mask in any case."""
        if plan.shape is None or plan.albedo is None or plan.attributes is None:
            faces = self.objects(plan.identity_index)
        else:
            faces = self.faces(plan.shape, plan.albedo, plan.attributes)
        pictures = self.draw(faces, plan.factors, plan.nuisance)
        return Batch(
            number=plan.number,
            varies=plan.varies,
            images=pictures.images,
            factors=plan.factors,
            identity_index=plan.identity_index,
            identity_shape=_for_each(plan.shape),
            identity_albedo=_for_each(plan.albedo),
            identity_attributes=_for_each(plan.attributes) if self.model.attributes else None,
            nuisance=plan.nuisance,
            truth=pictures.truth | ({} if plan.split == "train" and MASK not in self._truth else {MASK: pictures.mask}),
        )


def _for_each(people: Float32 | None) -> Float32 | None:
    """One row an image: (P, K), P = 1 or 20 -> (20, K); None of objects."""
    if people is None:
        return None
    return np.broadcast_to(people, (BATCH_SIZE, people.shape[1])).copy()
