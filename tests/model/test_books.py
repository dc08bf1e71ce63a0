"""The books balance, and the events, replayed in Python, give the snapshot to the cent."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Studies
    from planalign.results import Run

FIRST, LAST, REPLICATES = 2027, 2029, 2  # 2028 is a leap year
SCENARIOS = {
    "plain": {},
    "cut": {"compensation": {"cola_rate": -0.0371}, "workforce": {"promotion_rate": 0.4}},
    "turnover": {"workforce": {"total_termination_rate": 0.6, "new_hire_termination_rate": 0.7}},
    "shrink": {"workforce": {"target_growth_rate": -0.2, "alignment": "exact"}},
    "same_month": {
        "compensation": {"raise_months": [0] * 6 + [1] + [0] * 5, "raise_cutoff": "01-01"},
        "workforce": {"promotion_rate": 0.3},
    },
}
# Raises of exactly 5 %: half cents are common from the second one on.
SCENARIOS["same_month"]["compensation"] |= {
    "cola_rate": 0.02,
    "performance": [{"rating": "good", "share": 1, "multiplier": 1}],
}
SCENARIOS["same_month"]["compensation"]["promotion_months"] = [0] * 6 + [1] + [0] * 5


@pytest.fixture(scope="module")
def company(shared_studies: Studies) -> Path:
    return shared_studies.generated(180, 11)


@pytest.fixture(scope="module")
def run(shared_studies: Studies, company: Path) -> Run:
    return shared_studies.simulate(
        company,
        census_date="2026-12-31",
        simulation={"start_year": FIRST, "end_year": LAST, "replicates": REPLICATES},
        scenarios=SCENARIOS,
    )


Row = dict[str, Any]


def table(run: Run, name: str) -> list[Row]:
    relation = run.relation(name)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def by_trajectory(rows: list[Row]) -> dict[tuple[str, int], list[Row]]:
    found: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["scenario_id"], row["replicate"]].append(row)
    assert len(found) == len(SCENARIOS) * REPLICATES
    return found


@dataclass
class Person:
    """What is known of an employee, from the census or the event of hire."""

    hired: date
    pay: Decimal
    level: int
    cumulative: Decimal = Decimal(0)
    left: date | None = None
    changes: list[tuple[date, Decimal]] = field(default_factory=list)


def to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def census_of(path: Path) -> dict[str, Person]:
    """Return who is employed on January 1 of the first year."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select employee_id, hire_date, annual_compensation, job_level, termination_date, "
            f"active from '{path}'"
        ).fetchall()
    return {
        employee: Person(hired, pay, level)
        for employee, hired, pay, level, left, active in rows
        if active and left is None and hired <= date(FIRST, 1, 1)
    }


def paid(person: Person, year: int) -> tuple[Decimal, Decimal]:
    """Return what a year paid and its average yearly rate, counting day by day."""
    first = max(person.hired, date(year, 1, 1))
    last = person.left or date(year, 12, 31)
    rate, changes, total, employed = person.pay, list(person.changes), Decimal(0), 0
    for day in days(first, last):
        while changes and changes[0][0] <= day:
            rate = changes.pop(0)[1]
        total += rate
        employed += 1
    in_year = (date(year, 12, 31) - date(year, 1, 1)).days + 1
    return to_cents(total / in_year), to_cents(total / employed)


def test_events_replay_to_the_snapshot(run: Run, company: Path) -> None:
    events = by_trajectory(table(run, "fct_yearly_events"))
    snapshots = by_trajectory(table(run, "fct_workforce_snapshot"))
    compared = 0
    for trajectory, happened in events.items():
        people = census_of(company)
        for year in range(FIRST, LAST + 1):
            for event in sorted(
                (event for event in happened if event["simulation_year"] == year),
                key=lambda event: (event["employee_id"], event["event_sequence"]),
            ):
                apply(people, event)
            expected = {}
            for employee, person in people.items():
                prorated, average = paid(person, year)
                person.cumulative += prorated
                last = person.changes[-1][1] if person.changes else person.pay
                expected[employee] = (
                    last, prorated, average, person.cumulative, person.level, person.left,
                    person.hired,
                )  # fmt: skip
            found = {
                row["employee_id"]: (
                    row["current_compensation"],
                    row["prorated_annual_compensation"],
                    row["full_year_equivalent_compensation"],
                    row["cumulative_compensation"],
                    row["job_level"],
                    row["termination_date"],
                    row["hire_date"],
                )
                for row in snapshots[trajectory]
                if row["simulation_year"] == year
            }
            assert found == expected
            compared += len(found)
            people = {key: person for key, person in people.items() if person.left is None}
            for employee, person in people.items():
                person.pay, person.changes = expected[employee][0], []
    assert compared > 5000


