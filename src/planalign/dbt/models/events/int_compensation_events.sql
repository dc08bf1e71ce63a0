-- docs/method/promotions-and-raises.md#raises
-- A raise that changes nothing is no event.
with changes as (
    select * from {{ ref("int_workforce_changes") }}
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        raise_date,
        -- The level held on the day, after a promotion of the same day.
        case
            when promotion_date <= raise_date then job_level
            else opening_job_level
        end as job_level,
        performance_rating,
        cola_rate,
        merit_rate,
        compensation_before_raise as previous_compensation,
        compensation_after_raise as compensation
    from changes
    where
        raise_date is not null
        and compensation_before_raise <> compensation_after_raise
)

select * from final
