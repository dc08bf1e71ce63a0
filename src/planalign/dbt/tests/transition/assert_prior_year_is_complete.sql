-- A year that is not the first starts from the year before it: every trajectory has
-- its summary, and the snapshot has as many active employees as that summary says.
with control as (
    select * from {{ source("inputs", "control") }}
),

trajectories as (
    select trajectories.*
    from {{ source("inputs", "trajectories") }} as trajectories
    cross join control
    where control.simulation_year > control.start_year
),

summaries as (
    select
        scenario_id,
        replicate,
        closing_headcount
    from {{ ref("fct_financial_summary") }}
    where simulation_year = (select simulation_year from control) - 1
),

active as (
    select
        scenario_id,
        replicate,
        count(*) as headcount
    from {{ source("state", "prior_snapshot") }}
    where
        simulation_year = (select simulation_year from control) - 1
        and employment_status = 'active'
    group by scenario_id, replicate
)

select
    trajectories.scenario_id,
    trajectories.replicate,
    summaries.closing_headcount,
    active.headcount
from trajectories
left join summaries
    on
        trajectories.scenario_id = summaries.scenario_id
        and trajectories.replicate = summaries.replicate
left join active
    on
        trajectories.scenario_id = active.scenario_id
        and trajectories.replicate = active.replicate
where
    summaries.closing_headcount is null
    or summaries.closing_headcount <> coalesce(active.headcount, 0)