def apply(people: dict[str, Person], event: Row) -> None:
    """Let an event happen, checking that it follows from what was before."""
    employee, day = event["employee_id"], event["effective_date"]
    after, before = event["compensation_amount"], event["previous_compensation"]
    if event["event_type"] == "hire":
        assert employee not in people
        assert before == 0
        people[employee] = Person(day, after, event["job_level"])
        return
    person = people[employee]
    now = person.changes[-1][1] if person.changes else person.pay
    assert before == now
    assert person.left is None
    assert day >= person.hired
    if event["event_type"] in {"promotion", "raise"}:
        assert after != before or event["event_type"] == "promotion"
        person.changes.append((day, after))
    else:
        assert after == before
    if event["event_type"] == "promotion":
        person.level += 1
    if event["event_type"] == "termination":
        person.left = day
    assert event["job_level"] == person.level


def test_pay_after_raises_and_promotions(run: Run) -> None:
    rates = {
        (row["scenario_id"], row["simulation_year"], row["job_level"]): row
        for row in table(run, "int_effective_parameters")
    }
    halves = 0
    for event in table(run, "fct_yearly_events"):
        payload = json.loads(event["event_payload"], parse_float=Decimal)
        before, after = event["previous_compensation"], event["compensation_amount"]
        key = (event["scenario_id"], event["simulation_year"])
        if event["event_type"] == "raise":
            exact = before * (1 + payload["cola_rate"] + payload["merit_rate"])
            halves += exact * 1000 % 10 == 5
            assert after == to_cents(exact)
        if event["event_type"] == "promotion":
            old = rates[(*key, payload["from_level"])]
            new = rates[(*key, payload["to_level"])]
            assert payload["to_level"] == payload["from_level"] + 1 == event["job_level"]
            raised = to_cents(before * (1 + old["promotion_increase"]))
            assert after == max(raised, new["band_minimum"])
        if event["event_type"] in {"raise", "promotion"}:
            assert payload["amount"] == after - before
        elif event["event_type"] != "hire":
            assert after == before
            if event["event_type"] in {"eligibility", "termination"}:
                assert payload["amount"] == after
        else:
            band = rates[(*key, event["job_level"])]
            assert band["band_minimum"] <= after <= band["band_maximum"]
            assert payload["amount"] == after
    assert halves > 50


def test_events_form_a_chain(run: Run) -> None:
    chains: dict[Any, list[Row]] = defaultdict(list)
    events = table(run, "fct_yearly_events")
    for event in events:
        key = (event["scenario_id"], event["replicate"], event["employee_id"])
        chains[(*key, event["simulation_year"])].append(event)
    reference = Path(__file__).parents[2] / "docs" / "reference" / "events.md"
    order = re.findall(r"^\| `(\w+)` \| \d", reference.read_text(encoding="utf-8"), re.MULTILINE)
    for (*_, year), chain in chains.items():
        chain.sort(key=lambda event: event["event_sequence"])
        assert [event["event_sequence"] for event in chain] == list(range(1, len(chain) + 1))
        assert all(event["effective_date"].year == year for event in chain)
        kinds = [event["event_type"] for event in chain]
        assert len(set(kinds)) == len(kinds)
        for before, after in pairwise(chain):
            assert (before["effective_date"], order.index(before["event_type"])) < (
                after["effective_date"],
                order.index(after["event_type"]),
            )
            assert after["previous_compensation"] == before["compensation_amount"]
    assert len({event["event_id"] for event in events}) == len(events)
    assert {event["event_id"].version for event in events} == {8}


def test_at_most_one_hire_termination_and_eligibility(run: Run) -> None:
    counted: dict[Any, int] = defaultdict(int)
    for event in table(run, "fct_yearly_events"):
        if event["event_type"] in {"hire", "termination", "eligibility"}:
            counted[
                event["scenario_id"], event["replicate"], event["employee_id"], event["event_type"]
            ] += 1
    assert set(counted.values()) == {1}
    assert {key[-1] for key in counted} == {"hire", "termination", "eligibility"}


