"""Pages in headless Chromium that may reach this machine alone and must be without fault.

Every other request is stopped, and fails the test; so does an error on the console, an
error that nobody caught, a request that failed, and what a content policy forbids.
Screenshots go to the folder that PLANALIGN_SCREENSHOTS names, else to the test's own.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from planalign.census.synthesise import generate_census
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Route

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SCHEMES = {"file", "data", "blob", "about"}
_HOSTS = {"127.0.0.1", "localhost"}
# A page that waits for this long is broken: the machine may be busy.
PATIENCE_MS = 30_000


def is_local(url: str) -> bool:
    """Say whether a request stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in _SCHEMES or parts.hostname in _HOSTS


@dataclass
class Faults:
    """What a page did that it must not do; a test may take out what it provoked."""

    beyond: list[str] = field(default_factory=list)  # requests to other machines
    console: list[str] = field(default_factory=list)
    uncaught: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # requests

    def watch(self, context: BrowserContext) -> None:
        """Collect the faults of all pages of a context, and stop what goes beyond."""

        def guard(route: Route) -> None:
            if is_local(route.request.url):
                route.continue_()
            else:
                self.beyond.append(route.request.url)
                route.abort()

        context.route("**/*", guard)
        context.on(
            "console",
            lambda said: said.type == "error" and self.console.append(said.text),
        )
        context.on("weberror", lambda error: self.uncaught.append(str(error.error)))
        context.on(
            "requestfailed",
            lambda request: self.failed.append(f"{request.url}: {request.failure}"),
        )

    def assert_none(self) -> None:
        """Fail if there is one."""
        assert self == Faults()


# Playwright's loop of events runs in this thread until it is stopped, and no test of
# other files could run one of its own: hence one browser a file.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of the system, without a window."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert found is not None, "the browser tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page_faults() -> Faults:
    """What the page of the test did wrong until now."""
    return Faults()


@pytest.fixture
def new_page(browser: Browser, page_faults: Faults) -> Iterator[Callable[..., Page]]:
    """A function that opens a page in a context of its own, given the context's options."""
    contexts = []

    def new(**options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page_faults.watch(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()
    page_faults.assert_none()


@pytest.fixture
def browser_page(new_page: Callable[..., Page]) -> Page:
    """A page, 1280 x 900, in the light scheme."""
    return new_page()


@pytest.fixture
def screenshot(browser_page: Page, tmp_path: Path) -> Callable[..., Path]:
    """A function that takes a picture, by default of all of `browser_page`."""
    folder = Path(os.environ.get("PLANALIGN_SCREENSHOTS") or tmp_path)

    def take(name: str, page: Page | None = None, *, full_page: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        (page or browser_page).screenshot(path=path, full_page=full_page)
        return path

    return take


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with query plans: 1,000 employees, 2025 to 2027, 2 scenarios, 3 seeds."""
    folder = tmp_path_factory.mktemp("browser")
    generate_census(1_000, 1, folder / "census.parquet")
    config = configuration(
        {
            "census": str(folder / "census.parquet"),
            "simulation": {
                "start_year": 2025,
                "end_year": 2027,
                "random_seed": 42,
                "replicates": 3,
            },
            "scenarios": {
                "baseline": {},
                "growth": {
                    "workforce": {"target_growth_rate": 0.06},
                    "plan": {
                        "match": {"formula": "tiers", "tiers": [{"up_to": 0.06, "rate": 0.5}]}
                    },
                },
            },
        }
    )
    request = Request(config, output=folder / "run", with_query_plans=True)
    return run_study(request).path
