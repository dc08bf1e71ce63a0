"""What several replicates say together."""

from __future__ import annotations

from decimal import Decimal

from planalign.marts.summary import COLUMNS, YearSummary
from planalign.results.summary import spreads, warnings


def row(replicate: int, **values: object) -> YearSummary:
    counts = dict.fromkeys(COLUMNS, 1)
    return YearSummary(
        **{
            **counts,
            "scenario_id": "baseline",
            "replicate": replicate,
            "simulation_year": 2025,
            "unmet_reduction": 0,
            **values,
        }
    )


def test_a_spread_has_mean_and_percentiles_per_scenario_and_year() -> None:
    rows = [row(i, payroll=Decimal(i), hires=10) for i in range(11)]
    rows += [row(0, simulation_year=2026)]
    first, second = spreads(rows)
    assert (first.simulation_year, first.replicates) == (2025, 11)
    payroll = first.measures["payroll"]
    assert payroll is not None
    assert (payroll.mean, payroll.p10, payroll.p90) == (5.0, 1.0, 9.0)
    assert (second.simulation_year, second.replicates) == (2026, 1)


def test_one_replicate_is_its_own_spread_and_nothing_known_is_none() -> None:
    [spread] = spreads([row(0, payroll=Decimal("2.5"), average_compensation=None)])
    payroll = spread.measures["payroll"]
    assert payroll is not None
    assert (payroll.mean, payroll.p10, payroll.p90) == (2.5, 2.5, 2.5)
    assert spread.measures["average_compensation"] is None
    assert spreads([]) == []


def test_warnings_name_scenario_year_and_share_of_replicates() -> None:
    assert warnings([row(0)]) == []
    [warning] = warnings([row(0, unmet_reduction=3), row(1), row(2, unmet_reduction=7)])
    assert "baseline, 2025, 2 of 3 replicates" in warning
    assert "up to 7 above" in warning
    [warning] = warnings([row(0, closing_headcount=0)])
    assert "nobody is left" in warning
