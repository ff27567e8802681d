"""The documentation site: it is built, has every page, needs no network, and its links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import ROOT

pytest.importorskip("zensical")
pytest.importorskip("mkdocstrings_handlers.python")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once."""
    out = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "site" / "build.py", out], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr, done.stdout + done.stderr
    return out


def test_every_page_of_docs_is_in_the_site(site: Path) -> None:
    moved = {"index": "reading", "start": "index"}
    pages = {moved.get(page.stem, page.stem) for page in (ROOT / "docs").glob("*.md")}
    assert {f"{name}.html" for name in pages} <= {page.name for page in site.glob("*.html")}
    first = (site / "index.html").read_text()
    assert all(f'href="./{name}.html"' in first for name in pages - {"index"})


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|iframe|source)[^>]+src=\"([^\"]+)|<link[^>]+href=\"([^\"]+)", page.read_text()
        )
        assert not [each for pair in loaded for each in pair if re.match(r"(https?:)?//", each)], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheet.read_text()), sheet


def test_links_within_the_site_lead_to_files(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name == "404.html":  # its links begin at the site's top
            continue
        links = re.findall(r"<(?:a|img|script|link)\b[^>]*(?:href|src)=\"([^\"#?]+)", page.read_text())
        inside = {link for link in links if not re.match(r"\w+:|//", link)}
        assert not [link for link in inside if not (page.parent / link).exists()], page


def test_links_to_notebooks_lead_to_their_pages(site: Path) -> None:
    links = re.findall(r'href="(notebooks/[^"#]+)"', (site / "reading.html").read_text())
    assert {f"notebooks/{notebook.stem}.html" for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb")} <= set(
        links
    )
    assert not [link for link in links if link.endswith(".ipynb")]


def test_the_reference_documents_the_public_names(site: Path) -> None:
    pages = "".join(page.read_text() for page in (site / "api").glob("*.html"))
    import dcign.measure
    import dcign.metrics

    wanted = [f"dcign.metrics.{name}" for name in dcign.metrics.__all__ if not name.isupper()]
    wanted += [f"dcign.measure.{name}" for name in dcign.measure.__all__]
    wanted += ["dcign.publish.hub.DCIGN.encode", "dcign.data.dataset.reader.FaceDataset.batches"]
    assert not [name for name in wanted if f'.{name.rpartition(".")[2]}"' not in pages]


def test_the_search_finds_words_of_pages_and_of_docstrings(site: Path) -> None:
    found = json.loads((site / "search.json").read_text())["items"]
    text = {item["location"].partition("#")[0]: "" for item in found}
    for item in found:
        text[item["location"].partition("#")[0]] += f"{item['title']} {item['text']}"
    assert "clamp" in text["training.html"]
    assert "FaceDataset" in text["api/data.html"]
