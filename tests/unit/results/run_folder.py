"""Build small run folders by hand: realistic rows, no simulation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

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

TABLES = """
create table run_years (simulation_year integer);
create table fct_yearly_events (
    scenario_id varchar, replicate integer, simulation_year integer, event_id uuid,
    employee_id varchar, event_type varchar, effective_date date, event_sequence integer,
    job_level integer, compensation_amount decimal(15, 2),
    previous_compensation decimal(15, 2), event_payload json
);
create table fct_workforce_snapshot (
    scenario_id varchar, replicate integer, simulation_year integer, employee_id varchar,
    employee_key ubigint, birth_date date, hire_date date, termination_date date,
    current_age integer, age_band varchar, current_tenure integer, tenure_band varchar,
    job_level integer, employment_status varchar, detailed_status varchar,
    opening_compensation decimal(15, 2), current_compensation decimal(15, 2),
    prorated_annual_compensation decimal(15, 2),
    full_year_equivalent_compensation decimal(15, 2),
    cumulative_compensation decimal(18, 2), plan_eligibility_date date,
    is_plan_eligible boolean
);
create table fct_financial_summary (
    scenario_id varchar, replicate integer, simulation_year integer,
    opening_headcount integer, hires integer, experienced_terminations integer,
    new_hire_terminations integer, promotions integer, raises integer,
    closing_headcount integer, target_closing_headcount integer, unmet_reduction integer,
    payroll decimal(18, 2), closing_annual_payroll decimal(18, 2),
    average_compensation decimal(15, 2), plan_eligible_headcount integer
);
create table fct_plan_costs (
    scenario_id varchar, replicate integer, simulation_year integer,
    covered_headcount integer, plan_compensation decimal(18, 2),
    core_contribution decimal(18, 2), employer_cost decimal(18, 2),
    employer_cost_rate decimal(18, 6)
);
create table fct_compensation_trends (
    scenario_id varchar, replicate integer, simulation_year integer, job_level integer,
    headcount integer, average_compensation decimal(15, 2)
);
create table int_yearly_event_summary (
    scenario_id varchar, replicate integer, simulation_year integer, event_type varchar,
    events integer
);
create table int_effective_parameters (
    scenario_id varchar, simulation_year integer, parameter varchar, value decimal(18, 8)
);
create table dim_scenarios (
    scenario_id varchar, replicate integer, random_seed bigint, settings json
);
create table stg_census_data (employee_id varchar);
"""

ROWS = """
insert into run_years from range({first}, {last} + 1);
create temp table grain as
    from unnest({scenarios}) s(scenario_id), range({replicates}) r(replicate),
        range({first}, {last} + 1) y(simulation_year)
    select scenario_id, replicate::integer as replicate,
        simulation_year::integer as simulation_year,
        (simulation_year - {first}) * 10 + replicate as shift;
create temp table people as
    from grain, range({employees}) e(i)
    select *, 'EMP_' || lpad(i::varchar, 6, '0') as employee_id;
insert into fct_workforce_snapshot
    from people
    select scenario_id, replicate, simulation_year, employee_id,
        (i * 2654435761)::ubigint, date '1970-03-01' + (i % 9000)::integer,
        date '2015-06-01' + (i % 3000)::integer,
        case when i % 9 = 8 then make_date(simulation_year, 6, 15) end, 30 + i % 30, '25-34',
        i % 10, '5-9', 1 + i % 5, if(i % 9 = 8, 'terminated', 'active'),
        if(i % 9 = 8, 'experienced_termination', 'continuous_active'),
        50000 + i % 997 + shift, 51000 + i % 997 + shift, 50500.25 + i % 997 + shift,
        51000 + i % 997 + shift, 101000.5 + i % 997 + shift, date '2016-06-01', i % 7 <> 0;
insert into fct_yearly_events
    from people
    select scenario_id, replicate, simulation_year,
        printf('%08x-0000-4000-8000-%04x%08x', simulation_year, replicate, i)::uuid,
        employee_id, 'raise', make_date(simulation_year, 7, 1), 1, 1 + i % 5,
        51000 + i % 997 + shift, 50000 + i % 997 + shift,
        json_object('amount', 1000 + i);
insert into fct_financial_summary
    from grain
    select scenario_id, replicate, simulation_year, 1000 + shift, 150, 90, 30, 60, 900,
        1030 + shift, 1030 + shift, if(shift = 11, 4, 0), 52000000.25 + shift,
        53000000.5 + shift, 51500.75, 800;
insert into fct_plan_costs
    from grain
    select scenario_id, replicate, simulation_year, 800, 40000000, 1200000 + shift,
        1200000 + shift, 0.023;
insert into fct_compensation_trends
    from grain, range(1, 6) l(job_level)
    select scenario_id, replicate, simulation_year, job_level, 200, 40000 * job_level;
insert into int_yearly_event_summary
    from grain, unnest(['hire', 'raise', 'termination']) t(event_type)
    select scenario_id, replicate, simulation_year, event_type, 100 + shift;
insert into int_effective_parameters
    from grain, unnest(['cola_rate', 'promotion_rate']) t(parameter)
    select scenario_id, simulation_year, parameter, 0.025
    where replicate = 0;
insert into dim_scenarios
    from grain
    select distinct scenario_id, replicate, 42 + replicate, '{{"workforce": {{}}}}';
"""


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
        connection.execute(TABLES)
        connection.execute(
            ROWS.format(
                first=years[0],
                last=years[1],
                scenarios=list(scenarios),
                replicates=replicates,
                employees=employees,
            )
        )
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
