"""A company of twelve job levels, and one of a single one: everything follows the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planalign.census import generate_census
from planalign.config import job_levels, parse

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

MOST = 12
HIRED = {1, 4, MOST}


def levels(count: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"Grade {number}",
            "band_minimum": 30_000 + 9_000 * number,
            "band_maximum": 42_000 + 11_000 * number,
            "termination_factor": 1,
            "promotion_hazard": 0.2,
            "hire_share": int(number in HIRED),
        }
        for number in range(1, count + 1)
    ]


def simulated(studies: Studies, folder: Path, count: int, **data: Any) -> Run:
    given = {"job_levels": levels(count), **data}
    census = folder / f"census{count}.parquet"
    generate_census(400, 3, census, levels=job_levels(parse(given, folder)))
    years = {"start_year": 2025, "end_year": 2026}
    return studies.simulate(census, simulation=years, **given)


@pytest.fixture(scope="module")
def run(shared_studies: Studies, tmp_path_factory: pytest.TempPathFactory) -> Run:
    cola = {number: 0.05 if number == MOST else 0 for number in range(1, MOST + 1)}
    return simulated(
        shared_studies,
        tmp_path_factory.mktemp("levels"),
        MOST,
        workforce={
            "promotion_rate": 0.3,
            "target_growth_rate": 0.2,
            "promotions": "rates",
            "hiring": {"levels": "weights"},
        },
        compensation={"cola_rate": cola, "merit_budget": 0, "market_adjustment": 0},
        plan={"eligibility": {"excluded_levels": [MOST]}},
    )


def one(run: Run, query: str) -> Any:
    [row] = run.sql(query).fetchall()
    return row


def test_promotions_reach_the_highest_level_and_stop_there(run: Run) -> None:
    steps = run.sql(
        "select (event_payload->>'$.from_level')::integer as f, "
        "(event_payload->>'$.to_level')::integer, count(*) from fct_yearly_events "
        "where event_type = 'promotion' group by all order by f"
    ).fetchall()
    assert all(above == below + 1 for below, above, _ in steps)
    assert {above for _, above, _ in steps} == set(range(2, MOST + 1))


def test_hires_are_of_the_levels_with_a_share_and_within_their_bands(run: Run) -> None:
    hires = run.sql(
        "select (event_payload->>'$.job_level')::integer, min(compensation_amount), "
        "max(compensation_amount) from fct_yearly_events where event_type = 'hire' group by all"
    ).fetchall()
    assert {level for level, _, _ in hires} == HIRED
    for level, lowest, highest in hires:
        assert 30_000 + 9_000 * level <= lowest <= highest <= 42_000 + 11_000 * level


def test_a_value_by_level_and_an_exclusion_are_of_the_highest_level(run: Run) -> None:
    raised = run.sql(
        "select distinct job_level from fct_yearly_events where event_type = 'raise' "
        "and compensation_amount > previous_compensation"
    ).fetchall()
    assert raised == [(MOST,)]
    covered = run.sql(
        "select job_level, bool_or(is_covered) from fct_workforce_snapshot as people "
        "where not exists (from fct_yearly_events as events where event_type = 'promotion' "
        "and events.employee_id = people.employee_id "
        "and events.simulation_year = people.simulation_year) group by all"
    ).fetchall()
    assert dict(covered) == {level: level != MOST for level in range(1, MOST + 1)}


def test_a_company_of_one_level_promotes_nobody(shared_studies: Studies, tmp_path: Path) -> None:
    run = simulated(shared_studies, tmp_path, 1, workforce={"promotion_rate": 0.3})
    counted = one(
        run,
        "select count(*) filter (event_type = 'promotion'), "
        "count(*) filter (event_type = 'hire') > 0 from fct_yearly_events",
    )
    assert counted == (0, True)
    assert run.sql("select distinct job_level from fct_compensation_trends").fetchall() == [(1,)]
    run.close()
