with trajectories as (
    select * from {{ source("inputs", "trajectories") }}
),

control as (
    select simulation_year from {{ source("inputs", "control") }}
),

final as (
    select
        trajectories.trajectory_id,
        {% for decision in draw_decisions() %}
            {{ draw_salts(
                "trajectories.random_seed", "control.simulation_year", decision
            ) }}{{ "," if not loop.last }}
        {% endfor %}
    from trajectories
    cross join control
)

select * from final
