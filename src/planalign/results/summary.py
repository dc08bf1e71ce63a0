"""What the rows of a run's financial summary say together, and over several replicates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from statistics import fmean, quantiles
from typing import TYPE_CHECKING

from planalign.marts.summary import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from planalign.marts.summary import YearSummary


MEASURES = (*COLUMNS[3:], "terminations")


@dataclass(frozen=True)
class Spread:
    """A figure over the replicates of a year: mean, 10th and 90th percentile."""

    mean: float
    p10: float
    p90: float


@dataclass(frozen=True)
class YearSpread:
    """One scenario and year over its replicates; a measure is None where no replicate has it."""

    scenario_id: str
    simulation_year: int
    replicates: int
    measures: dict[str, Spread | None]


def spreads(rows: Sequence[YearSummary]) -> list[YearSpread]:
    """Return one row per scenario and year, in that order, over its replicates."""
    return [
        YearSpread(scenario, year, len(group), _measures(group))
        for scenario, year, group in _by_year(rows)
    ]


def warnings(rows: Sequence[YearSummary]) -> list[str]:
    """Return what a reader of the summary must know, one sentence per scenario and year."""
    found = []
    for scenario, year, group in _by_year(rows):
        unmet = [row.unmet_reduction for row in group if row.unmet_reduction]
        empty = [row for row in group if row.closing_headcount == 0]
        if unmet:
            found.append(
                f"Scenario {scenario}, {year}{_share(unmet, group)}: headcount closed up to "
                f"{max(unmet):,} above its target, for the reduction could not be met. "
                "Check target_growth_rate against total_termination_rate."
            )
        if empty:
            found.append(
                f"Scenario {scenario}, {year}{_share(empty, group)}: nobody is left at year end."
            )
    return found


def _share(some: Sequence[object], group: Sequence[YearSummary]) -> str:
    return "" if len(group) == 1 else f", {len(some)} of {len(group)} replicates"


def _by_year(rows: Sequence[YearSummary]) -> Iterator[tuple[str, int, list[YearSummary]]]:
    """Yield the rows of each scenario and year, in that order."""

    def year(row: YearSummary) -> tuple[str, int]:
        return row.scenario_id, row.simulation_year

    for (scenario, simulation_year), group in groupby(sorted(rows, key=year), key=year):
        yield scenario, simulation_year, list(group)


def _measures(group: Sequence[YearSummary]) -> dict[str, Spread | None]:
    return {name: spread_of([getattr(row, name) for row in group]) for name in MEASURES}


def spread_of(values: Sequence[float | Decimal | None]) -> Spread | None:
    """Return mean and percentiles of what is known of some values, if anything is."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    if len(known) == 1:
        return Spread(known[0], known[0], known[0])
    tenths = quantiles(known, n=10, method="inclusive")
    return Spread(fmean(known), tenths[0], tenths[-1])
