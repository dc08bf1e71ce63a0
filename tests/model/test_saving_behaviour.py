"""Who saves, how much and since when: against published figures, and as the plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from benchmark_scripts import benchmark_script

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

FIRST, LAST = 2025, 2029
AUTOMATIC = {"enabled": True, "window_days": 45, "opt_out_rate": 0.25, "default_rate": 0.04}
RISING = {"enabled": True, "step": 0.015, "cap": 0.08, "date": "07-01", "opt_out_rate": 0.3}
PLANS: dict[str, dict[str, Any]] = {
    "voluntary": {},
    "keen": {"behavior": {"participation_factor": 1.3}},
    "generous": {"behavior": {"deferral_factor": 2}},
    "restless": {"behavior": {"change_rate": 0.3}},
    "automatic": {"automatic_enrollment": AUTOMATIC},
    "new_hires": {
        "automatic_enrollment": AUTOMATIC | {"scope": "new_hires", "hired_since": "2026-04-01"}
    },
    "sweep": {
        "automatic_enrollment": AUTOMATIC
        | {"reenrollment": {2025: False, 2027: True, 2028: False}, "reenrollment_opt_out_rate": 0.4}
    },
    "introduced": {"automatic_enrollment": AUTOMATIC | {"enabled": {2025: False, 2027: True}}},
    "rising": {"automatic_enrollment": AUTOMATIC, "escalation": RISING},
    "all_rising": {"automatic_enrollment": AUTOMATIC, "escalation": RISING | {"scope": "all"}},
}


def test_saving_agrees_with_published_figures(tmp_path: Path) -> None:
    """Within two percentage points, each mean of 10 seeds in the fifth year."""
    script = benchmark_script("calibration")
    with script.simulate(tmp_path, employees=5_000, replicates=10) as run:
        found = script.figures(run)
    for position, scenario in enumerate(script.SCENARIOS):
        for name, published in script.PUBLISHED.items():
            assert abs(found[scenario][name] - published[position]) < 2, (scenario, name)


@pytest.fixture(scope="module")
def census(shared_studies: Studies) -> Path:
    """A generated company; of a third of it the census does not know the deferral."""
    path = shared_studies.new(".parquet")
    duckdb.execute(
        "copy (select * replace (if(employee_id similar to '.*[147]', null, deferral_rate) "
        f"as deferral_rate) from '{shared_studies.generated(1500, 3)}') "
        f"to '{path}' (format parquet)"
    )
    return path


@pytest.fixture(scope="module")
def run(shared_studies: Studies, census: Path) -> Run:
    return shared_studies.simulate(
        census,
        simulation={"start_year": FIRST, "end_year": LAST},
        scenarios={name: {"plan": plan} for name, plan in PLANS.items()},
    )


# Each employee's year with that before and its decision, if there was one.
YEARS = """(
    from fct_workforce_snapshot as closing
    left join (
        select * replace (simulation_year + 1 as simulation_year) from fct_workforce_snapshot
    ) as opening using (scenario_id, simulation_year, employee_id)
    left join (
        select
            scenario_id, simulation_year, employee_id, event_type, effective_date,
            event_payload->>'$.reason' as reason,
            (event_payload->>'$.amount')::decimal(9, 6) as amount,
            (event_payload->>'$.previous')::decimal(9, 6) as previous
        from fct_yearly_events
        where event_type in ('enrollment', 'opt_out', 'deferral_change', 'escalation')
    ) as decision using (scenario_id, simulation_year, employee_id)
    select
        closing.*,
        coalesce(closing.termination_date, make_date(simulation_year, 12, 31)) as last_day,
        opening.deferral_rate as opening_rate,
        opening.enrollment_status as opening_status,
        opening.is_covered as opening_covered,
        event_type, effective_date, reason, amount, previous
)"""
# An automatic decision, and the end of the window for it.
BY_DEFAULT = "(reason = 'automatic' or event_type = 'opt_out')"
DUE = "plan_eligibility_date + 45"


def count(run: Run, scenario: str, condition: str) -> int:
    [(found,)] = run.sql(
        f"select count(*) from {YEARS} where scenario_id = '{scenario}' and ({condition})"
    ).fetchall()
    return int(found)


def rates_of(census: Path) -> dict[str, Decimal]:
    """Return the rate of each whose deferral the census knows."""
    known = f"select employee_id, deferral_rate from '{census}' where deferral_rate is not null"
    return dict(duckdb.execute(known).fetchall())


def share(run: Run, scenario: str, condition: str, among: str) -> float:
    whole = count(run, scenario, among)
    assert whole > 150
    return count(run, scenario, f"({among}) and ({condition})") / whole


@pytest.mark.parametrize("scenario", ["automatic", "introduced", "rising"])
def test_who_has_opted_out_stays_out(run: Run, scenario: str) -> None:
    out = "opening_status = 'opted_out' and is_covered"
    assert count(run, scenario, out) > 300
    back = "enrollment_status <> 'opted_out' or deferral_rate > 0 or event_type is not null"
    assert count(run, scenario, f"{out} and ({back})") == 0


def test_a_default_takes_effect_at_the_end_of_the_window(run: Run) -> None:
    assert count(run, "automatic", f"{BY_DEFAULT} and effective_date = {DUE}") > 500
    # Who had entered before the first year, and is known not to save, decides at its beginning.
    late = f"{BY_DEFAULT} and effective_date <> {DUE}"
    assert count(run, "automatic", late) > 100
    assert count(run, "automatic", f"{late} and (effective_date <> '{FIRST}-01-01' "
                 f"or {DUE} > effective_date)") == 0  # fmt: skip
    # Nobody waits longer, and nobody else waits.
    waits = f"is_covered and {DUE} > last_day"
    assert count(run, "automatic", "enrollment_status = 'undecided'") > 20
    assert count(run, "automatic", f"enrollment_status = 'undecided' and not ({waits})") == 0
    assert count(run, "automatic", "amount <> 0.04 and reason = 'automatic'") == 0
    assert count(run, "automatic", "amount <> 0 and event_type = 'opt_out'") == 0


def test_before_an_enrolment_nothing_is_deferred(run: Run, census: Path) -> None:
    """Nor by whom the census shows saving before they have entered the plan."""
    enrolled = "event_type = 'enrollment'"
    for scenario in PLANS:
        assert count(run, scenario, f"{enrolled} and previous <> 0") == 0
    savers = [employee for employee, rate in rates_of(census).items() if rate > 0]
    assert count(run, "voluntary", f"{enrolled} and employee_id in {tuple(savers)}") > 10


def test_those_of_their_own_choice_enrol_at_entry(run: Run) -> None:
    own = "reason = 'voluntary' and opening_status is distinct from 'opted_out'"
    entered = f"{own} and plan_eligibility_date >= '{FIRST}-01-02'"
    assert count(run, "automatic", entered) > 100
    assert count(run, "automatic", f"{entered} and effective_date <> plan_eligibility_date") == 0


@pytest.mark.parametrize(("scenario", "first"), [("introduced", 2027), ("sweep", 2025)])
def test_a_default_for_all_reaches_whoever_has_not_enrolled(
    run: Run, scenario: str, first: int
) -> None:
    assert count(run, scenario, f"{BY_DEFAULT} and simulation_year < {first}") == 0
    assert count(run, scenario, f"{BY_DEFAULT} and effective_date = '{first}-01-01'") > 100
    # From then on nobody is left who neither saves, waits nor has refused.
    left = f"enrollment_status = 'not_enrolled' and is_covered and simulation_year >= {first}"
    assert count(run, scenario, left) == 0


def test_a_default_for_new_hires_is_for_them_alone(run: Run) -> None:
    late = "hire_date >= '2026-04-01'"
    assert count(run, "new_hires", f"{BY_DEFAULT} and {late}") > 300
    others = "enrollment_status in ('automatic', 'opted_out', 'undecided')"
    assert count(run, "new_hires", f"not {late} and ({BY_DEFAULT} or {others})") == 0
    saving = (
        "select simulation_year, employee_id, deferral_rate, enrollment_status, limit_date "
        "from fct_workforce_snapshot where scenario_id = '{}' and " + "{} order by all"
    )
    for condition, other in ((f"not {late}", "voluntary"), (late, "automatic")):
        rows = [run.sql(saving.format(name, condition)).fetchall() for name in ("new_hires", other)]
        assert rows[0] == rows[1]


def test_a_sweep_enrols_again_who_has_opted_out(run: Run) -> None:
    out = "opening_status = 'opted_out' and is_covered"
    swept = "reason = 'reenrollment'"
    enrolled = "event_type = 'enrollment' and amount = 0.04 and effective_date = '2027-01-01'"
    assert count(run, "sweep", f"{swept} and not ({enrolled} and {out})") == 0
    among = f"{out} and simulation_year = 2027"
    assert abs(share(run, "sweep", swept, among) - 0.6) < 0.08
    # Who has been swept in and does not change is enrolled automatically from then on.
    assert count(run, "sweep", f"{swept} and enrollment_status <> 'automatic'") == 0


def test_escalation_is_for_whom_the_plan_says(run: Run) -> None:
    due = (
        "opening_rate > 0 and opening_rate < 0.08 "
        "and year(plan_eligibility_date) < simulation_year and is_covered "
        "and last_day >= make_date(simulation_year, 7, 1) "
        "and event_type is distinct from 'deferral_change'"
    )
    among = {"rising": f"{due} and opening_status = 'automatic'", "all_rising": due}
    raised = "event_type = 'escalation'"
    for scenario, whom in among.items():
        known = "opening_rate is not null"
        assert count(run, scenario, f"{raised} and {known} and not ({whom})") == 0
        assert abs(share(run, scenario, raised, whom) - 0.7) < 0.05
        wrong = (
            "effective_date <> make_date(simulation_year, 7, 1) or previous <> opening_rate "
            "or amount <> least(0.08, previous + 0.015) or deferral_rate <> amount "
            "or enrollment_status <> opening_status"
        )
        assert count(run, scenario, f"{raised} and {known} and ({wrong})") == 0
        # In the first year, before which the plan was as in it.
        assert count(run, scenario, f"{raised} and not ({known})") > 10
    assert count(run, "all_rising", f"{raised} and opening_status = 'voluntary'") > 300
    assert count(run, "rising", f"{raised} and amount = 0.08") > 20
    assert count(run, "automatic", raised) == 0


def test_a_tenth_of_savers_choose_anew_on_the_first_of_a_month(run: Run) -> None:
    changed = "event_type = 'deferral_change'"
    saves = (
        "opening_status in ('voluntary', 'automatic') and opening_covered "
        "and is_covered and termination_date is null"
    )
    for scenario, part in {"voluntary": 0.1, "rising": 0.1, "restless": 0.3}.items():
        assert abs(share(run, scenario, changed, saves) - part) < 0.02, scenario
    wrong = (
        "day(effective_date) <> 1 or previous <> coalesce(opening_rate, previous) "
        "or previous = amount or amount < 0.01 or amount * 100 <> round(amount * 100) "
        "or deferral_rate <> amount or enrollment_status <> 'voluntary'"
    )
    for scenario in PLANS:
        assert count(run, scenario, changed) > 150
        assert count(run, scenario, f"{changed} and ({wrong})") == 0


def both(run: Run, one: str, other: str, condition: str) -> int:
    [(found,)] = run.sql(
        f"select count(*) from {YEARS} as one join {YEARS} as other using (simulation_year, "
        f"employee_id) where one.scenario_id = '{one}' and other.scenario_id = '{other}' "
        f"and ({condition})"
    ).fetchall()
    return int(found)


def test_the_same_luck_in_every_design(run: Run) -> None:
    """Who saves with little inclination to saves with more, and chooses the same."""
    saves = "{}.is_covered and {}.deferral_rate > 0"
    one, other = (saves.format(side, side) for side in ("one", "other"))
    assert both(run, "voluntary", "keen", f"{one} and not ({other})") == 0
    assert both(run, "voluntary", "keen", f"{other} and not ({one})") > 300
    together = "one.event_type = other.event_type and one.effective_date = other.effective_date"
    assert both(run, "voluntary", "keen", together) > 500
    # Unless it is what the one has already.
    differ = "one.amount <> other.amount and one.previous = other.previous"
    assert both(run, "voluntary", "keen", f"{together} and {differ}") == 0
    # Nor does how much they save change who does, and when they come to it.
    same = "one.enrollment_status = other.enrollment_status"
    assert both(run, "voluntary", "generous", f"not ({same})") == 0
    enrolled = "one.event_type = 'enrollment'"
    more = f"{enrolled} and {together} and one.amount <= other.amount"
    assert both(run, "voluntary", "generous", enrolled) > 300
    assert both(run, "voluntary", "generous", f"{enrolled} and not ({more})") == 0
    known = "one.savings_inclination is not null"
    assert both(run, "automatic", "rising", f"{known} and one.savings_inclination "
                "<> other.savings_inclination") == 0  # fmt: skip


@pytest.mark.parametrize("scenario", PLANS)
def test_savers_of_the_census_keep_their_rate_until_an_event(
    run: Run, census: Path, scenario: str
) -> None:
    given_rates = rates_of(census)
    found = run.sql(
        "select employee_id, deferral_rate, event_type, previous, enrollment_status "
        f"from {YEARS} where scenario_id = '{scenario}' and simulation_year = {FIRST} "
        f"and is_covered and plan_eligibility_date < '{FIRST}-01-01'"
    ).fetchall()
    rows = [(given_rates[one], *row) for one, *row in found if one in given_rates]
    assert len(rows) > 600
    for given, closing, event, previous, status in rows:
        assert (closing if event is None else previous) == given
        if event is None:
            assert (status == "voluntary") == (given > 0)
    savers = [row for row in rows if row[0] > 0]
    assert len(savers) > 300
    assert not [row for row in savers if row[2] in {"enrollment", "opt_out"}]
    if scenario == "voluntary":
        # Who does not save in the year before is not drawn into saving by being looked at.
        began = sum(given == 0 and closing > 0 for given, closing, *_ in rows)
        assert began < 0.05 * (len(rows) - len(savers))
