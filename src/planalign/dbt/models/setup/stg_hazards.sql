-- docs/method/hazards.md#hazards
-- One look-up by age, tenure band and level for all hazards of a year.
with ages as (
    {{ band_of_each("age") }}
),

terminations as (
    select * from {{ ref("termination_hazards") }}
),

retirements as (
    select * from {{ ref("retirement_hazards") }}
),

levels as (
    select * from {{ ref("job_levels") }}
),

age_factors as (
    select * from {{ ref("promotion_age_factors") }}
),

tenure_factors as (
    select * from {{ ref("promotion_tenure_factors") }}
),

final as (
    select
        ages.age,
        terminations.tenure_band,
        levels.job_level,
        round(
            terminations.hazard * levels.termination_factor, 9
        )::decimal(10, 9) as voluntary_hazard,
        retirements.hazard as retirement_hazard,
        -- There is no level above the highest.
        case
            when levels.job_level = max(levels.job_level) over () then 0
            else round(
                levels.promotion_hazard::decimal(38, 9)
                * age_factors.factor * tenure_factors.factor, 9
            )
        end::decimal(10, 9) as promotion_hazard
    from ages
    inner join terminations on ages.age_band = terminations.age_band
    inner join retirements on ages.age = retirements.age
    inner join age_factors on ages.age_band = age_factors.age_band
    inner join tenure_factors
        on terminations.tenure_band = tenure_factors.tenure_band
    cross join levels
)

select * from final
