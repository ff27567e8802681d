"""A trained network for others: as the Hugging Face hub has them, or ONNX files that need neither torch nor dcign.

To "hub": what dcign.trained.published lists. To "onnx", checked before they are kept:
encoder.onnx: images (N, C, S, S) float32 0..1 -> mu, logvar (N, Z). decoder.onnx: code (N, Z) -> images (N, C, S, S),
0..1. N is free. Both carry, under the metadata key "dcign", JSON of what the latents stand for.
"""

import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dcign.errors import TrainingError
from dcign.network.autoencoder import AutoEncoder
from dcign.publish.hub import DCIGN
from dcign.publish.hub import FILES as HUB_FILES
from dcign.storage.atomic import write_atomic
from dcign.trained.codec import Codec
from dcign.trained.trained_run import TrainedRun

FORMATS = ("onnx", "hub")
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
NEEDED = ("onnx", "onnxruntime", "onnxscript")
OPSET = 20
TOLERANCE = 1e-4  # of a value above 1, and absolute below
TRACED, CHECKED = 3, (1, 5)  # images: a traced size that is none of the checked ones shows that N is free


def export_run(run: TrainedRun, out: str | Path, to: str = "onnx") -> list[Path]:
    """Write a run's averaged network into the folder `out`; returns the files.

    Raises TrainingError if one is there already, if ONNX is not installed, or if what ONNX Runtime computes is not
    what torch does.
    """
    if to not in FORMATS:
        raise TrainingError(f"cannot export to {to!r}: choose {', '.join(FORMATS)}")
    names = HUB_FILES if to == "hub" else (ENCODER, DECODER)
    paths = [Path(out) / name for name in names]
    for path in paths:
        if path.exists():
            raise TrainingError(f"{path} is there already: remove it or choose another --out")
    write = _hub_writer(run) if to == "hub" else _onnx_writer(run)
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        write(Path(out))
    except OSError as error:
        raise TrainingError(
            f"cannot write into {out} ({error.strerror or error}): mend that, or choose another --out"
        ) from None
    return paths


def _hub_writer(run: TrainedRun) -> Callable[[Path], object]:
    """Return what writes the folder that `DCIGN.from_pretrained` reads, of a run that has been evaluated."""
    _ = run.calibrations
    run.refuse_old_evaluation()
    return DCIGN.of_run(run).save_pretrained


def _onnx_writer(run: TrainedRun) -> Callable[[Path], object]:
    """Return what writes both ONNX files, checked."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise TrainingError(f"exporting to ONNX needs {', '.join(missing)}: pip install 'dcign[onnx]'")
    encoder, decoder = _encoder_and_decoder(run.codec)

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


def _encoder_and_decoder(codec: Codec) -> tuple[bytes, bytes]:
    """Return both files' contents, checked in ONNX Runtime against torch."""
    size, channels = codec.description.size, codec.description.channels
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(max(TRACED, *CHECKED), channels, size, size, generator=generator)
    with torch.inference_mode():
        codes = codec.model.encode(images)[0]
    about = json.dumps(_about(codec))
    encoder, decoder = _Encoder(codec.model).eval(), _Decoder(codec.model).eval()
    return (
        _checked(encoder, images, "images", ["mu", "logvar"], about),
        _checked(decoder, codes.clone(), "code", ["images"], about),
    )


def _about(codec: Codec) -> dict[str, Any]:  # JSON
    description, recipe = codec.description, codec.configuration.recipe
    return {
        "recipe": recipe.name,
        "step": codec.step,
        "image": {"size": description.size, "channels": description.channels, "range": [0, 1]},
        "latents": recipe.latents,
        "factors": [
            {"name": name, "units": units, "latent": place if recipe.assigned else None}
            for place, (name, units) in enumerate(zip(description.factors, description.units, strict=True))
        ],
    }


def _checked(network: nn.Module, values: Tensor, name: str, outputs: list[str], about: str) -> bytes:
    """Return the network as an ONNX file: values (N, ...) -> its outputs, compared at other N than it was traced at."""
    import onnxruntime  # here, as it is an extra

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
                    f"ONNX Runtime computes {output} that differs from torch's by {difference:.2g}: wanted "
                    f"{TOLERANCE:g} or less; nothing was written, try other versions of torch and onnxruntime"
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
    """Keep the exporter's words about packages that we do not use, and about its own future, to itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
