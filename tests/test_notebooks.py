"""Every notebook runs from top to bottom at a reduced size, and none is stored with outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
TIMEOUT_S = 300

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def printed(notebook: Any) -> str:
    """Return everything the cells wrote on stdout."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    return "".join(out.text for out in outputs if out.get("name") == "stdout")


def test_there_are_notebooks() -> None:
    """The folder is where the tests look for it."""
    assert {"01_spectrum_to_kz", "02_one_run_step_by_step"} <= {path.stem for path in NOTEBOOKS}


@each_notebook
# jupyter_client and pyzmq close their sockets late; their warnings say nothing about the notebook.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells run without error in the folder of the notebook, and something is drawn."""
    monkeypatch.setenv("SCINTSCOPE_NOTEBOOK_SMALL", "1")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert any("image/png" in out.get("data", {}) for out in outputs)
    errors = [out.text for out in outputs if out.get("name") == "stderr" and "Error" in out.text]
    assert errors == []
    assert len(printed(notebook)) > 100


@each_notebook
def test_notebook_is_stored_without_outputs(path: Path) -> None:
    """The repository holds text, not results: no outputs, no execution counts."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
