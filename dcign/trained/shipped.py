"""The trained networks that come with the package, by name: folders in the layout of `dcign.trained.published`.

`python -m benchmarks.shipped_network` makes them again.
"""

from __future__ import annotations

from pathlib import Path

from dcign.errors import TrainingError

FOLDER = Path(__file__).with_name("networks")
DEFAULT = "face"
EXAMPLE = "example.png"  # a rendered face that the network was not trained on
EXAMPLES = "examples.png"  # more of them, side by side
CODES = "codes.npz"  # mu and logvar (N, Z) of pictures of the split iid, which the explorer measures steps against


def shipped_names() -> tuple[str, ...]:
    """Return the names of the networks in the package."""
    return tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))


def network_folder(name: str | Path) -> Path:
    """Return the folder of a run: the path itself or, if nothing has this path, the network in the package."""
    given = Path(name)
    if not given.exists() and str(name) in shipped_names():
        return FOLDER / given
    return given


def is_shipped(folder: Path) -> bool:
    """Return whether a folder belongs to the package, where nothing may be written."""
    return folder.parent == FOLDER


def refuse_shipped(folder: Path) -> None:
    """Raise TrainingError if a folder belongs to the package."""
    if is_shipped(folder):
        name = folder.name
        raise TrainingError(
            f"expected a run's folder, found {name}, a network of the package, where no results are written: copy it "
            f"with `dcign export {name} --to hub --out {name}-copy` and name the copy."
        )
