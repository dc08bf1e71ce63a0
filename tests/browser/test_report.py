"""The report in a browser: its figures are right, it is usable, it reaches for nothing."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from accessible import assert_accessible
from thirty_years import MODELS, YEARS, write_record

from planalign.census.synthesise import generate_census
from planalign.charts import Results
from planalign.profile.analysis import analyse
from planalign.profile.findings import Finding
from planalign.record.reading import read_record
from planalign.report.build import report_of, write_report
from planalign.report.page import MOST_BYTES, page
from planalign.results.summary import Spread, YearSpread
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

PATIENCE_MS = 30_000
TIME_AXIS = ("timeline", "memory", "cores")
EVIL = '</script><img src=x onerror="document.title=\'owned\'"><b>bold</b> & "quoted"'


@pytest.fixture(scope="module")
def report(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("report") / "report.html"
    write_report(finished_run, output)
    return output


@pytest.fixture(scope="module")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    generate_census(100_000, 1, folder / "census.parquet")
    simulation = {"start_year": 2025, "end_year": 2029}
    config = configuration({"census": str(folder / "census.parquet"), "simulation": simulation})
    return run_study(Request(config, output=folder / "run")).path


@pytest.fixture(scope="module", params=["finished_run", "large_run"])
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Any]]]:
    """The report of a run and the lines of its record: 1,000 x 3 years, 100,000 x 5."""
    run = request.getfixturevalue(request.param)
    output = tmp_path_factory.mktemp("report") / "report.html"
    write_report(run, output)
    lines = (run / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return output, [json.loads(line) for line in lines]


def opened(page: Page, path: Path) -> Page:
    """Open a report and wait until all its figures are drawn."""
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "page.html"
    path.write_text(content, encoding="utf-8")
    return path


def finding(model: str, year: int | None = None, title: str = "A slow model") -> Finding:
    return Finding(
        "slow_model", title, model, year, (("seconds", "12.00 s"),), "Make it a table.",
        "About half of it.", 6.0, "high",
    )  # fmt: skip


def with_findings(run: Path, tmp_path: Path, *findings: Finding) -> Path:
    record = read_record(run)
    content = page(record, analyse(record), findings, None, name="planted", without_results="None.")
    return written(tmp_path, content)


def until(page: Page, expression: str, arg: object = None) -> None:
    """Wait until JavaScript is true; a page's own waiting would need eval, which is forbidden."""
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never became true: {expression}")


def ranges(page: Page) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(
        "keys => keys.map(key => document.getElementById(key).layout.xaxis.range)", TIME_AXIS
    )
    return found


def tile(page: Page, key: str) -> float:
    text = page.locator(f"[data-tile={key}]").get_attribute("data-value")
    assert text is not None
    return float(text)


# --- figures ---------------------------------------------------------------------------


