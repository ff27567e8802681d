"""Why a file could not be read as a picture, in words of our own: Pillow's readers raise many kinds of errors."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from dcign.foreign import foreign_kind

# What Pillow's readers raise on damaged files, besides OSError.
RAISED = (OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, MemoryError, ArithmeticError,
          AttributeError, NotImplementedError, RuntimeError, Image.DecompressionBombError,
          Image.DecompressionBombWarning)  # fmt: skip
OTHER = "choose another file, or save it as PNG or JPEG."


def picture_fault(path: Path, error: Exception) -> str:
    """Return the end of a sentence "expected a picture in PATH, found": what is there instead, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "no such file: check the name."
    if path.is_dir():
        return "a folder: choose a file."
    if not path.is_file():
        return "a device or a pipe: choose a file."
    if isinstance(error, PermissionError):
        return "a file that may not be read: change its permissions."
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {(Image.MAX_IMAGE_PIXELS or 0) // 10**6} million pixels: make it smaller."
    try:
        kind = foreign_kind(path)
    except OSError as failed:
        return f"a file that cannot be read ({failed.strerror}): check it."
    if kind:
        return f"{kind}: {OTHER}"
    if isinstance(error, UnidentifiedImageError):
        return f"a file of no known picture format: {OTHER}"
    return f"a picture that is damaged or cut short: {OTHER}"


def refuse_special_file(path: Path) -> None:
    """Raise OSError for a pipe or a device, which could be read without end."""
    if path.exists() and not path.is_file():
        raise OSError("not a regular file")
