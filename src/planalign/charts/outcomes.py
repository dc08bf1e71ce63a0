"""What a run found: headcount, payroll, plan cost and events by year and scenario.

Figures are means over the replicates of a scenario; bands and whiskers reach from the
10th to the 90th percentile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planalign.charts.results import COST_PARTS, scenarios_of, spread_at
from planalign.charts.style import (
    BLUE,
    DASHES,
    DOLLARS,
    GREEN,
    GREY,
    LEFT,
    ORANGE,
    PURPLE,
    RIGHT,
    SERIES,
    SKY,
    SYMBOLS,
    VERMILLION,
    faded,
    figure,
    plain,
    scale_of,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.results.summary import YearSpread

# More panels than this are not drawn, and the title says so; tables have all.
MOST_SCENARIOS = 6
PANEL_HEIGHT = 235


def headcount(rows: Sequence[YearSpread], dark: bool = False) -> go.Figure:
    """Draw how each year leads from its opening to its closing headcount, by scenario."""
    by_scenario = scenarios_of(tuple(rows))
    drawn = _panels("Headcount, from opening to closing", by_scenario, dark=dark)
    for number, those in enumerate(_first(by_scenario), start=1):
        years = [row.simulation_year for row in those]
        opening = [spread_at(row, "opening_headcount").mean for row in those]
        hires = [spread_at(row, "hires").mean for row in those]
        left = [spread_at(row, "experienced_terminations").mean for row in those]
        new_left = [spread_at(row, "new_hire_terminations").mean for row in those]
        joined = [before + more for before, more in zip(opening, hires, strict=True)]
        stayed = [before - less for before, less in zip(joined, left, strict=True)]
        stages = (
            ("opening", "opening_headcount", [0.0] * len(those), opening, GREY, ""),
            ("hires", "hires", opening, hires, GREEN, "+"),
            ("left, of the opening", "experienced_terminations", stayed, left, VERMILLION, "/"),
            (
                "left, of the hires", "new_hire_terminations",
                [before - less for before, less in zip(stayed, new_left, strict=True)],
                new_left, ORANGE, "x",
            ),
            (
                "closing", "closing_headcount", [0.0] * len(those),
                [spread_at(row, "closing_headcount").mean for row in those], BLUE, "",
            ),
        )  # fmt: skip
        for place, (name, measure, base, height, colour, pattern) in enumerate(stages):
            drawn.add_trace(
                go.Bar(
                    name=name,
                    legendgroup=name,
                    showlegend=number == 1,
                    x=[year + 0.17 * (place - 2) for year in years],
                    y=[round(value, 2) for value in height],
                    base=[round(value, 2) for value in base],
                    width=0.16,
                    customdata=[
                        [row.simulation_year, _band(row, measure, 1, ",.1f")] for row in those
                    ],
                    hovertemplate=f"%{{customdata[0]}} {name}: %{{customdata[1]}}<extra></extra>",
                    marker={"color": colour, **_pattern(pattern)},
                ),
                row=number, col=1,
            )  # fmt: skip
    drawn.update_layout(barmode="overlay")
    tallest = max((_most_at_once(row) for row in rows), default=0.0)
    drawn.update_yaxes(title_text="employees", tickformat=",~g", range=[0, 1.08 * tallest or 1])
    _year_axis(drawn, rows)
    return drawn


def payroll(rows: Sequence[YearSpread], dark: bool = False) -> go.Figure:
    """Draw what is paid in each year, by scenario, with the band over replicates."""
    largest = max((spread_at(row, "payroll").p90 for row in rows), default=0.0)
    unit, name = scale_of(largest, DOLLARS)
    drawn = figure("Payroll", 340, dark=dark, hovermode="x")
    for number, (scenario, those) in enumerate(scenarios_of(tuple(rows)).items()):
        for trace in _line_with_band(
            those, "payroll", number=number, scenario=scenario, unit=unit, form=",.4~g"
        ):
            drawn.add_trace(trace)
    drawn.update_yaxes(title_text=name, tickformat=",~g")
    _year_axis(drawn, rows)
    return drawn


def plan_cost(costs: Sequence[YearSpread], dark: bool = False) -> go.Figure:
    """Draw what the employer pays for the plan, by kind of contribution and scenario.

    Forfeitures that are used instead of contributions count below zero. A diamond is
    the employer's cost, with a whisker over the replicates.
    """
    by_scenario = scenarios_of(tuple(costs))
    largest = max((abs(spread_at(row, "employer_cost").p90) for row in costs), default=0.0)
    unit, unit_name = scale_of(largest, DOLLARS)
    drawn = _panels("Plan cost to the employer", by_scenario, dark=dark)
    parts = (
        ("match", "match_contribution", BLUE, "", 1),
        ("true-up of the match", "true_up_contribution", SKY, "/", 1),
        ("core", "core_contribution", GREEN, ".", 1),
        ("forfeitures used", "cost_reduction", PURPLE, "x", -1),
    )
    for number, those in enumerate(_first(by_scenario), start=1):
        years = [row.simulation_year for row in those]
        for name, measure, colour, pattern, sign in parts:
            drawn.add_trace(
                go.Bar(
                    name=name,
                    legendgroup=name,
                    showlegend=number == 1,
                    x=years,
                    y=[round(sign * spread_at(row, measure).mean / unit, 6) for row in those],
                    width=0.6,
                    customdata=[[_band(row, measure, unit, ",.4~g")] for row in those],
                    hovertemplate=f"%{{x}} {name}: %{{customdata[0]}}<extra></extra>",
                    marker={"color": colour, **_pattern(pattern)},
                ),
                row=number, col=1,
            )  # fmt: skip
        spread = [spread_at(row, "employer_cost") for row in those]
        drawn.add_trace(
            go.Scatter(
                name="employer cost",
                legendgroup="employer cost",
                showlegend=number == 1,
                x=years,
                y=[round(one.mean / unit, 6) for one in spread],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [round((one.p90 - one.mean) / unit, 6) for one in spread],
                    "arrayminus": [round((one.mean - one.p10) / unit, 6) for one in spread],
                    "thickness": 1.4,
                    "color": VERMILLION,
                },
                mode="markers",
                cliponaxis=False,
                marker={"symbol": "diamond", "size": 8, "color": VERMILLION},
                customdata=[[_band(row, "employer_cost", unit, ",.4~g")] for row in those],
                hovertemplate="%{x} employer cost: %{customdata[0]}<extra></extra>",
            ),
            row=number, col=1,
        )  # fmt: skip
    drawn.update_layout(barmode="relative")
    lowest = min((-spread_at(row, "cost_reduction").mean for row in costs), default=0.0)
    tallest = max((_paid(row) for row in costs), default=0.0)
    drawn.update_yaxes(
        title_text=unit_name,
        tickformat=",~g",
        range=[1.1 * lowest / unit, 1.1 * tallest / unit or 1],
    )
    _year_axis(drawn, costs)
    return drawn


def event_counts(counts: Sequence[YearSpread], dark: bool = False) -> go.Figure:
    """Draw how many events of each type there were, by year and scenario."""
    by_scenario = scenarios_of(tuple(counts))
    kinds = sorted({kind for row in counts for kind in row.measures})
    rows = max(1, -(-len(kinds) // 2))
    drawn = make_subplots(
        rows=rows,
        cols=2,
        shared_xaxes=False,
        vertical_spacing=46 / (rows * 170),
        horizontal_spacing=0.09,
        subplot_titles=[plain(kind.replace("_", " ")) for kind in kinds],
    )
    drawn.update_layout(
        title_text="Events by type",
        height=110 + 170 * rows,
        template=template(dark=dark),
        hovermode="x",
        margin={"l": LEFT, "r": RIGHT, "t": 104, "b": 40},
        legend={"y": 1 + 24 / (170 * rows - 34)},
    )
    _quiet_titles(drawn)
    for place, kind in enumerate(kinds):
        for number, (scenario, those) in enumerate(by_scenario.items()):
            for trace in _line_with_band(
                those, kind, number=number, scenario=scenario, unit=1, form=",.1f"
            ):
                trace.showlegend = trace.showlegend is not False and place == 0
                drawn.add_trace(trace, row=place // 2 + 1, col=place % 2 + 1)
    drawn.update_yaxes(rangemode="tozero", tickformat=",~g", nticks=5)
    _year_axis(drawn, counts)
    return drawn


def _most_at_once(row: YearSpread) -> float:
    """Return the headcount that the bars of a year reach at most."""
    joined = spread_at(row, "opening_headcount").mean + spread_at(row, "hires").mean
    return max(joined, spread_at(row, "closing_headcount").mean)


def _paid(row: YearSpread) -> float:
    """Return what the bars, and the whisker, of a year reach at most."""
    parts = sum(spread_at(row, part).mean for part in COST_PARTS)
    return max(parts, spread_at(row, "employer_cost").p90)


def _panels(title: str, by_scenario: dict[str, list[YearSpread]], *, dark: bool) -> go.Figure:
    """Return a panel for each scenario, below each other on one scale."""
    names = list(by_scenario)[:MOST_SCENARIOS]
    if len(by_scenario) > len(names):
        title += f" (first {len(names)} of {len(by_scenario)} scenarios)"
    count = max(1, len(names))
    drawn = make_subplots(
        rows=count,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.0 if count == 1 else 40 / (count * PANEL_HEIGHT),
        subplot_titles=[plain(name) for name in names] if count > 1 else None,
    )
    drawn.update_layout(
        title_text=title,
        height=140 + PANEL_HEIGHT * count,
        template=template(dark=dark),
        margin={"l": LEFT, "r": RIGHT, "t": 104 if count > 1 else 84, "b": 40},
        legend={"y": 1 + (24 / (PANEL_HEIGHT * count) if count > 1 else 0)},
    )
    _quiet_titles(drawn)
    return drawn


def _quiet_titles(drawn: go.Figure) -> None:
    for note in drawn.layout.annotations:
        note.font.size = 12.5


def _first(by_scenario: dict[str, list[YearSpread]]) -> list[list[YearSpread]]:
    return list(by_scenario.values())[:MOST_SCENARIOS]


def _pattern(shape: str) -> dict[str, object]:
    return {
        "line": {"width": 0},
        "pattern": {
            "shape": shape, "fillmode": "overlay", "fgcolor": "#1B1F24", "fgopacity": 0.3,
            "size": 6, "solidity": 0.2,
        },
    }  # fmt: skip


def _band(row: YearSpread, measure: str, unit: float, form: str) -> str:
    """Return a figure with its band, in a unit."""
    spread = spread_at(row, measure)
    form = form.replace("~", "")
    text = format(spread.mean / unit, form)
    if row.replicates > 1:
        text += f" ({format(spread.p10 / unit, form)} to {format(spread.p90 / unit, form)})"
    return text


def _line_with_band(
    rows: Sequence[YearSpread],
    measure: str,
    *,
    number: int,
    scenario: str,
    unit: float,
    form: str,
) -> list[go.Scatter]:
    colour = SERIES[number % len(SERIES)]
    years = [row.simulation_year for row in rows]
    spreads = [spread_at(row, measure) for row in rows]
    line = go.Scatter(
        name=plain(scenario),
        legendgroup=plain(scenario),
        x=years,
        y=[round(one.mean / unit, 6) for one in spreads],
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": DASHES[number % len(DASHES)]},
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
        customdata=[[_band(row, measure, unit, form)] for row in rows],
        hovertemplate="%{fullData.name}: %{customdata[0]}<extra></extra>",
    )
    if max((row.replicates for row in rows), default=1) == 1:
        return [line]
    area = go.Scatter(
        name=plain(scenario),
        legendgroup=plain(scenario),
        showlegend=False,
        x=[*years, *reversed(years)],
        y=[
            round(value / unit, 6)
            for value in (*(one.p90 for one in spreads), *(one.p10 for one in reversed(spreads)))
        ],
        fill="toself",
        fillcolor=faded(colour, 0.2),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    return [area, line]


def _year_axis(drawn: go.Figure, rows: Sequence[YearSpread]) -> None:
    """Give whole years to the axis, not so many that they meet."""
    years = [row.simulation_year for row in rows]
    if not years:
        return
    first, last = min(years), max(years)
    drawn.update_xaxes(
        tickmode="linear",
        tick0=first,
        dtick=max(1, -(-(last - first) // 10)),
        tickformat="d",
        range=[first - 0.5, last + 0.5],
    )
