"""What fit and backtest promise, on companies whose parameters are known: the model made them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from benchmark_scripts import benchmark_script
from typer.testing import CliRunner

from planalign.census import generate_census
from planalign.cli.app import app
from planalign.config import parse
from planalign.experience.fitting import fit
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from planalign.config import Config

COMPANIES, EMPLOYEES = 50, 200
# Of the fifty, those whose last year is simulated; `benchmarks/intervals.py` does so for all.
TESTED, SEEDS = 6, 20


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return benchmark_script("intervals")


@pytest.fixture(scope="module")
def companies(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return script.made(tmp_path_factory.mktemp("companies"), COMPANIES, EMPLOYEES)


@pytest.fixture(scope="module")
def config(companies: Any) -> Config:
    return parse({"census": str(companies.folder / "census.parquet")}, companies.folder)


def test_intervals_hold_the_parameters_of_fifty_companies(
    script: ModuleType, companies: Any, config: Config
) -> None:
    held: Counter[str] = Counter()
    for found in script.fits(companies, config, range(script.FIRST, script.LAST)):
        for key, truth in script.KNOWN.items():
            held[key] += bool(script.holds(found, key, truth))
            estimate = found.estimate(key)
            assert estimate is not None, key
            # Of a company of two hundred, own rates count for most.
            if key.endswith("_rate"):
                assert estimate.blend.credibility > 0.6, key
    # 45 of 50 are expected; fewer than 38 in one of a thousand cases, were 90 % true.
    assert {key: number for key, number in held.items() if number < 38} == {}
    assert held.total() >= 0.85 * COMPANIES * len(script.KNOWN)


def test_ranges_hold_what_happened_at_their_nominal_rate(
    script: ModuleType, companies: Any, config: Config
) -> None:
    few = script.Companies(companies.people, TESTED, companies.folder)
    inside, compared = 0, 0
    for tested in script.backtests(few, config, {}, range(script.FIRST, script.LAST + 1), SEEDS):
        assert {one.year for one in tested.comparisons} == {script.LAST}
        assert {one.measure for one in tested.comparisons} >= {
            "headcount", "hires", "leavers", "promotions", "payroll", "average_pay",
            "participation", "average_deferral", "age_band", "tenure_band",
        }  # fmt: skip
        assert "match_balance" in tested.unavailable
        inside += tested.inside
        compared += len(tested.comparisons)
    # 80 % promised. Figures of one company go together, so that the bounds are wide.
    assert 0.64 <= inside / compared <= 0.94


def test_a_client_is_tested_on_one_page_and_in_one_document(
    script: ModuleType, companies: Any, tmp_path: Path
) -> None:
    files = []
    for year in range(script.FIRST, script.FIRST + 3):
        files.append(tmp_path / f"census_{year}.csv")
        duckdb.connect().execute(
            f"copy (select * exclude (company, year, balance_match, enrollment_status, "
            f"rehire_date) from '{companies.people}' where company = 0 and year = {year}) "
            f"to '{files[-1]}' (header)"
        )
    page = tmp_path / "backtest.html"
    result = CliRunner().invoke(
        app, ["backtest", *map(str, files), "--seeds", "10", "--json", "--page", str(page)]
    )
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["held_out"] == [f"{script.FIRST + 2}-12-31"]
    assert document["outputs"] == [str(page)]
    headcount = next(one for one in document["comparisons"] if one["measure"] == "headcount")
    assert headcount["p10"] <= headcount["p50"] <= headcount["p90"]
    assert abs(headcount["relative_error"]) < 0.2
    text = page.read_text()
    assert "Leavers of the opening workforce" in text
    assert str(int(headcount["actual"])) in text


def test_automatic_enrolment_is_told_from_statuses(tmp_path: Path) -> None:
    """Opting out, own choice and escalation of 1,500 employees lie where they were set."""
    generate_census(1_500, seed=3, output=tmp_path / "census.parquet")
    plan = {
        "automatic_enrollment": {"enabled": True, "default_rate": 0.03, "opt_out_rate": 0.15},
        "behavior": {"own_choice_share": 0.6, "change_rate": 0.12},
        "escalation": {"enabled": True, "step": 0.01, "cap": 0.10, "opt_out_rate": 0.4},
    }
    study = parse(
        {
            "census": "census.parquet",
            "simulation": {"start_year": 2025, "end_year": 2027},
            "plan": plan,
        },
        tmp_path,
    )
    run = run_study(Request(study, output=tmp_path / "run")).path
    files = []
    with duckdb.connect(str(run / "results.duckdb"), read_only=True) as connection:
        for year in study.simulation.years:
            files.append(tmp_path / f"census_{year}.parquet")
            connection.execute(
                "copy (select 'C' || employee_id as employee_id, birth_date, hire_date, "
                "current_compensation as annual_compensation, job_level, termination_date, "
                "employment_status = 'active' as active, deferral_rate, "
                "case when enrollment_status in ('automatic', 'voluntary', 'opted_out') "
                "then enrollment_status when deferral_rate > 0 then 'voluntary' "
                "else 'not_enrolled' end as enrollment_status "
                f"from fct_workforce_snapshot where simulation_year = {year}) "
                f"to '{files[-1]}' (format parquet)"
            )
    defaults = {"escalation": {"enabled": True}, "automatic_enrollment": {"enabled": True}}
    found = fit(files, parse({"census": str(files[-1]), "plan": defaults}, tmp_path))
    assert "plan.behavior.participation_factor" in found.untold
    for key, truth in {
        "plan.automatic_enrollment.opt_out_rate": 0.15,
        "plan.behavior.own_choice_share": 0.6,
        "plan.escalation.opt_out_rate": 0.4,
        "plan.behavior.change_rate": 0.12,
    }.items():
        estimate = found.estimate(key)
        assert estimate is not None, key
        assert abs(estimate.value - truth) < 3 * estimate.blend.error, key
        assert key in found.values
