"""The notebooks in a real browser: JupyterLab in headless Chromium, driven as a reader would.

Screenshots of what was seen are kept in the folder that ``SCREENSHOTS`` names, for eyes to look at::

    SCREENSHOTS=/tmp/seen pytest tests/test_browser.py
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.jupyter_server import jupyter_lab, write_notebook

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000
QUICKSTART = Path(__file__).parent.parent / "notebooks" / "00_quickstart.ipynb"

# How far the letters of an element stand out from what is behind them: 1 to 21, see
# https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
CONTRAST = """
element => {
  const rgba = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => rgba(colour).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  let behind = element;
  const solid = each => (rgba(getComputedStyle(each).backgroundColor)[3] ?? 1) > 0.5;
  while (behind.parentElement && !solid(behind)) behind = behind.parentElement;
  const [ink, ground] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(luminance);
  return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
}
"""
READABLE = 4.5

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}; on Debian: apt-get install chromium"),
]


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 1500})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def see(page: Page, name: str) -> None:
    """Keep what is to be seen now, if somebody wants to look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def run_all(page: Page, address: str) -> None:
    """Open a notebook and run its cells from the menu."""
    page.goto(address)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()


def no_complaints(output: Locator) -> None:
    assert not output.locator("[data-mime-type='application/vnd.jupyter.stderr']").count()
    assert not output.locator("[data-mime-type='application/vnd.jupyter.error']").count()


def drag(page: Page, handle: Locator, by: float) -> None:
    """Move the handle of a slider to the right."""
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=5)
    page.mouse.up()


def test_moving_a_slider_changes_choice_and_map(page: Page, tmp_path: Path) -> None:
    cell = 'import multillm as ml\nml.explore("Implement a spinlock in C.", "reference")'
    write_notebook(tmp_path / "explore.ipynb", cell)
    with jupyter_lab(tmp_path) as address:
        run_all(page, address.format(name="explore.ipynb"))
        output = page.locator(".jp-OutputArea")
        chosen = output.locator("tr", has_text="chosen").last
        expect(chosen).to_contain_text("model::balanced", timeout=PATIENCE_MS)
        picture = output.locator("img.widget-image")
        before = picture.get_attribute("src")
        see(page, "explore-before")
        drag(page, output.locator(".widget-slider", has_text="cost α").locator(".noUi-handle"), by=400)
        expect(chosen).to_contain_text("model::medium", timeout=PATIENCE_MS)
        expect(picture).not_to_have_attribute("src", before or "", timeout=PATIENCE_MS)
        see(page, "explore-after")
        prompt = output.locator("textarea")
        prompt.fill("What is <script>alert(1)</script>? Then summarise it.")
        expect(output.locator("table").first).to_contain_text("<script>alert(1)</script>", timeout=PATIENCE_MS)
        see(page, "explore-typed")
        no_complaints(output)


def test_the_quickstart_runs_to_its_end_and_can_be_read_in_the_dark(page: Page, tmp_path: Path) -> None:
    notebook = tmp_path / QUICKSTART.name
    shutil.copy(QUICKSTART, notebook)
    with jupyter_lab(tmp_path, theme="JupyterLab Dark") as address:
        run_all(page, address.format(name=notebook.name))
        cells = page.locator(".jp-CodeCell")
        last = cells.last
        last.scroll_into_view_if_needed()
        expect(last.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE_MS)
        expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE_MS)
        expect(last).to_contain_text("routed", timeout=PATIENCE_MS)
        see(page, "quickstart-end")
        live = cells.filter(has_text="ml.watch")
        live.scroll_into_view_if_needed()
        expect(live.locator("tbody tr")).to_have_count(3)
        assert live.locator("tbody tr td:nth-child(4)").all_inner_texts() == ["ok"] * 3
        for part in live.locator("caption, th, td").all():
            assert part.evaluate(CONTRAST) >= READABLE
        see(page, "quickstart-live")
        cells.first.scroll_into_view_if_needed()
        expect(cells.first.locator("img")).to_be_visible()
        see(page, "quickstart-plan")
        no_complaints(page.locator(".jp-OutputArea"))
