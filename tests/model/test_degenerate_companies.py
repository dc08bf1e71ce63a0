"""Companies and settings at the edge: balanced books, or a refusal that says why."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config.plan import LIMIT_NAMES
from planalign.errors import InputError, PlanalignError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run, YearSummary

YEARS = {"start_year": 2025, "end_year": 2027}
# Every part of a plan at work, for everybody.
PLAN: dict[str, Any] = {
    "pay_frequency": "semimonthly",
    "automatic_enrollment": {"enabled": True, "reenrollment": True},
    "escalation": {"enabled": True, "scope": "all"},
    "match": {
        "formula": "tiers",
        "tiers": [{"up_to": 0.03, "rate": 1}, {"up_to": 0.06, "rate": 0.5}],
        "last_day": True,
    },
    "core": {"rate": 0.03, "excess_rate": 0.05, "integration_level": 0.5},
    "vesting": {"match": [0, 0.2, 0.4, 0.6, 0.8, 1], "core": [0, 0, 0, 1]},
    "highly_compensated": {"top_paid_group": True},
}
ALLOCATED = {**PLAN, "forfeitures": {"use": "reallocate"}}
SPENT = {**PLAN, "forfeitures": {"use": "pay_expenses"}}

_DEFERRED = ("pre_tax_deferral", "roth_deferral", "catch_up_deferral")
_EMPLOYER = ("match_contribution", "true_up_contribution", "core_contribution")
_FORFEITED = ("forfeiture", "forfeiture_allocation")
_AMOUNTS = (*_DEFERRED, *_EMPLOYER, *_FORFEITED)


def company(studies: Studies, count: int = 60, **changes: Any) -> Path:
    """Return employees who differ in nothing but what is left to the defaults."""
    return studies.census(
        (
            f"E{number:03}",
            changes.get("born", f"{1962 + number % 40}-0{1 + number % 9}-1{number % 10}"),
            changes.get("hired", f"{2012 + number % 12}-0{1 + number % 9}-2{number % 9}"),
            changes.get("pay", f"{40000 + 997 * number}.{number % 100:02}"),
            changes.get("level", 1 + number % 5),
        )
        for number in range(count)
    )


def assert_balanced(run: Run) -> list[YearSummary]:
    """Check headcounts within and between years, and the plan's books, to the cent."""
    summaries = run.summary()
    assert summaries
    assert_plan_books(run)
    counted = {
        row[:3]: row[3:]
        for row in run.sql(
            "select scenario_id, replicate, simulation_year, count(*), "
            "count(*) filter (where employment_status = 'active'), "
            "count(distinct employee_id) from fct_workforce_snapshot group by all"
        ).fetchall()
    }
    for year in summaries:
        assert (
            year.opening_headcount
            + year.hires
            - year.experienced_terminations
            - year.new_hire_terminations
            == year.closing_headcount
        )
        key = (year.scenario_id, year.replicate, year.simulation_year)
        people = year.opening_headcount + year.hires
        assert counted.get(key, (0, 0, 0)) == (people, year.closing_headcount, people)
    for before, after in pairwise(summaries):
        if (before.scenario_id, before.replicate) == (after.scenario_id, after.replicate):
            assert after.opening_headcount == before.closing_headcount
    return summaries


