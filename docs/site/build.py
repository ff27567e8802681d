"""Build the documentation site: `make docs`, or `python docs/site/build.py OUT` with the extra `docs`.

The pages of docs/, README and CHANGELOG are copied into a temporary folder, because Zensical takes pages of one folder
alone; links between them are rewritten. A page of NAVIGATION that is not there is left out. API pages are made from
docstrings by mkdocstrings. The site needs no network: search is in the browser, and fonts are the reader's own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NAVIGATION: dict[str, dict[str, str]] = {
    "Getting started": {"In ten minutes": "index.md", "Overview": "overview.md", "What to read": "reading.md"},
    "How to": {
        "Render a data set": "shard.md",
        "Choose people": "face.md",
        "Vary traits of people": "traits.md",
        "Use your own face model": "models.md",
        "Render objects": "meshes.md",
        "Import your own data": "import.md",
        "Use many machines": "scale.md",
        "Train and edit": "training.md",
        "Explore in the browser": "explore.md",
        "Read photographs": "photographs.md",
        "Open shards of others": "sandbox.md",
    },
    "Notebooks": {
        "Make a data set": "notebooks/make_a_data_set.md",
        "Train a network and read it": "notebooks/train_and_read.md",
        "Evaluate any representation": "notebooks/evaluate_any_representation.md",
        "Use your own data": "notebooks/use_your_own_data.md",
    },
    "Reference": {
        "Data sets": "api/data.md",
        "Trained networks": "api/networks.md",
        "Metrics": "api/metrics.md",
        "Every metric explained": "metrics.md",
    },
    "Explanation": {
        "Paper and method": "method.md",
        "Architecture": "architecture.md",
        "Experiments": "log.md",
        "Contributing": "contributing.md",
        "What changed": "CHANGELOG.md",
    },
    "Results": {"Results": "results.md"},
}
# Page -> its title and what mkdocstrings documents there.
API: dict[str, tuple[str, tuple[str, ...]]] = {
    "data.md": (
        "Data sets",
        (
            "dcign.data.dataset.reader.FaceDataset",
            "dcign.data.dataset.reader.LoadedSplit",
            "dcign.data.shard.reader.Shard",
            "dcign.data.schema.Batch",
            "dcign.data.schema.Factor",
            "dcign.data.schema.ShardHeader",
            "dcign.data.dataset.writing.write_dataset",
            "dcign.data.dataset.new_batch.NewBatch",
            "dcign.data.export.dataset.export_dataset",
            "dcign.inputs.torch_dataset",
        ),
    ),
    "networks.md": (
        "Trained networks",
        (
            "dcign.publish.hub.DCIGN",
            "dcign.trained.trained_run.TrainedRun",
            "dcign.trained.codec.Codec",
            "dcign.trained.calibration.Calibration",
            "dcign.infer.edit",
            "dcign.infer.encode",
            "dcign.evaluate.evaluation.evaluate",
            "dcign.publish.push",
        ),
    ),
    "metrics.md": (
        "Metrics",
        ("dcign.metrics", "dcign.metrics.bootstrap.bootstrap", "dcign.metrics.infomec.infomec", "dcign.measure"),
    ),
}
COPIED = ("README.md", "CHANGELOG.md")
# The site begins with start.md, and Zensical takes a README for the index of its folder. In this order.
MOVED = {"index.md": "reading.md", "start.md": "index.md", "README.md": "overview.md"}
LINK = re.compile(r"(\]\(|src=\")((?!https?:|mailto:)[^)#\s\"]+)")
SETTINGS = {
    "site_name": "dcign",
    "site_description": "Face data sets in which one thing varies at a time, and networks whose code says what varied",
    "copyright": "MIT licence",
    "use_directory_urls": False,  # so that pages open from a disk, too
}


def build(out: Path) -> None:
    """Build the site into a new folder, or one that an earlier build made."""
    with tempfile.TemporaryDirectory(prefix="dcign-docs-") as temporary:
        top = Path(temporary)
        pages = top / "docs"
        collect(pages)
        (top / "zensical.toml").write_text(configuration(pages))
        command = [sys.executable, "-m", "zensical", "build", "--clean"]
        done = subprocess.run(command, cwd=top, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"expected Zensical to build the site, found:\n{done.stdout}{done.stderr}")
        print(done.stdout, end="")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(top / "site", out)
    print(f"Look at {out / 'index.html'}.")


def collect(pages: Path) -> None:
    """Copy every page, picture and notebook, and write the API pages."""
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns("site", "__pycache__"))
    for name in COPIED:
        shutil.copy(ROOT / name, pages)
    for notebook in sorted((pages / "notebooks").glob("*.ipynb")):
        notebook.with_suffix(".md").write_text(as_markdown(json.loads(notebook.read_text())))
    for page in sorted(pages.rglob("*.md")):
        page.write_text(LINK.sub(lambda match: match[1] + link_within(match[2]), page.read_text()))
    (pages / "api").mkdir()
    for name, (title, objects) in API.items():
        blocks = "".join(f"\n::: {each}\n" for each in objects)
        (pages / "api" / name).write_text(f"# {title}\n{blocks}")
    for name, other in MOVED.items():
        (pages / name).rename(pages / other)


def link_within(link: str) -> str:
    """Return a link of a page in the repository as it is in the site, where all pages lie beside each other."""
    link = link.removeprefix("docs/").removeprefix("../")
    if link in MOVED:
        return MOVED[link]
    if link.endswith(".ipynb"):
        return f"{link.removesuffix('.ipynb')}.md"  # a notebook is a page
    held = link in COPIED or (DOCS / link).exists()
    return link if held else MOVED["README.md"]  # a file of the code: README has the tree


def configuration(pages: Path) -> str:
    """Return zensical.toml; TOML reads JSON's strings, lists and numbers."""
    lines = ["[project]", *(f"{key} = {json.dumps(value)}" for key, value in SETTINGS.items())]
    lines.append(f"nav = [{', '.join(navigation(pages))}]")
    lines += [
        "[project.theme]",
        "font = false",
        f"features = {json.dumps(['content.code.copy', 'navigation.sections'])}",
    ]
    for scheme, name in (("default", "sunny"), ("slate", "night")):
        other = "dark" if scheme == "default" else "light"
        media = "light" if scheme == "default" else "dark"
        lines += [
            "[[project.theme.palette]]",
            f'media = "(prefers-color-scheme: {media})"',
            f'scheme = "{scheme}"',
            f'toggle = {{ icon = "lucide/{"sun" if name == "sunny" else "moon"}", name = "Switch to {other} mode" }}',
        ]
    lines += ["[project.plugins.mkdocstrings.handlers.python]", f"paths = [{json.dumps(str(ROOT))}]"]
    lines += ["[project.plugins.mkdocstrings.handlers.python.options]", 'docstring_style = "numpy"']
    lines += ["show_root_heading = true", "show_source = false", 'members_order = "source"', "heading_level = 2"]
    return "\n".join(lines) + "\n"


def navigation(pages: Path) -> list[str]:
    """Return the entries of the navigation whose pages are there."""
    found = []
    for section, entries in NAVIGATION.items():
        inner = [
            f"{{{json.dumps(title)} = {json.dumps(name)}}}"
            for title, name in entries.items()
            if (pages / name).exists()
        ]
        if inner:
            found.append(f"{{{json.dumps(section)} = [{', '.join(inner)}]}}")
    return found


def as_markdown(notebook: dict[str, list[dict[str, str]]]) -> str:
    """Return the cells of a notebook as a page."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return "\n\n".join(text if kind == "markdown" else f"```python\n{text}\n```" for kind, text in cells) + "\n"


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
