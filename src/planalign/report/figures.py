"""Figures on the page: what plotly draws, with a table of the same for who cannot see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from planalign import charts
from planalign.charts.results import COST_MEASURES
from planalign.charts.style import ink, template
from planalign.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from planalign.charts import Results
    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record
    from planalign.results.summary import YearSpread


@dataclass(frozen=True)
class Table:
    """What a figure shows, as text: the first column heads the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Shown:
    """A figure of the page. `summary` says in words what is to be seen."""

    key: str
    title: str
    summary: str
    height: int
    content: dict[str, Any]
    table: Table
    is_on_time_axis: bool = False


def of_process(record: Record, analysis: Analysis) -> tuple[Shown, ...]:
    """Return timeline, memory and cores, which are on one time axis."""
    memory = analysis.memory
    wall = analysis.wall_seconds
    years = tuple(
        (str(year), words.seconds(seconds)) for year, seconds in analysis.seconds_by_year.items()
    )
    tags = tuple((tag, words.size(held)) for tag, held in memory.by_tag.items())
    at = "" if memory.at is None else f" {words.seconds(memory.at)} after the start"
    busy = "" if analysis.cores_busy is None else f"{analysis.cores_busy:.2f} cores on average"
    return (
        _shown(
            "timeline",
            "What each thread did, when",
            f"{len(record.models)} models and {len(record.tests)} tests in {words.seconds(wall)}; "
            f"none was under way for {words.seconds(analysis.overhead_seconds)}.",
            charts.timeline(record, analysis),
            Table("Seconds by simulated year", ("Year", "Time"), years),
            is_on_time_axis=True,
        ),
        _shown(
            "memory",
            "Memory",
            f"The process held at most {words.size(memory.peak_bytes)}{at}.",
            charts.memory(record),
            Table("Memory of DuckDB at most, by what it is for", ("Tag", "Memory"), tags),
            is_on_time_axis=True,
        ),
        _shown(
            "cores",
            "Cores, input and output",
            f"The run used {busy or 'an unknown part of the cores'}.",
            charts.cores(record),
            _cores_table(record),
            is_on_time_axis=True,
        ),
    )


def of_results(results: Results) -> tuple[Shown, ...]:
    """Return headcount, payroll, plan cost and events by year."""
    summary, costs, counts = results.summary, results.costs, results.counts
    found = [
        _shown(
            "headcount",
            "Headcount",
            _from_to(summary, "closing_headcount", "Headcount closes at", words.count),
            charts.headcount(summary),
            _spread_table(
                "Employees", summary,
                ("opening_headcount", "hires", "experienced_terminations",
                 "new_hire_terminations", "closing_headcount"), 1, ",.1f",
            ),
        ),
        _shown(
            "payroll",
            "Payroll",
            _from_to(summary, "payroll", "Payroll is", _dollars),
            charts.payroll(summary),
            _spread_table("Dollars", summary, ("payroll",), 1, ",.0f"),
        ),
    ]  # fmt: skip
    if costs:
        found.append(
            _shown(
                "plan-cost",
                "Plan cost",
                _from_to(costs, "employer_cost", "The employer pays", _dollars),
                charts.plan_cost(costs),
                _spread_table("Dollars", costs, COST_MEASURES[:-1], 1, ",.0f"),
            )
        )
    if counts:
        kinds = tuple(counts[0].measures)
        found.append(
            _shown(
                "event-counts",
                "Events",
                f"{len(kinds)} types of events by year.",
                charts.event_counts(counts),
                _spread_table("Events", counts, kinds, 1, ",.1f"),
            )
        )
    return tuple(found)


def as_json(figures: Sequence[Shown]) -> Markup:
    """Return all figures as JSON that can stand in a script element of data."""
    content = {
        "figures": {shown.key: shown.content for shown in figures},
        "templates": {
            name: _template(dark=dark) for name, dark in (("light", False), ("dark", True))
        },
        "ink": {"light": ink(dark=False), "dark": ink(dark=True)},
        "critical": charts.schedule.CRITICAL,
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character is left that ends the element


def _template(*, dark: bool) -> dict[str, Any]:
    found: dict[str, Any] = template(dark=dark).to_plotly_json()
    return found


def _shown(
    key: str, title: str, summary: str, figure: go.Figure, table: Table, *,
    is_on_time_axis: bool = False,
) -> Shown:  # fmt: skip
    content = json.loads(figure.to_json())
    content["layout"].pop("template", None)
    # The page has the heading.
    content["layout"].pop("title", None)
    margin = content["layout"].setdefault("margin", {})
    # The legend alone is above the data; the page makes room for its lines.
    content["layout"]["height"] -= 50
    margin["t"] = max(30, margin.get("t", 84) - 50)
    return Shown(key, title, summary, content["layout"]["height"], content, table, is_on_time_axis)


def _cores_table(record: Record) -> Table:
    samples = record.samples
    count = max((len(one.busy_by_core) for one in samples), default=0)
    rows = []
    for core in range(count):
        parts = [one.busy_by_core[core] for one in samples if core < len(one.busy_by_core)]
        rows.append((f"core {core}", words.percent(sum(parts) / len(parts))))
    return Table("How busy each core was, mean of all samples", ("Core", "Busy"), tuple(rows))


def _spread_table(
    unit: str, rows: Sequence[YearSpread], measures: tuple[str, ...], scale: float, form: str
) -> Table:
    several = any(row.replicates > 1 for row in rows)
    caption = f"{unit} by scenario and year"
    if several:
        caption += ": mean, and 10th to 90th percentile over the seeds"

    def cell(row: YearSpread, measure: str) -> str:
        spread = row.measures.get(measure)
        if spread is None:
            return words.UNKNOWN
        text = format(spread.mean / scale, form)
        if row.replicates > 1:
            text += f" ({format(spread.p10 / scale, form)} to {format(spread.p90 / scale, form)})"
        return text

    return Table(
        caption,
        ("Scenario", "Year", *(name.replace("_", " ") for name in measures)),
        tuple(
            (row.scenario_id, str(row.simulation_year), *(cell(row, name) for name in measures))
            for row in rows
        ),
    )


def _from_to(rows: Sequence[YearSpread], measure: str, lead: str, form: Any) -> str:
    """Say where a measure of each scenario begins and where it ends."""
    told = []
    for scenario, those in charts.results.scenarios_of(tuple(rows)).items():
        first, last = (charts.results.mean_of(row, measure) for row in (those[0], those[-1]))
        if first is not None and last is not None:
            told.append(
                f"{scenario} {form(first)} in {those[0].simulation_year}, "
                f"{form(last)} in {those[-1].simulation_year}"
            )
    listed = "; ".join(told[:6]) + ("; …" if len(told) > 6 else "")
    return f"{lead}: {listed}." if told else ""


def _dollars(value: float) -> str:
    for unit, name in ((1e9, " billion"), (1e6, " million")):
        if abs(value) >= unit:
            return f"${value / unit:,.1f}{name}"
    return f"${value:,.0f}"