def assert_plan_books(run: Run) -> None:
    """Check the plan's costs by the people, each dollar forfeited, and each account by year."""
    key = "scenario_id, replicate, simulation_year"
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in _AMOUNTS)
    people = {
        row[:3]: row[3:]
        for row in run.sql(
            f"select {key}, {sums} from fct_workforce_snapshot group by all"
        ).fetchall()
    }
    nobody = (Decimal(0),) * len(_AMOUNTS)
    costs = run.sql(
        f"select {key}, {', '.join(_AMOUNTS)}, employee_contribution, cost_reduction, "
        "expenses_paid, employer_cost from fct_plan_costs"
    ).fetchall()
    assert {row[:3] for row in costs} >= people.keys()
    for row in costs:
        amounts = dict(zip(_AMOUNTS, row[3:], strict=False))
        assert tuple(amounts.values()) == people.get(row[:3], nobody)
        deferred, reduction, expenses, cost = row[-4:]
        assert min(*amounts.values(), reduction, expenses) >= 0
        assert deferred == sum(amounts[name] for name in _DEFERRED)
        assert cost + reduction == sum(amounts[name] for name in _EMPLOYER)
        used = reduction + expenses + amounts["forfeiture_allocation"]
        assert used <= amounts["forfeiture"]
        if not amounts["forfeiture_allocation"]:  # what is shared out may leave cents
            # More than there is to be paid stays in the plan.
            assert used == amounts["forfeiture"] or cost == 0
    negative = " or ".join(f"{name} < 0" for name in _AMOUNTS)
    assert (
        run.sql(
            f"select * from fct_workforce_snapshot where {negative} or least(match_balance, "
            "core_balance, annual_additions, roth_catch_up_deferral) < 0 "
            "or roth_catch_up_deferral > catch_up_deferral"
        ).fetchall()
        == []
    )
    gained = " + ".join((*_EMPLOYER, "forfeiture_allocation", "account_return"))
    assert (
        run.sql(
            "select * from (select *, lag(match_balance + core_balance, 1, 0) over (partition by "
            "scenario_id, replicate, employee_id order by simulation_year) as before "
            "from fct_workforce_snapshot) where match_balance + core_balance "
            f"<> before + {gained} - forfeiture"
        ).fetchall()
        == []
    ), "an account is not what it was and gained less what was forfeited"


def test_growth(studies: Studies) -> None:
    rates = {"vanish": -1, "halve": -0.5, "none": 0, "little": 0.0001, "double": 1, "quadruple": 3}
    run = studies.simulate(
        company(studies),
        simulation=YEARS,
        plan=ALLOCATED,
        scenarios={
            name: {"workforce": {"target_growth_rate": rate}} for name, rate in rates.items()
        },
    )
    summaries = assert_balanced(run)
    first = {year.scenario_id: year for year in summaries if year.simulation_year == 2025}
    last = {year.scenario_id: year for year in summaries if year.simulation_year == 2027}
    assert len(first) == len(rates)
    assert first["vanish"].hires == 0
    assert first["vanish"].unmet_reduction == first["vanish"].closing_headcount > 0
    assert first["none"].target_closing_headcount == 60
    assert last["quadruple"].closing_headcount > 2000


def test_everybody_or_nobody_leaves(studies: Studies) -> None:
    scenarios = {
        f"{leaving}-{hires_leaving}-{alignment}": {
            "workforce": {
                "total_termination_rate": leaving,
                "new_hire_termination_rate": hires_leaving,
                "alignment": alignment,
                "promotion_rate": 1,
                "promotions": "rates",
                "target_growth_rate": 0,
            }
        }
        for leaving in (0, 1)
        for hires_leaving in (0, 0.99)
        for alignment in ("expected", "exact")
    }
    run = studies.simulate(
        company(studies, 40),
        simulation=YEARS,
        plan=PLAN,
        scenarios={name.replace("0.99", "99"): scenario for name, scenario in scenarios.items()},
    )
    summaries = assert_balanced(run)
    assert len(summaries) == 24
    for year in summaries:
        leaving, hires_leaving, _ = year.scenario_id.split("-")
        assert year.experienced_terminations == int(leaving) * year.opening_headcount
        if hires_leaving == "0":
            assert year.new_hire_terminations == 0
            assert year.closing_headcount == year.target_closing_headcount == 40
        elif leaving == "1":
            # Of nearly all in a year, half by December 31.
            assert year.new_hire_terminations > 0.4 * year.hires > 0
        if leaving == "0":
            # Everyone who can be is promoted, until all are at the highest level.
            assert year.promotions == {2025: 32, 2026: 24, 2027: 16}[year.simulation_year]


