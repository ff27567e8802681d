"""The base colours of glTF: factors in linear light, textures in sRGB, and vertex colours that multiply both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcign.arrays import Float64, UInt8
from dcign.facegen.colour import linear_to_srgb, srgb_to_linear
from dcign.facegen.objects.formats.gltf.arrays import GltfArrays, entry, extension, uri_content
from dcign.facegen.objects.formats.gltf.schema import (
    OtherPicture,
    SpecularGlossiness,
    TextureInfo,
    TextureTransform,
)
from dcign.facegen.objects.formats.part import Texture, as_bytes
from dcign.facegen.objects.formats.pictures import Pictures

GLOSSY, MOVED = "KHR_materials_pbrSpecularGlossiness", "KHR_texture_transform"
SOURCES = ("EXT_texture_webp", "EXT_texture_avif")  # extensions whose pictures PIL reads
WRAPS = {33071: "clamp", 33648: "mirror", 10497: "repeat"}
UNMOVED = TextureTransform()


@dataclass(frozen=True, eq=False)
class Surface:
    """factor (3,), linear light, or None if the file says none; texture, and which coordinates it takes, moved how."""

    factor: Float64 | None = None
    texture: Texture | None = None
    coordinates: int = 0
    transform: TextureTransform = UNMOVED

    def places(self, uv: Float64) -> Float64:
        """Return texture coordinates (..., 2) as `Texture` takes them: v = 0 is the lowest row, in glTF the highest."""
        cosine, sine = np.cos(self.transform.rotation), np.sin(self.transform.rotation)
        turned = uv * self.transform.scale @ np.array([[cosine, -sine], [sine, cosine]]) + self.transform.offset
        return np.asarray(turned * (1, -1) + (0, 1))

    def mean(self) -> Float64 | None:
        """Return the factor times the mean of the texture: the colour of what is nowhere in it."""
        if self.texture is None:
            return self.factor
        light = srgb_to_linear(np.round(self.texture.image.mean(axis=(0, 1))) / 255)
        return np.asarray(light if self.factor is None else light * self.factor)


class Surfaces:
    """The materials of a file. `pictures.missing` names the textures that cannot be read."""

    def __init__(self, arrays: GltfArrays, folder: Path) -> None:
        self._arrays = arrays
        self._folder = folder
        self._images: dict[int, UInt8 | None] = {}
        self._surfaces: dict[int, Surface] = {}
        self.pictures = Pictures(folder)

    def of(self, index: int | None) -> Surface:
        """Return a material; None is the one of primitives without a material."""
        if index is None:
            return Surface()
        if index not in self._surfaces:
            self._surfaces[index] = self._surface(index)
        return self._surfaces[index]

    def _surface(self, index: int) -> Surface:
        material = entry(self._arrays.document.materials, index, "material")
        colour = material.pbr_metallic_roughness
        factor, info = colour.base_color_factor, colour.base_color_texture
        if GLOSSY in material.extensions:
            glossy = extension(material.extensions, GLOSSY, SpecularGlossiness)
            factor, info = glossy.diffuse_factor, glossy.diffuse_texture
        if not any(factor[:3]):  # black, but for what it emits: lamps and screens
            factor, info = (*material.emissive_factor, 1.0), material.emissive_texture
        light = np.array(factor[:3])
        if info is None:
            return Surface(light)
        transform = extension(info.extensions, MOVED, TextureTransform)
        texture = self._texture(info)
        if texture is None and (light == 1).all():
            return Surface()  # without its picture the material says nothing
        coordinates = info.tex_coord if transform.tex_coord is None else transform.tex_coord
        return Surface(light, texture, coordinates, transform)

    def _texture(self, info: TextureInfo) -> Texture | None:
        document = self._arrays.document
        texture = entry(document.textures, info.index, "texture")
        source = texture.source
        for name in SOURCES:
            other = extension(texture.extensions, name, OtherPicture).source
            source = source if other is None else other
        if source is None:
            names = ", ".join(texture.extensions) or "no picture"
            self.pictures.lost(f"texture {info.index} ({names})")
            return None
        if source not in self._images:
            self._images[source] = self._image(source)
        image = self._images[source]
        if image is None:
            return None
        if texture.sampler is None:
            return Texture(image)
        sampler = entry(document.samplers, texture.sampler, "sampler")
        return Texture(image, (WRAPS.get(sampler.wrap_s, "repeat"), WRAPS.get(sampler.wrap_t, "repeat")))

    def _image(self, index: int) -> UInt8 | None:
        image = entry(self._arrays.document.images, index, "image")
        if image.buffer_view is not None:
            return self.pictures.decoded(self._arrays.view(image.buffer_view), f"image {index} {image.name}".strip())
        if image.uri is None:
            return self.pictures.lost(f"image {index}")
        if not image.uri.startswith("data:"):
            return self.pictures.named(image.uri)
        content = uri_content(image.uri, self._folder)
        return self.pictures.decoded(content or b"", f"image {index}")


def shaded(factor: Float64 | None, light: Float64 | None, count: int) -> UInt8 | None:
    """Return sRGB colours (count, 3, 3) of a factor (3,) and the vertex colours of corners (count, 3, 3), or None."""
    if factor is None and light is None:
        return None
    ones = np.ones((count, 3, 3))
    return as_bytes(linear_to_srgb(ones * (1 if factor is None else factor) * (1 if light is None else light)))


def tinted(factor: Float64 | None, light: Float64 | None, count: int) -> Float64 | None:
    """Return by which linear light (count, 3, 3) a texture is multiplied, or None for white."""
    if light is None and (factor is None or (factor == 1).all()):
        return None
    return np.asarray(np.ones((count, 3, 3)) * (1 if factor is None else factor) * (1 if light is None else light))
