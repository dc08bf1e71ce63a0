-- docs/method/parameters.md
with plans as (
    select * from {{ source("inputs", "benefit_plans") }}
),

final as (
    select
        *,
        -- Months between entry dates; none when entry is immediate.
        case eligibility_entry_dates
            when 'monthly' then 1
            when 'quarterly' then 3
            when 'semiannual' then 6
        end as months_between_entries
    from plans
)

select * from final
