-- Who becomes eligible for the plan, and when. Once eligible, always eligible:
-- an employee who has been found eligible before is not looked at again.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
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

waiting as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        birth_date,
        hire_date,
        termination_date,
        opening_compensation,
        opening_job_level,
        promotion_date,
        compensation_after_promotion,
        job_level,
        raise_date,
        compensation_after_raise
    from changes
    where prior_eligibility_date is null

    union all

    select
        hires.trajectory_id,
        hires.employee_id,
        hires.employee_key,
        hires.birth_date,
        hires.hire_date,
        hire_terminations.termination_date,
        hires.compensation as opening_compensation,
        hires.job_level as opening_job_level,
        null as promotion_date,
        null as compensation_after_promotion,
        hires.job_level,
        null as raise_date,
        null as compensation_after_raise
    from hires
    left join hire_terminations
        on
            hires.trajectory_id = hire_terminations.trajectory_id
            and hires.employee_key = hire_terminations.employee_key
),

-- The day on which age and service are both there.
qualified as (
    select
        waiting.*,
        trajectories.year_start,
        trajectories.year_end,
        trajectories.is_first_year,
        trajectories.months_between_entries,
        greatest(
            {{ birthday("waiting.birth_date", "trajectories.minimum_age") }},
            (
                waiting.hire_date + to_months(trajectories.months_of_service)
            )::date
        ) as qualification_date
    from waiting
    inner join trajectories
        on waiting.trajectory_id = trajectories.trajectory_id
),

entered as (
    select
        *,
        case
            when months_between_entries is null then qualification_date
            else {{ entry_date("qualification_date", "months_between_entries") }}
        end as entry_date
    from qualified
),

-- A date that was missed under earlier rules counts from January 1. Before the
-- first year there were none: the employee has been eligible since then.
effective as (
    select
        *,
        case
            when is_first_year then entry_date
            else greatest(entry_date, greatest(year_start, hire_date))
        end as eligibility_date
    from entered
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        eligibility_date,
        eligibility_date >= year_start as is_event,
        case
            when promotion_date < eligibility_date then job_level
            else opening_job_level
        end as job_level,
        -- Pay on the day, before a change of the same day.
        case
            when
                promotion_date < eligibility_date
                and (
                    raise_date is null
                    or raise_date >= eligibility_date
                    or promotion_date > raise_date
                )
                then compensation_after_promotion
            when raise_date < eligibility_date then compensation_after_raise
            else opening_compensation
        end as compensation
    from effective
    where
        eligibility_date <= year_end
        and (termination_date is null or eligibility_date <= termination_date)
)

select * from final
