"""Build small run folders by hand: realistic rows, no simulation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

from support.contracts import create_marts, declare, insert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CONFIG = """\
census: census.parquet
simulation: {start_year: 2025, end_year: 2026, random_seed: 42}
workforce: {target_growth_rate: 0.03}
scenarios:
  baseline: {}
  growth: {workforce: {target_growth_rate: 0.06}}
"""
PROVENANCE = {"planalign": "0.1.0", "duckdb": "2.0.0", "census": {"fingerprint": "c0ffee"}}

GRAIN = """
create table run_years as
    select s.scenario_id, r.replicate::integer as replicate,
        y.simulation_year::integer as simulation_year
    from unnest({scenarios}) s(scenario_id), range({replicates}) r(replicate),
        range({first}, {last} + 1) y(simulation_year);
create temp table grain as
    select *, (simulation_year - {first}) * 10 + replicate as shift from run_years;
create temp table people as
    select grain.*, i, 'EMP_' || lpad(i::varchar, 6, '0') as employee_id
    from grain, range({employees}) e(i);
create table stg_census_data (employee_id varchar);
"""
KEYS = "scenario_id, replicate, simulation_year"
# Rows by mart; what they do not name is plain.
ROWS = {
    "fct_workforce_snapshot": f"""
        select {KEYS}, employee_id,
            (i * 2654435761)::ubigint as employee_key,
            date '1970-03-01' + (i % 9000)::integer as birth_date,
            date '2015-06-01' + (i % 3000)::integer as hire_date,
            case when i % 9 = 8 then make_date(simulation_year, 6, 15) end as termination_date,
            30 + i % 30 as current_age, '25-34' as age_band,
            i % 10 as current_tenure, '5-9' as tenure_band, 1 + i % 5 as job_level,
            if(i % 9 = 8, 'terminated', 'active') as employment_status,
            if(i % 9 = 8, 'experienced_termination', 'continuous_active') as detailed_status,
            50000 + i % 997 + shift as opening_compensation,
            51000 + i % 997 + shift as current_compensation,
            50500.25 + i % 997 + shift as prorated_annual_compensation,
            51000 + i % 997 + shift as full_year_equivalent_compensation,
            101000.5 + i % 997 + shift as cumulative_compensation,
            date '2016-06-01' as plan_eligibility_date, i % 7 <> 0 as is_plan_eligible
        from people
    """,
    "fct_yearly_events": f"""
        select {KEYS}, employee_id,
            printf('%08x-0000-4000-8000-%04x%08x', simulation_year, replicate, i)::uuid
                as event_id,
            'raise' as event_type, make_date(simulation_year, 7, 1) as effective_date,
            1 as event_sequence, 1 + i % 5 as job_level,
            51000 + i % 997 + shift as compensation_amount,
            50000 + i % 997 + shift as previous_compensation,
            json_object('amount', 1000 + i) as event_payload
        from people
    """,
    "fct_financial_summary": f"""
        select {KEYS}, 1000 + shift as opening_headcount, 150 as hires,
            90 as experienced_terminations, 30 as new_hire_terminations, 60 as promotions,
            900 as raises, 1030 + shift as closing_headcount,
            1030 + shift as target_closing_headcount, if(shift = 11, 4, 0) as unmet_reduction,
            52000000.25 + shift as payroll, 53000000.5 + shift as closing_annual_payroll,
            51500.75 as average_compensation, 800 as plan_eligible_headcount
        from grain
    """,
    "fct_plan_costs": f"""
        select {KEYS}, 800 as covered_headcount, 40000000 as plan_compensation,
            1200000 + shift as core_contribution, 1200000 + shift as employer_cost,
            0.023 as employer_cost_rate
        from grain
    """,
    "fct_compensation_trends": f"""
        select {KEYS}, job_level, 200 as headcount, 40000 * job_level as average_compensation
        from grain, range(1, 6) l(job_level)
    """,
    "int_yearly_event_summary": f"""
        select {KEYS}, event_type, 100 + shift as event_count
        from grain, unnest(['hire', 'raise', 'termination']) t(event_type)
    """,
    "int_effective_parameters": """
        select scenario_id, simulation_year, job_level, 0.025 as cola_rate
        from grain, range(1, 3) l(job_level)
        where replicate = 0
    """,
    "fct_plan_costs_by_group": f"""
        select {KEYS}, 'job_level' as dimension, job_level::varchar as group_name,
            160 as covered_headcount, 240000 as core_contribution
        from grain, range(1, 6) l(job_level)
    """,
    "int_plan_limits": """
        select distinct scenario_id, simulation_year, 'compensation' as limit_name,
            350000 as amount
        from grain
    """,
    "int_workforce_metrics": f"select {KEYS}, 1030 + shift as headcount from grain",
    "dim_scenarios": """
        select distinct scenario_id, replicate, 42 + replicate as random_seed,
            '{"workforce": {}}' as settings
        from grain
    """,
}


def build_run(
    folder: Path,
    *,
    employees: int = 20,
    scenarios: Sequence[str] = ("baseline", "growth"),
    replicates: int = 2,
    years: tuple[int, int] = (2025, 2026),
    change: str = "",
) -> Path:
    """Write a finished run to `folder`, then apply `change`."""
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "results.duckdb")) as connection:
        connection.execute(
            GRAIN.format(
                first=years[0],
                last=years[1],
                scenarios=list(scenarios),
                replicates=replicates,
                employees=employees,
            )
        )
        create_marts(connection)
        for mart, query in ROWS.items():
            insert(connection, mart, query)
        declare(connection, years)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    (folder / "events.jsonl").write_text("")
    change_run(folder, change)
    return folder


def change_run(folder: Path, sql: str) -> None:
    """Run SQL on the database of a run that no one has open."""
    if sql:
        with duckdb.connect(str(folder / "results.duckdb")) as connection:
            connection.execute(sql)
