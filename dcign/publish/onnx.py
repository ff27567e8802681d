"""Exporting a trained network: in the Hugging Face hub's layout, or as ONNX files that need neither torch nor dcign.

hub: the files that dcign.trained.published lists. onnx: encoder.onnx, images (N, C, S, S) float32 0..1 -> mu, logvar
(N, Z), and decoder.onnx, code (N, Z) -> images (N, C, S, S), 0..1, for any N. Both are checked against torch before
they are written. The metadata key "dcign" describes the latents in JSON, with the calibration of an evaluated run.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dcign.errors import TrainingError
from dcign.network.autoencoder import AutoEncoder
from dcign.publish.hub import DCIGN, folder_errors
from dcign.publish.hub import FILES as HUB_FILES
from dcign.storage.atomic import refuse_taken_file, write_atomic
from dcign.trained.calibration import Calibration, to_json
from dcign.trained.codec import Codec
from dcign.trained.trained_run import TrainedRun

FORMATS = ("onnx", "hub")
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
NEEDED = ("onnx", "onnxruntime", "onnxscript")
OPSET = 20
TOLERANCE = 1e-4  # relative for values above 1, absolute below
TRACED, CHECKED = 3, (1, 5)  # numbers of images; they differ, so that the check shows that N is free


def export_run(run: TrainedRun, out: str | Path, to: str = "onnx", *, half: bool = False) -> list[Path]:
    """Write a run's averaged network into the folder `out`. Returns the files. On failure none of them is left.

    half: whether the weights of "hub" are written in float16, which halves their file.

    Raises DataError if a file exists already, TrainingError if ONNX is not installed, or if ONNX Runtime and torch
    differ.
    """
    if to not in FORMATS:
        raise TrainingError(f"expected one of the formats {', '.join(FORMATS)}, found {to!r}: choose one of these.")
    names = HUB_FILES if to == "hub" else (ENCODER, DECODER)
    paths = [Path(out) / name for name in names]
    for path in paths:
        refuse_taken_file(path)
    write = _hub_writer(run, half) if to == "hub" else _onnx_writer(run)
    new = not Path(out).exists()
    try:
        with folder_errors(Path(out)):
            Path(out).mkdir(parents=True, exist_ok=True)
            write(Path(out))
    except BaseException:  # a stop signal, too: the same command must find its names free
        with suppress(OSError):
            for path in paths:
                path.unlink(missing_ok=True)
            if new:
                Path(out).rmdir()
        raise
    return paths


def _hub_writer(run: TrainedRun, half: bool) -> Callable[[Path], object]:
    """Return a function that writes the folder that `DCIGN.from_pretrained` reads. The run must be evaluated."""
    run.refuse_old_evaluation()
    _ = run.calibrations
    network = DCIGN.of_run(run)
    return (copy.deepcopy(network).half() if half else network).save_pretrained


def _onnx_writer(run: TrainedRun) -> Callable[[Path], object]:
    """Return a function that writes both ONNX files, which are checked before."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise TrainingError(
            f"expected the packages {', '.join(NEEDED)}, found no package {', '.join(missing)}: run "
            "`pip install 'dcign[onnx]'`."
        )
    if run.evaluation_is_old:
        run.refuse_old_evaluation()
    encoder, decoder = _encoder_and_decoder(run.codec, run.results[0])

    def write(out: Path) -> None:
        write_atomic(out / ENCODER, encoder)
        write_atomic(out / DECODER, decoder)

    return write


class _Encoder(nn.Module):
    def __init__(self, model: AutoEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.encode(images)


class _Decoder(nn.Module):
    def __init__(self, model: AutoEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, code: Tensor) -> tuple[Tensor]:
        return (self.model.decode(code),)


def _encoder_and_decoder(codec: Codec, calibrations: Sequence[Calibration]) -> tuple[bytes, bytes]:
    """Return the content of both files, checked in ONNX Runtime against torch."""
    size, channels = codec.description.size, codec.description.channels
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(max(TRACED, *CHECKED), channels, size, size, generator=generator)
    with torch.inference_mode():
        codes = codec.model.encode(images)[0]
    about = json.dumps(_about(codec, calibrations))
    encoder, decoder = _Encoder(codec.model).eval(), _Decoder(codec.model).eval()
    return (
        _checked(encoder, images, "images", ["mu", "logvar"], about),
        _checked(decoder, codes.clone(), "code", ["images"], about),
    )


def _about(codec: Codec, calibrations: Sequence[Calibration]) -> dict[str, Any]:  # JSON
    """Return the metadata: the images, the latents, and each factor's calibration, if the run was evaluated."""
    description, recipe, layout = codec.description, codec.configuration.recipe, codec.layout
    return {
        "recipe": recipe.name,
        "step": codec.step,
        "image": {"size": description.size, "channels": description.channels, "range": [0, 1]},
        "latents": layout.size,
        "blocks": {block.name: block.latents for block in layout.blocks} if recipe.assigned else {},
        "factors": [
            {"name": name, "units": units, "latent": block.latents[0] if recipe.assigned else None}
            for name, units, block in zip(description.factors, description.units, layout.factors, strict=True)
        ],
        "calibration": [to_json(fit) for fit in calibrations],  # as in calibration.json
    }


def _checked(network: nn.Module, values: Tensor, name: str, outputs: list[str], about: str) -> bytes:
    """Return a network as an ONNX file, compared with torch at other N than it was traced at."""
    import onnxruntime  # imported here because it is optional

    content = _onnx(network, values[:TRACED], name, outputs, about)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for count in CHECKED:
        given = values[:count]
        with torch.inference_mode():
            wanted = [value.numpy() for value in network(given)]
        for output, found, value in zip(outputs, session.run(outputs, {name: given.numpy()}), wanted, strict=True):
            difference = float((np.abs(found - value) / np.maximum(1, np.abs(value))).max())
            if not difference <= TOLERANCE:
                raise TrainingError(
                    f"expected {output} of ONNX Runtime within {TOLERANCE:g} of torch's, found a difference of "
                    f"{difference:.2g}, so nothing was written: try other versions of torch and onnxruntime."
                )
    return content


def _onnx(network: nn.Module, values: Tensor, name: str, outputs: list[str], about: str) -> bytes:
    with _quiet():
        program = torch.onnx.export(
            network,
            (values,),
            input_names=[name],
            output_names=outputs,
            dynamic_shapes={name: {0: torch.export.Dim("N", min=1)}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props["dcign"] = about
    content: bytes = program.model_proto.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's messages about unused packages and its own future versions."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
