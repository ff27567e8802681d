"""README and docs/: what they name exists, what they import can be imported, and README's tree is the real one."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

from tests.support.pages import ROOT, python_blocks

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]  # the changelog names old paths, too
TOP_LEVEL = ("benchmarks", "data", "dcign", "facegen", "render", "tests")
PRODUCT = ("data", "dcign", "facegen", "render")
# Files and modules that docs/contributing.md adds.
EXAMPLES = ("correlation", "swap_mean", "NAME")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def heading_anchors(page: Path, level: str = "#+") -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page, of all levels or of one."""
    headings = re.findall(rf"^{level} (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(((?!http)[^)#\s]*)(?:#([^)\s]+))?\)", page.read_text())
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} is not there"
        assert not anchor or anchor in heading_anchors(target), f"{path}#{anchor} is not there"


@pytest.mark.parametrize("page", [page for page in TODAY if "\nContents: " in page.read_text()], ids=named)
def test_the_contents_of_a_page_name_each_of_its_sections(page: Path) -> None:
    contents = page.read_text().partition("\nContents: ")[2].partition("\n\n")[0]
    assert heading_anchors(page, "##") <= set(re.findall(r"\]\(#([^)]+)\)", contents))


def test_the_index_leads_to_every_notebook() -> None:
    links = set(re.findall(r"\]\((notebooks/[^)]+)\)", (ROOT / "docs" / "index.md").read_text()))
    assert links == {f"notebooks/{notebook.name}" for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    pattern = rf"`((?:{'|'.join(TOP_LEVEL)})/[\w/.-]+)`"
    missing = [path for path in re.findall(pattern, page.read_text()) if not (ROOT / path).exists()]
    assert not [path for path in missing if not any(word in path for word in EXAMPLES)]


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_dotted_name_that_a_page_names_can_be_imported(page: Path) -> None:
    names = set(re.findall(r"`((?:dcign|benchmarks)\.[\w.]+\w)", page.read_text()))
    for name in names:
        if name.split(".")[-1] in ("json", "lock", "toml", "md"):
            continue
        assert imported(name), f"{name} is neither a module nor a name in one"


def imported(name: str) -> bool:
    """Return whether a dotted name is a module, or an attribute in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_what_python_examples_import_exists(page: Path) -> None:
    for block in python_blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "dcign":
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def readme_tree() -> dict[str, str]:
    """Return README's tree: path -> what it says. Two spaces of indentation are one folder deeper."""
    text = (ROOT / "README.md").read_text().partition("## The tree")[2].partition("\n`facegen` and")[0]
    found, top = {}, ""
    for indent, name, clause in re.findall(r"^ {4}( *)([\w.]+/?) {2,}(\S.*)$", text, re.M):
        if len(indent) > 2:
            continue
        path = name if not indent else top + name
        top = top if indent else name
        found[path] = clause
    return found


def test_readme_s_tree_lists_every_package_with_a_clause() -> None:
    packages = {"benchmarks/", "tests/", *(f"{top}/" for top in PRODUCT)}
    for top in PRODUCT:
        packages |= {
            f"{top}/{each.name}/"
            for each in (ROOT / top).iterdir()
            if (each / "__init__.py").exists() and not each.is_symlink()
        }
    tree = readme_tree()
    assert packages <= tree.keys()
    assert all((ROOT / path).exists() for path in tree)
    assert all(len(clause) > 10 for clause in tree.values())


def test_files_that_readme_s_tree_names_are_in_the_folder_of_their_line() -> None:
    lines = (ROOT / "README.md").read_text().partition("## The tree")[2].partition("\n`facegen` and")[0].splitlines()
    top = folder = ""
    for line in lines:
        if match := re.match(r"^ {4}( {0,2})([\w.]+/)  ", line):
            top = top if match[1] else match[2]
            folder = top + match[2] if match[1] else top
        for name in re.findall(r"\b(\w+\.py)\b", line) if line.startswith("    ") else ():
            places = {ROOT / folder / name, ROOT / top / name, ROOT / name}
            assert any(place.exists() for place in places), f"{name} is not in {folder}"


def test_the_layers_that_the_page_draws_are_import_linter_s() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    wanted = [
        [{name.strip().split(".")[-1] for name in layer.split("|")} for layer in each["layers"]] for each in contracts
    ]
    table = (ROOT / "docs" / "architecture.md").read_text().partition("| contract |")[2].partition("\n\n")[0]
    rows = [row.split("|")[2] for row in table.splitlines()[2:]]
    assert [[set(re.findall(r"`(\w+)`", layer)) for layer in row.split(" / ")] for row in rows] == wanted


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_python_file_that_a_page_names_exists(page: Path) -> None:
    files = [f"/{file.relative_to(ROOT)}" for top in TOP_LEVEL for file in (ROOT / top).rglob("*.py")] + ["/cli.py"]
    found = re.findall(r"`([\w/]+\.py)`", page.read_text())
    missing = [name for name in found if not any(file.endswith(f"/{name}") for file in files)]
    assert not [name for name in missing if not any(word in name for word in EXAMPLES)]
