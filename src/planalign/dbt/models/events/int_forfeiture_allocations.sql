-- docs/method/vesting.md
-- Reallocated forfeitures: to whoever is covered and still employed after December 31,
-- but for long-term part-time employees, in proportion to counted pay, cents rounded
-- down, within the annual additions.
with forfeitures as (
    select * from {{ ref("int_forfeitures") }}
    where to_allocate > 0 and allocation_base > 0
),

contributions as (
    select * from {{ ref("int_plan_contributions") }}
    where allocation_compensation > 0
),

final as (
    select
        contributions.trajectory_id,
        contributions.employee_id,
        contributions.employee_key,
        contributions.last_day,
        contributions.job_level,
        contributions.compensation,
        least(
            (
                {{ digits_of("forfeitures.to_allocate", 2) }}
                * {{ digits_of("contributions.allocation_compensation", 2) }}
                // {{ digits_of("forfeitures.allocation_base", 2) }}
            )::decimal(16, 0
            )
            * 0.01::decimal(2, 2),
            contributions.additions_limit
            - contributions.pre_tax_deferral - contributions.roth_deferral
            - contributions.match_contribution - contributions.true_up_contribution
            - contributions.core_contribution
        )::decimal(15, 2) as forfeiture_allocation
    from contributions
    inner join forfeitures
        on contributions.trajectory_id = forfeitures.trajectory_id
)

select * from final
where forfeiture_allocation > 0