def shared(*groups: tuple[str, int, int]) -> list[tuple[str, str, str, str, int]]:
    """Return employees by birth date, job level and count."""
    return [
        (f"{born}-{level}-{number}", born, "2015-01-01", "50000", level)
        for born, level, count in groups
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("people", "leaving"),
    [
        (shared(("1980-05-05", 1, 3), ("1985-05-05", 2, 3)), 1),
        (shared(("1980-05-05", 1, 1), ("1980-05-05", 5, 1)), 0.6),
        # Who is 79 leaves for certain, who is at level 5 is promoted no more.
        (shared(("1945-06-15", 2, 5), ("1990-06-15", 5, 5)), 0.7),
    ],
)
def test_nobody_is_left_to_promote(
    studies: Studies, people: list[tuple[str, str, str, str, int]], leaving: float
) -> None:
    run = studies.simulate(
        studies.census(people),
        simulation=YEARS,
        plan=PLAN,
        workforce={"total_termination_rate": leaving},
        scenarios={
            f"{rate}_{alignment}": {"workforce": {"promotion_rate": rate, "alignment": alignment}}
            for rate in (0, 1)
            for alignment in ("expected", "exact")
        },
    )
    summaries = assert_balanced(run)
    assert len(summaries) == 12
    for year in summaries:
        if leaving == 1:
            assert year.experienced_terminations == year.opening_headcount
        if leaving == 1 or year.scenario_id.startswith("0_"):
            assert year.promotions == 0


def test_rates_of_nothing(studies: Studies) -> None:
    """Every rate and limit at its least: nobody leaves, rises, saves or gets anything."""
    nothing = {
        "limits": {
            "price_index_rate": 0,
            "wage_index_rate": 0,
            "amounts": {name: dict.fromkeys(range(2024, 2028), 0) for name in LIMIT_NAMES},
        },
    }
    run = studies.simulate(
        company(studies),
        simulation=YEARS,
        workforce={
            "total_termination_rate": 0, "new_hire_termination_rate": 0, "promotion_rate": 0,
            "target_growth_rate": 0,
        },
        compensation={"cola_rate": 0, "merit_budget": 0},
        scenarios={
            "limits": {"plan": PLAN | nothing},
            "behavior": {"plan": {
                **PLAN,
                "behavior": {
                    "participation_factor": 0, "deferral_factor": 0, "own_choice_share": 0,
                    "change_rate": 1, "full_match_share": 0,
                },
                "automatic_enrollment": {"enabled": True, "default_rate": 0, "window_days": 0},
            }},
            "deferrals": {"plan": {
                **PLAN, "deferrals": {"maximum_rate": 0},
                "automatic_enrollment": {"enabled": False},
                "match": {"formula": "tiers", "maximum_rate": 0},
            }},
        },
    )  # fmt: skip
    assert len(assert_balanced(run)) == 9
    [(additions, deferred)] = run.sql(
        "select sum(annual_additions), sum(pre_tax_deferral + roth_deferral) "
        "from fct_workforce_snapshot where scenario_id = 'limits'"
    ).fetchall()
    assert additions == deferred == 0


def test_a_company_that_empties_stays_empty(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, 5),
        simulation=YEARS,
        plan=ALLOCATED,
        workforce={"total_termination_rate": 1, "target_growth_rate": -1},
    )
    summaries = assert_balanced(run)
    assert [year.opening_headcount for year in summaries] == [5, 0, 0]
    assert [year.closing_headcount for year in summaries] == [0, 0, 0]
    assert [year.average_compensation for year in summaries] == [None] * 3


@pytest.mark.parametrize("alignment", ["expected", "exact"])
def test_one_employee(studies: Studies, alignment: str) -> None:
    run = studies.simulate(
        company(studies, 1),
        simulation={**YEARS, "replicates": 20},
        plan=SPENT,
        workforce={"total_termination_rate": 0.5, "alignment": alignment},
    )
    summaries = assert_balanced(run)
    assert {year.opening_headcount for year in summaries[::3]} == {1}
    if alignment == "expected":
        assert {year.experienced_terminations for year in summaries[::3]} == {0, 1}
    else:
        # One half rounds away from zero.
        assert {year.experienced_terminations for year in summaries[::3]} == {1}