def done(events: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] in kinds]


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union of spans, by sweeping over their ends."""
    marks = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    total, depth, since = 0.0, 0, 0.0
    for at, step in marks:
        if depth:
            total += at - since
        depth, since = depth + step, at
    return total


def test_wall_time_is_that_of_the_clock(browser_page, recorded):
    report, events = recorded
    clocks = [event["clock"] for event in events]
    opened(browser_page, report)
    assert tile(browser_page, "wall") == pytest.approx(clocks[-1] - clocks[0], abs=1e-5)


def test_longest_model_is_the_one_with_most_seconds(browser_page, recorded):
    report, events = recorded
    totals: dict[str, float] = {}
    for one in done(events, "model_completed"):
        totals[one["model"]] = totals.get(one["model"], 0.0) + one["seconds"]
    longest = max(totals, key=lambda name: totals[name])
    opened(browser_page, report)
    assert tile(browser_page, "longest-model") == pytest.approx(totals[longest], abs=1e-5)
    assert longest in browser_page.locator("[data-tile=longest-model]").inner_text()


def test_peak_memory_is_the_highest_ever_read(browser_page, recorded):
    report, events = recorded
    peak = max(
        [one["resident_bytes"] for one in done(events, "sample")]
        + [one["memory_peak"] for one in done(events, "model_completed")]
    )
    opened(browser_page, report)
    assert tile(browser_page, "peak-memory") == peak
    said = browser_page.locator("[data-tile=peak-memory]").inner_text()
    assert (f"{peak / 1e9:.3g} GB" if peak >= 1e9 else f"{peak / 1e6:.3g} MB") in said
    assert "within the budget of 4 GB" in said


def test_concurrency_is_work_over_the_time_in_which_there_was_any(browser_page, recorded):
    report, events = recorded
    work = done(events, "model_completed", "test_completed")
    spans = [(one["started"], one["started"] + one["seconds"]) for one in work]
    opened(browser_page, report)
    assert tile(browser_page, "concurrency") == pytest.approx(
        sum(one["seconds"] for one in work) / covered(spans), rel=1e-4
    )


def test_critical_path_is_what_each_span_waited_for_from_the_end_back(browser_page, recorded):
    report, events = recorded
    reads = {one["model"]: set(one["reads"]) for one in done(events, "graph_planned")[0]["models"]}
    spans = sorted(
        (
            one["started"] + one["seconds"],
            one["started"],
            one.get("model", ""),
            one.get("model") or one.get("test") or one["what"],
            one.get("year"),
        )
        for one in done(events, "model_completed", "test_completed", "work_completed")
    )
    last = spans[-1]
    total, limit = last[0] - last[1], last[1]
    while True:
        before = [span for span in spans if span[0] <= limit + 2e-6 and span[1] < limit]
        if not before:
            break
        nearest = before[-1]
        needed = [
            span
            for span in before
            if span[0] >= nearest[0] - 0.001
            and span[3] in reads.get(last[2], ())
            and span[4] in (last[4], None)
        ]
        last = needed[-1] if needed else nearest
        total += min(last[0], limit) - last[1]
        limit = last[1]
    opened(browser_page, report)
    assert tile(browser_page, "critical-path") == pytest.approx(total, rel=1e-3)


def test_cache_hit_rate_is_nothing_where_every_year_was_computed(browser_page, recorded):
    report, events = recorded
    assert not done(events, "year_from_cache")
    opened(browser_page, report)
    assert tile(browser_page, "cache-hit-rate") == 0
    assert (
        "every year was computed" in browser_page.locator("[data-tile=cache-hit-rate]").inner_text()
    )


def test_every_model_test_and_work_is_a_bar(browser_page, recorded):
    report, events = recorded
    opened(browser_page, report)
    bars = browser_page.evaluate(
        "document.getElementById('timeline').data"
        ".filter(t => t.customdata && !['years', 'steps'].includes(t.name))"
        ".flatMap(t => t.customdata.map((c, i) => [c[0], c[1], t.base[i], t.x[i]]))"
    )
    zero = events[0]["clock"]
    expected = [
        [
            one.get("model") or one.get("test") or one["what"],
            one.get("year"),
            pytest.approx(one["started"] - zero, abs=1e-3),
            pytest.approx(one["seconds"], abs=1e-3),
        ]
        for one in done(events, "model_completed", "test_completed", "work_completed")
    ]
    assert len(bars) == len(expected)

    def order(bar: list[Any]) -> tuple[Any, ...]:
        return str(bar[0]), bar[1] or 0

    assert sorted(bars, key=order) == sorted(expected, key=order)


def test_model_table_has_the_totals_of_the_record(browser_page, recorded):
    report, events = recorded
    totals: dict[str, float] = {}
    for one in done(events, "model_completed"):
        totals[one["model"]] = totals.get(one["model"], 0.0) + one["seconds"]
    opened(browser_page, report)
    rows = browser_page.locator("#model-table tbody tr")
    found = {
        row.locator("th").inner_text(): float(row.locator("td").nth(3).get_attribute("data-value"))
        for row in rows.all()
    }
    assert found == {name: pytest.approx(total, abs=1e-5) for name, total in totals.items()}


def test_results_are_those_of_the_database(browser_page, report, finished_run):
    with duckdb.connect(str(finished_run / "results.duckdb"), read_only=True) as connection:
        expected = dict(
            connection.execute(
                "select scenario_id, avg(payroll)::double from fct_financial_summary "
                "where simulation_year = 2027 group by all"
            ).fetchall()
        )
    opened(browser_page, report)
    drawn = browser_page.evaluate(
        "document.getElementById('payroll').data.filter(t => t.mode === 'lines+markers')"
        ".map(t => [t.name, t.y[t.y.length - 1] * 1e6])"
    )
    assert dict(drawn) == {name: pytest.approx(mean, rel=1e-6) for name, mean in expected.items()}


# --- interactions ----------------------------------------------------------------------


def test_a_card_leads_to_its_bar_on_the_timeline(browser_page, finished_run, tmp_path, screenshot):
    path = with_findings(finished_run, tmp_path, finding("fct_yearly_events", 2026))
    opened(browser_page, path)
    browser_page.get_by_role("link", name="Show fct_yearly_events of 2026").click()
    until(browser_page, "document.getElementById('said').textContent !== ''")
    record = read_record(finished_run)
    model = next(m for m in record.models if (m.name, m.year) == ("fct_yearly_events", 2026))
    until(
        browser_page,
        "keys => keys.every(key => document.getElementById(key).layout.xaxis.range[0] > 0.5)",
        TIME_AXIS,
    )
    for start, end in ranges(browser_page):
        assert start <= model.start
        assert model.end <= end
        assert end - start < record.seconds
    frame = browser_page.evaluate(
        "document.getElementById('timeline').layout.shapes.find(s => s.name === 'found')"
    )
    assert [frame["x0"], frame["x1"]] == [
        pytest.approx(model.start, abs=1e-3),
        pytest.approx(model.end, abs=1e-3),
    ]
    until(browser_page, "document.getElementById('time').getBoundingClientRect().top < 60")
    screenshot("report-found", full_page=False)


def test_zooming_in_one_figure_moves_all_on_the_time_axis(browser_page, report):
    opened(browser_page, report)
    chart = browser_page.locator("#memory")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    browser_page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    browser_page.mouse.down()
    browser_page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=8)
    browser_page.mouse.up()
    until(
        browser_page,
        "keys => keys.every(key => document.getElementById(key).layout.xaxis.range[0] > 0.1)",
        TIME_AXIS,
    )
    timeline, memory, cores = ranges(browser_page)
    assert timeline == pytest.approx(memory)
    assert cores == pytest.approx(memory)
    browser_page.get_by_role("button", name="Whole run").click()
    until(
        browser_page,
        "keys => keys.every(key => document.getElementById(key).layout.xaxis.range[0] === 0)",
        TIME_AXIS,
    )


def test_the_time_shown_can_be_moved_by_keyboard(browser_page, report):
    opened(browser_page, report)
    whole = ranges(browser_page)[0]
    closer = browser_page.get_by_role("button", name="Closer")
    closer.focus()
    browser_page.keyboard.press("Enter")
    until(browser_page, "document.getElementById('said').textContent !== ''")
    quarter = (whole[1] - whole[0]) / 4
    for shown in ranges(browser_page):
        assert shown == pytest.approx([whole[0] + quarter, whole[1] - quarter])
    browser_page.keyboard.press("Tab")
    browser_page.keyboard.press("Tab")
    browser_page.keyboard.press("Enter")  # Earlier
    assert ranges(browser_page)[2] == pytest.approx([whole[0], whole[0] + 2 * quarter])


def test_the_theme_is_that_of_the_system_until_it_is_switched(new_page, report, screenshot):
    browser_page = new_page(color_scheme="dark")
    opened(browser_page, report)

    def colours() -> list[str]:
        return browser_page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, "
            "document.getElementById('timeline')._fullLayout.paper_bgcolor, "
            "document.getElementById('timeline').data"
            ".find(t => t.name === 'critical path').marker.line.color]"
        )

    assert colours() == ["rgb(22, 25, 29)", "#16191D", "#E8EAED"]
    screenshot("report-dark", browser_page)
    browser_page.get_by_role("button", name="Light theme").click()
    browser_page.get_by_role("button", name="Dark theme").wait_for()
    assert colours() == ["rgb(255, 255, 255)", "#FFFFFF", "#1B1F24"]


def test_models_sort_by_any_column_unknown_ones_last(browser_page, report):
    opened(browser_page, report)
    table = browser_page.locator("#model-table")

    def column(place: int) -> list[str]:
        return table.evaluate(
            "(t, place) => [...t.tBodies[0].rows]"
            ".map(r => r.cells[place].dataset.value ?? r.cells[place].textContent)",
            place,
        )

    totals = [float(value) for value in column(4)]
    assert totals == sorted(totals, reverse=True)
    by_name = table.get_by_role("button", name="Model", exact=True)
    by_name.focus()
    browser_page.keyboard.press("Enter")
    browser_page.keyboard.press("Space")
    assert column(0) == sorted(column(0))
    assert table.locator("thead th").first.get_attribute("aria-sort") == "ascending"
    assert table.locator("th[aria-sort]").count() == 1
    table.get_by_role("button", name="Rows", exact=True).click()
    rows = column(10)
    known = [float(value) for value in rows if value]
    assert known == sorted(known, reverse=True)
    assert rows[len(known) :] == [""] * (len(rows) - len(known))


def test_tab_leads_to_the_content_first(browser_page, report):
    opened(browser_page, report)
    browser_page.keyboard.press("Tab")
    assert browser_page.evaluate("document.activeElement.textContent") == "Skip to the report"
    browser_page.keyboard.press("Enter")
    assert browser_page.evaluate("document.activeElement.id") == "content"


def test_plans_open_as_trees_with_the_slow_operator_marked(browser_page, tmp_path, screenshot):
    folder = write_record(tmp_path / "run")
    path = written(tmp_path, report_of(folder))
    opened(browser_page, path)
    plan = browser_page.locator(".plans details").first
    plan.locator("summary").first.press("Enter")
    assert plan.locator(".plan li").count() == 16
    assert "estimated 250" in plan.locator(".plan summary").first.inner_text()
    operator = plan.locator(".plan details").first
    operator.locator("summary").press("Enter")
    assert "employee_key = employee_key" in operator.inner_text()
    browser_page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    plan.scroll_into_view_if_needed()
    screenshot("report-plan", full_page=False)


def test_every_figure_has_a_text_alternative(browser_page, report):
    opened(browser_page, report)
    for figure in browser_page.locator("figure").all():
        assert figure.locator("h3").inner_text() in figure.locator("[role=img]").get_attribute(
            "aria-label"
        )
        figure.locator("details > summary").press("Enter")
        assert figure.locator("table tbody tr").count() > 0
        assert figure.locator("caption").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(new_page, report, scheme):
    page = opened(new_page(color_scheme=scheme), report)
    assert_accessible(page)


def test_landmarks_and_headings_are_in_order(browser_page, report):
    opened(browser_page, report)
    assert browser_page.evaluate("document.documentElement.lang") == "en"
    for role in ("banner", "main", "contentinfo", "navigation"):
        assert browser_page.get_by_role(role).count() == 1
    levels = [
        int(name[1])
        for name in browser_page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map(h => h.tagName)"
        )
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    targets = browser_page.evaluate(
        "[...document.querySelectorAll('nav a')].map(a => !!document.querySelector(a.hash))"
    )
    assert targets
    assert all(targets)


# --- what surrounds it -----------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_window(new_page, report, screenshot, width):
    browser_page = new_page(viewport={"width": width, "height": 900})
    opened(browser_page, report)
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= width
    screenshot(f"report-{width}", browser_page)


def test_printed_all_figures_are_there_and_the_controls_are_not(browser_page, report, screenshot):
    opened(browser_page, report)
    browser_page.emulate_media(media="print")
    assert not browser_page.locator("nav.sections").is_visible()
    assert not browser_page.locator("#theme").is_visible()
    assert not browser_page.locator(".tools").is_visible()
    assert browser_page.locator(".chart .main-svg").first.is_visible()
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 1280
    screenshot("report-print")


def test_tiles_and_tables_need_no_script(new_page, report):
    browser_page = new_page(java_script_enabled=False)
    browser_page.goto(report.as_uri())
    assert browser_page.locator(".tile").count() == 6
    assert browser_page.locator("#model-table tbody tr").count() > 30
    assert not browser_page.get_by_role("button", name="Dark theme").is_visible()


def test_the_policy_allows_nothing_but_what_the_page_brings(browser_page, report):
    violations = (
        "document.addEventListener('securitypolicyviolation', "
        "e => (window.v ??= []).push(e.violatedDirective + e.sample))"
    )
    browser_page.add_init_script(violations)
    opened(browser_page, report)
    browser_page.get_by_role("button", name="Dark theme").click()
    browser_page.get_by_role("button", name="Closer").click()
    browser_page.locator("#timeline").hover()
    assert browser_page.evaluate("window.v ?? []") == []
    policy = browser_page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
    handlers = browser_page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
        ".filter(a => a.name.startsWith('on') || /^javascript:/i.test(a.value)).length"
    )
    assert handlers == 0


def test_names_are_text_wherever_they_come_from(browser_page, page_faults, finished_run, tmp_path):
    record = read_record(finished_run)
    spread = {name: Spread(5.0, 4.0, 6.0) for name in
              ("opening_headcount", "hires", "experienced_terminations", "new_hire_terminations",
               "closing_headcount", "payroll", "employer_cost", EVIL)}  # fmt: skip
    rows = tuple(YearSpread(EVIL, year, 3, dict(spread)) for year in (2025, 2026))
    content = page(
        record,
        analyse(record),
        [finding(EVIL, title=EVIL)],
        Results(rows, rows, rows),
        name=EVIL,
    )
    opened(browser_page, written(tmp_path, content))
    assert browser_page.locator("h1").inner_text() == re.sub(r"\s+", " ", EVIL)
    assert browser_page.locator("img, main b").count() == 0
    legend = browser_page.locator("#payroll .legendtext").first.text_content()
    assert legend == EVIL
    assert browser_page.locator("#payroll .legendtext tspan[style*=bold]").count() == 0
    assert browser_page.title() == f"{EVIL} · planalign report"
    browser_page.locator("[data-model]").click()  # a model that has no bar leads nowhere


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        ("run_failed", "This run failed"),
        ("run_interrupted", "This run was interrupted"),
        (None, "This run is not finished"),
    ],
)
def test_a_run_that_did_not_complete_says_so_at_the_top(
    browser_page, tmp_path, screenshot, outcome, title
):
    write_record(tmp_path / "run.partial", outcome=outcome)
    output = tmp_path / "report.html"
    write_report(tmp_path / "run", output)
    opened(browser_page, output)
    assert title in browser_page.locator("header [role=status]").inner_text()
    assert "30 of 30 years were complete" in browser_page.locator("header").inner_text()
    assert "There are no results" in browser_page.locator("#results").inner_text()
    assert browser_page.locator("#results figure").count() == 0


def test_thirty_years_of_forty_models_stay_light(browser_page, tmp_path, screenshot):
    folder = write_record(tmp_path / "run")
    output = tmp_path / "report.html"
    write_report(folder, output)
    size = output.stat().st_size
    assert size < MOST_BYTES
    opened(browser_page, output)
    bars = browser_page.evaluate(
        "document.getElementById('timeline').data.filter(t => t.customdata)"
        ".reduce((n, t) => n + (t.base ? t.base.length : 0), 0)"
    )
    assert bars >= len(YEARS) * (MODELS + MODELS - 10)
    # One trace a layer, not one a bar.
    assert browser_page.evaluate("document.getElementById('timeline').data.length") < 12
    assert browser_page.locator("#model-table tbody tr").count() == MODELS
    paint = browser_page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    sys.stderr.write(f"30 years of 40 models: {size:,} bytes, first paint {paint:.0f} ms\n")
    screenshot("report-thirty-years")


def test_plans_that_would_not_fit_are_those_of_the_shortest_models(tmp_path):
    folder = write_record(tmp_path / "run")
    record = read_record(folder)
    plans = dict(record.query_plans)
    for key, plan in plans.items():
        operator = plan["operator"][0]
        while "children" in operator:
            for n in range(150):
                operator["extra_info"][f"Detail {n}"] = "x" * 120
            operator = operator["children"][0]
        assert key[0]
    content = page(record, analyse(record), (), None, name="large", without_results="None.")
    assert len(content.encode()) < MOST_BYTES
    shown = re.findall(r"<summary><strong>(\w+)</strong>", content)
    models = [model.name for model in analyse(record).models]
    assert 0 < len(shown) < MODELS
    assert shown == models[: len(shown)]
