with workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

targets as (
    select * from {{ ref("int_headcount_targets") }}
),

scales as (
    select * from {{ ref("int_termination_scale") }}
),

exposed as (
    select
        workforce.trajectory_id,
        workforce.employee_id,
        workforce.employee_key,
        workforce.voluntary_hazard,
        workforce.retirement_hazard,
        {{ scaled_probability(
            "(workforce.voluntary_hazard + workforce.retirement_hazard)",
            "scales.factor"
        ) }} as probability,
        trajectories.alignment
    from workforce
    inner join scales on workforce.trajectory_id = scales.trajectory_id
    inner join trajectories
        on workforce.trajectory_id = trajectories.trajectory_id
),

drawn as (
    select * from {{ with_draws("exposed", ["termination"]) }}
),

-- `expected`: everyone by an own draw, so that the number varies.
by_probability as (
    select * exclude (draw_termination)
    from drawn
    where alignment = 'expected' and draw_termination < probability
),

-- `exact`: the rounded expected number, in the order of draw over hazard.
by_rank as (
    select ranked.* exclude (draw_termination)
    from (
        select *
        from drawn
        where alignment = 'exact' and probability > 0
    ) as ranked
    inner join targets on ranked.trajectory_id = targets.trajectory_id
    qualify row_number() over (
        partition by ranked.trajectory_id
        order by
            {{ draw_order("ranked.draw_termination", "ranked.probability") }},
            ranked.employee_key
    ) <= round(targets.expected_terminations)
),

leaving as (
    select * from by_probability
    union all
    select * from by_rank
),

dated as (
    select *
    from {{ with_draws("leaving", ["termination_day", "termination_reason"]) }}
),

final as (
    select
        dated.trajectory_id,
        dated.employee_id,
        dated.employee_key,
        {{ day_between(
            "trajectories.year_start", "trajectories.year_end",
            "dated.draw_termination_day"
        ) }} as termination_date,
        case
            when
                dated.draw_termination_reason
                * (dated.voluntary_hazard + dated.retirement_hazard)
                < dated.retirement_hazard
                then 'retirement'
            else 'voluntary'
        end as reason
    from dated
    inner join trajectories
        on dated.trajectory_id = trajectories.trajectory_id
)

select * from final
