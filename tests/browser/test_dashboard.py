"""The dashboard in a browser: every page, and a run from its start to its results."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from accessible import assert_accessible
from playwright.sync_api import expect
from served import Dashboard, add_finished, connected, held, make_project, press, unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from conftest import Faults

expect.set_options(timeout=60_000)
VIEWS = ("", "timeline", "memory", "models", "findings", "plans", "results")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    """A project with a run in each state."""
    folder = make_project(tmp_path_factory.mktemp("dashboard") / "project")
    add_finished(folder, "first", finished_run)
    add_finished(folder, "second", finished_run)
    failed = {"kind": "run_failed", "error": "model int_x failed: <b>no</b> such column"}
    unfinished(folder, "broken", finished_run, failed)
    unfinished(folder, "stopped", finished_run, {"kind": "run_interrupted"})
    unfinished(folder, "killed", finished_run, None)
    return folder


@pytest.fixture(scope="module")
def dashboard(project: Path) -> Iterator[Dashboard]:
    """A dashboard of the project."""
    served = Dashboard(project).start()
    yield served
    for run in served.simulations():
        run.kill()
    served.stop()


def visit(page: Page, dashboard: Dashboard, path: str) -> None:
    """Open a page and wait until it is connected and still."""
    page.goto(dashboard.address + path)
    connected(page)


def state(page: Page) -> str:
    return page.locator(".head .badge").inner_text().strip()


def row(page: Page, name: str) -> object:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def narrow(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_the_list_tells_the_state_of_each_run_in_words(
    browser_page, dashboard, project, finished_run, screenshot
):
    working = unfinished(project, "working", finished_run, None)
    with held(working):
        visit(browser_page, dashboard, "/")
        for name, expected in {
            "first": "finished",
            "broken": "failed",
            "stopped": "interrupted",
            "killed": "stale",
            "working": "running",
        }.items():
            expect(row(browser_page, name)).to_contain_text(expected)
            expect(row(browser_page, name).locator("svg")).to_be_visible()
        expect(row(browser_page, "first")).to_contain_text("3 of 3")
        screenshot("dashboard-list")
    # Nobody holds it any more: the list, which is open, says so by itself.
    expect(row(browser_page, "working")).to_contain_text("stale")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_every_page_of_a_run(new_page, dashboard, screenshot, view, scheme, width):  # noqa: PLR0917
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit(page, dashboard, f"/run/first/{view}".rstrip("/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("first")
    assert state(page) == "finished"
    if view in ("timeline", "memory", "results"):
        for chart in page.locator(".chart").all():
            expect(chart.locator(".main-svg").first).to_be_visible()
    assert narrow(page) <= 0
    assert_accessible(page)
    screenshot(f"dashboard-run-{view or 'overview'}-{scheme}-{width}", page)


def test_the_overview_has_six_tiles_with_figures(browser_page, dashboard):
    visit(browser_page, dashboard, "/run/first")
    tiles = browser_page.locator(".tiles > div")
    expect(tiles).to_have_count(6)
    for tile in tiles.all():
        assert re.search(r"\d", tile.locator("dd").inner_text())


def test_pages_of_a_run_are_addresses(browser_page, dashboard):
    visit(browser_page, dashboard, "/run/first")
    pages = browser_page.get_by_role("navigation", name="Pages of this run")
    pages.get_by_role("link", name="Models").click()
    browser_page.wait_for_url("**/run/first/models")
    expect(browser_page.get_by_role("rowheader", name="fct_yearly_events")).to_be_visible()
    browser_page.wait_for_load_state("networkidle")
    browser_page.reload()
    expect(pages.locator("[aria-current]")).to_have_text("Models")
    expect(browser_page.get_by_role("rowheader", name="fct_yearly_events")).to_be_visible()


def test_a_finding_leads_to_framed_bars_on_the_timeline(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/run/first/timeline?model=fct_yearly_events&year=2026")
    chart = browser_page.locator(".chart .js-plotly-plot").first
    expect(chart.locator(".main-svg").first).to_be_visible()
    found = chart.evaluate("""one => ({
        frames: one.data.filter(t => t.name === 'the model asked for')
            .flatMap(t => t.base.map((start, i) => [start, start + t.x[i]])),
        range: one.layout.xaxis.range,
        bars: one.data.flatMap(t => (t.customdata ?? []).flatMap((c, i) =>
            c[0] === 'fct_yearly_events' && c[1] === 2026 ? [[t.base[i], t.base[i] + t.x[i]]] : []))
    })""")
    assert len(found["bars"]) == 1
    [[start, end]] = found["bars"]
    assert found["frames"] == [[pytest.approx(start, abs=1e-3), pytest.approx(end, abs=1e-3)]]
    assert found["range"][0] <= start
    assert end <= found["range"][1] < start + 3 * (end - start)
    screenshot("dashboard-timeline-of-a-model")
    visit(browser_page, dashboard, "/run/first/timeline?model=fct_yearly_events&year=soon")
    expect(browser_page.locator("#content")).to_contain_text("was not built in soon")


def test_results_are_those_of_the_run(browser_page, dashboard, finished_run):
    from planalign.results import open_run  # noqa: PLC0415

    with open_run(finished_run) as run:
        rows = run.summary()
    visit(browser_page, dashboard, "/run/first/results")
    table = browser_page.get_by_role("table", name="Results by scenario, replicate and year")
    expect(table.get_by_role("row")).to_have_count(len(rows) + 1)
    expect(table.get_by_role("row").nth(1)).to_contain_text(f"{rows[0].closing_headcount:,}")


def test_a_failed_run_says_why(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/run/broken")
    assert state(browser_page) == "failed"
    said = browser_page.get_by_role("region", name="Alerts")
    expect(said).to_contain_text("model int_x failed: <b>no</b> such column")
    expect(browser_page.get_by_role("button", name="Resume the run")).to_be_visible()
    screenshot("dashboard-failed")


def test_a_stale_run_is_no_running_one(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/run/killed")
    assert state(browser_page) == "stale"
    expect(browser_page.get_by_role("region", name="Alerts")).to_contain_text("was killed")
    expect(browser_page.get_by_role("progressbar")).to_be_hidden()
    screenshot("dashboard-stale")


def test_results_of_an_unfinished_run_are_not_opened(browser_page, dashboard):
    visit(browser_page, dashboard, "/run/killed/results")
    expect(browser_page.locator("#content")).to_contain_text("when the run is finished")


def test_a_run_that_cannot_be_resumed_says_why(browser_page, dashboard):
    visit(browser_page, dashboard, "/run/stopped")
    press(browser_page, "Resume the run")
    said = browser_page.get_by_role("region", name="Alerts")
    expect(said).to_contain_text("before its configuration was written down")
    assert state(browser_page) == "interrupted"


def test_two_runs_are_compared(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/compare")
    browser_page.get_by_role("combobox", name="First").select_option("first")
    browser_page.get_by_role("combobox", name="Second").select_option("second")
    browser_page.get_by_role("button", name="Compare").click()
    browser_page.wait_for_url("**/compare?a=first&b=second")
    figures = browser_page.get_by_role("table", name="Figures of both runs")
    expect(figures.get_by_role("row").filter(has_text="Wall time")).to_contain_text("+0%")
    expect(browser_page.locator(".chart .main-svg").first).to_be_visible()
    expect(browser_page.locator("#content")).to_contain_text("0 of ")
    browser_page.wait_for_load_state("networkidle")
    screenshot("dashboard-compare")
    browser_page.set_viewport_size({"width": 400, "height": 900})
    assert narrow(browser_page) <= 0


def test_what_is_not_there_is_said(browser_page, dashboard, page_faults: Faults):
    visit(browser_page, dashboard, "/compare?a=first&b=none")
    expect(browser_page.locator("#content")).to_contain_text("There is no run none")
    for path in ("/run/none", "/run/..%2F..%2Fetc", "/run/first/none"):
        visit(browser_page, dashboard, path)
        expect(browser_page.get_by_role("heading", level=1)).to_contain_text("There is no run")
    assert len(page_faults.console) == 3
    assert all("404" in said for said in page_faults.console)
    page_faults.console.clear()


def test_the_theme_is_kept(browser_page, dashboard):
    visit(browser_page, dashboard, "/")
    expect(browser_page.locator("body")).to_have_class(re.compile("body--light"))
    browser_page.get_by_role("button", name="Turn between dark and light").click()
    expect(browser_page.locator("body")).to_have_class(re.compile("body--dark"))
    visit(browser_page, dashboard, "/run/first")
    expect(browser_page.locator("body")).to_have_class(re.compile("body--dark"))


def test_the_keyboard_reaches_everything(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/")
    browser_page.keyboard.press("Tab")
    skip = browser_page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    screenshot("dashboard-keyboard", full_page=False)
    browser_page.keyboard.press("Enter")
    expect(browser_page.locator("#content")).to_be_focused()
    link = browser_page.get_by_role("link", name="first", exact=True)
    for _ in range(20):
        browser_page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    expect(link).to_be_focused()
    outline = link.evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline == "solid"
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**/run/first")
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("first")
    browser_page.wait_for_load_state("networkidle")


# What a screen reader needs: a name for each control, headings in order, landmarks.
_UNNAMED = """() => [...document.querySelectorAll('a, button, input, select, [role=button]')]
  .filter(one => one.offsetParent !== null && !(one.getAttribute('aria-label') ||
    one.innerText?.trim() || one.labels?.length || one.closest('label')))
  .map(one => one.outerHTML)"""
_LEVELS = """() => [...document.querySelectorAll('h1, h2, h3, h4')]
  .filter(one => one.offsetParent !== null).map(one => +one.tagName[1])"""


@pytest.mark.parametrize(
    "path", ["/", "/new", "/compare?a=first&b=second", *(f"/run/first/{v}" for v in VIEWS if v)]
)
def test_a_screen_reader_finds_its_way(browser_page, dashboard, path):
    visit(browser_page, dashboard, path)
    assert browser_page.evaluate(_UNNAMED) == []
    levels = browser_page.evaluate(_LEVELS)
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert browser_page.locator("html").get_attribute("lang") == "en-US"
    for role in ("banner", "main"):
        expect(browser_page.get_by_role(role)).to_have_count(1)
    assert_accessible(browser_page)
    assert "planalign" in browser_page.title()


def test_motion_is_left_out_for_those_who_ask(new_page, dashboard):
    page = new_page(reduced_motion="reduce")
    visit(page, dashboard, "/run/first/memory")
    bar = page.locator(".bar > span").first
    assert bar.evaluate("one => getComputedStyle(one).transitionDuration") in ("0s", "")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def order(page: Page, dashboard: Dashboard, name: str, last: str) -> None:
    visit(page, dashboard, "/new")
    expect(page.get_by_label("First year")).to_have_value("2025")
    page.get_by_label("Name of the run").fill(name)
    page.get_by_label("Last year").fill(last)
    choose(page, "Scenario", "growth")


def test_resources_of_a_new_run_are_checked_and_its_plans_recorded(browser_page, dashboard):
    order(browser_page, dashboard, "thrifty", "2025")
    browser_page.get_by_label("Threads").fill("1")
    browser_page.get_by_label("Memory limit").fill("much")
    browser_page.get_by_role("checkbox", name="Record query plans").click()
    browser_page.get_by_role("button", name="Start the run").click()
    expect(browser_page.locator("#problems")).to_contain_text("Memory limit: ")
    browser_page.get_by_label("Memory limit").fill("512MB")
    browser_page.get_by_role("button", name="Start the run").click()
    browser_page.wait_for_url("**/run/thrifty")
    expect(browser_page.locator(".head .badge")).to_have_text("finished")
    browser_page.wait_for_load_state("networkidle")
    visit(browser_page, dashboard, "/run/thrifty/plans")
    expect(browser_page.get_by_role("combobox", name="Model and year")).to_be_visible()
    visit(browser_page, dashboard, "/run/thrifty/memory")
    expect(browser_page.locator("#content")).to_contain_text("512 MB")


def test_a_run_is_started_followed_and_finished(
    browser_page, dashboard, project, screenshot, new_page
):
    order(browser_page, dashboard, "mine", "2040")
    screenshot("dashboard-new")
    browser_page.get_by_role("button", name="Start the run").click()
    browser_page.wait_for_url("**/run/mine")
    bar = browser_page.get_by_role("progressbar", name="Years done")
    expect(bar).to_be_visible()
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^[1-9]\d* of 16 years"))
    expect(browser_page.locator("#content")).to_contain_text(re.compile("about .* s"))
    assert state(browser_page) == "running"
    # Read from its record alone: the database is not open here.
    assert "results.duckdb" not in dashboard.opened()
    screenshot("dashboard-live")
    # A second reader, who comes later, sees the same.
    other = new_page(viewport={"width": 400, "height": 900})
    visit(other, dashboard, "/run/mine")
    expect(other.get_by_role("heading", level=1)).to_have_text("mine")
    screenshot("dashboard-live-400", other)
    for page in (browser_page, other):
        expect(page.locator(".head .badge")).to_have_text("finished")
        expect(page.get_by_role("progressbar")).to_be_hidden()
    assert (project / "runs" / "mine" / "results.duckdb").is_file()
    visit(browser_page, dashboard, "/run/mine/results")
    table = browser_page.get_by_role("table", name="Results by scenario, replicate and year")
    expect(table.get_by_role("row")).to_have_count(16 + 1)
    expect(table).to_contain_text("growth")
    expect(browser_page.locator(".chart .main-svg").first).to_be_visible()


def test_the_timeline_of_a_run_that_goes_on_is_drawn_and_grows(browser_page, dashboard):
    order(browser_page, dashboard, "growing", "2100")
    browser_page.get_by_role("button", name="Start the run").click()
    browser_page.wait_for_url("**/run/growing")
    expect(browser_page.get_by_role("progressbar")).to_be_visible()
    browser_page.wait_for_load_state("networkidle")
    visit(browser_page, dashboard, "/run/growing/timeline")
    chart = browser_page.locator(".chart .js-plotly-plot").first
    expect(chart.locator(".main-svg").first).to_be_visible()
    length = "one => one.data.reduce((sum, trace) => sum + (trace.x?.length ?? 0), 0)"
    before = chart.evaluate(length)
    handle = chart.element_handle()
    browser_page.wait_for_function(f"([one, n]) => ({length})(one) > n", arg=[handle, before])
    press(browser_page, "Cancel the run")
    expect(browser_page.locator(".head .badge")).to_have_text("interrupted")


def test_a_run_is_cancelled_and_resumed(browser_page, dashboard, screenshot):
    order(browser_page, dashboard, "long", "2100")
    browser_page.get_by_role("button", name="Start the run").click()
    browser_page.wait_for_url("**/run/long")
    bar = browser_page.get_by_role("progressbar", name="Years done")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^[2-9]\d* of 76 years"))
    press(browser_page, "Cancel the run")
    expect(browser_page.locator(".head .badge")).to_have_text("interrupted")
    screenshot("dashboard-interrupted")
    press(browser_page, "Resume the run")
    expect(browser_page.locator(".head .badge")).to_have_text("running")
    # It goes on from where it was.
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^([3-9]|\d\d) of 76 years"))
    press(browser_page, "Cancel the run")
    expect(browser_page.locator(".head .badge")).to_have_text("interrupted")
    assert dashboard.simulations() == []


def test_what_is_wrong_with_a_new_run_is_said_at_its_field(browser_page, dashboard, screenshot):
    visit(browser_page, dashboard, "/new")
    browser_page.get_by_label("Name of the run").fill("../away")
    browser_page.get_by_label("First year").fill("soon")
    browser_page.get_by_label("Seeds").fill("0")
    browser_page.get_by_role("button", name="Start the run").click()
    said = browser_page.locator("#problems")
    expect(said).to_contain_text("First year: Write a year")
    expect(said).to_contain_text("Seeds: At least 1")
    expect(browser_page.get_by_role("alert").filter(has_text="At least 1")).to_be_visible()
    expect(browser_page.get_by_label("Seeds")).to_have_attribute("aria-invalid", "true")
    screenshot("dashboard-new-wrong")
    browser_page.get_by_label("Name of the run").fill("first")
    browser_page.get_by_label("First year").fill("2025")
    browser_page.get_by_label("Seeds").fill("1")
    browser_page.get_by_role("button", name="Start the run").click()
    expect(browser_page.get_by_role("alert").filter(has_text="already")).to_be_visible()
    expect(browser_page.locator("#problems")).not_to_contain_text("Seeds")


def test_a_run_that_cannot_start_says_why(browser_page, dashboard, project):
    (project / "poor.yaml").write_text("census: poor.csv\n")
    (project / "poor.csv").write_text("employee_id\nE1\n")
    visit(browser_page, dashboard, "/new")
    choose(browser_page, "Configuration", "poor.yaml")
    browser_page.get_by_label("Name of the run").fill("poor")
    browser_page.get_by_role("button", name="Start the run").click()
    browser_page.wait_for_url("**/run/poor")
    expect(browser_page.locator("#content")).to_contain_text("poor.csv")
    expect(browser_page.locator("#content")).to_contain_text("hire_date")


def test_the_folder_it_was_started_in_is_left_as_it_was(dashboard, project):
    names = {path.name for path in project.iterdir()}
    assert names <= {"runs", "census.parquet", "planalign.yaml", "poor.yaml", "poor.csv"}
