"""The notebooks of docs/notebooks run to their last cell, in an empty folder, and are kept without output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pages import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

# A first cell of notebooks that train or evaluate.
QUICK = """
from contextlib import ExitStack
from tests.support.quick import one_thread, quick_evaluations
quick = ExitStack()
quick.enter_context(one_thread())
quick.enter_context(quick_evaluations())
"""
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook's client and kernel
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")
    book = nbformat.read(notebook, as_version=4)
    if any(f"dcign.{stage}" in cell.source for cell in book.cells for stage in ("train", "evaluate", "measure")):
        book.cells.insert(0, nbformat.v4.new_code_cell(QUICK))
    client = nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any(output.output_type == "stream" for output in outputs)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_kept_without_outputs(notebook: Path) -> None:
    book = nbformat.read(notebook, as_version=4)
    nbformat.validate(book)
    assert book.cells[0].source.startswith("# ")
    assert not [cell for cell in book.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
