-- docs/method/hazards.md#targets
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

opening as (
    select
        trajectory_id,
        count(*)::integer as opening_headcount
    from workforce
    group by trajectory_id
),

counted as (
    select
        trajectories.*,
        coalesce(opening.opening_headcount, 0) as opening_headcount
    from trajectories
    left join opening on trajectories.trajectory_id = opening.trajectory_id
),

final as (
    select
        trajectory_id,
        opening_headcount,
        round(opening_headcount * (1 + target_growth_rate))::integer
            as target_closing_headcount,
        (opening_headcount * total_termination_rate)::decimal(18, 9)
            as expected_terminations,
        (opening_headcount * promotion_rate)::decimal(18, 9)
            as expected_promotions
    from counted
)

select * from final
