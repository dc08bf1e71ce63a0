-- docs/method/promotions-and-raises.md#promotions
with changes as (
    select * from {{ ref("int_workforce_changes") }}
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        promotion_date,
        opening_job_level,
        job_level,
        promotion_increase,
        compensation_before_promotion as previous_compensation,
        compensation_after_promotion as compensation
    from changes
    where promotion_date is not null
)

select * from final
