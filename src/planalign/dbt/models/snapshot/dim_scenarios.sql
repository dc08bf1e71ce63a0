with trajectories as (
    select * from {{ source("inputs", "trajectories") }}
),

scenarios as (
    select * from {{ source("inputs", "scenarios") }}
),

final as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.random_seed,
        scenarios.settings::json as settings
    from trajectories
    inner join scenarios on trajectories.scenario_id = scenarios.scenario_id
)

select * from final
