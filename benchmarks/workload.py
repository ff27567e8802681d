"""What every path of `benchmarks.render` draws: the same faces, poses and lights, four batches over and over."""

from __future__ import annotations

from dataclasses import dataclass

from dcign.arrays import Int32
from dcign.facegen.build import procedural_model
from dcign.facegen.colour import srgb_to_linear
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.normals import VertexNormals
from dcign.render.draw.atlas import Faces
from dcign.render.draw.mesh import Mesh
from dcign.render.draw.scene import HeadFrame
from dcign.render.draw.views import Labels, Views, make_views
from dcign.render.plan.batches import BatchPlan, plan_batch
from dcign.render.plan.configuration import RenderConfiguration, Splits
from dcign.render.produce.batch_renderer import batch_mesh, head_frame


@dataclass(frozen=True, eq=False)
class Workload:
    """One batch of each kind, evaluated beforehand, and what it takes to draw them."""

    configuration: RenderConfiguration
    model: MorphableModel  # at the level of detail of this picture size
    mesh: Mesh
    head: HeadFrame
    plans: tuple[BatchPlan, ...]
    faces: tuple[Faces, ...]

    def labels(self, kind: int) -> Labels:
        """What `AtlasRenderer.draw` wants to know of a batch: name of the factor -> (20,)."""
        return dict(zip(self.configuration.ranges, self.plans[kind].factors.T, strict=True))

    def make_views(self, kind: int) -> Views:
        """The same as matrices."""
        return make_views(self.labels(kind), self.head, self.configuration.scene)

    @property
    def triangles(self) -> Int32:
        """(T, 3)"""
        return self.model.triangles


def workload(size: int) -> Workload:
    """Four gray batches at this picture size: azimuth, elevation, light azimuth, identity."""
    configuration = RenderConfiguration(Splits.in_paper_proportions(4), size=size)
    whole = procedural_model()
    model = whole.at_level(configuration.level_of_detail)
    normals = VertexNormals(model.triangles, model.vertices)
    plans = tuple(plan_batch(configuration, whole, "train", number) for number in range(len(configuration.kinds)))
    faces = []
    for plan in plans:
        assert plan.shape is not None
        assert plan.albedo is not None
        positions = model.shapes(plan.shape, plan.attributes)
        albedos = srgb_to_linear(model.albedos(plan.albedo, plan.attributes))
        faces.append(Faces(positions, normals(positions), albedos))
    return Workload(configuration, model, batch_mesh(model), head_frame(whole), plans, tuple(faces))
