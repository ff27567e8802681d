"""Finding the face in a picture with OpenCV's detector, whose weights are in its package (the extra `photos`).

It is the cascade of Viola and Jones (2001) for upright faces seen from the front; turned by more than about 30 degrees,
a face is often missed. Its box has a shape of its own, which was measured on our renders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dcign.errors import TrainingError
from dcign.infer.read_picture import as_gray
from dcign.infer.window import Window, window_of_box, window_of_eyes

CASCADE = "haarcascade_frontalface_default.xml"
LARGEST = 640  # px of the longer side in which faces are looked for
LEAST = 0.1  # smallest box, as a share of the shorter side
NEIGHBOURS = 4  # boxes that must agree; fewer find more faces where there are none
# The median box on 122 near-frontal renders (docs/log.md): shares of a render's width, from its centre.
BOX_DOWN, BOX_SIDE = 0.053, 0.57
CROP = "crop the picture around the face and leave --detect out"
GIVE = "give --eyes X Y X Y, or --box X Y W H"  # what to do in `dcign edit` where no face is found


def asked_window(
    picture: Image.Image,
    eyes: Sequence[float] | None = None,
    box: Sequence[float] | None = None,
    detect: bool = False,
    advice: str = GIVE,
) -> Window | None:
    """Return the window of a picture that eyes X Y X Y, a box X Y W H, or the detector give; None if none is asked for.

    advice: the end of the sentence that says that the detector finds no face, or is not there.

    Raises TrainingError if more than one is asked for, or it cannot be used.
    """
    if (eyes is not None) + (box is not None) + detect > 1:
        raise TrainingError("expected one of --eyes, --box and --detect, found more: give one.")
    if eyes is not None:
        return window_of_eyes(eyes)
    if box is not None:
        return window_of_box(box)
    return detected_window(picture, advice) if detect else None


def detected_window(picture: Image.Image, advice: str = GIVE) -> Window:
    """Return the window that puts the largest face of a picture where our renders have it.

    advice: see `asked_window`.

    Raises TrainingError if OpenCV is not installed, or finds no face, or the picture does not convert to RGB.
    """
    try:
        import cv2
    except ImportError:
        raise TrainingError(
            "expected OpenCV, to look for the face, found none: install OpenCV, `pip install 'dcign[photos]'`, or "
            f"{advice}."
        ) from None
    scale = min(1.0, LARGEST / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    gray = np.asarray(Image.fromarray(as_gray(picture)).resize(size, Image.Resampling.BOX))
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / CASCADE))
    least = max(20, round(LEAST * min(size)))
    boxes = cascade.detectMultiScale(gray, scaleFactor=1.05, minNeighbors=NEIGHBOURS, minSize=(least, least))
    if not len(boxes):
        raise TrainingError(
            f"expected a face seen from the front, found none in the picture of {picture.width} x {picture.height} px: "
            f"{advice}."
        )
    x, y, width, height = (float(number) / scale for number in max(boxes, key=lambda box: box[2]))
    side = width / BOX_SIDE
    return Window(
        x + width / 2, y + height / 2 - BOX_DOWN * side, side, source="the detected face is where our renders have it"
    )