def test_headcount_balances(run: Run) -> None:
    assert run.years == list(range(FIRST, LAST + 1))
    snapshots = by_trajectory(table(run, "fct_workforce_snapshot"))
    for trajectory, years in by_trajectory(table(run, "fct_financial_summary")).items():
        years.sort(key=lambda year: year["simulation_year"])
        assert [year["simulation_year"] for year in years] == list(range(FIRST, LAST + 1))
        for year in years:
            assert (
                year["opening_headcount"]
                + year["hires"]
                - year["experienced_terminations"]
                - year["new_hire_terminations"]
                == year["closing_headcount"]
            )
            people = [
                row
                for row in snapshots[trajectory]
                if row["simulation_year"] == year["simulation_year"]
            ]
            active = [row for row in people if row["employment_status"] == "active"]
            assert len(active) == year["closing_headcount"]
            assert len(people) == year["opening_headcount"] + year["hires"]
            assert year["payroll"] == sum(row["prorated_annual_compensation"] for row in people)
            closing = sum(row["current_compensation"] for row in active)
            assert year["closing_annual_payroll"] == closing
            assert year["average_compensation"] == to_cents(closing / len(active))
            assert year["plan_eligible_headcount"] == sum(r["is_plan_eligible"] for r in active)
            reduction = year["closing_headcount"] - year["target_closing_headcount"]
            assert year["unmet_reduction"] == (reduction if year["hires"] == 0 else 0)
        for before, after in pairwise(years):
            assert after["opening_headcount"] == before["closing_headcount"]


def test_next_opening_is_last_closing_employee_by_employee(run: Run) -> None:
    for rows in by_trajectory(table(run, "fct_workforce_snapshot")).values():
        for year in range(FIRST, LAST):
            closing = {
                row["employee_id"]: (
                    row["current_compensation"], row["birth_date"], row["hire_date"],
                    row["employee_key"],
                )
                for row in rows
                if row["simulation_year"] == year and row["employment_status"] == "active"
            }  # fmt: skip
            opening = {
                row["employee_id"]: (
                    row["opening_compensation"], row["birth_date"], row["hire_date"],
                    row["employee_key"],
                )
                for row in rows
                if row["simulation_year"] == year + 1
                and row["detailed_status"] in {"continuous_active", "experienced_termination"}
            }  # fmt: skip
            assert opening == closing


def test_summaries_agree_with_the_facts(run: Run) -> None:
    keys = "scenario_id, replicate, simulation_year"
    differing = run.sql(
        f"""
        (select {keys}, event_type, event_count, compensation_amount, previous_compensation
        from int_yearly_event_summary) except all
        (select {keys}, event_type, count(*)::integer, sum(compensation_amount)::decimal(18, 2),
        sum(previous_compensation)::decimal(18, 2) from fct_yearly_events group by all)
        """
    ).fetchall()
    assert differing == []
    counts = run.sql(
        f"""
        select {keys}, hires, experienced_terminations + new_hire_terminations, promotions, raises
        from fct_financial_summary except all
        select {keys}, count(*) filter (where event_type = 'hire'),
        count(*) filter (where event_type = 'termination'),
        count(*) filter (where event_type = 'promotion'),
        count(*) filter (where event_type = 'raise') from fct_yearly_events group by all
        """
    ).fetchall()
    assert counts == []


def test_trends_and_metrics_agree_with_the_snapshot(run: Run) -> None:
    levels: dict[Any, list[Row]] = defaultdict(list)
    everyone: dict[Any, list[Row]] = defaultdict(list)
    for row in table(run, "fct_workforce_snapshot"):
        key = (row["scenario_id"], row["replicate"], row["simulation_year"])
        if row["employment_status"] == "active":
            levels[(*key, row["job_level"])].append(row)
            everyone[key].append(row)
    trends = table(run, "fct_compensation_trends")
    assert len(trends) == len(levels)
    for trend in trends:
        key = (trend["scenario_id"], trend["replicate"], trend["simulation_year"])
        pays = [row["current_compensation"] for row in levels[(*key, trend["job_level"])]]
        assert trend["headcount"] == len(pays)
        assert trend["total_compensation"] == sum(pays)
        assert trend["average_compensation"] == to_cents(sum(pays) / Decimal(len(pays)))
        assert trend["minimum_compensation"] == min(pays)
        assert trend["maximum_compensation"] == max(pays)
        opening = trend["opening_average_compensation"]
        if opening is None:
            assert trend["growth_rate"] is None
        else:
            growth = (trend["average_compensation"] - opening) / opening
            assert trend["growth_rate"] == growth.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    for metric in table(run, "int_workforce_metrics"):
        key = (metric["scenario_id"], metric["replicate"], metric["simulation_year"])
        ages = Decimal(sum(row["current_age"] for row in everyone[key])) / len(everyone[key])
        assert metric["headcount"] == len(everyone[key])
        assert metric["average_age"] == ages.quantize(Decimal("0.000001"), ROUND_HALF_UP)
