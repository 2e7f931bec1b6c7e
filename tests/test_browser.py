"""The widgets in a real browser: JupyterLab in headless Chromium, driven as a reader would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.jupyter_server import jupyter_lab, write_notebook

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 30_000

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


def run_all(page: Page, address: str) -> None:
    """Open a notebook and run its cells from the menu."""
    page.goto(address)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()


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
        page.screenshot(path=tmp_path / "before.png")
        alpha = output.locator(".widget-slider", has_text="cost α").locator(".noUi-handle")
        box = alpha.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 400, box["y"] + box["height"] / 2, steps=5)
        page.mouse.up()
        expect(chosen).to_contain_text("model::medium", timeout=PATIENCE_MS)
        expect(picture).not_to_have_attribute("src", before or "", timeout=PATIENCE_MS)
        page.screenshot(path=tmp_path / "after.png")
        prompt = output.locator("textarea")
        prompt.fill("What is <script>alert(1)</script>? Then summarise it.")
        expect(output.locator("table").first).to_contain_text("<script>alert(1)</script>", timeout=PATIENCE_MS)
        page.screenshot(path=tmp_path / "typed.png")
        assert not output.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count()
