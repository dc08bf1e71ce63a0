"""What a run found, by scenario and year: what the charts of results are drawn of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.results.summary import Spread, YearSpread, spread_of, spreads

if TYPE_CHECKING:
    from planalign.results import Run

COST_PARTS = ("match_contribution", "true_up_contribution", "core_contribution")
COST_MEASURES = (
    *COST_PARTS, "cost_reduction", "forfeiture", "expenses_paid", "employer_cost",
    "employee_contribution", "participation_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Results:
    """Mean and band over the replicates of each scenario and year, in that order.

    The measures of `summary` are those of fct_financial_summary, of `costs` columns of
    fct_plan_costs, of `counts` the events by type. Amounts are dollars.
    """

    summary: tuple[YearSpread, ...]
    costs: tuple[YearSpread, ...]
    counts: tuple[YearSpread, ...]

    @property
    def replicates(self) -> int:
        """Return how many replicates the figures are over, at most."""
        return max((row.replicates for row in self.summary), default=0)


def read_results(run: Run) -> Results:
    """Read what the charts of results show.

    Raises:
        UsageError: the run lacks a column.
        EnvironmentFaultError: the database cannot be read.
    """
    summary = run.summary()
    rows = spreads(summary)
    trajectories = [(one.scenario_id, one.simulation_year, one.replicate) for one in summary]
    return Results(tuple(rows), _costs(run), _counts(run, trajectories))


def scenarios_of(rows: tuple[YearSpread, ...]) -> dict[str, list[YearSpread]]:
    """Return the rows of each scenario by year."""
    found: dict[str, list[YearSpread]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.simulation_year):
        found[row.scenario_id].append(row)
    return dict(sorted(found.items()))


def _costs(run: Run) -> tuple[YearSpread, ...]:
    if "fct_plan_costs" not in run.marts:
        return ()
    found: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    rows = run.select("fct_plan_costs", ("scenario_id", "simulation_year", *COST_MEASURES))
    for scenario, year, *values in rows.order("all").fetchall():
        found[scenario, year].append(tuple(values))
    return tuple(
        YearSpread(
            scenario,
            year,
            len(values),
            {
                name: spread_of([row[place] for row in values])
                for place, name in enumerate(COST_MEASURES)
            },
        )
        for (scenario, year), values in sorted(found.items())
    )


def _counts(run: Run, trajectories: list[tuple[str, int, int]]) -> tuple[YearSpread, ...]:
    """Return the events by type; a replicate without an event of a type has 0 of it."""
    if "int_yearly_event_summary" not in run.marts:
        return ()
    found = {
        (scenario, year, replicate, kind): count
        for scenario, year, replicate, kind, count in run.select(
            "int_yearly_event_summary",
            ("scenario_id", "simulation_year", "replicate", "event_type", "event_count"),
        )
        .aggregate("scenario_id, simulation_year, replicate, event_type, sum(event_count)")
        .fetchall()
    }
    kinds = sorted({kind for *_, kind in found})
    replicates: dict[tuple[str, int], list[int]] = defaultdict(list)
    for scenario, year, replicate in trajectories:
        replicates[scenario, year].append(replicate)
    return tuple(
        YearSpread(
            scenario,
            year,
            len(those),
            {
                kind: spread_of([found.get((scenario, year, one, kind), 0) for one in those])
                for kind in kinds
            },
        )
        for (scenario, year), those in sorted(replicates.items())
    )


def mean_of(row: YearSpread, measure: str) -> float | None:
    """Return the mean of a measure, None where no replicate has it."""
    spread = row.measures.get(measure)
    return None if spread is None else spread.mean


def spread_at(row: YearSpread, measure: str) -> Spread:
    """Return a measure's spread, zero where no replicate has it."""
    return row.measures.get(measure) or Spread(0.0, 0.0, 0.0)
