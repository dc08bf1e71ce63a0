with trajectories as (
    select distinct scenario_id from {{ source("inputs", "trajectories") }}
),

limits as (
    select * from {{ ref("stg_plan_limits") }}
),

final as (
    select limits.*
    from limits
    inner join trajectories on limits.scenario_id = trajectories.scenario_id
    where limits.simulation_year = (
        select simulation_year from {{ source("inputs", "control") }}
    )
)

select * from final
