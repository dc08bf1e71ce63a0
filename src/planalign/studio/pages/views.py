"""What is seen of a run, a function for each of its pages."""

from __future__ import annotations

import re
from asyncio import to_thread
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nicegui import ui

from planalign.errors import PlanalignError
from planalign.profile.analysis import BUDGET_BYTES
from planalign.studio import fragments, panels, words
from planalign.studio.layout import html, is_dark, set_html
from planalign.studio.runs import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import plotly.graph_objects as go

    from planalign.charts import Results
    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record
    from planalign.results import YearSummary
    from planalign.studio.runs import Summary, Watched

    Refresh = Callable[[Summary], Awaitable[None]]

# Figures and tables of a run that goes on are made anew at most so often, in ticks.
_EVERY = 5
_CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": False}


async def read(watched: Watched) -> tuple[Record, Analysis] | None:
    """Return the record and its analysis; None, and the page says why, where there is none."""
    try:
        return await to_thread(watched.record)
    except PlanalignError as error:
        html(fragments.note(str(error)))
        return None


def section(title: str, content: Markup) -> Any:
    """Show a card with a heading; return what holds its content."""
    with ui.element("section").classes("card").props(f'aria-label="{title}"'):
        html(Markup("<h2>{}</h2>").format(title))
        return html(content)


async def overview(watched: Watched, summary: Summary) -> Refresh | None:
    """Show the six tiles, the verdict on memory and the findings that count most."""
    found = await read(watched)
    if found is None:
        return None
    record, analysis = found
    tiles = html(panels.tiles(analysis))
    verdict = section("Memory", panels.verdict(analysis.memory, BUDGET_BYTES))
    if summary.state is State.FINISHED:
        section("Findings", _first(summary.name, await _find(record, analysis)))
    years = section("Years", _years(record, summary.state))
    dbt = html(panels.dbt_times(analysis))

    async def show(summary: Summary) -> None:
        record, analysis = await to_thread(watched.record)
        set_html(tiles, panels.tiles(analysis))
        set_html(verdict, panels.verdict(analysis.memory, BUDGET_BYTES))
        set_html(years, _years(record, summary.state))
        set_html(dbt, panels.dbt_times(analysis))

    return _now_and_then(show)


def _first(name: str, findings: Sequence[Any]) -> Markup:
    if not findings:
        return Markup("<p>Nothing stands out: this run needs no change.</p>")
    items = Markup("").join(
        Markup("<li><strong>{}</strong> {}</li>").format(one.title, one.gain)
        for one in findings[:3]
    )
    return Markup('<ul>{}</ul><p><a href="{}">All {} findings</a></p>').format(
        items, fragments.path_of(name, "findings"), len(findings)
    )


def _years(record: Record, state: State) -> Markup:
    left = "under way" if state is State.RUNNING else "not complete"
    if not record.years:
        return Markup("<p>None has begun.</p>")
    steps = list(dict.fromkeys(step for year in record.years for step in year.steps))
    return fragments.table(
        "Years and the time of their steps",
        ("Year", "Trajectories", "Time", "From cache", *steps),
        [
            (
                one.year,
                words.count(one.trajectories),
                left if one.end is None else words.seconds(one.end - one.start),
                "yes" if one.is_from_cache else "no",
                *(words.seconds(one.steps.get(step)) for step in steps),
            )
            for one in record.years
        ],
        numeric=(1, 2, *range(4, 4 + len(steps))),
    )


async def timeline(watched: Watched, _summary: Summary) -> Refresh | None:
    """Show who did what when, and memory on the same axis; `?model=&year=` moves to its bars."""
    from planalign import charts  # noqa: PLC0415 - plotly

    asked = ui.context.client.request.query_params
    model, given = asked.get("model"), asked.get("year", "")
    # What is no year is one in which nothing was built.
    year = (int(given) if re.fullmatch(r"[0-9]{4}", given) else 0) if given else None
    found = await read(watched)
    if found is None:
        return None
    if model and not found[0].runs_of(model, year):
        html(fragments.note(f"{model} was not built{f' in {given}' if given else ''}."))

    def figures(record: Record, analysis: Analysis, dark: bool) -> list[Any]:
        drawn = [charts.timeline(record, analysis, dark=dark), charts.memory(record, dark=dark)]
        if model and charts.focus(drawn[0], record, model, year):
            drawn[1].update_xaxes(range=drawn[0].layout.xaxis.range)
        return drawn

    return await _figures(
        watched,
        ("Timeline: threads, years and models; the table of models says the same", "Memory"),
        figures,
    )


