"""Hazards are scaled to the configured rate: capped at one, the rest redistributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planalign.engine.pipeline import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from conftest import Studies

    Stepped = Callable[..., duckdb.DuckDBPyConnection]

RATES = [0, 0.000001, 0.12, 0.5, 0.9, 0.97, 0.999, 1]
ONE_YEAR = {"start_year": 2025, "end_year": 2025}


@pytest.fixture(scope="module")
def company(shared_studies: Studies) -> Path:
    return shared_studies.generated(1000, 6)


def name_of(rate: float) -> str:
    return f"rate-{rate:f}".replace(".", "_")


def water_filled(hazards: list[float], target: float) -> list[float]:
    """Cap and redistribute step by step until nobody is above one."""
    capped: set[int] = set()
    while True:
        left = [n for n in range(len(hazards)) if n not in capped]
        total = sum(hazards[n] for n in left)
        factor = (target - len(capped)) / total if total else 0.0
        over = {n for n in left if factor * hazards[n] > 1}
        if not over:
            return [1.0 if n in capped else factor * hazard for n, hazard in enumerate(hazards)]
        capped |= over


def test_expected_terminations_under_every_rate(stepped: Stepped, company: Path) -> None:
    cursor = stepped(
        company,
        Step.REQUIREMENTS,
        simulation=ONE_YEAR,
        scenarios={name_of(r): {"workforce": {"total_termination_rate": r}} for r in RATES},
    )
    for rate in RATES:
        rows = cursor.execute(
            "select (voluntary_hazard + retirement_hazard)::double, factor::double "
            "from int_baseline_workforce join int_termination_scale using (trajectory_id) "
            f"join int_trajectories using (trajectory_id) where scenario_id = '{name_of(rate)}' "
            "order by employee_id"
        ).fetchall()
        assert len(rows) > 900
        found = [min(1.0, round(hazard * factor, 9)) for hazard, factor in rows]
        assert sum(found) == pytest.approx(len(rows) * rate, abs=1e-5)
        expected = water_filled([hazard for hazard, _ in rows], len(rows) * rate)
        assert found == pytest.approx(expected, abs=1e-6)
        if rate >= 0.9:
            assert 1.0 in found


def test_expected_promotions_under_every_rate(stepped: Stepped, company: Path) -> None:
    rates = [0, 0.06, 0.3, 0.6, 0.9, 1]
    cursor = stepped(
        company,
        Step.REQUIREMENTS,
        simulation=ONE_YEAR,
        workforce={"total_termination_rate": 0.3},
        scenarios={name_of(r): {"workforce": {"promotion_rate": r}} for r in rates},
    )
    for rate in rates:
        rows = cursor.execute(
            "select (voluntary_hazard + retirement_hazard)::double, leaving.factor::double, "
            "promotion_hazard::double, promoting.factor::double, job_level "
            "from int_baseline_workforce "
            "join int_termination_scale as leaving using (trajectory_id) "
            "join int_promotion_scale as promoting using (trajectory_id) "
            f"join int_trajectories using (trajectory_id) where scenario_id = '{name_of(rate)}'"
        ).fetchall()
        stays = [1 - min(1.0, hazard * factor) for hazard, factor, *_ in rows]
        promoted = [min(1.0, hazard * factor) for *_, hazard, factor, _ in rows]
        expected = sum(stay * chance for stay, chance in zip(stays, promoted, strict=True))
        # Nobody is promoted out of the highest level or while leaving.
        possible = sum(stay for stay, row in zip(stays, rows, strict=True) if row[-1] < 5)
        assert expected == pytest.approx(min(len(rows) * rate, possible), abs=1e-3)


def test_nobody_has_a_probability_above_one(stepped: Stepped, company: Path) -> None:
    cursor = stepped(
        company,
        Step.EVENTS,
        simulation={**ONE_YEAR, "replicates": 20},
        scenarios={
            "most": {"workforce": {"total_termination_rate": 0.9}},
            "all": {"workforce": {"total_termination_rate": 1}},
        },
    )
    [most, every] = cursor.execute(
        "select list(left_in_all / opening order by replicate) from ("
        "select scenario_id, replicate, count(*) as opening, count(leavers.employee_key) "
        "as left_in_all from int_baseline_workforce as workforce "
        "join int_trajectories using (trajectory_id) "
        "left join int_termination_events as leavers using (trajectory_id, employee_key) "
        "group by all) group by scenario_id order by scenario_id desc"
    ).fetchall()
    assert every == ([1.0] * 20,)
    mean = sum(most[0]) / 20
    error = (sum((rate - mean) ** 2 for rate in most[0]) / 19 / 20) ** 0.5
    assert 0 < abs(mean - 0.9) < 3 * error
    # Those whose hazard was capped leave under every seed.
    certain, stayed = cursor.execute(
        "select count(*), count(*) filter (where leavers.employee_key is null) "
        "from int_baseline_workforce as workforce join int_trajectories using (trajectory_id) "
        "join int_termination_scale using (trajectory_id) "
        "left join int_termination_events as leavers using (trajectory_id, employee_key) "
        "where scenario_id = 'most' and (voluntary_hazard + retirement_hazard) * factor >= 1"
    ).fetchone()
    assert certain > 20 * 100
    assert stayed == 0


def test_the_same_hazards_for_all_are_the_rate(studies: Studies, stepped: Stepped) -> None:
    company = studies.census((f"E{n}", "1985-05-05", "2015-05-05", "70000", 2) for n in range(37))
    for rate in (0.1, 1 / 3, 1):
        cursor = stepped(
            company,
            Step.REQUIREMENTS,
            simulation=ONE_YEAR,
            workforce={"total_termination_rate": round(rate, 6)},
        )
        found = cursor.execute(
            "select distinct round((voluntary_hazard + retirement_hazard) * factor, 6)::double "
            "from int_baseline_workforce join int_termination_scale using (trajectory_id)"
        ).fetchall()
        assert found == [(round(rate, 6),)]
