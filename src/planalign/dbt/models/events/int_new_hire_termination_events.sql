-- docs/method/terminations.md#of-hires
with hires as (
    select * from {{ ref("int_hiring_events") }}
),

requirements as (
    select * from {{ ref("int_hiring_requirements") }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

-- Of the yearly rate, the part of the year from the day of hire on.
exposed as (
    select
        hires.*,
        requirements.alignment,
        requirements.hires * requirements.leaving_share as expected_leavers,
        ({{ rounded_quotient(
            digits_of("requirements.new_hire_termination_rate", 6)
            ~ " * 1000 * (trajectories.year_end - hires.hire_date + 1)",
            "trajectories.days_in_year"
        ) }}::decimal(10, 0) * 0.000000001::decimal(9, 9))::decimal(10, 9)
            as probability
    from hires
    inner join requirements
        on hires.trajectory_id = requirements.trajectory_id
    inner join trajectories
        on hires.trajectory_id = trajectories.trajectory_id
),

by_probability as (
    select *
    from exposed
    where alignment = 'expected' and draw_new_hire_termination < probability
),

by_rank as (
    select ranked.*
    from (
        select *
        from exposed
        where alignment = 'exact' and probability > 0
    ) as ranked
    qualify row_number() over (
        partition by ranked.trajectory_id
        order by
            {{ draw_order("ranked.draw_new_hire_termination", "ranked.probability") }},
            ranked.employee_key
    ) <= round(ranked.expected_leavers)
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
            "leaving.hire_date", "trajectories.year_end",
            "leaving.draw_new_hire_termination_day"
        ) }} as termination_date,
        'new_hire' as reason
    from leaving
    inner join trajectories
        on leaving.trajectory_id = trajectories.trajectory_id
)

select * from final
