-- docs/method/parameters.md
with scenarios as (
    select * from {{ source("inputs", "scenarios") }}
),

final as (
    select
        scenario_id,
        raise_cutoff_month,
        raise_cutoff_day,
        settings::json as settings
    from scenarios
)

select * from final