def test_everybody_at_the_highest_level(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, level=5),
        simulation=YEARS,
        plan=SPENT,
        workforce={"promotion_rate": 1, "hiring": {"levels": "weights", "level_weights": {5: 1}}},
    )
    assert {year.promotions for year in assert_balanced(run)} == {0}


def test_everybody_is_ninety(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, born="1934-06-15", hired="1960-01-04"),
        simulation=YEARS,
        plan=ALLOCATED,
        scenarios={
            str(percent): {"workforce": {"total_termination_rate": percent / 100}}
            for percent in (0, 12, 100)
        },
    )
    left = {
        year.scenario_id: year.experienced_terminations
        for year in assert_balanced(run)
        if year.simulation_year == 2025
    }
    assert left["0"] == 0
    assert left["100"] == 60
    assert 0 < left["12"] < 20


@pytest.mark.parametrize("born", ["1900-01-01", "1900-01-02", "1900-12-31"])
def test_nobody_vanishes_of_old_age(studies: Studies, born: str) -> None:
    """Beyond the ages that the tables know, a run is refused, never short of people."""
    try:
        run = studies.simulate(
            company(studies, 5, born=born, hired="1960-01-04"),
            simulation={"start_year": 2029, "end_year": 2033},
            workforce={"total_termination_rate": 0, "target_growth_rate": 0},
        )
    except PlanalignError:
        return
    summaries = assert_balanced(run)
    assert [year.closing_headcount for year in summaries] == [5] * 5


@pytest.mark.parametrize("born", ["1900-01-01", "1950-06-15"])
def test_nobody_vanishes_before_the_first_year(studies: Studies, born: str) -> None:
    try:
        run = studies.simulate(
            company(studies, 5, born=born, hired="1970-01-04"),
            simulation={"start_year": 2060, "end_year": 2060},
        )
    except PlanalignError:
        assert born == "1900-01-01"
        return
    assert assert_balanced(run)[0].opening_headcount == 5


def test_the_lowest_pay_through_promotion(studies: Studies) -> None:
    """A cent becomes the minimum of a band: a growth of the level's pay by millions."""
    run = studies.simulate(
        company(studies, 20, pay="0.01"),
        simulation=YEARS,
        plan=PLAN,
        workforce={"promotion_rate": 0.5},
    )
    assert_balanced(run)
    [(most,)] = run.sql("select max(growth_rate) from fct_compensation_trends").fetchall()
    assert most > 1_000_000


def test_the_highest_pay_raised_for_ten_years(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, 20, pay="99999999.99"),
        simulation={"start_year": 2025, "end_year": 2034},
        plan=ALLOCATED,
        workforce={"total_termination_rate": 0.05, "target_growth_rate": 0, "promotion_rate": 0.2},
        compensation={"cola_rate": 0.2, "merit_budget": 0.15},
    )
    assert_balanced(run)
    [(highest,)] = run.sql(
        "select max(current_compensation) from fct_workforce_snapshot where simulation_year = 2034"
    ).fetchall()
    assert highest > 10**9


def test_pay_beyond_what_fits_is_refused_with_what_makes_it_grow(studies: Studies) -> None:
    with pytest.raises(InputError, match=r"an amount is larger than fits") as caught:
        studies.simulate(
            company(studies, 5, pay="99999999.99"),
            simulation={"start_year": 2025, "end_year": 2045},
            workforce={"total_termination_rate": 0},
            compensation={"cola_rate": 1, "merit_budget": 1},
        )
    [problem] = caught.value.problems
    assert caught.value.exit_code == 2
    assert problem.column == "compensation"
    assert "cola_rate" in problem.remedy
    assert "merit_budget" in problem.remedy


