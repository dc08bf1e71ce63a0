with plans as (
    select * from {{ source("inputs", "benefit_plans") }}
),

final as (
    select
        scenario_id,
        simulation_year,
        minimum_age,
        months_of_service,
        entry_dates,
        core_rate,
        -- Months between entry dates; none when entry is immediate.
        case entry_dates
            when 'monthly' then 1
            when 'quarterly' then 3
            when 'semiannual' then 6
        end as months_between_entries
    from plans
)

select * from final
