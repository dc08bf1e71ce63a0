-- docs/method/contributions.md
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

provisions as (
    select * from {{ ref("stg_plan_provisions") }}
),

final as (
    select
        trajectories.trajectory_id,
        trajectories.year_start,
        trajectories.year_end,
        trajectories.days_in_year,
        trajectories.is_first_year,
        provisions.* exclude (scenario_id)
    from trajectories
    inner join provisions
        on
            trajectories.scenario_id = provisions.scenario_id
            and trajectories.simulation_year = provisions.simulation_year
)

select * from final
