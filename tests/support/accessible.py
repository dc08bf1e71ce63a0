"""What the rules of axe find on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Page


def assert_accessible(page: Page) -> None:
    """Fail on what the rules of axe find: those of WCAG, and its best practices."""
    found = Axe().run(page).response["violations"]
    told = [
        f"{one['id']}: {one['help']}\n  " + "\n  ".join(node["html"] for node in one["nodes"])
        for one in found
    ]
    assert told == [], "\n".join(told)
