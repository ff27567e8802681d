"""Is a reconstructed face still a face to a detector that knows no faces of ours?

    python -m benchmarks.haar RUN [--data FACES] [--json]

Of the near-frontal pictures of the iid split (azimuth within 15 degrees, elevation within 8) in which OpenCV's frontal
Haar cascade finds a face, the share in whose reconstructions it finds one too. Pictures are enlarged to 450 px, as
in docs/face.md. Writes haar.json into the run's folder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sentence import BenchmarkError, one_sentence
from dcign.arrays import Bool
from dcign.data.schema import GRAY_WEIGHTS
from dcign.trained.trained_run import TrainedRun

NEAR_FRONTAL = {"azimuth": 15.0, "elevation": 8.0}  # degrees
ENLARGED, LEAST = 450, 100  # pixels: the picture, and the least face


@one_sentence()
def main() -> None:
    """Detect, tell, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, help="the data set, if it has moved")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.run, given.data)
    (given.run / "haar.json").write_text(json.dumps(found) + "\n")
    print(
        json.dumps(found) if given.json else "{run}: {both} of {found} faces found again, of {pictures}".format(**found)
    )


def measure(run: Path, data: Path | None = None) -> dict[str, Any]:
    """Return how many near-frontal pictures there are, in how many a face is found, and in how many of these again."""
    opened = TrainedRun.open(run)
    codec = opened.codec
    source = opened.data(data)
    split = source.labelled("iid")
    factors = split.factors.reshape(-1, split.factors.shape[-1])
    near = np.ones(len(factors), bool)
    for name, most in NEAR_FRONTAL.items():
        near &= np.abs(factors[:, codec.description.factors.index(name)]) <= most
    images = split.images.reshape(-1, *split.images.shape[2:])[near]
    rebuilt = codec.decode(codec.encode(images)[0]) * 255
    found, again = faces_found(images), faces_found(rebuilt)
    both = int((found & again).sum())
    share = both / int(found.sum()) if found.any() else None
    return {"run": str(run), "pictures": len(images), "found": int(found.sum()), "both": both, "share": share}


def faces_found(images: NDArray[Any]) -> Bool:  # uint8 as rendered, floats as decoded
    """Say in which pictures the cascade finds a face: (N, S, S, C) 0..255 -> (N,)."""
    try:
        import cv2
    except ImportError:
        raise BenchmarkError("there is no OpenCV here, which detects faces: pip install -e .[dev]") from None
    detector = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"))
    found = []
    for image in images:
        gray = image[..., 0] if image.shape[-1] == 1 else image @ np.array(GRAY_WEIGHTS)
        size = (ENLARGED, ENLARGED)
        enlarged = cv2.resize(gray.round().clip(0, 255).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
        found.append(len(detector.detectMultiScale(enlarged, minSize=(LEAST, LEAST))) > 0)
    return np.array(found, bool)


if __name__ == "__main__":
    main()