async def memory(watched: Watched, _summary: Summary) -> Refresh | None:
    """Show memory and cores over time, and the memory report."""
    from planalign import charts  # noqa: PLC0415 - plotly

    def figures(record: Record, _analysis: Analysis, dark: bool) -> list[Any]:
        return [charts.memory(record, dark=dark), charts.cores(record, dark=dark)]

    drawn = await _figures(watched, ("Memory over time", "Cores over time"), figures)
    found = await read(watched)
    if found is None:
        return drawn
    report = section("Memory report", panels.memory_report(found[1].memory, BUDGET_BYTES))

    async def show(_summary: Summary) -> None:
        _, analysis = await to_thread(watched.record)
        set_html(report, panels.memory_report(analysis.memory, BUDGET_BYTES))

    fresh = _now_and_then(show)

    async def refresh(summary: Summary) -> None:
        if drawn is not None:
            await drawn(summary)
        await fresh(summary)

    return refresh


async def models(watched: Watched, _summary: Summary) -> Refresh | None:
    """Show every model."""
    found = await read(watched)
    if found is None:
        return None
    shown = section("Models", panels.model_table(found[1]))

    async def refresh(_summary: Summary) -> None:
        _, analysis = await to_thread(watched.record)
        set_html(shown, panels.model_table(analysis))

    return _now_and_then(refresh)


async def findings(watched: Watched, summary: Summary) -> Refresh | None:
    """Show what is worth a change."""
    found = await read(watched)
    if found is None:
        return None
    record, analysis = found
    shown = await _find(record, analysis)
    html(Markup('<h2 class="hidden">Findings</h2>'))
    if not shown:
        html(fragments.note("Nothing stands out: this run needs no change."))
    for one in shown:
        html(panels.finding(summary.name, one))
    html(
        Markup(
            '<p class="facts">A finding is a supposition from the record. '
            "<code>planalign advise RUN --try</code> tries each on a copy and measures.</p>"
        )
    )
    return None


async def _find(record: Record, analysis: Analysis) -> Sequence[Any]:
    from planalign.profile.findings import find  # noqa: PLC0415 - with this page alone

    return await to_thread(find, record, analysis)


async def plans(watched: Watched, summary: Summary) -> Refresh | None:
    """Show how DuckDB executed a model, of those that the record has."""
    from planalign.record.query_plans import query_plan_of  # noqa: PLC0415 - with this page alone

    found = await read(watched)
    if found is None:
        return None
    record, analysis = found
    keys = {_key(key): key for key in record.query_plans}
    if not keys:
        html(
            fragments.note(
                "This run did not record its query plans.",
                "Simulate with --profile plans and the runner direct.",
            )
        )
        return None
    wanted = ui.context.client.request.query_params.get("plan", "")
    longest = [one for one, key in keys.items() if key[0] == analysis.longest_model]
    chosen = wanted if wanted in keys else (longest or list(keys))[-1]
    options = Markup("").join(
        Markup('<option value="{0}"{1}>{0}</option>').format(
            one, Markup(" selected") if one == chosen else ""
        )
        for one in keys
    )
    html(
        Markup(
            '<form class="choose" method="get" action="{}"><label>Model and year'
            '<select name="plan">{}</select></label><button class="button">Show</button></form>'
        ).format(fragments.path_of(summary.name, "plans"), options)
    ).classes("card")
    plan = await to_thread(query_plan_of, record.query_plans[keys[chosen]])
    section(f"Query plan of {chosen}", panels.plan_tree(plan))
    return None


def _key(key: tuple[str, int | None, int | None]) -> str:
    model, year, block = key
    parts = [model, "setup" if year is None else str(year)]
    return ", ".join(parts if block in (None, 1) else [*parts, f"block {block}"])


