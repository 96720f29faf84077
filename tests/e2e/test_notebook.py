"""examples/quickstart.ipynb runs from the first cell to the last, and its lists show pictures."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.filterwarnings("default")]
NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "quickstart.ipynb"


def read_notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Source of each code cell -> its result by MIME type. A cell that raises ends the run with its traceback."""
    notebook = read_notebook()
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    return {
        cell.source: next(
            (o.data for o in cell.outputs if o.output_type in ("execute_result", "display_data")), {}
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def result_of(executed: dict[str, dict[str, Any]], call: str) -> dict[str, Any]:
    return next(result for source, result in executed.items() if call in source)


def test_the_notebook_is_stored_without_output() -> None:
    cells = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("call", "num_items"), [("recommend(user=user, k=10)", 10), ("shop.similar(", 5), ("shop.search(", 5)]
)
def test_lists_show_a_picture_of_each_item(
    executed: dict[str, dict[str, Any]], call: str, num_items: int
) -> None:
    html = result_of(executed, call)["text/html"]
    assert html.count('src="data:image/jpeg;base64,') == num_items


def test_the_report_is_a_table_with_baselines(executed: dict[str, dict[str, Any]]) -> None:
    table = result_of(executed, "visrec.evaluate(")["text/plain"]
    assert {"model", "popularity", "item_knn", "ease", "oracle"} <= set(table.split())


def test_the_learning_curve_is_drawn(executed: dict[str, dict[str, Any]]) -> None:
    assert "image/png" in result_of(executed, "plt.subplots")


def test_the_workspace_counts_its_artifacts(executed: dict[str, dict[str, Any]]) -> None:
    assert "1 snapshot, 1 checkpoint" in result_of(executed, "visrec.Workspace(")["text/plain"]
