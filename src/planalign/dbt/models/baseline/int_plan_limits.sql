-- docs/method/limits.md
with trajectories as (
    select distinct scenario_id from {{ trajectories_in_hand() }}
),

limits as (
    select * from {{ ref("stg_plan_limits") }}
),

final as (
    select limits.*
    from limits
    inner join trajectories on limits.scenario_id = trajectories.scenario_id
    where limits.simulation_year = {{ year_in_hand() }}
)

select * from final