def test_no_merit_and_no_or_negative_cola(studies: Studies) -> None:
    colas = {"none": 0, "some": -0.025, "half": -0.5}
    run = studies.simulate(
        company(studies),
        simulation=YEARS,
        workforce={"promotion_rate": 0},
        scenarios={
            name: {
                "compensation": {"cola_rate": cola, "merit_budget": 0, "market_adjustment": cola}
            }
            for name, cola in colas.items()
        },
    )
    counted = dict.fromkeys(colas, 0)
    for year in assert_balanced(run):
        counted[year.scenario_id] += year.raises
    # A raise that changes nothing is no event.
    assert counted["none"] == 0
    raises = run.sql(
        "select scenario_id, count(*), max(compensation_amount / previous_compensation) "
        "from fct_yearly_events where event_type = 'raise' group by 1"
    ).fetchall()
    assert {name for name, *_ in raises} == {"some", "half"}
    for name, count, factor in raises:
        assert count == counted[name]
        assert abs(factor - (1 + colas[name])) < 1e-6


def test_pay_of_a_cent_never_becomes_nothing(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, 10, pay="0.01"),
        simulation=YEARS,
        compensation={"cola_rate": -0.5, "merit_budget": 0},
        workforce={"total_termination_rate": 0, "promotion_rate": 0, "target_growth_rate": 0},
    )
    assert_balanced(run)
    pays = run.sql("select distinct current_compensation from fct_workforce_snapshot").fetchall()
    assert pays == [(Decimal("0.01"),)]


@pytest.mark.parametrize("start", [2024, 2025])
def test_everybody_born_on_a_leap_day(studies: Studies, start: int) -> None:
    run = studies.simulate(
        company(studies, born="1988-02-29", hired="2016-02-29"),
        simulation={"start_year": start, "end_year": 2028},
    )
    assert_balanced(run)


def test_everybody_hired_on_the_first_day(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, hired="2025-01-01"),
        census_date="2025-01-01",
        simulation=YEARS,
        workforce={"total_termination_rate": 0.5},
    )
    summaries = assert_balanced(run)
    assert summaries[0].opening_headcount == 60
    assert summaries[0].hires > 0
    # Hired after the raise cut-off of the year before: nobody is raised in the first year.
    assert summaries[0].raises == 0
    assert summaries[1].raises > 0
    [(most,)] = run.sql(
        "select max(prorated_annual_compensation - current_compensation) "
        "from fct_workforce_snapshot where simulation_year = 2025"
    ).fetchall()
    assert most <= 0 or summaries[0].promotions > 0


def test_a_census_from_within_the_first_year(studies: Studies) -> None:
    """Who is known to come or go after January 1 is counted so, or the census is refused."""
    path = studies.new(".csv")
    path.write_text(
        "employee_id,birth_date,hire_date,annual_compensation,job_level,termination_date\n"
        "stays,1980-01-01,2015-01-01,50000,1,\n"
        "comes,1980-01-01,2025-03-01,50000,1,\n"
        "goes,1980-01-01,2015-01-01,50000,1,2025-02-01\n",
        encoding="utf-8",
    )
    try:
        run = studies.simulate(
            path,
            census_date="2025-06-30",
            simulation={"start_year": 2025, "end_year": 2025},
            workforce={"total_termination_rate": 0, "target_growth_rate": 0},
        )
    except PlanalignError:
        return
    active = run.sql(
        "select employee_id from fct_workforce_snapshot "
        "where employment_status = 'active' order by 1"
    ).fetchall()
    assert active == [("comes",), ("stays",)]


def test_who_left_on_the_first_day_does_not_stay_for_ever(studies: Studies) -> None:
    path = studies.new(".csv")
    path.write_text(
        "employee_id,birth_date,hire_date,annual_compensation,job_level,termination_date\n"
        "stays,1980-01-01,2015-01-01,50000,1,\n"
        "goes,1980-01-01,2015-01-01,50000,1,2025-01-01\n",
        encoding="utf-8",
    )
    run = studies.simulate(
        path,
        census_date="2025-01-01",
        simulation={"start_year": 2025, "end_year": 2025},
        workforce={"total_termination_rate": 0, "target_growth_rate": 0},
    )
    active = run.sql(
        "select employee_id from fct_workforce_snapshot where employment_status = 'active'"
    ).fetchall()
    assert active == [("stays",)]


