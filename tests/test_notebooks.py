"""The notebooks as pages: their form, and that a wrong number or a renamed function on them is caught.

Whether their outputs are true is checked by nbval; see ``check-notebooks`` in the Makefile.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, strategies as st
from nbclient import NotebookClient
from nbval.plugin import get_sanitize_patterns
from papermill import inspect_notebook

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SANITISER = FOLDER / "nbval.cfg"
QUICKSTART = FOLDER / "00_quickstart.ipynb"

MOST_CELLS = 25
MOST_BYTES = 300_000
FIRST_PICTURE_S = 5.0
PATH = re.compile(r"(?<![\w./:])/(?:home|root|tmp|usr|var|opt|mnt|srv|work|private|Users)/|[A-Z]:\\\\?Users|file://")
CHANCE_ID = re.compile(r"\b0x[0-9a-f]{6,}|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b")
LINK = re.compile(r"\]\(([^)#\s]+)")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(outputs: list[Any]) -> list[str]:
    """All that the outputs say, but pictures."""
    shown = [output.get("text", "") for output in outputs]
    for output in outputs:
        shown += [str(text) for kind, text in output.get("data", {}).items() if not kind.startswith("image/")]
    return shown


def check(path: Path, *options: str, package: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What nbval says of a notebook, as ``make test`` asks it."""
    command = ["-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(path.parent), "-x"]
    command += ["-vv", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", f"--nbval-sanitize-with={SANITISER}"]
    command += [*options, str(path)]
    environ = os.environ | {"PYTHONPATH": str(package)}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, env=environ, cwd=path.parent
    )


def test_the_notebooks_are_numbered_from_nought_without_a_gap() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{number:02d}_" for number in range(len(NOTEBOOKS))]


@each_notebook
def test_a_notebook_opens_with_its_question_and_ends_with_what_was_learnt(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    headings = [line for text in prose for line in text.splitlines() if line.startswith("# ")]
    assert len(headings) == 1
    assert notebook.cells[0].source.startswith(headings[0])
    assert "?" in notebook.cells[0].source
    assert notebook.cells[-1].source.startswith("## What was learnt")
    assert "Next: " in notebook.cells[-1].source
    assert len(notebook.cells) <= MOST_CELLS
    for link in LINK.findall("\n".join(prose)):
        assert "://" in link or (path.parent / link).exists(), link


@each_notebook
def test_a_notebook_was_run_from_top_to_bottom(path: Path) -> None:
    cells = code_cells(nbformat.read(path, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert any("assert " in cell.source for cell in cells)
    # Jupyter keeps quiet about a last line that ends in a semicolon, nbval does not: `_ =` says it to both.
    assert not [cell.source for cell in cells if cell.source.endswith(";")]


@pytest.mark.parametrize("name", ["03_live_benchmark", "07_your_own_models"])
def test_a_notebook_for_other_pools_names_its_parameters_where_papermill_finds_them(name: str) -> None:
    parameters = inspect_notebook(str(FOLDER / f"{name}.ipynb"))
    assert {"POOL", "PROMPTS", "OUT"} <= set(parameters)
    assert all(parameter["help"] for parameter in parameters.values())


@each_notebook
def test_a_notebook_holds_no_path_no_warning_and_no_id_by_chance(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    for text in [*texts(outputs), *(cell.source for cell in notebook.cells)]:
        assert not PATH.search(text)
        assert not CHANCE_ID.search(text)
        assert "Warning" not in text
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert not [kind for kind in kinds if "widget" in kind]
    assert [cell.id for cell in notebook.cells] == [f"cell-{number:02d}" for number in range(len(notebook.cells))]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < MOST_BYTES


def test_the_readme_shows_the_figures_and_questions_of_the_notebooks() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    quickstart = "\n".join(
        texts([o for cell in code_cells(nbformat.read(QUICKSTART, as_version=4)) for o in cell.outputs])
    )
    rows = re.findall(r"^\| .* \| `model::\w+` \| [+-]0\.\d{4} \|.*$", readme, re.MULTILINE)
    assert len(rows) == 3
    for number in re.findall(r"\d+\.\d+|\b\d{2,}\b", "".join(rows)):
        assert number in quickstart
    for path in NOTEBOOKS:
        question = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].removeprefix("# ")
        assert f"(notebooks/{path.name}) | {question} |" in readme
    for figure in re.findall(r"notebooks/figures/[\w.]+", readme):
        assert (ROOT / figure).is_file()


def test_a_wrong_number_on_a_page_is_caught(tmp_path: Path) -> None:
    copy = shutil.copy(QUICKSTART, tmp_path)
    notebook = nbformat.read(copy, as_version=4)
    table = next(
        output for cell in code_cells(notebook) for output in cell.outputs if "text/html" in output.get("data", {})
    )
    right = re.search(r"\d\.\d\d\d", table.data["text/html"])
    assert right is not None
    wrong = f"{float(right[0]) + 0.001:.3f}"
    table.data["text/html"] = table.data["text/html"].replace(right[0], wrong, 1)
    nbformat.write(notebook, copy)
    found = check(Path(copy), "--color=no")
    assert found.returncode == 1, found.stdout
    assert "Cell outputs differ" in found.stdout
    assert wrong in found.stdout


def test_a_renamed_public_function_is_caught(tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(ROOT / "multillm", package / "multillm", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "data").symlink_to(ROOT / "data")
    for file in (package / "multillm").rglob("*.py*"):
        file.write_text(re.sub(r"\bOrchestrator\b", "Conductor", file.read_text("utf-8")), "utf-8")
    found = check(QUICKSTART, "--color=no", package=package)
    assert found.returncode == 1, found.stdout
    assert "No multillm attribute Orchestrator" in found.stdout


def test_the_first_picture_is_there_soon_and_imports_nothing_that_it_does_not_need() -> None:
    notebook = nbformat.read(QUICKSTART, as_version=4)
    first = next(
        number
        for number, cell in enumerate(notebook.cells)
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
    )
    needless = {"litellm", "sqlalchemy", "httpx", "pandas", "scipy", "sklearn", "rich"}
    loaded_now = f"sorted({needless} & set(sys.modules))"
    look = f"import json, sys, time\njson.dump([time.process_time(), {loaded_now}], sys.stdout)"
    notebook.cells = [*notebook.cells[: first + 1], nbformat.v4.new_code_cell(look)]
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "image/png" in notebook.cells[first].outputs[-1].data
    used_s, loaded = json.loads(notebook.cells[-1].outputs[0].text)
    assert (
        used_s < FIRST_PICTURE_S
    )  # of the processor, start of the kernel included: a busy machine takes no part in it
    assert not loaded


def sanitised(text: str) -> str:
    for pattern, replacement in get_sanitize_patterns(SANITISER.read_text()):
        text = re.sub(pattern, replacement, text)
    return text


def test_every_pattern_of_the_sanitiser_has_its_reason() -> None:
    blocks = SANITISER.read_text().strip().split("\n\n")[1:]
    for block in blocks:
        reason, *rest = block.split("\n")
        assert re.match(r"\[[\w ]+\] .{40,}", reason)
        assert [line.partition(":")[0] for line in rest] == ["regex", "replace"]


@given(st.floats(allow_nan=False), st.integers(), st.integers(1, 12))
def test_the_sanitiser_leaves_results_alone(number: float, count: int, digits: int) -> None:
    for text in (f"{number:.{digits}f} [{number:.3f}, {number:.3g}]", f"n = {count:,}", f"{count}", f"{number!r} s"):
        assert sanitised(text) == text


def test_the_sanitiser_passes_over_date_and_versions() -> None:
    line = "mine: 40 prompts; 1000 resamples; Python 3.11.7, multillm 0.1.0, numpy 2.3.1rc1, pandas 3.1.1; 2026-11-23"
    other = (
        "mine: 40 prompts; 1000 resamples; Python 3.12.0, multillm of a checkout, numpy 2.3.1, pandas 3.0.0; 2031-01-02"
    )
    assert sanitised(line) == sanitised(other) != line
