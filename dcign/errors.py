"""What can go wrong in a way that the user can mend: one sentence each, shown without a traceback."""


class TrainingError(ValueError):
    """A training or evaluation that cannot start or go on; the text says what was found, wanted and to do."""


class TrainingInterrupted(Exception):
    """Training was stopped by Ctrl-C after a whole step; the text says what was kept and how to go on."""
