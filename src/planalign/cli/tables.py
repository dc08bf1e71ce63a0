"""Tables on stdout; import this module only inside a command, for rich is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from planalign.results.summary import Spread, spreads
from planalign.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.marts.summary import YearSummary

# Wide enough for any table of ours where there is no terminal to fit.
_FILE_WIDTH = 200
_WIDEST = 2_000
_FIGURES = {
    "Opening": "opening_headcount",
    "Hires": "hires",
    "Terminations": "terminations",
    "Closing": "closing_headcount",
    "Payroll": "payroll",
    "Average pay": "average_compensation",
}


def print_summary(rows: Sequence[YearSummary], seconds: Mapping[int, float] | None = None) -> None:
    """Print the financial summary, one line per scenario and year.

    Args:
        rows: what `Run.summary` returns.
        seconds: run time by simulation year, shown as a last column.

    """
    years = spreads(rows)
    replicates = max((year.replicates for year in years), default=1)
    several = len({year.scenario_id for year in years}) > 1
    names = [*(["Scenario"] if several else []), "Year", *_FIGURES]
    table = [
        [
            *([year.scenario_id] if several else []),
            str(year.simulation_year),
            *(_figure(year.measures[name], year.replicates) for name in _FIGURES.values()),
            *([_seconds(seconds.get(year.simulation_year))] if seconds is not None else []),
        ]
        for year in years
    ]
    print_table(
        [*names, *(["Seconds"] if seconds is not None else [])],
        table,
        left=("Scenario",),
        caption=f"Mean (p10-p90) of {replicates} replicates" if replicates > 1 else None,
    )


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    left: Sequence[str] = (),
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """Print rows below a header, right-aligned except for the columns named in `left`.

    What stands in a cell stays in it: characters that do not print are shown as escapes.
    """
    table = Table(
        box=SIMPLE_HEAD,
        title=title and visible(title),
        caption=caption and visible(caption),
        title_justify="left",
        pad_edge=False,
    )
    for name in header:
        table.add_column(visible(name), justify="left" if name in left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*("" if value is None else visible(str(value)) for value in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    # A narrow terminal breaks the line; rich would leave digits of a figure out.
    unbounded = console.options.update(max_width=_WIDEST)
    console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)


def _seconds(value: float | None) -> str:
    """Format a year's seconds; one that was complete before a resume has none."""
    return "-" if value is None else f"{value:.2f}"


def _figure(spread: Spread | None, replicates: int) -> str:
    if spread is None:
        return "-"
    if replicates == 1:
        return f"{spread.mean:,.0f}"
    return f"{spread.mean:,.0f} ({spread.p10:,.0f}-{spread.p90:,.0f})"
