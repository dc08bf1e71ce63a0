"""`planalign compare`: scenarios side by side."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit_json

if TYPE_CHECKING:
    from planalign.results.compare.side_by_side import Change, Figure, SideBySide

# Of the figures that are compared, those with a column of their own.
_SHOWN = {
    "Closing": "closing_headcount",
    "Payroll": "payroll",
    "Average pay": "average_compensation",
}
_SHOWN_OF_PLAN = {
    "Participation %": "participation_rate",
    "Deferral %": "average_deferral_rate",
    "Full match %": "full_match_share",
    "Employees pay": "employee_contribution",
    "Plan cost": "employer_cost",
}


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished runs.")],
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="NAME", help="Default: baseline, or the first by name."),
    ] = None,
    employees: Annotated[
        int,
        typer.Option(
            "--employees",
            metavar="N",
            min=0,
            max=1_000_000_000,
            help="Name the N who gain and who lose most.",
        ),
    ] = 0,
    json: Json = False,
) -> None:
    """Set scenarios side by side, with differences from a baseline.

    Of one run its scenarios are compared; of several, all of them, named
    RUN/SCENARIO. With several replicates a figure is a mean, and differences are
    taken replicate by replicate, with the 10th and 90th percentiles in brackets.
    Employees are better or worse off by pay, employer contributions and
    their return, less forfeitures, of all compared years.

    Keys of --json: baseline (name); years, a list with scenario, simulation_year,
    replicates, figures: by name value and difference (mean, p10, p90) and percent;
    growth, a list with scenario, first_year, last_year, percent (by figure, a
    year); employees, a list with scenario, replicates, better_off, worse_off,
    the_same, only_in_baseline, only_in_scenario (employees, mean over
    replicates), mean_gain and mean_loss (dollars), most and least (replicate,
    employee_id, baseline, received); warnings (text). Amounts are dollars, rates
    fractions.
    """
    from planalign.results.compare import side_by_side  # noqa: PLC0415 - duckdb is slow

    found = side_by_side(runs, baseline, employees)
    if json:
        emit_json(asdict(found))
        return
    _print(found)
    for warning in found.warnings:
        console.warn(warning)


def _print(found: "SideBySide") -> None:
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich is slow to import

    _print_years(found, _SHOWN, f"Against {found.baseline}")
    _print_years(found, _SHOWN_OF_PLAN, "The plan")
    print_table(
        ["Scenario", "Years", *_SHOWN],
        [
            [
                growth.scenario,
                f"{growth.first_year}-{growth.last_year}",
                *(_percent(growth.percent[name]) for name in _SHOWN.values()),
            ]
            for growth in found.growth
        ],
        left=("Scenario",),
        title="Growth per year, %",
    )
    print_table(
        [
            "Scenario", "Better off", "Mean gain", "Worse off", "Mean loss", "The same",
            "Only in baseline", "Only in scenario",
        ],
        [
            [
                one.scenario,
                f"{one.better_off:,.0f}",
                _amount(one.mean_gain),
                f"{one.worse_off:,.0f}",
                _amount(one.mean_loss),
                f"{one.the_same:,.0f}",
                f"{one.only_in_baseline:,.0f}",
                f"{one.only_in_scenario:,.0f}",
            ]
            for one in found.employees
        ],
        left=("Scenario",),
        title="Employees, by pay and employer contributions of all years",
    )  # fmt: skip
    named = [
        [one.scenario, *_employee(change)]
        for one in found.employees
        for change in (*one.most, *one.least)
    ]
    if named:
        print_table(
            ["Scenario", "Replicate", "Employee", "Baseline", "Received", "Difference"],
            named,
            left=("Scenario", "Employee"),
            title="Largest gains and losses",
        )


def _print_years(found: "SideBySide", shown: dict[str, str], title: str) -> None:
    """Print figures by year; of rates, in percent, the difference says it all."""
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich is slow to import

    replicates = max(year.replicates for year in found.years)
    headers = [
        part
        for name in shown
        for part in (name, "Difference", *([] if name.endswith("%") else ["%"]))
    ]
    print_table(
        ["Scenario", "Year", *headers],
        [
            [
                year.scenario,
                year.simulation_year,
                *(
                    part
                    for name, figure in shown.items()
                    for part in _cells(
                        year.figures[figure], year.replicates, is_rate=name.endswith("%")
                    )
                ),
            ]
            for year in found.years
        ],
        left=("Scenario",),
        title=title,
        caption=f"Mean; differences (p10-p90) of {replicates} replicates"
        if replicates > 1
        else None,
    )


def _cells(figure: "Figure", replicates: int, *, is_rate: bool) -> list[str]:
    factor, places = (100, 1) if is_rate else (1, 0)

    def text(amount: float, sign: str = "") -> str:
        return f"{factor * amount:{sign},.{places}f}"

    value = "-" if figure.value is None else text(figure.value.mean)
    percent = [] if is_rate else [_percent(figure.percent)]
    if figure.difference is None:
        return [value, "", *([""] * len(percent))]
    difference = text(figure.difference.mean, "+")
    if replicates > 1:
        low, high = figure.difference.p10, figure.difference.p90
        difference += f" ({text(low, '+')} to {text(high, '+')})"
    return [value, difference, *percent]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _amount(value: float | None) -> str:
    return "-" if value is None else f"{value:+,.2f}"


def _employee(change: "Change") -> list[Any]:
    return [
        change.replicate,
        change.employee_id,
        f"{change.baseline:,.2f}",
        f"{change.received:,.2f}",
        f"{change.difference:+,.2f}",
    ]
