"""What a census says of enrolment and of who has come back, against a walk in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.results.employee import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

FIRST, LAST = 2025, 2027
NEW_YEAR = date(FIRST, 1, 1)
SINCE = date(2024, 7, 1)
WINDOW, MONTHS = timedelta(days=45), 3
DEFAULT, STEP, CAP = Decimal("0.04"), Decimal("0.01"), Decimal("0.07")
CENT = Decimal("0.01")

AUTOMATIC = {"enabled": True, "window_days": 45, "opt_out_rate": 0.2, "default_rate": 0.04}
NEW_HIRES = AUTOMATIC | {"scope": "new_hires", "hired_since": SINCE.isoformat()}
PLAN: dict[str, Any] = {
    "eligibility": {"months_of_service": MONTHS, "entry_dates": "quarterly"},
    "escalation": {"enabled": True, "step": 0.01, "cap": 0.07, "opt_out_rate": 0},
    "behavior": {"change_rate": 0},
    "deferrals": {"roth_share": 0.1, "catch_up": False},
    "vesting": {"core": [0, 0, 0, 1]},
}
SCENARIOS = {
    "new_hires": {"automatic_enrollment": NEW_HIRES},
    "everybody": {"automatic_enrollment": AUTOMATIC},
    "swept": {"automatic_enrollment": AUTOMATIC
              | {"reenrollment": {2025: False, 2026: True}, "reenrollment_opt_out_rate": 0}},
}  # fmt: skip


@pytest.fixture(scope="module")
def census(shared_studies: Studies) -> Path:
    """A generated company with every status, with and without what may stand beside it."""
    path = shared_studies.new(".parquet")
    duckdb.execute(
        "copy (with numbered as ("
        f"    select *, row_number() over (order by employee_id) as n "
        f"    from '{shared_studies.generated(900, 5)}'"
        ") select * exclude (n, deferral_rate), "
        "    case n % 9 when 0 then 0.03 when 2 then 0.05 when 4 then 0 when 6 then 0 "
        "        when 7 then deferral_rate when 8 then deferral_rate end as deferral_rate, "
        "    case n % 9 when 0 then 'automatic' when 1 then 'automatic' when 2 then 'voluntary' "
        "        when 3 then 'voluntary' when 4 then 'opted_out' when 5 then 'not_enrolled' "
        "        when 6 then 'automatic' end as enrollment_status, "
        "    case when n % 9 in (0, 1, 3, 8) and n % 2 = 0 "
        "        then least(hire_date + 300, date '2024-12-31') end as enrolled_on, "
        "    case when n % 4 = 0 and hire_date < date '2023-06-01' "
        "        then date '2024-03-01' + (n % 300)::integer end as rehire_date, "
        "    case n % 3 when 0 then 0 when 1 then 0.25 end as roth_share, "
        "    'G' || job_level as grade, ['Austin', 'Boston', null][n % 3 + 1] as location "
        f"from numbered where active) to '{path}' (format parquet)"
    )
    return path


@pytest.fixture(scope="module")
def run(shared_studies: Studies, census: Path) -> Run:
    return shared_studies.simulate(
        census,
        simulation={"start_year": FIRST, "end_year": LAST},
        plan=PLAN,
        scenarios={name: {"plan": plan} for name, plan in SCENARIOS.items()},
    )


@dataclass(frozen=True)
class Person:
    """An employee of the census."""

    employee_id: str
    birth_date: date
    hire_date: date
    rate: Decimal | None
    status: str | None
    enrolled_on: date | None
    rehire_date: date | None
    roth_share: Decimal | None

    @property
    def since(self) -> date:
        return self.rehire_date or self.hire_date

    @property
    def known(self) -> str | None:
        """The status that counts, if the census says one."""
        if self.status in {"automatic", "voluntary"} and self.rate == 0:
            return "opted_out"
        if self.status is None and self.enrolled_on and self.rate != 0:
            return "voluntary"
        return None if self.status == "not_enrolled" else self.status

    @property
    def entry(self) -> date:
        """The day of plan entry."""
        if self.enrolled_on:
            return self.enrolled_on
        of_age = self.birth_date.replace(year=self.birth_date.year + 21, day=1)
        of_age = of_age + timedelta(days=self.birth_date.day - 1)  # February 29: March 1
        months = self.since.month - 1 + MONTHS
        day = date(self.since.year + months // 12, months % 12 + 1, 1)
        after = (day + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        served = day.replace(day=min(self.since.day, after.day))
        qualified = max(of_age, served)
        quarters = (date(qualified.year + (m > 12), (m - 1) % 12 + 1, 1) for m in (1, 4, 7, 10, 13))
        entry = next(quarter for quarter in quarters if quarter >= qualified)
        return self.since if self.known and entry >= NEW_YEAR else entry

    @property
    def rate_before(self) -> Decimal | None:
        """The deferral on January 1 of the first year of who is enrolled; None if chosen."""
        if self.rate is not None or self.known != "automatic":
            return self.rate
        enrolled = self.enrolled_on or self.entry + WINDOW
        steps = max(0, FIRST - 1 - enrolled.year)
        return min(CAP, DEFAULT + STEP * steps)


@pytest.fixture(scope="module")
def people(census: Path) -> dict[str, Person]:
    rows = duckdb.execute(
        "select employee_id, birth_date, hire_date, deferral_rate::decimal(9, 6), "
        "enrollment_status, enrolled_on, rehire_date, roth_share::decimal(9, 6) "
        f"from '{census}'"
    ).fetchall()
    return {row[0]: Person(*row) for row in rows}


def years(
    run: Run, people: dict[str, Person], scenario: str, year: int
) -> Iterator[tuple[Person, dict[str, Any]]]:
    """Yield each employee of the census with a year of theirs."""
    found = run.sql(
        "select * from fct_workforce_snapshot "
        f"where scenario_id = '{scenario}' and simulation_year = {year}"
    )
    names = found.columns
    for row in found.fetchall():
        snapshot = dict(zip(names, row, strict=True))
        if snapshot["employee_id"] in people:
            yield people[snapshot["employee_id"]], snapshot


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_entry_is_that_of_the_census_or_counts_from_the_latest_hire(
    run: Run, people: dict[str, Person], scenario: str
) -> None:
    met: Counter[str] = Counter()
    for person, year in years(run, people, scenario, FIRST):
        last_day = year["termination_date"] or date(FIRST, 12, 31)
        entry = person.entry if person.entry <= last_day else None
        assert year["plan_eligibility_date"] == entry, person
        met["day"] += person.enrolled_on is not None
        met["back"] += person.rehire_date is not None and person.entry >= NEW_YEAR
        met["early"] += not person.enrolled_on and person.entry == person.since
    assert met["day"] > 100
    assert met["back"] > 10
    assert met["early"] > 20


@pytest.mark.parametrize("scenario", ["new_hires", "everybody"])
def test_who_opted_out_before_stays_out(run: Run, people: dict[str, Person], scenario: str) -> None:
    for number in range(FIRST, LAST + 1):
        out = [
            year
            for person, year in years(run, people, scenario, number)
            if person.known == "opted_out"
        ]
        assert len(out) > 80
        assert {(year["enrollment_status"], year["deferral_rate"]) for year in out} == {
            ("opted_out", Decimal(0))
        }
        assert {year["is_covered"] for year in out} == {True}


def test_a_sweep_takes_in_who_opted_out_before(run: Run, people: dict[str, Person]) -> None:
    swept = [
        (year["enrollment_status"], year["deferral_rate"])
        for person, year in years(run, people, "swept", 2026)
        if person.known == "opted_out"
    ]
    assert len(swept) > 80
    assert set(swept) == {("automatic", DEFAULT)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_who_was_enrolled_automatically_escalates_and_who_chose_does_not(
    run: Run, people: dict[str, Person], scenario: str
) -> None:
    met: Counter[tuple[str, bool]] = Counter()
    chosen: dict[str, Decimal] = {}
    for number in range(FIRST, LAST + 1):
        for person, year in years(run, people, scenario, number):
            if person.known not in {"automatic", "voluntary"}:
                continue
            assert year["enrollment_status"] == person.known
            before = person.rate_before
            if before is None:
                assert year["deferral_rate"] >= CENT
                before = chosen.setdefault(person.employee_id, year["deferral_rate"])
            # Who entered on January 1 of the first year waits for the next.
            steps = number - max(FIRST - 1, person.entry.year)
            risen = before if person.known == "voluntary" else before + STEP * steps
            assert year["deferral_rate"] == max(before, min(CAP, risen)), person
            met[person.known, person.rate is None] += 1
    assert len(met) == 4
    assert min(met.values()) > 150


def test_who_is_not_enrolled_may_be_swept_in_or_come_to_save(
    run: Run, people: dict[str, Person]
) -> None:
    def statuses(scenario: str, year: int, *, is_new: bool) -> Counter[str]:
        return Counter(
            snapshot["enrollment_status"]
            for person, snapshot in years(run, people, scenario, year)
            if person.status == "not_enrolled"
            and person.entry < NEW_YEAR
            and (person.since >= SINCE) == is_new
        )

    everybody = statuses("everybody", FIRST, is_new=False)
    assert set(everybody) == {"automatic", "opted_out"}
    assert min(everybody.values()) > 20
    # By scope, the latest hire counts; of the others some come to save by themselves.
    others = statuses("new_hires", LAST, is_new=False)
    assert set(others) == {"not_enrolled", "voluntary"}
    assert others["not_enrolled"] > others["voluntary"]
    back = [
        (person, snapshot["enrollment_status"])
        for person, snapshot in years(run, people, "new_hires", LAST)
        if person.known is None and person.rehire_date and person.since >= SINCE
        and not (person.rate and person.rate > 0) and snapshot["is_covered"]
    ]  # fmt: skip
    assert len(back) > 10
    assert {status for _, status in back} <= {"automatic", "opted_out", "voluntary"}
    assert "automatic" in {status for _, status in back}


def test_tenure_counts_from_the_latest_hire_and_vesting_from_the_first(
    run: Run, people: dict[str, Person]
) -> None:
    back = 0
    for person, year in years(run, people, "everybody", 2026):
        assert (year["hire_date"], year["rehire_date"]) == (person.hire_date, person.rehire_date)
        assert year["current_tenure"] == 2026 - person.since.year
        if year["termination_date"] is None:
            # Three years of service are whole on the day before the anniversary.
            first_of_2024 = date(2024, 1, 1)
            is_vested = person.hire_date <= first_of_2024 or year["current_age"] >= 65
            assert year["vested_core_rate"] == is_vested
            back += is_vested and person.since > first_of_2024
    assert back > 80


def test_the_share_that_is_roth_is_that_of_the_employee(
    run: Run, people: dict[str, Person]
) -> None:
    met: Counter[Decimal | None] = Counter()
    for person, year in years(run, people, "everybody", LAST):
        regular = year["pre_tax_deferral"] + year["roth_deferral"]
        share = Decimal("0.1") if person.roth_share is None else person.roth_share
        assert year["roth_share"] == person.roth_share
        assert year["roth_deferral"] == (regular * share).quantize(CENT, ROUND_HALF_UP)
        met[person.roth_share] += regular > 0
    assert len(met) == 3
    assert min(met.values()) > 80


def test_grade_and_location_are_carried_to_all_that_is_read(run: Run) -> None:
    hires = run.sql(
        "select count(location), count(grade), count(*), count(rehire_date), count(roth_share) "
        "from fct_workforce_snapshot where employee_id like 'H%'"
    ).fetchall()[0]
    assert 0 < hires[0] < hires[1] == hires[2]
    assert hires[3:] == (0, 0)
    counted = (
        "select '{0}', coalesce({0}, '(none)'), count(*) from fct_workforce_snapshot group by all"
    )
    grouped = (
        "select dimension, group_name, sum(headcount) from fct_plan_costs_by_group "
        "where dimension in ('grade', 'location') group by all order by all"
    )
    both = " union all ".join(counted.format(name) for name in ("grade", "location"))
    assert run.sql(f"{both} order by all").fetchall() == run.sql(grouped).fetchall()
    one = run.sql(
        "select any_value(employee_id) from fct_workforce_snapshot where location = 'Austin' "
        "and employee_id not like 'H%'"
    ).fetchall()[0][0]
    assert timeline(run, one).groups.keys() == {"department", "grade", "location"}
    assert timeline(run, one).groups["location"] == "Austin"
