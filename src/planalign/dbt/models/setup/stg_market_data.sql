-- docs/method/hires.md#market-bands
-- The bands are as of the census; each simulated year moves them by its own
-- market adjustment, rounded to the cent.
with recursive parameters as (
    select * from {{ source("inputs", "compensation_parameters") }}
),

bands as (
    select * from {{ ref("market_bands") }}
),

moved as (
    select
        parameters.scenario_id,
        parameters.simulation_year,
        parameters.job_level,
        {{ money(
            "bands.band_minimum::decimal(20, 2) * (1 + parameters.market_adjustment)"
        ) }}
            as band_minimum,
        {{ money(
            "bands.band_maximum::decimal(20, 2) * (1 + parameters.market_adjustment)"
        ) }}
            as band_maximum
    from parameters
    inner join bands on parameters.job_level = bands.job_level
    where parameters.simulation_year = {{ first_year_of_study() }}

    union all

    select
        parameters.scenario_id,
        parameters.simulation_year,
        parameters.job_level,
        {{ money(
            "moved.band_minimum::decimal(20, 2) * (1 + parameters.market_adjustment)"
        ) }}
            as band_minimum,
        {{ money(
            "moved.band_maximum::decimal(20, 2) * (1 + parameters.market_adjustment)"
        ) }}
            as band_maximum
    from moved
    inner join parameters
        on
            moved.scenario_id = parameters.scenario_id
            and moved.job_level = parameters.job_level
            and moved.simulation_year + 1 = parameters.simulation_year
)

select * from moved
