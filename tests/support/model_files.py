"""Heads in the file layouts of published face models that more than one test module reads."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from tests.support.heads import Head, deviations_out


def write_h5(path: Path, given: Head, **changed: Any) -> Path:
    """The layout of model2017 and model2019. changed: datasets by path with / for _, None to leave one out."""
    arrays: dict[str, Any] = {
        "/shape/representer/points": given.vertices.T.astype(np.float32),
        "/shape/representer/cells": given.triangles.T.astype(np.int32),
        "/expression/model/mean": np.full(given.vertices.size, 16.7),
        "/metadata/landmarks/json": json.dumps(
            [{"id": "center.nose.tip", "coordinates": given.vertices[given.nose].tolist()},
             {"id": "of.another.mesh", "coordinates": [500, 500, 500]}]
        ),
    }  # fmt: skip
    for group, mean, modes in (("shape", given.vertices, given.modes), ("color", given.colours, given.colour_modes)):
        columns, deviations = deviations_out(modes)
        arrays |= {
            f"/{group}/version/majorVersion": 0,
            f"/{group}/version/minorVersion": 9,
            f"/{group}/model/mean": mean.ravel().astype(np.float32),
            f"/{group}/model/pcaBasis": columns.astype(np.float32),
            f"/{group}/model/pcaVariance": deviations**2,
            f"/{group}/model/noiseVariance": [0.0],
        }
    arrays |= {"/" + key.replace("__", "/"): array for key, array in changed.items()}
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            if array is not None:
                file[key] = array
    return path


def flame(given: Head) -> dict[str, Any]:
    """What FLAME holds: metres, 300 identity columns (most of them still, here) and then expressions."""
    columns = np.zeros((*given.vertices.shape, 400))
    columns[:, :, : given.modes.shape[2]] = given.modes / 1000
    columns[:, :, 300:] = 0.05
    return {
        "v_template": given.vertices / 1000 + 0.02,
        "f": given.triangles.astype(np.uint32),
        "shapedirs": columns,
        "weights": np.eye(5)[np.zeros(len(given.vertices), int)],
    }


def write_mat(path: Path, given: Head, **changed: Any) -> Path:
    """Write a file like 01_MorphableModel.mat: micrometres, colours to 255, triangles from 1 and clockwise."""
    shape, shape_deviations = deviations_out(1000 * given.modes)
    colour, colour_deviations = deviations_out(255 * given.colour_modes)
    arrays = {
        "shapeMU": 1000 * given.vertices.reshape(-1, 1),
        "shapePC": shape.astype(np.float32),
        "shapeEV": shape_deviations[:, None],
        "texMU": 255 * given.colours.reshape(-1, 1),
        "texPC": colour.astype(np.float32),
        "texEV": colour_deviations[:, None],
        "tl": given.triangles[:, ::-1].astype(np.float64) + 1,
        "segMB": np.zeros((5, 1)),
    } | changed
    scipy.io.savemat(path, {key: array for key, array in arrays.items() if array is not None}, do_compression=True)
    return path


def python2(given: dict[str, Any], *, wrapped: str) -> bytes:
    """Pickle a dictionary like Python 2: bytes as text, arrays inside chumpy's objects."""
    members = b"".join(_text(key) + _python2_value(array, wrapped) + b"s" for key, array in given.items())
    return b"\x80\x02}" + members + b"."


def _python2_value(array: Any, wrapped: str) -> bytes:
    plain = _python2_array(np.asarray(array))
    if wrapped == "no":
        return plain
    state = b"}" + _text("x") + plain + b"s" + _text("dirty_vars") + b"c__builtin__\nset\n](" + _text("r") + b"e\x85Rs"
    if wrapped == "chumpy":
        return b"cchumpy.ch\nCh\n)\x81" + state + b"b"
    if wrapped == "older chumpy":
        return b"ccopy_reg\n_reconstructor\n(cchumpy.ch\nCh\nc__builtin__\nobject\nNtR" + state + b"b"
    assert wrapped == "selection"  # every number of the array, chosen by its index
    places = _python2_array(np.arange(np.size(array)))
    shape = b"(" + b"".join(_integer(length) for length in np.shape(array)) + b"t"
    chosen = b"}" + _text("a") + b"cchumpy.ch\nCh\n)\x81" + state + b"bs" + _text("idxs") + places + b"s"
    return b"cchumpy.reordering\nSelect\n)\x81" + chosen + _text("preferred_shape") + shape + b"sb"


def _python2_array(array: Any) -> bytes:
    raw, code = np.ascontiguousarray(array).tobytes(), array.dtype.str[1:]
    kind = (
        b"cnumpy\ndtype\n"
        + _text(code)
        + b"K\x00K\x01\x87R(K\x03"
        + _text("<")
        + b"NNN"
        + _integer(-1) * 2
        + b"K\x00tb"
    )
    shape = b"(" + b"".join(_integer(length) for length in array.shape) + b"t"
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + _text("b") + b"\x87R"
    return empty + b"(K\x01" + shape + kind + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"


def _text(text: str) -> bytes:
    return b"U" + bytes([len(text)]) + text.encode()


def _integer(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def write_obj(path: Path, vertices: Any, faces: list[tuple[int, ...]] | None = None) -> None:
    lines = ["mtllib ICTFaceModelMaterial.mtl", *(f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in vertices), "vt 0.5 0.5"]
    for face in faces or ():
        lines.append("f " + " ".join(f"{corner + 1}/1/{corner + 1}" for corner in face))
    path.write_text("\n".join(lines) + "\n")


def write_ict(folder: Path, given: Head, faces: list[tuple[int, ...]] | None = None, vertices: Any = None) -> Path:
    """Write the files of FaceXModel: centimetres, the neutral mesh moved by one standard deviation of each mode."""
    folder.mkdir(parents=True)
    points = given.vertices if vertices is None else vertices
    write_obj(folder / "generic_neutral_mesh.obj", points / 10, faces or [tuple(each) for each in given.triangles])
    for mode in range(given.modes.shape[2]):
        moved = points.copy()
        moved[: len(given.vertices)] += given.modes[:, :, mode]
        write_obj(folder / f"identity{mode:03d}.obj", moved / 10)
    write_obj(folder / "jawOpen.obj", points)
    return folder