async def results(watched: Watched, summary: Summary) -> Refresh | None:
    """Show what a finished run found. The database of any other is never opened."""
    if summary.state is not State.FINISHED:
        html(
            fragments.note(
                "Results are shown when the run is finished.",
                "A database that is being written is not opened.",
            )
        )
        return None
    from planalign import charts  # noqa: PLC0415 - plotly
    from planalign.charts import read_results  # noqa: PLC0415
    from planalign.results import open_run  # noqa: PLC0415 - duckdb

    def open_and_read() -> tuple[Results, list[YearSummary]]:
        with open_run(watched.output) as opened:
            return read_results(opened), opened.summary()

    try:
        read_of, rows = await to_thread(open_and_read)
    except PlanalignError as error:
        html(fragments.note(str(error), kind="error"))
        return None
    drawn = [
        ("Headcount by year", charts.headcount, read_of.summary),
        ("Payroll by year", charts.payroll, read_of.summary),
        ("Plan cost by year", charts.plan_cost, read_of.costs),
        ("Events by year", charts.event_counts, read_of.counts),
    ]
    boxes = [_box(title) for title, _, _ in drawn]

    async def draw() -> None:
        dark = await is_dark()
        for box, (_, function, values) in zip(boxes, drawn, strict=True):
            with box:
                _plot(await to_thread(function, values, dark=dark))

    ui.timer(0, draw, once=True)
    section("By year", _summary_table(rows))
    return None


def _summary_table(rows: Sequence[YearSummary]) -> Markup:
    return fragments.table(
        "Results by scenario, replicate and year",
        ("Scenario", "Replicate", "Year", "Opening", "Hires", "Terminations", "Closing",
         "Payroll, $", "Average pay, $"),
        [
            (
                row.scenario_id, row.replicate, row.simulation_year,
                words.count(row.opening_headcount), words.count(row.hires),
                words.count(row.terminations), words.count(row.closing_headcount),
                words.count(_float(row.payroll)), words.count(_float(row.average_compensation)),
            )
            for row in rows
        ],
        numeric=range(1, 9),
    )  # fmt: skip


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))


def _box(title: str) -> Any:
    box = ui.element("div").classes("card chart")
    # A list of names, so that none of them is read as a property. In a narrow window it
    # scrolls, by keyboard too.
    box._props.update({"role": "group", "aria-label": title, "tabindex": "0"})
    return box


def _plot(figure: go.Figure) -> Any:
    described = figure.to_plotly_json()
    return ui.plotly({**described, "config": _CONFIG})


async def _figures(
    watched: Watched,
    titles: Sequence[str],
    figures: Callable[[Record, Analysis, bool], list[go.Figure]],
) -> Refresh | None:
    """Draw figures of the record when the page can say whether it is dark; keep them fresh."""
    if await read(watched) is None:
        return None
    boxes = [_box(title) for title in titles]
    plots: list[Any] = []
    dark = False

    async def make() -> list[go.Figure]:
        record, analysis = await to_thread(watched.record)
        return await to_thread(figures, record, analysis, dark)

    async def draw() -> None:
        nonlocal dark
        dark = await is_dark()
        for box, figure in zip(boxes, await make(), strict=True):
            with box:
                plots.append(_plot(figure))

    ui.timer(0, draw, once=True)

    async def show(_summary: Summary) -> None:
        if plots:
            for plot, figure in zip(plots, await make(), strict=True):
                plot.update_figure({**figure.to_plotly_json(), "config": _CONFIG})

    return _now_and_then(show)


def _now_and_then(show: Refresh) -> Refresh:
    """Return what shows the record as it is now, every few ticks."""
    ticks = 0

    async def refresh(summary: Summary) -> None:
        nonlocal ticks
        ticks += 1
        if ticks % _EVERY == 0:
            await show(summary)

    return refresh


BUILD = {
    "": overview,
    "timeline": timeline,
    "memory": memory,
    "models": models,
    "findings": findings,
    "plans": plans,
    "results": results,
}
