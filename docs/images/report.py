"""Draw docs/images/report.png: the report of a finished run down to its memory.

Usage, from the repository:

    make demo
    .venv/bin/python docs/images/report.py demo/run

Any finished run will do. Chromium of the system takes the picture.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from planalign.report.build import write_report

OUTPUT = Path(__file__).with_name("report.png")
WIDTH = 1280


def draw(run_folder: Path, output: Path) -> None:
    """Write the picture."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        write_report(run_folder, page_file)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        shown = page.locator("#memory").bounding_box()
        if shown is None:
            sys.exit("the report has no figure of memory")
        height = int(shown["y"] + shown["height"])
        page.set_viewport_size({"width": WIDTH, "height": height})
        page.screenshot(path=output)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw(Path(sys.argv[1]), OUTPUT)
