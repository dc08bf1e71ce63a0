"""The same employee meets the same luck in every scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Studies
    from planalign.results import Run

# Hires who fill what is lacking have the levels that a scenario lacks: see `restoring`.
WORKFORCE = {"hiring": {"levels": "weights"}}
# Everybody has a raise, whatever the rating.
COMPENSATION = {"cola_rate": 0.02}
SCENARIOS = {
    "plain": {},
    "restoring": {"workforce": {"hiring": {"levels": "restore"}}},
    "cola": {"compensation": {"cola_rate": 0.11}},
    "growth": {"workforce": {"target_growth_rate": 0.4}},
    "stay": {"workforce": {"total_termination_rate": 0.03}},
    "exact": {"workforce": {"alignment": "exact"}},
    "early": {"plan": {"eligibility": {"minimum_age": 0, "months_of_service": 0}}},
}


# What a plan changes; all else is the workforce.
PLAN_COLUMNS = (
    "plan_eligibility_date", "is_plan_eligible", "is_covered", "enrollment_status",
    "savings_inclination", "deferral_rate", "full_match_rate", "plan_compensation",
    "pre_tax_deferral", "roth_deferral", "catch_up_deferral", "roth_catch_up_deferral",
    "match_contribution", "true_up_contribution", "core_contribution",
    "forfeiture_allocation", "annual_additions", "limit_date", "vested_match_rate",
    "vested_core_rate", "account_return", "forfeiture", "match_balance", "core_balance",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(shared_studies: Studies) -> Run:
    return shared_studies.simulate(
        shared_studies.generated(400, 7),
        simulation={"start_year": 2025, "end_year": 2027, "replicates": 3},
        workforce=WORKFORCE,
        compensation=COMPENSATION,
        scenarios=SCENARIOS,
    )


def rows(run: Run, columns: str, source: str, scenario: str) -> list[tuple[Any, ...]]:
    found = run.sql(
        f"select replicate, simulation_year, {columns} from {source} and scenario_id = "
        f"'{scenario}' order by all"
    ).fetchall()
    assert found
    return found


EVENTS = "fct_yearly_events where event_type = '{}'"


@pytest.mark.parametrize("kind", ["hire", "termination", "promotion", "eligibility"])
def test_a_scenario_of_pay_moves_nobody(run: Run, kind: str) -> None:
    columns = "employee_id, effective_date, job_level"
    plain = rows(run, columns, EVENTS.format(kind), "plain")
    assert rows(run, columns, EVENTS.format(kind), "cola") == plain


def test_a_scenario_of_pay_keeps_dates_and_ratings_of_raises(run: Run) -> None:
    columns = "employee_id, effective_date, event_payload->>'$.rating'"
    plain = rows(run, columns, EVENTS.format("raise"), "plain")
    assert rows(run, columns, EVENTS.format("raise"), "cola") == plain
    amounts = "employee_id, compensation_amount"
    assert rows(run, amounts, EVENTS.format("raise"), "cola") != rows(
        run, amounts, EVENTS.format("raise"), "plain"
    )


def test_a_scenario_of_the_plan_changes_only_the_plan(run: Run) -> None:
    columns = "* exclude (scenario_id, replicate, simulation_year, {})"
    snapshot = columns.format(", ".join(PLAN_COLUMNS))
    everybody = "fct_workforce_snapshot where true"
    plain = rows(run, snapshot, everybody, "plain")
    assert rows(run, snapshot, everybody, "early") == plain
    others = "fct_yearly_events where event_type in ('hire', 'promotion', 'raise', 'termination')"
    events = columns.format("event_id, event_sequence")
    assert rows(run, events, others, "early") == rows(run, events, others, "plain")


@pytest.mark.parametrize("scenario", ["growth", "stay", "exact", "cola", "early"])
def test_a_hire_is_the_same_person_wherever_there_is_one(run: Run, scenario: str) -> None:
    """As far as a scenario has hires: level, birth, day of hire and starting pay."""
    columns = "employee_id, birth_date, hire_date, job_level, opening_compensation"
    hires = "fct_workforce_snapshot where detailed_status like 'new_hire%'"
    plain = {row[:3]: row[3:] for row in rows(run, columns, hires, "plain")}
    other = {row[:3]: row[3:] for row in rows(run, columns, hires, scenario)}
    fewer, more = sorted((plain, other), key=len)
    if scenario in {"growth", "stay"}:
        assert len(fewer) < len(more)
    shared = plain.keys() & other.keys()
    # Replicate 0 has the first year's hires in both, numbered from 1.
    assert (0, 2025, "H2025-000001") in shared
    assert {key: plain[key] for key in shared} == {key: other[key] for key in shared}
    first_year = [key for key in fewer if key[1] == 2025]
    if scenario in {"growth", "stay"}:
        assert all(key in more for key in first_year)


def test_a_hire_who_fills_what_is_lacking_is_another_only_in_level_and_pay(run: Run) -> None:
    columns = "employee_id, birth_date, hire_date, department, weekly_hours, job_level"
    hires = "fct_workforce_snapshot where detailed_status like 'new_hire%'"
    plain = {row[:3]: row[3:] for row in rows(run, columns, hires, "plain")}
    other = {row[:3]: row[3:] for row in rows(run, columns, hires, "restoring")}
    shared = plain.keys() & other.keys()
    assert len(shared) > 400
    assert {key: plain[key][:-1] for key in shared} == {key: other[key][:-1] for key in shared}
    assert any(plain[key][-1] != other[key][-1] for key in shared)


def test_who_leaves_under_a_lower_rate_leaves_under_a_higher_one(run: Run) -> None:
    leavers = "fct_workforce_snapshot where detailed_status = 'experienced_termination' and "
    first = leavers + "simulation_year = 2025"
    columns = "employee_id, termination_date"
    low = set(rows(run, columns, first, "stay"))
    high = set(rows(run, columns, first, "plain"))
    assert low < high


def test_hires_leave_alike_in_every_scenario(run: Run) -> None:
    columns = "employee_id, termination_date"
    hires = "fct_workforce_snapshot where detailed_status like 'new_hire%'"
    plain = {row[:3]: row[3] for row in rows(run, columns, hires, "plain")}
    growth = {row[:3]: row[3] for row in rows(run, columns, hires, "growth")}
    assert any(growth.values())
    assert {key: growth[key] for key in plain.keys() & growth.keys()} == {
        key: plain[key] for key in plain.keys() & growth.keys()
    }


def test_a_replicate_is_its_seed(studies: Studies, run: Run) -> None:
    """Replicate 2 of seed 42 is replicate 0 of seed 44."""
    other = studies.simulate(
        studies.generated(400, 7),
        simulation={"start_year": 2025, "end_year": 2027, "random_seed": 44},
        workforce=WORKFORCE,
        compensation=COMPENSATION,
    )
    columns = "* exclude (scenario_id, replicate)"
    snapshot = f"select {columns} from fct_workforce_snapshot where true"
    [own] = [
        run.sql(f"{snapshot} and scenario_id = 'plain' and replicate = 2 order by all").fetchall()
    ]
    assert other.sql(f"{snapshot} order by all").fetchall() == own
    first = run.sql(f"{snapshot} and scenario_id = 'plain' and replicate = 0 order by all")
    assert first.fetchall() != own
