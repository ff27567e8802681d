"""A glTF file that breaks its specification is refused in a sentence, or read as the specification means it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dcign.errors import ModelError
from dcign.facegen.objects.reading import read_mesh
from tests.support.gltf import GltfFile
from tests.support.meshes import area_of, colours_in

TRIANGLE = [(0, 0, 0), (2, 0, 0), (0, 2, 0)]
PLACES = [(0, 0), (1, 0), (0, 1)]
PARTS = "EXT_mesh_gpu_instancing"


def textured(folder: Path, colour: tuple[int, int, int] = (255, 0, 0)) -> GltfFile:
    Image.new("RGB", (4, 4), colour).save(folder / "red.png")
    file = GltfFile()
    primitive = file.primitive(TRIANGLE, material=0)
    primitive["attributes"]["TEXCOORD_0"] = file.array(np.float32(PLACES))
    file.textured("red.png")
    return file


@pytest.mark.parametrize("value", [1, None, [], "x", {"source": "x"}, {"source": -1}, {"source": 0.5}])
@pytest.mark.parametrize("name", ["EXT_texture_webp", "EXT_texture_avif"])
def test_an_extension_of_a_texture_that_does_not_fit_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    file = textured(tmp_path)
    file.tree["textures"] = [{"source": 0, "extensions": {name: value}}]
    with pytest.raises(ModelError, match=f"its extension {name} does not fit the extension's definition"):
        read_mesh(file.write(tmp_path / "m.gltf"))


def test_an_extension_of_a_texture_names_its_picture(tmp_path: Path) -> None:
    file = textured(tmp_path)
    file.tree["textures"] = [{"extensions": {"EXT_texture_webp": {"source": 0}, "ACME_other": 1}}]
    assert colours_in(file.write(tmp_path / "m.gltf")) == [(255, 0, 0)]


@pytest.mark.parametrize("value", [True, "x", 0.5, -1])
def test_an_instance_whose_places_are_no_accessor_is_refused(value: Any, tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE)
    file.tree["nodes"][0]["extensions"] = {PARTS: {"attributes": {"TRANSLATION": value}}}
    with pytest.raises(ModelError, match=f"its extension {PARTS} does not fit the extension's definition"):
        read_mesh(file.write(tmp_path / "m.gltf"))


@pytest.mark.parametrize("count", [2**25, 2**40, 2**62, 2**63, 2**70])
def test_an_accessor_without_bytes_has_not_any_number_of_entries(count: int, tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE)
    file.tree["accessors"][0]["count"] = count
    with pytest.raises(ModelError, match="accessor 0 reaches beyond"):
        read_mesh(file.write(tmp_path / "m.gltf"))
    del file.tree["accessors"][0]["bufferView"]
    with pytest.raises(ModelError, match=f"accessor 0 has {count} entries without bytes"):
        read_mesh(file.write(tmp_path / "m.gltf"))


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.float32])
def test_indices_are_unsigned_whole_numbers(kind: type[np.number[Any]], tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE, indices=file.array(np.array([0, 1, -1], kind)))
    with pytest.raises(ModelError, match=r"accessor 0 has indices of component type \d+, where 5121, 5123, 5125"):
        read_mesh(file.write(tmp_path / "m.gltf"))
    file = GltfFile()
    primitive = file.primitive(np.zeros((3, 3)))
    places, values = file.view(np.array([0, 1, 2], kind)), file.view(np.float32(TRIANGLE))
    component = {"int8": 5120, "int16": 5122, "float32": 5126}[np.dtype(kind).name]
    sparse = {"count": 3, "indices": {"bufferView": places, "componentType": component}}
    file.tree["accessors"][primitive["attributes"]["POSITION"]]["sparse"] = sparse | {"values": {"bufferView": values}}
    with pytest.raises(ModelError, match="accessor 0 has indices of component type"):
        read_mesh(file.write(tmp_path / "m.gltf"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_unsigned_indices_of_every_width_are_read(kind: type[np.number[Any]], tmp_path: Path) -> None:
    file = GltfFile()
    file.primitive(TRIANGLE, indices=file.array(np.array([0, 1, 2], kind)))
    assert area_of(file.write(tmp_path / "m.gltf")) == 2


@pytest.mark.parametrize("coordinates", [0, 1])
def test_a_texture_without_its_coordinates_is_reported_and_shows_its_mean(coordinates: int, tmp_path: Path) -> None:
    file = textured(tmp_path, (200, 100, 0))
    attributes = file.tree["meshes"][0]["primitives"][0]["attributes"]
    if coordinates == 0:
        del attributes["TEXCOORD_0"]
    file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["texCoord"] = coordinates
    path = file.write(tmp_path / "m.gltf")
    assert (read_mesh(path).missing, colours_in(path)) == (("texture coordinates",), [(200, 100, 0)])
    file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = [1, 0, 1, 1]
    assert colours_in(file.write(path)) == [(200, 0, 0)]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_colours_and_coordinates_of_integers_are_normalised(kind: type[np.number[Any]], tmp_path: Path) -> None:
    full = np.iinfo(kind).max  # type: ignore[type-var]  # both kinds are integers
    file = textured(tmp_path, (255, 255, 255))
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 4:] = 255
    Image.fromarray(pixels).save(tmp_path / "red.png")
    attributes = file.tree["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_0"] = file.array((np.array([(0.7, 0), (0.9, 0), (0.7, 1)]) * full).astype(kind))
    attributes["COLOR_0"] = file.array(np.array([(full, full // 2 + 1, 0)] * 3, kind))
    assert colours_in(file.write(tmp_path / "m.gltf")) == [(255, 188, 0)]  # half of linear light is 188


def test_quantised_coordinates_are_what_their_transform_expects(tmp_path: Path) -> None:
    file = textured(tmp_path)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 4:] = 255
    Image.fromarray(pixels).save(tmp_path / "red.png")
    primitive = file.tree["meshes"][0]["primitives"][0]
    primitive["attributes"]["TEXCOORD_0"] = file.array(np.uint8([(7, 0), (9, 0), (7, 9)]))
    moved = {"KHR_texture_transform": {"scale": [0.1, 0.1]}}
    file.tree["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["extensions"] = moved
    file.tree["extensionsRequired"] = ["KHR_mesh_quantization"]
    assert colours_in(file.write(tmp_path / "m.gltf")) == [(255, 255, 255)]


def test_a_file_that_needs_a_later_reader_is_refused(tmp_path: Path) -> None:
    file = textured(tmp_path)
    file.tree["asset"] = {"version": "2.1", "minVersion": "2.1"}
    with pytest.raises(ModelError, match=r"it is glTF 2\.1, and only 2\.0 is read"):
        read_mesh(file.write(tmp_path / "m.gltf"))


@pytest.mark.parametrize("with_texture", [False, True])
def test_a_black_material_shows_what_it_emits(with_texture: bool, tmp_path: Path) -> None:
    file = textured(tmp_path)
    emitted = {"emissiveTexture": {"index": 0}} if with_texture else {}
    black = {"baseColorFactor": [0, 0, 0, 1]}
    file.tree["materials"] = [{"pbrMetallicRoughness": black, "emissiveFactor": [1, 0, 0]} | emitted]
    assert colours_in(file.write(tmp_path / "m.gltf")) == [(255, 0, 0)]
