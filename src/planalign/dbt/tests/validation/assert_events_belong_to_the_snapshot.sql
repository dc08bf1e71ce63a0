-- No event without its employee: as many employees with events as are matched.
with events as (
    select distinct
        scenario_id,
        replicate,
        employee_id
    from {{ ref("fct_yearly_events") }}
    where simulation_year = {{ year_in_hand() }}
),

snapshot as (
    select
        scenario_id,
        replicate,
        employee_id
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
)

select events.*
from events
left join snapshot
    on
        events.scenario_id = snapshot.scenario_id
        and events.replicate = snapshot.replicate
        and events.employee_id = snapshot.employee_id
where snapshot.employee_id is null
