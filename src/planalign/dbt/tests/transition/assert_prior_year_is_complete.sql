-- A year that is not the first starts from the year before it: every trajectory has
-- its summary, and the snapshot has as many active employees as that summary says.
with trajectories as (
    select *
    from {{ trajectories_in_hand() }}
    where {{ year_in_hand() }} > {{ first_year_of_study() }}
),

summaries as (
    select
        scenario_id,
        replicate,
        closing_headcount
    from {{ ref("fct_financial_summary") }}
    where simulation_year = {{ year_in_hand() }} - 1
),

active as (
    select
        scenario_id,
        replicate,
        count(*) as headcount
    from {{ prior_snapshot() }}
    where employment_status = 'active'
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
