"""Detector recall: does a face detector that never saw our faces still find the reconstructed faces?

    python -m benchmarks.evaluate.detector_recall RUN [--data FACES] [--json]

Takes the near-frontal images of the iid split (azimuth within 15 degrees, elevation within 8) in which OpenCV's frontal
Haar cascade finds a face. The recall is the share of them in whose reconstructions it finds one, too. Images are
enlarged to 450 px, as in docs/face.md. Writes haar.json into the run's folder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import BenchmarkError, one_sentence
from dcign.arrays import Bool
from dcign.data.schema import GRAY_WEIGHTS
from dcign.trained.trained_run import TrainedRun

NEAR_FRONTAL = {"azimuth": 15.0, "elevation": 8.0}  # degrees
ENLARGED, SMALLEST_FACE = 450, 100  # pixels


@one_sentence()
def main() -> None:
    """Measure, write haar.json and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, help="the data set, if it was moved")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.run, given.data)
    (given.run / "haar.json").write_text(json.dumps(found) + "\n")
    sentence = "{run}: {both} of {found} detected faces are detected again ({pictures} images)".format(**found)
    print(json.dumps(found) if given.json else sentence)


def measure(run: Path, data: Path | None = None) -> dict[str, Any]:
    """Count near-frontal images, those with a detected face, and those of them whose reconstruction has one, too."""
    opened = TrainedRun.open(run)
    codec = opened.codec
    source = opened.data(data)
    split = source.labelled("iid")
    factors = split.factors.reshape(-1, split.factors.shape[-1])
    near = np.ones(len(factors), bool)
    for name, limit in NEAR_FRONTAL.items():
        near &= np.abs(factors[:, codec.description.factors.index(name)]) <= limit
    images = split.images.reshape(-1, *split.images.shape[2:])[near]
    reconstructions = codec.decode(codec.encode(images)[0]) * 255
    found, again = detect_faces(images), detect_faces(reconstructions)
    both = int((found & again).sum())
    share = both / int(found.sum()) if found.any() else None
    return {"run": str(run), "pictures": len(images), "found": int(found.sum()), "both": both, "share": share}


def detect_faces(images: NDArray[Any]) -> Bool:  # uint8 as rendered, floats as decoded
    """Return whether the cascade finds a face in each image: (N, S, S, C) 0..255 -> (N,)."""
    try:
        import cv2
    except ImportError:
        raise BenchmarkError("expected OpenCV, which detects faces, found none: pip install -e .[dev].") from None
    detector = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"))
    found = []
    for image in images:
        gray = image[..., 0] if image.shape[-1] == 1 else image @ np.array(GRAY_WEIGHTS)
        size = (ENLARGED, ENLARGED)
        enlarged = cv2.resize(gray.round().clip(0, 255).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
        found.append(len(detector.detectMultiScale(enlarged, minSize=(SMALLEST_FACE, SMALLEST_FACE))) > 0)
    return np.array(found, bool)


if __name__ == "__main__":
    main()
