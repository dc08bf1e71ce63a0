-- docs/method/parameters.md
with trajectories as (
    select distinct scenario_id from {{ trajectories_in_hand() }}
),

workforce as (
    select * from {{ ref("stg_workforce_parameters") }}
),

compensation as (
    select * from {{ ref("stg_compensation_parameters") }}
),

market as (
    select * from {{ ref("stg_market_data") }}
),

plans as (
    select * from {{ ref("stg_benefit_plans") }}
),

final as (
    select
        workforce.scenario_id,
        workforce.simulation_year,
        compensation.job_level,
        workforce.target_growth_rate,
        workforce.total_termination_rate,
        workforce.new_hire_termination_rate,
        workforce.promotion_rate,
        workforce.promotions,
        workforce.alignment,
        workforce.hiring_levels,
        workforce.hiring_pay_percentile_low as pay_percentile_low,
        workforce.hiring_pay_percentile_high as pay_percentile_high,
        compensation.cola_rate,
        compensation.merit_budget,
        compensation.promotion_increase,
        compensation.market_adjustment,
        market.band_minimum,
        market.band_maximum,
        plans.eligibility_minimum_age as minimum_age,
        plans.eligibility_months_of_service as months_of_service,
        plans.eligibility_entry_dates as entry_dates,
        plans.months_between_entries,
        plans.core_rate
    from workforce
    inner join trajectories
        on workforce.scenario_id = trajectories.scenario_id
    inner join compensation
        on
            workforce.scenario_id = compensation.scenario_id
            and workforce.simulation_year = compensation.simulation_year
    inner join market
        on
            compensation.scenario_id = market.scenario_id
            and compensation.simulation_year = market.simulation_year
            and compensation.job_level = market.job_level
    inner join plans
        on
            workforce.scenario_id = plans.scenario_id
            and workforce.simulation_year = plans.simulation_year
    where workforce.simulation_year = {{ year_in_hand() }}
)

select * from final
