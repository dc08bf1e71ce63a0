-- docs/method/terminations.md#of-the-opening-workforce
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

probabilities as (
    {{ scaled_probabilities(
        "workforce", "voluntary_hazard + retirement_hazard", "scales"
    ) }}
),

exposed as (
    select
        workforce.trajectory_id,
        workforce.employee_id,
        workforce.employee_key,
        workforce.voluntary_hazard,
        workforce.retirement_hazard,
        workforce.draw_termination,
        workforce.draw_termination_day,
        workforce.draw_termination_reason,
        probabilities.probability,
        trajectories.alignment
    from workforce
    inner join probabilities
        on
            workforce.trajectory_id = probabilities.trajectory_id
            and workforce.voluntary_hazard + workforce.retirement_hazard
            = probabilities.hazard
    inner join trajectories
        on workforce.trajectory_id = trajectories.trajectory_id
),

-- `expected`: everyone by an own draw, so that the number varies.
by_probability as (
    select *
    from exposed
    where alignment = 'expected' and draw_termination < probability
),

-- `exact`: the rounded expected number, in the order of draw over hazard.
by_rank as (
    select ranked.*
    from (
        select *
        from exposed
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
    union all by name
    select * from by_rank
),

final as (
    select
        leaving.trajectory_id,
        leaving.employee_id,
        leaving.employee_key,
        {{ day_between(
            "trajectories.year_start", "trajectories.year_end",
            "leaving.draw_termination_day"
        ) }} as termination_date,
        case
            when
                leaving.draw_termination_reason
                * (leaving.voluntary_hazard + leaving.retirement_hazard)
                < leaving.retirement_hazard
                then 'retirement'
            else 'voluntary'
        end as reason
    from leaving
    inner join trajectories
        on leaving.trajectory_id = trajectories.trajectory_id
)

select * from final
