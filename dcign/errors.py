"""The errors of dcign: each is one sentence that a user can act on. The command line shows it without a traceback.

The sentence says "expected X, found Y: do Z.", or for a file "PATH is Y; expected X: do Z."
"""

from __future__ import annotations

import signal


class DcignError(ValueError):
    """Base of all errors that a user can act on. The text says what was expected, what was found and what to do."""


class DataError(DcignError):
    """A shard or a data set cannot be read or written."""


class ModelError(DcignError):
    """A morphable model or a mesh cannot be read or used."""


class RenderError(DcignError):
    """A picture or a data set cannot be rendered."""


class TrainingError(DcignError):
    """A training, an evaluation or a trained network cannot be started, continued or read."""


class TrainingInterrupted(Exception):
    """Training was stopped by a signal after a complete step. The text says what was kept and how to resume."""

    def __init__(self, text: str, number: int = signal.SIGINT) -> None:
        """number: of the signal."""
        super().__init__(text)
        self.number = number


class DcignWarning(UserWarning):
    """Base of all warnings to a user: something is not as it should be, but the work goes on."""
