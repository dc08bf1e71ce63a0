-- Everyone who is employed on a day of the year: when, and what was paid for it.
with trajectories as (
    select
        trajectory_id,
        year_start,
        year_end,
        days_in_year
    from {{ ref("int_trajectories") }}
),

changes as (
    select * from {{ ref("int_workforce_changes") }}
),

hires as (
    select * from {{ ref("int_hiring_events") }}
),

hire_terminations as (
    select * from {{ ref("int_new_hire_termination_events") }}
),

eligibilities as (
    select * from {{ ref("int_plan_eligibility") }}
),

employed as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        birth_date,
        hire_date,
        termination_date,
        job_level,
        opening_compensation,
        prior_cumulative_compensation,
        prior_eligibility_date,
        promotion_date,
        coalesce(compensation_after_promotion - compensation_before_promotion, 0)
            as promotion_change,
        raise_date,
        coalesce(compensation_after_raise - compensation_before_raise, 0)
            as raise_change,
        compensation,
        false as is_new_hire
    from changes

    union all

    select
        hires.trajectory_id,
        hires.employee_id,
        hires.employee_key,
        hires.birth_date,
        hires.hire_date,
        hire_terminations.termination_date,
        hires.job_level,
        hires.compensation as opening_compensation,
        0 as prior_cumulative_compensation,
        null as prior_eligibility_date,
        null as promotion_date,
        0 as promotion_change,
        null as raise_date,
        0 as raise_change,
        hires.compensation,
        true as is_new_hire
    from hires
    left join hire_terminations
        on
            hires.trajectory_id = hire_terminations.trajectory_id
            and hires.employee_key = hire_terminations.employee_key
),

-- The first and the last day of employment in the year both count.
placed as (
    select
        employed.*,
        trajectories.days_in_year,
        coalesce(
            employed.prior_eligibility_date, eligibilities.eligibility_date
        ) as plan_eligibility_date,
        greatest(employed.hire_date, trajectories.year_start) as first_day,
        coalesce(employed.termination_date, trajectories.year_end) as last_day
    from employed
    inner join trajectories
        on employed.trajectory_id = trajectories.trajectory_id
    left join eligibilities
        on
            employed.trajectory_id = eligibilities.trajectory_id
            and employed.employee_key = eligibilities.employee_key
),

final as (
    select
        *,
        last_day - first_day + 1 as days_employed,
        {{ cent_days_from("first_day") }} as cent_days
    from placed
)

select * from final
