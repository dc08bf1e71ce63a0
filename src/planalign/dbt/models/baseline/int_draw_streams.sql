with trajectories as (
    select * from {{ source("inputs", "trajectories") }}
),

control as (
    select simulation_year from {{ source("inputs", "control") }}
),

named as (
    select
        trajectories.trajectory_id,
        trajectories.random_seed || '|' || control.simulation_year || '|'
            as seed_and_year
    from trajectories
    cross join control
),

final as (
    select
        {% for decision in draw_decisions() %}
            {{ draw_stream("seed_and_year", decision) }},
        {% endfor %}
        trajectory_id
    from named
)

select * from final
