"""Contributions and costs of the plan, worked out again day by day from the events."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Studies
    from planalign.results import Run

# Compensation (401(a)(17)) and annual additions (415(c)), published.
LIMITS = {2025: (350_000, 70_000), 2026: (360_000, 72_000)}
RATES = {"none": 0, "flat": Decimal("0.03"), "rich": Decimal("0.30"), "all": 1}


@pytest.fixture(scope="module")
def study(shared_studies: Studies) -> Run:
    # Raises and promotions that take some above every limit.
    return shared_studies.simulate(
        shared_studies.generated(300, 5),
        simulation={"start_year": 2025, "end_year": 2026},
        workforce={"promotion_rate": 0.2},
        compensation={"cola_rate": 0.2, "promotion_increase": 1},
        plan={"eligibility": {"entry_dates": "monthly"}},
        scenarios={name: {"plan": {"core": {"rate": rate}}} for name, rate in RATES.items()},
    )


def cents(amount: Fraction) -> Decimal:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def changes_of_pay(run: Run, scenario: str) -> dict[tuple[int, str], list[tuple[Any, ...]]]:
    found = defaultdict(list)
    for year, employee, day, pay in run.sql(
        "select simulation_year, employee_id, effective_date, compensation_amount "
        f"from fct_yearly_events where scenario_id = '{scenario}' "
        "and event_type in ('promotion', 'raise') order by event_sequence"
    ).fetchall():
        found[year, employee].append((day, pay))
    return found


def pay_since(start: date, end: date, opening: Decimal, changes: list[Any], days: int) -> Fraction:
    """Add up a day's pay for every day from start to end."""
    total, day = Fraction(0), start
    while day <= end:
        pay = opening
        for since, amount in changes:
            if since <= day:
                pay = amount
        total += Fraction(pay) / days
        day += timedelta(days=1)
    return total


@pytest.mark.parametrize("scenario", RATES)
def test_contributions_are_those_of_the_days_since_plan_entry(study: Run, scenario: str) -> None:
    changes = changes_of_pay(study, scenario)
    rows = study.sql(
        "select simulation_year, employee_id, hire_date, termination_date, opening_compensation, "
        "plan_eligibility_date, prorated_annual_compensation, plan_compensation, "
        f"core_contribution from fct_workforce_snapshot where scenario_id = '{scenario}'"
    ).fetchall()
    assert len(rows) > 600
    capped = 0
    for year, employee, hired, left, opening, entry, paid, plan_pay, core in rows:
        last = left or date(year, 12, 31)
        first = max(hired, date(year, 1, 1), entry or date.max)
        expected = cents(pay_since(first, last, opening, changes[year, employee], 365))
        assert plan_pay == expected, (year, employee)
        most_pay, most = LIMITS[year]
        counted = min(plan_pay, Decimal(most_pay)) * RATES[scenario]
        assert core == min(counted.quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal(most), paid), (
            year,
            employee,
        )
        capped += plan_pay > most_pay or counted > most
    # The limits bind for somebody, or this would not show that they do.
    assert capped > 0


def test_every_contribution_is_an_event_on_the_last_day(study: Run) -> None:
    [(events, wrong)] = study.sql(
        "select count(*), count(*) filter (snapshot.core_contribution "
        "<> (event_payload->>'$.amount')::decimal(15, 2) or effective_date "
        "<> coalesce(termination_date, make_date(simulation_year, 12, 31))) "
        "from fct_yearly_events join fct_workforce_snapshot as snapshot "
        "using (scenario_id, replicate, simulation_year, employee_id) "
        "where event_type = 'core_contribution'"
    ).fetchall()
    [(contributed,)] = study.sql(
        "select count(*) from fct_workforce_snapshot where core_contribution > 0"
    ).fetchall()
    assert events == contributed > 1000
    assert wrong == 0


def test_costs_are_the_sum_over_employees(study: Run) -> None:
    by_employee = study.sql(
        "select scenario_id, simulation_year, sum(core_contribution), sum(plan_compensation), "
        "count(*) filter (plan_compensation > 0) "
        "from fct_workforce_snapshot group by all order by all"
    ).fetchall()
    costs = study.sql(
        "select scenario_id, simulation_year, employer_cost, plan_compensation, "
        "covered_headcount from fct_plan_costs order by all"
    ).fetchall()
    assert costs == by_employee
    dimensions = study.sql(
        "select scenario_id, simulation_year, sum(core_contribution), sum(plan_compensation), "
        "sum(covered_headcount)::bigint from fct_plan_costs_by_group "
        "group by scenario_id, simulation_year, dimension order by 1, 2"
    ).fetchall()
    assert dimensions == [row for row in by_employee for _ in range(3)]
    cost = {(scenario, year): cost for scenario, year, cost, *_ in costs}
    assert cost["none", 2025] == 0
    assert 0 < cost["flat", 2025] < cost["rich", 2025] < cost["all", 2025]


def test_a_plan_design_changes_nobodys_work(study: Run) -> None:
    """The same people leave, are hired, promoted and paid, whatever the plan pays."""
    for scenario in ("flat", "all"):
        for mart in ("fct_financial_summary", "fct_compensation_trends"):
            one, other = (
                study.sql(
                    f"select * exclude (scenario_id) from {mart} where scenario_id = '{name}' "
                    "order by all"
                ).fetchall()
                for name in ("none", scenario)
            )
            assert one == other
