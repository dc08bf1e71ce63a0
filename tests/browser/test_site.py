"""The site of the documentation, opened from disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from built_site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_is_found_by_search_from_disk(
    site: Path,
    new_page: Callable[..., Page],
    screenshot: Callable[..., Path],
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    page.goto((site / "index.html").as_uri())
    opener = ".md-search__input" if width > 960 else "label.md-header__button[for=__search]"
    page.locator(opener).click()
    page.locator(".md-search__input").type("redistributed")
    found = page.locator(".md-search-result__link").filter(has_text="Scaling with a cap")
    found.click()
    page.wait_for_url("**/method/hazards.html*#scaling-with-a-cap")
    screenshot(f"site-{width}", page, full_page=False)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page is wider than its window"


def test_the_picture_of_the_house_is_seen(site: Path, browser_page: Page) -> None:
    browser_page.goto((site / "architecture.html").as_uri())
    picture = browser_page.get_by_alt_text("Diagram")
    assert picture.evaluate("image => image.naturalWidth") > 300
