"""What both convolutional networks share: image sizes, how often an image is halved, activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from dcign.errors import TrainingError
from dcign.run.sizes import LARGEST, SMALLEST

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": functional.relu, "silu": functional.silu}


class Layout(NamedTuple):
    """How an image is halved until its grid is 4 to 8 wide.

    An image that cannot be halved so often (150 px = 4.7 x 32) is padded with copies of its border (to 160), and the
    decoder's image is cropped.
    """

    size: int  # of the image, px
    halvings: int
    grid: int  # width of the last grid
    before: int  # columns and rows to pad on the left and top
    after: int  # ... and on the right and bottom

    @classmethod
    def of(cls, size: int) -> Layout:
        """Return the layout of an image size. Raises TrainingError for sizes outside 28 to 256 px."""
        if not SMALLEST <= size <= LARGEST:
            raise TrainingError(
                f"expected images of {SMALLEST} to {LARGEST} px, found {size} px: render them again, for example at "
                "64 px."
            )
        halvings = int(math.log2(size / 4))
        grid = -(-size // 2**halvings)
        missing = grid * 2**halvings - size
        return cls(size, halvings, grid, missing // 2, missing - missing // 2)

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Return the padding in the order of `torch.nn.functional.pad`."""
        return self.before, self.after, self.before, self.after

    @property
    def kept(self) -> slice:
        """Return the rows and columns of the padded image that are the image."""
        return slice(self.before, self.before + self.size)
