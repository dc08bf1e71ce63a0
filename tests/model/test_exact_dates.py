"""Ages, service and plan entry against Python's calendar."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from planalign.engine.pipeline import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from conftest import Studies
    from planalign.results import Run

# Around the days on which calendars go wrong.
EDGES = [(1, 1), (1, 31), (2, 28), (2, 29), (3, 1), (3, 31), (6, 30), (7, 1), (10, 1), (12, 31)]


def completed_years(start: date, end: date) -> int:
    """Count birthdays; one on February 29 is on March 1 in other years."""
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def birthday(born: date, age: int) -> date:
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def entry(day: date, entry_dates: str) -> date:
    """Return the first entry date that is not before a day."""
    months = {
        "monthly": range(1, 13), "quarterly": (1, 4, 7, 10), "semiannual": (1, 7)
    }  # fmt: skip
    if entry_dates == "immediate":
        return day
    candidates = [
        date(year, month, 1) for year in (day.year, day.year + 1) for month in months[entry_dates]
    ]
    return min(candidate for candidate in candidates if candidate >= day)


def age_band(age: int) -> str:
    bands = ((25, "<25"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"))
    return next((band for limit, band in bands if age < limit), "65+")


def tenure_band(years: int) -> str:
    bands = (
        (1, "<1"), (2, "1"), (5, "2-4"), (10, "5-9"), (15, "10-14"), (20, "15-19")
    )  # fmt: skip
    return next((band for limit, band in bands if years < limit), "20+")


def some_dates(first: date, last: date) -> st.SearchStrategy[date]:
    """Any date, but often one at an edge of a month or year."""
    edges = [
        date(year, month, day)
        for year in range(first.year, last.year + 1)
        for month, day in EDGES
        if day <= monthrange(year, month)[1] and first <= date(year, month, day) <= last
    ]
    return st.sampled_from(edges) | st.dates(first, last)


def careers(last: date) -> st.SearchStrategy[tuple[date, date]]:
    """Dates of birth and of hire, at the age of 16 or later, until `last`."""
    births = some_dates(date(1935, 1, 1), date(last.year - 17, 12, 31))
    return births.flatmap(
        lambda born: st.tuples(
            st.just(born),
            some_dates(birthday(born, 16), last)
            | some_dates(max(birthday(born, 16), last - timedelta(days=800)), last),
        )
    )


def company(studies: Studies, people: list[tuple[date, date]]) -> Path:
    return studies.census(
        (f"E{number}", born, hired, "60000.00", 1 + number % 5)
        for number, (born, hired) in enumerate(people)
    )


def leap_days(last: date) -> list[tuple[date, date]]:
    """Everyone born at the end of a February, hired on each of the edges."""
    births = [date(year, 2, day) for year in (1960, 1984, 1996) for day in (28, 29)]
    hires = [date(last.year - n, *edge) for n in (0, 1, 2, 9) for edge in EDGES if edge != (2, 29)]
    return [(born, hired) for born in births for hired in hires if hired <= last]


@pytest.mark.parametrize("start", [2024, 2025, 2028])
def test_ages_and_service_on_both_ends_of_the_year(
    studies: Studies, stepped: Callable[..., duckdb.DuckDBPyConnection], start: int
) -> None:
    last = date(start - 1, 12, 31)
    people = leap_days(last)
    cursor = stepped(
        company(studies, people),
        Step.SNAPSHOT,
        simulation={"start_year": start, "end_year": start},
        workforce={"target_growth_rate": 0.5},
    )
    first_day, last_day = date(start, 1, 1), date(start, 12, 31)
    opening = cursor.execute(
        "select birth_date, hire_date, age, age_band, tenure, tenure_band "
        "from int_baseline_workforce"
    ).fetchall()
    assert len(opening) == len(people)
    for born, hired, *found in opening:
        age, tenure = completed_years(born, first_day), completed_years(hired, first_day)
        assert found == [age, age_band(age), tenure, tenure_band(tenure)]
    closing = cursor.execute(
        "select birth_date, hire_date, current_age, age_band, current_tenure, tenure_band "
        "from fct_workforce_snapshot"
    ).fetchall()
    assert len(closing) > len(people)
    for born, hired, *found in closing:
        age, tenure = completed_years(born, last_day), completed_years(hired, last_day)
        assert found == [age, age_band(age), tenure, tenure_band(tenure)]


RULES = {
    f"{entry_dates}_{age}_{months}": (age, months, entry_dates)
    for entry_dates in ("immediate", "monthly", "quarterly", "semiannual")
    for age, months in ((0, 0), (21, 12), (19, 1))
}
YEARS = (2027, 2028)


def expected_entry(
    row: dict[str, Any], rules: dict[int, tuple[int, int, str]], first_year: int
) -> tuple[date | None, int | None]:
    """Return the day of entry and the year that found it, going through the years."""
    for year in range(max(first_year, row["hire_date"].year), row["simulation_year"] + 1):
        age, months, entry_dates = rules[year]
        qualified = max(birthday(row["birth_date"], age), months_after(row["hire_date"], months))
        day = entry(qualified, entry_dates)
        if year > first_year:
            # Missed under earlier rules: from the first day of the new ones.
            day = max(day, date(year, 1, 1))
        left = row["termination_date"]
        is_last = year == row["simulation_year"]
        if day <= date(year, 12, 31) and not (is_last and left and left < day):
            return day, year
    return None, None


def check_entries(run: Run, rules: dict[str, dict[int, tuple[int, int, str]]]) -> int:
    relation = run.relation("fct_workforce_snapshot")
    events = {
        row[:-1]: row[-1]
        for row in run.sql(
            "select scenario_id, employee_id, simulation_year, effective_date "
            "from fct_yearly_events where event_type = 'eligibility'"
        ).fetchall()
    }
    counted = 0
    for values in relation.fetchall():
        row = dict(zip(relation.columns, values, strict=True))
        day, year = expected_entry(row, rules[row["scenario_id"]], YEARS[0])
        assert row["plan_eligibility_date"] == day, row
        assert row["is_plan_eligible"] == (day is not None)
        key = (row["scenario_id"], row["employee_id"], row["simulation_year"])
        is_event = year == row["simulation_year"] and day.year == year
        assert events.pop(key, None) == (day if is_event else None), row
        counted += 1
    assert events == {}
    return counted


@given(st.lists(careers(date(2026, 12, 31)), min_size=10, max_size=40))
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    # A failure names the employee: making the company smaller would take minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_plan_entry_of_any_career(studies: Studies, people: list[tuple[date, date]]) -> None:
    run = studies.simulate(
        company(studies, people),
        simulation={"start_year": YEARS[0], "end_year": YEARS[1]},
        scenarios={
            name: {
                "plan": {
                    "eligibility": {
                        "minimum_age": age,
                        "months_of_service": months,
                        "entry_dates": entry_dates,
                    }
                }
            }
            for name, (age, months, entry_dates) in RULES.items()
        },
    )
    rules = {name: dict.fromkeys(YEARS, rule) for name, rule in RULES.items()}
    assert check_entries(run, rules) >= len(people) * len(RULES)
    run.close()


def test_plan_entry_of_hires_and_after_leap_days(studies: Studies) -> None:
    # Who is 19 in 2027: a birthday on February 29 falls on March 1.
    young = [
        (date(2008, 2, 29) + timedelta(days=n), hired)
        for n in (-1, 0, 1, *range(30, 700, 37))
        for hired in (date(2025, 1, 31), date(2026, 12, 1))
    ]
    run = studies.simulate(
        company(studies, leap_days(date(2026, 12, 31)) + young),
        simulation={"start_year": YEARS[0], "end_year": YEARS[1]},
        workforce={"target_growth_rate": 1, "hiring": {"age_weights": {"16-21": 1}}},
        scenarios={
            name: {
                "plan": {
                    "eligibility": {
                        "minimum_age": age,
                        "months_of_service": months,
                        "entry_dates": entry_dates,
                    }
                }
            }
            for name, (age, months, entry_dates) in RULES.items()
        },
    )
    rules = {name: dict.fromkeys(YEARS, rule) for name, rule in RULES.items()}
    assert check_entries(run, rules) > 6_000


def test_rules_that_change(studies: Studies) -> None:
    changes = {
        "easier": {2027: (21, 12, "semiannual"), 2028: (18, 0, "immediate")},
        "harder": {2027: (18, 0, "immediate"), 2028: (21, 12, "semiannual")},
        "dates": {2027: (18, 3, "semiannual"), 2028: (18, 3, "monthly")},
    }
    run = studies.simulate(
        studies.generated(300, 5),
        census_date="2026-12-31",
        simulation={"start_year": YEARS[0], "end_year": YEARS[1]},
        workforce={"target_growth_rate": 0.5, "hiring": {"age_weights": {"16-21": 1}}},
        scenarios={
            name: {
                "plan": {
                    "eligibility": {
                        key: {year: rule[part] for year, rule in rules.items()}
                        for part, key in enumerate(
                            ("minimum_age", "months_of_service", "entry_dates")
                        )
                    }
                }
            }
            for name, rules in changes.items()
        },
    )
    assert check_entries(run, changes) > 3000
    # Once in, always in, whatever the later rules.
    lost = run.sql(
        "select * from fct_workforce_snapshot as before join fct_workforce_snapshot as after "
        "using (scenario_id, employee_id) where before.simulation_year = 2027 and "
        "after.simulation_year = 2028 and before.is_plan_eligible and "
        "after.plan_eligibility_date is distinct from before.plan_eligibility_date"
    )
    assert lost.fetchall() == []
