"""Read the scenarios of runs that are set side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from planalign.errors import UsageError
from planalign.results.run import open_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from planalign.marts.summary import YearSummary
    from planalign.results.run import Run

# Scenario, replicate, year.
Key: TypeAlias = tuple[str, int, int]

# Figures that are compared: headcounts are employees, amounts dollars, rates fractions.
SUMMARY_FIGURES = (
    "opening_headcount",
    "hires",
    "terminations",
    "promotions",
    "closing_headcount",
    "payroll",
    "closing_annual_payroll",
    "average_compensation",
    "plan_eligible_headcount",
)
PLAN_FIGURES = (
    "participant_headcount",
    "participation_rate",
    "average_deferral_rate",
    "full_match_share",
    "employee_contribution",
    "match_contribution",
    "true_up_contribution",
    "core_contribution",
    "forfeiture",
    "employer_cost",
    "employer_cost_rate",
)
FIGURES = (*SUMMARY_FIGURES, *PLAN_FIGURES)

_PAY = "prorated_annual_compensation"
_SNAPSHOT = ("scenario_id", "replicate", "simulation_year", "employee_id", _PAY)
# What an employee receives beyond pay, and what is lost again.
_RECEIVED = {
    "match_contribution": "+",
    "true_up_contribution": "+",
    "core_contribution": "+",
    "forfeiture_allocation": "+",
    "account_return": "+",
    "forfeiture": "-",
}


@dataclass(frozen=True)
class Side:
    """A scenario of a run: its figures by (year, replicate).

    `lacks` names figures of the plan that the run does not have, `contributions` the
    columns of what an employee receives beyond pay that it has; `seeds` are by replicate.
    """

    name: str
    run: str
    scenario: str
    alias: str
    lacks: tuple[str, ...]
    contributions: tuple[str, ...]
    seeds: Mapping[int, int]
    rows: Mapping[tuple[int, int], Mapping[str, int | Decimal | None]] = field(repr=False)

    @property
    def years(self) -> set[int]:
        """Return the simulated years."""
        return {year for year, _ in self.rows}

    def replicates(self, year: int) -> set[int]:
        """Return the replicates of a year."""
        return {replicate for found, replicate in self.rows if found == year}


def read_sides(folders: Sequence[Path]) -> list[Side]:
    """Return every scenario of the runs, in their order.

    Raises:
        UsageError: a run is named twice, not a run, or lacks what cannot be left out.
        EnvironmentFaultError: a database cannot be read.
    """
    paths = [folder.resolve() for folder in folders]
    if len(set(paths)) < len(paths):
        raise UsageError("the same run is named twice", "Name each run once.")
    labels = [path.name for path in paths]
    if len(set(labels)) < len(labels):
        labels = [str(folder) for folder in folders]
    sides: list[Side] = []
    for number, (folder, label) in enumerate(zip(folders, labels, strict=True)):
        with open_run(folder) as run:
            rows = run.summary()
            costs, contributions = _plan_costs(run), _contributions(run)
            seeds = run.select(
                "dim_scenarios", ("scenario_id", "replicate", "random_seed")
            ).fetchall()
        sides += [
            Side(
                name=scenario if len(folders) == 1 else f"{label}/{scenario}",
                run=label,
                scenario=scenario,
                alias=f"run_{number}",
                lacks=_lacks(run),
                contributions=contributions,
                seeds={replicate: seed for name, replicate, seed in seeds if name == scenario},
                rows={
                    (row.simulation_year, row.replicate): _figures(row, costs)
                    for row in rows
                    if row.scenario_id == scenario
                },
            )
            for scenario in dict.fromkeys(row.scenario_id for row in rows)
        ]
    return sides


def _plan_costs(run: Run) -> dict[Key, dict[str, int | Decimal | None]]:
    """Return the plan's figures, as far as the run has them."""
    if "fct_plan_costs" not in run.marts:  # simulated before there was a plan
        return {}
    lacks = _lacks(run)
    keys = ("scenario_id", "replicate", "simulation_year")
    figures = [name for name in PLAN_FIGURES if name not in lacks]
    relation = run.select("fct_plan_costs", (*keys, *figures))
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return {
        (row["scenario_id"], row["replicate"], row["simulation_year"]): {
            name: row.get(name) for name in PLAN_FIGURES
        }
        for row in rows
    }


def _lacks(run: Run) -> tuple[str, ...]:
    there = run.columns("fct_plan_costs") if "fct_plan_costs" in run.marts else ()
    names = {column.name for column in there}
    return tuple(name for name in PLAN_FIGURES if name not in names)


def _contributions(run: Run) -> tuple[str, ...]:
    there = {column.name for column in run.columns("fct_workforce_snapshot")}
    received = tuple(name for name in _RECEIVED if name in there)
    run.select("fct_workforce_snapshot", (*_SNAPSHOT, *received))
    return received


def received(sides: Sequence[Side]) -> str:
    """Return what an employee receives in a year, as SQL over the snapshot of each side."""
    return _PAY + "".join(
        f" {sign} {name}"
        for name, sign in _RECEIVED.items()
        if all(name in side.contributions for side in sides)
    )


def _figures(
    row: YearSummary, costs: Mapping[Key, Mapping[str, int | Decimal | None]]
) -> dict[str, int | Decimal | None]:
    plan = costs.get((row.scenario_id, row.replicate, row.simulation_year), {})
    return {name: getattr(row, name) for name in SUMMARY_FIGURES} | {
        name: plan.get(name) for name in PLAN_FIGURES
    }
