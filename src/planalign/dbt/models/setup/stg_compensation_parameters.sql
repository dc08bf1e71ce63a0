-- docs/method/parameters.md
with parameters as (
    select * from {{ source("inputs", "compensation_parameters") }}
),

final as (
    select
        scenario_id,
        simulation_year,
        job_level,
        cola_rate,
        merit_budget,
        promotion_increase,
        market_adjustment
    from parameters
)

select * from final
