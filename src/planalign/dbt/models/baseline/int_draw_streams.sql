-- docs/method/draws.md#key-of-a-draw
with trajectories as (
    select * from {{ trajectories_in_hand() }}
),

named as (
    select
        trajectory_id,
        random_seed || '|' || {{ year_in_hand() }} || '|' as seed_and_year
    from trajectories
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
