"""Run notebooks in place, so that the outputs on their pages are those of the code as it is now.

::

    python notebooks/execute.py          every notebook
    python notebooks/execute.py 02 04    some of them

The file written depends on nothing but the notebook's code: no ids by chance, no times, no widget state.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGETS = "application/vnd.jupyter.widget-"
CELL_TIMEOUT_S = 600
COLOURS = 64
FIGURE_TAG = "figure-"


def execute(path: Path) -> None:
    """Run a notebook from top to bottom on a fresh kernel and write it back with its outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the file stays as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, resources=resources, record_timing=False, store_widget_state=False
    ).execute()
    path.write_text(nbformat.writes(tidied(notebook)) + "\n", "utf-8")
    keep_figures(notebook)


def tidied(notebook: NotebookNode) -> NotebookNode:
    """The notebook without what differs from run to run (ids, the interpreter's version, widgets), pictures packed."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _without_widgets(output)) is not None]
    return notebook


def _without_widgets(output: NotebookNode) -> NotebookNode | None:
    """The output as a page without a kernel can show it; None if it was a widget alone."""
    if "data" not in output:
        return output
    if any(kind.startswith(WIDGETS) for kind in output.data):
        return None
    size = output.metadata.get("image/png")  # on the page: half as many points as a picture for sharp screens has
    output.metadata = nbformat.from_dict({"image/png": size} if size else {})
    if "image/png" in output.data:
        output.data["image/png"] = packed(output.data["image/png"])
    return output


def packed(picture: str) -> str:
    """A PNG in base64 with a palette instead of full colours, a third of the size."""
    drawn = Image.open(BytesIO(base64.b64decode(picture))).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    kept = BytesIO()
    drawn.save(kept, "PNG", optimize=True)
    return base64.b64encode(kept.getvalue()).decode()


def keep_figures(notebook: NotebookNode) -> None:
    """Store the picture of each cell tagged ``figure-NAME`` as ``figures/NAME.png``, for pages elsewhere to show."""
    for cell in notebook.cells:
        for tag in (tag for tag in cell.metadata.get("tags", ()) if tag.startswith(FIGURE_TAG)):
            picture = next(output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
            target = FOLDER / "figures" / f"{tag.removeprefix(FIGURE_TAG)}.png"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(base64.b64decode(picture))


def named(names: Sequence[str]) -> list[Path]:
    """The notebooks whose names start so; all if none is named."""
    found = [path for path in sorted(FOLDER.glob("*.ipynb")) if path.name.startswith(tuple(names) or "")]
    if not found:
        raise SystemExit(f"no notebook starts with {' or '.join(names)}; there are {sorted(FOLDER.glob('*.ipynb'))}")
    return found


if __name__ == "__main__":
    for each in named(sys.argv[1:]):
        print(each.name, flush=True)
        execute(each)
