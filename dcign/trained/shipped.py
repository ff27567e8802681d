"""The trained networks that come with the package, by name: folders in the layout of `dcign.trained.published`.

face reads pictures that are framed as our renders are; wild reads photographs, too (docs/photographs.md). `python -m
benchmarks.shipped_network NAME` makes one again.
"""

from __future__ import annotations

from pathlib import Path

from dcign.errors import TrainingError
from dcign.storage.paths import is_remote, is_there

FOLDER = Path(__file__).with_name("networks")
DEFAULT = "face"  # of commands that need no name
EXAMPLE = "example.png"  # a rendered face that the network was not trained on
EXAMPLES = "examples.png"  # more of them, side by side
CODES = "codes.npz"  # mu and logvar (N, Z) of pictures of the split iid, which the explorer measures steps against


def shipped_names() -> tuple[str, ...]:
    """Return the names of the networks in the package."""
    return tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))


def advice() -> str:
    """Return the end of a sentence about a name that is neither a run nor a network of the package."""
    return f"name one that dcign train wrote, or a network of the package ({', '.join(shipped_names())})."


def network_folder(name: str | Path) -> Path:
    """Return the folder of a run: the path itself or, if nothing has this path, the network in the package.

    Raises TrainingError for a path in an object store.
    """
    if not isinstance(name, str) and is_remote(name):
        raise TrainingError(
            f"expected the folder of a run on this machine, found {name}: copy it here and name the copy."
        )
    given = Path(name)
    if not is_there(given) and str(name) in shipped_names():
        return FOLDER / given
    return given


def is_shipped(folder: Path) -> bool:
    """Return whether a folder belongs to the package, where nothing may be written."""
    return folder.resolve().parent == FOLDER.resolve()


def refuse_shipped(folder: Path) -> None:
    """Raise TrainingError if a folder belongs to the package: it holds no run to evaluate."""
    if is_shipped(folder):
        raise TrainingError(
            f"expected a run's folder, found {folder.name}, a network of the package, which cannot be evaluated again: "
            "name a run that dcign train wrote, or measure photographs with --photos."
        )
