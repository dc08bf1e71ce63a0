-- docs/method/parameters.md
with parameters as (
    select * from {{ source("inputs", "workforce_parameters") }}
),

final as (
    select
        scenario_id,
        simulation_year,
        target_growth_rate,
        total_termination_rate,
        new_hire_termination_rate,
        promotion_rate,
        promotions,
        alignment,
        hiring_levels,
        hiring_pay_percentile_low,
        hiring_pay_percentile_high
    from parameters
)

select * from final
