-- docs/method/parameters.md
with trajectories as (
    select * from {{ trajectories_in_hand() }}
),

scenarios as (
    select * from {{ ref("stg_scenarios") }}
),

final as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.random_seed,
        scenarios.settings
    from trajectories
    inner join scenarios on trajectories.scenario_id = scenarios.scenario_id
)

select * from final
