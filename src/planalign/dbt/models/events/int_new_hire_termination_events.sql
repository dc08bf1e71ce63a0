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

by_probability as (
    select hires.*
    from hires
    inner join requirements
        on hires.trajectory_id = requirements.trajectory_id
    where
        requirements.alignment = 'expected'
        and hires.draw_new_hire_termination < requirements.new_hire_termination_rate
),

by_rank as (
    select hires.*
    from hires
    inner join requirements
        on hires.trajectory_id = requirements.trajectory_id
    where requirements.alignment = 'exact'
    qualify row_number() over (
        partition by hires.trajectory_id
        order by hires.draw_new_hire_termination, hires.employee_key
    ) <= round(requirements.hires * requirements.new_hire_termination_rate)
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
