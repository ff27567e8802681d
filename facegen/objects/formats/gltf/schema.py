"""The JSON of glTF 2.0, as far as it concerns shape and base colour (Khronos, glTF 2.0 specification).

Members that are not listed are ignored. Indices are numbers of entries in the file's own lists. Extensions are
decoded where they are used.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Index = Annotated[int, msgspec.Meta(ge=0)]
Extensions = dict[str, Any]  # any JSON


class Asset(msgspec.Struct, frozen=True, rename="camel"):
    """Which version of glTF the file has, and which a reader must know."""

    version: str
    min_version: str = "2.0"


class Buffer(msgspec.Struct, frozen=True, rename="camel"):
    """Bytes, in a file or in a data URI; those of GLB have none."""

    byte_length: Index
    uri: str | None = None


class BufferView(msgspec.Struct, frozen=True, rename="camel"):
    """A stretch of a buffer."""

    buffer: Index
    byte_length: Index
    byte_offset: Index = 0
    byte_stride: Index | None = None
    extensions: Extensions = {}


class SparseIndices(msgspec.Struct, frozen=True, rename="camel"):
    """Which entries of an accessor are replaced."""

    buffer_view: Index
    component_type: int
    byte_offset: Index = 0


class SparseValues(msgspec.Struct, frozen=True, rename="camel"):
    """What replaces them."""

    buffer_view: Index
    byte_offset: Index = 0


class Sparse(msgspec.Struct, frozen=True, rename="camel"):
    """Entries of an accessor that differ from its buffer view."""

    count: Index
    indices: SparseIndices
    values: SparseValues


class Accessor(msgspec.Struct, frozen=True, rename="camel"):
    """An array of scalars, vectors or matrices."""

    component_type: int
    count: Index
    type: str
    buffer_view: Index | None = None
    byte_offset: Index = 0
    normalized: bool = False
    sparse: Sparse | None = None


class TextureInfo(msgspec.Struct, frozen=True, rename="camel"):
    """A texture of a material, and which texture coordinates it takes."""

    index: Index
    tex_coord: Index = 0
    extensions: Extensions = {}


class TextureTransform(msgspec.Struct, frozen=True, rename="camel"):
    """KHR_texture_transform: scale, then rotate (radians), then shift the coordinates."""

    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    tex_coord: Index | None = None


class BaseColour(msgspec.Struct, frozen=True, rename="camel"):
    """The base colour of a material: linear light, times a texture."""

    base_color_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    base_color_texture: TextureInfo | None = None


class SpecularGlossiness(msgspec.Struct, frozen=True, rename="camel"):
    """KHR_materials_pbrSpecularGlossiness, which has its own base colour."""

    diffuse_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    diffuse_texture: TextureInfo | None = None


class Material(msgspec.Struct, frozen=True, rename="camel"):
    """A material."""

    pbr_metallic_roughness: BaseColour = BaseColour()
    emissive_factor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emissive_texture: TextureInfo | None = None
    extensions: Extensions = {}


class OtherPicture(msgspec.Struct, frozen=True, rename="camel"):
    """EXT_texture_webp and its like: another picture of a texture."""

    source: Index | None = None


class Sampler(msgspec.Struct, frozen=True, rename="camel"):
    """How a texture continues outside of 0..1."""

    wrap_s: int = 10497
    wrap_t: int = 10497


class Texture(msgspec.Struct, frozen=True, rename="camel"):
    """A picture and its sampler."""

    source: Index | None = None
    sampler: Index | None = None
    extensions: Extensions = {}


class Picture(msgspec.Struct, frozen=True, rename="camel"):
    """A picture, in a file, a data URI or a buffer view."""

    uri: str | None = None
    buffer_view: Index | None = None
    name: str = ""


class Primitive(msgspec.Struct, frozen=True, rename="camel"):
    """Triangles, lines or points of one material. targets: how each morph target moves the attributes."""

    attributes: dict[str, Index]
    indices: Index | None = None
    material: Index | None = None
    mode: int = 4
    targets: list[dict[str, Index]] = []
    extensions: Extensions = {}


class Mesh(msgspec.Struct, frozen=True, rename="camel"):
    """Primitives, and how far each morph target is applied."""

    primitives: list[Primitive]
    weights: list[float] = []


class Skin(msgspec.Struct, frozen=True, rename="camel"):
    """Nodes that move the vertices of a mesh."""

    joints: list[Index]
    inverse_bind_matrices: Index | None = None


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """A place in the scene: a matrix (by columns), or scale, rotation (x, y, z, w) and translation."""

    children: list[Index] = []
    matrix: tuple[float, ...] | None = None
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mesh: Index | None = None
    skin: Index | None = None
    weights: list[float] | None = None
    extensions: Extensions = {}


class Instances(msgspec.Struct, frozen=True, rename="camel"):
    """EXT_mesh_gpu_instancing: where the copies of a node's mesh are."""

    attributes: dict[str, Index] = {}


class Scene(msgspec.Struct, frozen=True, rename="camel"):
    """The nodes that a scene shows, with all their children."""

    nodes: list[Index] = []


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """A whole file."""

    asset: Asset
    scene: Index = 0
    scenes: list[Scene] = []
    nodes: list[Node] = []
    meshes: list[Mesh] = []
    skins: list[Skin] = []
    materials: list[Material] = []
    textures: list[Texture] = []
    samplers: list[Sampler] = []
    images: list[Picture] = []
    accessors: list[Accessor] = []
    buffer_views: list[BufferView] = []
    buffers: list[Buffer] = []
    extensions_required: list[str] = []
