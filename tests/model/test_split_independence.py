"""A result does not depend on how its computation was divided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from planalign.errors import UsageError
from planalign.results.fingerprint import fingerprint
from planalign.results.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Studies
    from planalign.results import Run

STUDY: dict[str, Any] = {
    "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 4},
    "scenarios": {
        "a": {},
        "b": {"workforce": {"target_growth_rate": 0.2, "alignment": "exact"}},
        "c": {"compensation": {"cola_rate": {2025: 0.01, 2026: 0.09}}},
        "d": {"workforce": {"total_termination_rate": 0.4}},
        "e": {"plan": {"eligibility": {"entry_dates": "immediate"}}},
    },
}


@pytest.fixture(scope="module")
def company(shared_studies: Studies) -> Path:
    return shared_studies.generated(300, 8)


@pytest.fixture(scope="module")
def whole(shared_studies: Studies, company: Path) -> Run:
    """Five scenarios by four replicates in one block."""
    return shared_studies.simulate(company, **STUDY)


@pytest.mark.parametrize(
    ("employees", "asked", "blocks"),
    [
        pytest.param(1, {"replicate": 1}, 5, id="of one trajectory"),
        pytest.param(300 * 7, {}, 3, id="of seven, within a scenario"),
    ],
)
def test_blocks(
    studies: Studies,
    company: Path,
    whole: Run,
    *,
    employees: int,
    asked: dict[str, Any],
    blocks: int,
) -> None:
    run = studies.simulate(company, asked, **STUDY, resources={"employees_per_block": employees})
    told = (run.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    planned = [event for event in map(json.loads, told) if "run_planned" in event.values()]
    assert [event["blocks"] for event in planned] == [blocks]
    assert fingerprint(run) == fingerprint(whole, replicate=asked.get("replicate"))


@pytest.mark.parametrize(
    "only", [{"scenario": "c"}, {"replicate": 3}, {"scenario": "b", "replicate": 2}], ids=str
)
def test_one_of_many_alone(
    studies: Studies, company: Path, whole: Run, only: dict[str, Any]
) -> None:
    run = studies.simulate(company, only, **STUDY)
    found = run.sql("select distinct scenario_id, replicate from fct_workforce_snapshot")
    pairs = [
        (scenario, replicate)
        for scenario in STUDY["scenarios"]
        for replicate in range(4)
        if scenario == only.get("scenario", scenario)
        and replicate == only.get("replicate", replicate)
    ]
    assert sorted(found.fetchall()) == pairs
    comparison = verify(run, whole, **only)
    assert comparison.differences == ()
    assert fingerprint(run)["all"] == fingerprint(whole, **only)["all"]
    # The filter is not blind: another scenario is another result.
    other = {"scenario": "d", "replicate": only.get("replicate")}
    assert fingerprint(whole, **other)["all"] != fingerprint(run)["all"]


@pytest.mark.parametrize("only", [{"scenario": "z"}, {"replicate": -1}], ids=str)
def test_what_is_not_configured_is_refused(
    studies: Studies, company: Path, only: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="there is no"):
        studies.simulate(company, only, **STUDY)


def test_one_among_a_hundred_replicates(studies: Studies, company: Path, whole: Run) -> None:
    years = {**STUDY["simulation"], "replicates": 100}
    alone = studies.simulate(company, {"replicate": 57}, **{**STUDY, "simulation": years})
    seed = {**STUDY["simulation"], "replicates": 1, "random_seed": 42 + 57}
    same = studies.simulate(company, **{**STUDY, "simulation": seed})
    for mart, other in (("fct_workforce_snapshot", ""), ("fct_yearly_events", ", event_id")):
        rows = f"select * exclude (replicate{other}) from {mart} order by all"
        assert alone.sql(rows).fetchall() == same.sql(rows).fetchall()
    assert fingerprint(alone) != fingerprint(whole)


def test_the_order_of_scenarios(studies: Studies, company: Path, whole: Run) -> None:
    turned = dict(reversed(STUDY["scenarios"].items()))
    run = studies.simulate(company, **{**STUDY, "scenarios": turned})
    assert fingerprint(run) == fingerprint(whole)


@pytest.mark.parametrize("order", ["employee_id desc", "md5(employee_id)"])
def test_the_order_of_the_census(studies: Studies, company: Path, whole: Run, order: str) -> None:
    path = studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from '{company}' order by {order}) to '{path}' (format parquet)"
        )
    assert fingerprint(studies.simulate(path, **STUDY)) == fingerprint(whole)


def test_the_format_of_the_census(studies: Studies, company: Path, whole: Run) -> None:
    path = studies.new(".csv")
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{company}') to '{path}' (format csv, header)")
    assert fingerprint(studies.simulate(path, **STUDY)) == fingerprint(whole)


def test_other_people_change_nobody(studies: Studies, company: Path) -> None:
    """Without half of the company, the rest draws what it drew."""
    path = studies.new(".parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from '{company}' where md5(employee_id) < '8') "
            f"to '{path}' (format parquet)"
        )
    sections = {
        "simulation": {"start_year": 2025, "end_year": 2025},
        # Scaled to the same factor in both companies: everybody leaves or is promoted, and merit
        # raises do not depend on where in the band a company stands.
        "workforce": {"total_termination_rate": 1},
        "compensation": {
            "performance": [
                {"rating": "low", "share": 1, "multiplier": 0.5},
                {"rating": "high", "share": 1, "multiplier": 1.5},
            ]
        },
    }
    columns = "employee_id, termination_date, prorated_annual_compensation"
    half, whole = (
        set(
            studies.simulate(census, **sections)
            .sql(
                f"select {columns} from fct_workforce_snapshot "
                "where detailed_status = 'experienced_termination'"
            )
            .fetchall()
        )
        for census in (path, company)
    )
    assert 100 < len(half) < len(whole)
    assert half < whole


def test_a_study_repeated_is_the_same(studies: Studies, company: Path, whole: Run) -> None:
    run = studies.simulate(company, **STUDY)
    assert fingerprint(run) == fingerprint(whole)
    seed = {**STUDY["simulation"], "random_seed": 43}
    other = studies.simulate(company, **{**STUDY, "simulation": seed})
    assert (
        fingerprint(other)["fct_workforce_snapshot"] != fingerprint(whole)["fct_workforce_snapshot"]
    )
