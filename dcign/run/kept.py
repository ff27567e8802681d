"""What a run's folder keeps of a training that was stopped, as a sentence.

Only the standard library is imported, because a stop signal may arrive while PyTorch is imported.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

CHECKPOINT = "checkpoint.safetensors"  # dcign.run.checkpoint.FILE, repeated because that module imports PyTorch
CONFIGURATION = "configuration.json"
LENGTH = struct.Struct("<Q")  # of the JSON at the beginning of a safetensors file
LONGEST = 1 << 20  # bytes of JSON


def kept_sentence(folder: Path) -> str:
    """Return what is kept of a training that was stopped before its first step, or before it went on."""
    step = kept_step(folder)
    if step is None:
        again = "with --resume" if (folder / CONFIGURATION).exists() else "again"
        return f"Stopped before the first step; nothing is kept in {folder}: run the same command {again}."
    return f"Stopped before a further step; step {step} is kept in {folder}: run the same command with --resume."


def kept_step(folder: Path) -> int | None:
    """Return the step of the checkpoint in a folder, or None if there is none that can be read."""
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            (length,) = LENGTH.unpack(file.read(LENGTH.size))
            header = json.loads(file.read(min(length, LONGEST)))
        return int(json.loads(header["__metadata__"]["dcign"])["step"])
    except (OSError, ValueError, LookupError, TypeError, struct.error):
        return None