def test_forty_years_of_fifty_employees(studies: Studies) -> None:
    run = studies.simulate(
        studies.generated(50, 4),
        simulation={"start_year": 2025, "end_year": 2064},
        plan=ALLOCATED,
    )
    summaries = assert_balanced(run)
    assert [year.simulation_year for year in summaries] == list(range(2025, 2065))
    assert summaries[-1].closing_headcount > 100
    [(oldest, shortest)] = run.sql(
        "select max(current_age), min(cumulative_compensation - prorated_annual_compensation) "
        "from fct_workforce_snapshot"
    ).fetchall()
    assert oldest < 130
    assert shortest >= 0


HIRING: dict[str, dict[str, Any]] = {
    "level": {"levels": "weights", "level_weights": {3: 1}},
    "young": {"age_weights": {"16-16": 1}},
    "old": {"age_weights": {"75-75": 1}},
    "any": {"age_weights": {"16-75": 1}},
    "gap": {"age_weights": {"20-21": 1, "30-39": 0, "40-40": 2}},
    "december": {"month_weights": [0] * 11 + [1]},
    "february": {"month_weights": [0, 1] + [0] * 10},
    "low": {"pay_percentile_low": 0, "pay_percentile_high": 0},
    "high": {"pay_percentile_low": 1, "pay_percentile_high": 1},
}


def test_hiring_with_a_single_choice(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, 20),
        simulation={"start_year": 2024, "end_year": 2024},
        workforce={"target_growth_rate": 3},
        scenarios={name: {"workforce": {"hiring": hiring}} for name, hiring in HIRING.items()},
    )
    assert {year.hires >= 60 for year in assert_balanced(run)} == {True}
    hires = run.sql(
        "select scenario_id, job_level, hire_date, birth_date, opening_compensation, band_minimum, "
        "band_maximum from fct_workforce_snapshot join int_effective_parameters "
        "using (scenario_id, simulation_year, job_level) where detailed_status like 'new_hire%'"
    ).fetchall()
    assert {name for name, *_ in hires} == HIRING.keys()
    for name, level, hired, born, pay, low, high in hires:
        age = hired.year - born.year - ((hired.month, hired.day) < (born.month, born.day))
        bands = HIRING[name].get("age_weights", {"18-64": 1})
        assert any(int(b[:2]) <= age <= int(b[3:]) for b, weight in bands.items() if weight)
        assert level == 3 or name != "level"
        assert hired.month == {"december": 12, "february": 2}.get(name, hired.month)
        assert low <= pay <= high
        assert pay == low or name != "low"
        assert pay == high or name != "high"


def test_weights_that_differ_by_twelve_orders(studies: Studies) -> None:
    run = studies.simulate(
        company(studies, 10),
        simulation={"start_year": 2025, "end_year": 2025},
        workforce={
            "target_growth_rate": 3,
            "hiring": {
                "levels": "weights",
                "level_weights": {1: 0.000001, 4: 1000000, 5: 0.000001},
            },
        },
    )
    assert_balanced(run)
    levels = run.sql(
        "select distinct job_level from fct_workforce_snapshot "
        "where detailed_status like 'new_hire%'"
    ).fetchall()
    assert levels == [(4,)]


def test_a_rating_that_hardly_anybody_gets(studies: Studies) -> None:
    """A merit raise of millions of percent is paid or refused, but not garbled."""
    ratings = [
        {"rating": "usual", "share": 1000000, "multiplier": 0},
        {"rating": "star", "share": 0.01, "multiplier": 1},
    ]
    try:
        run = studies.simulate(
            company(studies), simulation=YEARS, compensation={"performance": ratings}
        )
    except PlanalignError:
        return
    assert_balanced(run)


@pytest.mark.parametrize("year", [1950, 2150])
def test_the_first_and_the_last_year(studies: Studies, year: int) -> None:
    run = studies.simulate(
        company(studies, 10, born=f"{year - 40}-05-06", hired=f"{year - 10}-05-06"),
        simulation={"start_year": year, "end_year": year},
    )
    assert assert_balanced(run)[0].simulation_year == year
