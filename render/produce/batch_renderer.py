"""Turn planned batches into drawn ones: a model at one level of detail, or objects, and one atlas renderer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import MappingProxyType

import numpy as np

from dcign.arrays import Float32, Int64
from dcign.data.schema import BATCH_SIZE, MASK, Batch
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.bounding_sphere import head_sphere
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.facegen.objects.collection import Collection
from dcign.render.draw.atlas import AtlasRenderer, Faces, Pictures
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import HeadFrame
from dcign.render.draw.truth_pass import truth_names
from dcign.render.draw.views import Labels
from dcign.render.plan.backdrops import Backdrops, choose_backdrops
from dcign.render.plan.batches import BatchPlan
from dcign.render.plan.choice import Crowd
from dcign.render.plan.configuration import RenderConfiguration, has_hair
from dcign.render.plan.objects import FRAME, Subject, object_faces, object_mesh

NO_NUISANCE: Labels = MappingProxyType({})


def head_frame(model: MorphableModel) -> HeadFrame:
    """Return what the camera aims at: the mean head's bounding sphere, the same at every level of detail."""
    centre, radius = head_sphere(model)
    return HeadFrame((float(centre[0]), float(centre[1]), float(centre[2])), float(radius))


def batch_mesh(model: MorphableModel, *, textured: bool = False) -> Mesh:
    """Return what all faces of the model share; with texture coordinates if wanted and the model has them."""
    uv = model.texture.uv if textured and model.texture is not None else None
    return Mesh(model.triangles, model.mean, model.parts, model.part_names, uv, landmarks=model.landmarks)


def drawn_people(model: MorphableModel, configuration: RenderConfiguration) -> MorphableModel:
    """Return the model that a configuration draws: with or without hair, at its level of detail."""
    worn = model if has_hair(configuration.hair) else model.without_hair()
    return worn.at_level(configuration.level_of_detail)


def subject_truth_names(subject: Subject, configuration: RenderConfiguration) -> dict[str, tuple[str, ...]]:
    """Return the names of the parts and landmarks that a configuration writes, without drawing anything."""
    if isinstance(subject, Collection):
        return truth_names(object_mesh(subject), configuration.truth)
    return truth_names(batch_mesh(drawn_people(subject, configuration)), configuration.truth)


class BatchRenderer(AbstractContextManager["BatchRenderer"]):
    """Draws batches. Holds an OpenGL context: use as a context manager, one per process.

    model: a face model with all its levels of detail, or the objects; head: the sphere that the camera aims at;
    textured: whether faces use textures finer than their vertices, if the model has them; default: in large pictures;
    backdrops: the pictures behind the heads, crowd: the people, if the configuration takes them from files.
    """

    def __init__(
        self,
        model: Subject,
        configuration: RenderConfiguration,
        *,
        textured: bool | None = None,
        backdrops: Backdrops | None = None,
        crowd: Crowd | None = None,
    ) -> None:
        self.model, self.crowd = model, crowd
        self._configuration, self._backdrops = configuration, backdrops
        if isinstance(model, Collection):
            self.head, self._mesh = FRAME, object_mesh(model)
        else:
            self.head = head_frame(model)
            self.model = people = drawn_people(model, configuration)
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
        self.opengl_renderer = self._atlas.renderer
        self.truth_names = truth_names(self._mesh, configuration.truth)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the OpenGL context. May be called again."""
        self._atlas.close()

    def faces(self, shape: Float32, albedo: Float32, attributes: Float32) -> Faces:
        """Return people as meshes: shape (P, Ks) and albedo (P, Ka), N(0, 1); attributes (P, A)."""
        model = self.model
        assert isinstance(model, MorphableModel)  # objects have no coefficients
        positions = model.shapes(shape, attributes)
        albedos = srgb_to_linear(model.albedos(albedo, attributes))
        textures = None
        if self._mesh.uv is not None:  # one at a time: each needs 12 MB of temporary memory
            each = [model.textures(albedo[i : i + 1], attributes[i : i + 1]) for i in range(len(albedo))]
            textures = np.concatenate([texture for texture in each if texture is not None])
        return Faces(positions, self._normals(positions), albedos, textures)

    def objects(self, index: Int64) -> Faces:
        """Return objects by their numbers (N,): only one if all are the same."""
        assert isinstance(self.model, Collection)
        one = (index == index[0]).all()
        return object_faces(self.model, (index[:1] if one else index).tolist(), self._mesh)

    def draw(self, faces: Faces, factors: Float32, nuisance: Labels = NO_NUISANCE) -> Pictures:
        """Draw faces. factors (N, F): columns as in configuration.factors; nuisance: name -> (N,)."""
        configuration, background = self._configuration, self._configuration.background
        names = (factor.name for factor in configuration.factors)
        labels = dict(zip(names, factors.T, strict=True)) | dict(nuisance)
        if background is None:
            return self._atlas.draw(faces, labels)
        behind = choose_backdrops(background, self._backdrops, nuisance, configuration.size, len(factors))
        return self._atlas.draw(faces, labels, behind)

    def draw_batch(self, plan: BatchPlan) -> Batch:
        """Draw a whole batch with the truth layers asked for; in all splits but train always with the mask."""
        if plan.shape is None or plan.albedo is None or plan.attributes is None:
            faces = self.objects(plan.identity_index)
        else:
            faces = self.faces(plan.shape, plan.albedo, plan.attributes)
        pictures = self.draw(faces, plan.factors, plan.nuisance)
        masked = plan.split != "train" or MASK in self._configuration.truth
        return Batch(
            number=plan.number,
            varies=plan.varies,
            images=pictures.images,
            factors=plan.factors,
            identity_index=plan.identity_index,
            identity_shape=_for_each(plan.shape),
            identity_albedo=_for_each(plan.albedo),
            identity_attributes=_for_each(plan.attributes) if self.model.attributes else None,
            identity_own_shape=_for_each(plan.own_shape),
            identity_source=plan.source,
            nuisance=plan.nuisance,
            truth=pictures.truth | ({MASK: pictures.mask} if masked else {}),
        )


def _for_each(people: Float32 | None) -> Float32 | None:
    """Return one row per image: (P, K), P = 1 or 20 -> (20, K); None of objects."""
    return None if people is None else np.broadcast_to(people, (BATCH_SIZE, people.shape[1])).copy()
