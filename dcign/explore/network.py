"""A trained run as the page needs it: a description in JSON, and pictures to codes and back.

The page itself changes codes: it has the calibrations, the blocks and the directions (static/codes.js).
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dcign.arrays import Floating, UInt8
from dcign.data.export.png_bytes import png_bytes
from dcign.errors import TrainingError
from dcign.explore.directions import BlockDirections, no_directions, principal_directions
from dcign.explore.people_codes import PeopleCodes
from dcign.infer.edit import caution, plural, usual_decibels
from dcign.infer.read_picture import fitted, open_picture
from dcign.infer.write_pictures import as_bytes
from dcign.inputs.scaling import scaled_batches
from dcign.metrics import psnr_decibels
from dcign.run.code_layout import CodeBlock
from dcign.trained.calibration import Calibration, to_json, with_factors
from dcign.trained.shipped import CODES, EXAMPLES
from dcign.trained.trained_run import TrainedRun

Json = dict[str, Any]
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # of uploads; Pillow reads others with outside programs
WHOLE = "code"  # name of the only block of a network without assigned latents
DRAWN = 12  # invented people, where there is no data set
AROUND = 6  # people at whom directions are measured


@dataclass(frozen=True, eq=False)
class ExploredRun:
    """An opened and evaluated run. Raises TrainingError on first use if it has no calibration.

    people: pictures of different people (N, H, H, C), or None where the data set is not at hand. Pictures of the data
    set may be larger than the network's, which are S px: they are scaled down, as in training.
    """

    run: TrainedRun
    people: UInt8 | None = None

    @cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """Those of factors whose latents no earlier factor has: others could not be set independently."""
        taken: set[int] = set()
        chosen = []
        for fit in self.run.calibrations:
            if not taken & {*fit.own}:
                taken |= {*fit.own}
                chosen.append(fit)
        return tuple(chosen)

    @cached_property
    def blocks(self) -> tuple[CodeBlock, ...]:
        """The blocks of the person; of a network without assigned latents, the latents that no factor has."""
        if self.run.configuration.recipe.assigned:
            return self.run.layout.person
        own = {latent for fit in self.calibrations for latent in fit.own}
        rest = tuple(latent for latent in range(self.run.layout.size) if latent not in own)
        return (CodeBlock(WHOLE, rest, (1,) * len(rest)),) if rest else ()

    @cached_property
    def codes(self) -> PeopleCodes:
        """The codes of people."""
        codec, path = self.run.codec, self.run.folder / CODES
        if self.people is not None:
            return PeopleCodes(*codec.encode(self._seen(self.people)))
        return PeopleCodes.read(path) if path.exists() else PeopleCodes.without_pictures(codec)

    @cached_property
    def directions(self) -> tuple[BlockDirections, ...]:
        """The principal directions of each of `blocks`: none of a block of which the network uses no latent."""
        decode, people = self.run.codec.decode, self.codes
        around = self._at_rest(people.mu[:AROUND])
        return tuple(
            principal_directions(decode, around, block.latents, people.root(block.latents))
            if people.used[list(block.latents)].any()
            else no_directions(len(block.latents))
            for block in self.blocks
        )

    def encode(self, image: UInt8) -> Json:
        """Return the code of a picture (H, H, C), it at S px as a PNG, and a warning if it looks like no other."""
        image = self._seen(image[None])[0]
        mu = self.run.codec.encode(image[None])[0]
        shown = image.astype(np.float32) / 255
        made = self.run.codec.decode(mu)[0]
        decibels, flat = psnr_decibels(np.stack([made - shown, shown.mean(axis=(0, 1)) - shown]))
        return {
            "code": as_list(mu[0]),
            "image": data_url(image),
            "psnr_db": round(float(decibels), 2),
            "warning": caution(self.run, float(decibels), float(flat)),
        }

    def encode_upload(self, content: bytes, name: str) -> Json:
        """Fit a picture file and encode it; name: what errors call it."""
        description = self.run.description
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "picture"
            file.write_bytes(content)
            try:
                image = fitted(open_picture(file, FORMATS), description.size, description.channels)
            except TrainingError as error:
                raise TrainingError(str(error).replace(str(file), name)) from None
        return self.encode(image) | {"name": name}

    def decode(self, codes: Floating, sharp: bool) -> UInt8:
        """Return pictures (N, S, S, C) of codes (N, Z). sharp: by the refiner, if the run has one."""
        return as_bytes((self.run.sharp_codec if sharp else self.run.codec).decode(codes))

    def describe(self) -> Json:
        """Return what the page needs to know about the run."""
        run, description = self.run, self.run.description
        return {
            "name": run.folder.resolve().name,
            "recipe": run.name,
            "size": description.size,
            "channels": description.channels,
            "latents": run.layout.size,
            "refiner": run.has_refiner,
            "any_framing": run.configuration.recipe.augmented,
            "draws_clean": run.configuration.recipe.draws_clean,
            "factors": [self._factor(fit) for fit in self.calibrations],
            "blocks": [
                {
                    "name": block.name,
                    "latents": list(block.latents),
                    "directions": [as_list(axis) for axis in found.axes],
                    "shares": as_list(found.shares),
                }
                for block, found in zip(self.blocks, self.directions, strict=True)
            ],
            "usual_db": usual_decibels(run),
            "mean": as_list(self.codes.mean),
            "spread": as_list(self.codes.spread),
            "used": self.codes.used.tolist(),
        }

    def drawn_examples(self) -> list[Json]:
        """Return invented people: their names, codes and pictures."""
        blocks = [block.latents for block in self.blocks]
        codes = self._at_rest(self.codes.drawn(DRAWN, blocks, np.random.default_rng(1)))
        images = self.decode(codes, sharp=False)
        names = ["mean person", *(f"invented person {number}" for number in range(1, DRAWN))]
        return [
            {"name": name, "invented": True, "code": as_list(code), "image": data_url(image)}
            for name, code, image in zip(names, codes, images, strict=True)
        ]

    def encoded_examples(self, named: Sequence[tuple[str, UInt8]], *, of_data: bool = True) -> list[Json]:
        """Return named pictures with their codes, those that show a person from the front, evenly lit, first.

        Pictures of the data set at hand are named SPLIT/BATCH/IMAGE.
        """
        images = self._seen(np.stack([image for _, image in named]))
        mu = self.run.codec.encode(images)[0]
        return [
            {"name": named[place][0], "code": as_list(mu[place]), "image": data_url(images[place])}
            | ({"origin": named[place][0]} if of_data else {})
            for place in np.argsort(self._off_centre(mu), kind="stable").tolist()
        ]

    def shipped_examples(self) -> list[Json]:
        """Return the rendered people that come with a network of the package; none for other networks."""
        path = self.run.folder / EXAMPLES
        if not path.exists():
            return []
        strip = np.asarray(Image.open(path))
        people = np.split(strip, strip.shape[1] // strip.shape[0], axis=1)
        named = [(f"person {number}", image) for number, image in enumerate(people, 1)]
        return self.encoded_examples(named, of_data=False)

    def _seen(self, pictures: UInt8) -> UInt8:
        """Scale pictures (N, H, H, C) of the data set down to those that the network was trained on (N, S, S, C)."""
        return scaled_batches(pictures[:, None], self.run.description.size)[:, 0]

    def _off_centre(self, mu: Floating) -> Floating:
        """Return how far the factors of the scene are from the middle of their ranges, as shares of these: (N,)."""
        off: Floating = np.zeros(len(mu))
        for fit in self.calibrations:
            if fit.factor not in self.run.description.of_identity and not fit.classes:  # classes have no middle
                low, high = fit.range
                off += np.abs(fit.read(mu) - (low + high) / 2) / (high - low)
        return off

    def _at_rest(self, codes: Floating) -> Floating:
        """Return codes with the factors of the scene and the person at the middle of their ranges: (N, Z)."""
        middles = {fit.factor: sum(fit.range) / 2 for fit in self.calibrations}
        return with_factors(codes, self.calibrations, **middles)

    def _factor(self, fit: Calibration) -> Json:
        place = self.run.description.factors.index(fit.factor)
        low, high = fit.range
        units = self.run.description.units[place]
        evaluated = (self.run.results[1] or {}).get("factors", {}).get(fit.factor, {})
        return {
            "name": fit.factor,
            "unit": self.run.units[place],
            "units": plural(units),
            "low": low,
            "high": high,
            "circular": fit.circular,
            "classes": list(fit.classes),
            "of_person": fit.factor in self.run.description.of_identity,
            "own": list(fit.own),
            "calibration": to_json(fit),
            "r2": evaluated.get("r2"),
            "error": evaluated.get("mean_absolute_error"),
            "accuracy": evaluated.get("accuracy"),
        }


def as_list(values: Floating) -> list[float]:
    """Return numbers that JSON can hold, exactly."""
    found: list[float] = values.astype(np.float64).tolist()
    return found


def data_url(image: UInt8) -> str:
    """Return a picture (S, S, C) as the URL of a PNG."""
    return f"data:image/png;base64,{base64.b64encode(png_bytes(image)).decode()}"
