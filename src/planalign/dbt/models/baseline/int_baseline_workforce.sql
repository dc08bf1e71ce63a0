with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

control as (
    select * from {{ source("inputs", "control") }}
),

age_bands as (
    select * from {{ ref("stg_age_bands") }}
),

tenure_bands as (
    select * from {{ ref("stg_tenure_bands") }}
),

hazards as (
    select * from {{ ref("stg_hazards") }}
),

-- First year: every trajectory starts from the census.
first_year as (
    select list(trajectory_id) as trajectory_ids
    from trajectories
    where is_first_year
),

from_census as (
    select
        unnest(first_year.trajectory_ids) as trajectory_id,
        census.employee_id,
        census.employee_key,
        census.birth_date,
        census.hire_date,
        census.job_level,
        census.annual_compensation as opening_compensation,
        0::decimal(18, 2) as prior_cumulative_compensation,
        null::date as prior_eligibility_date
    from {{ ref("stg_census_data") }} as census
    cross join first_year
    where census.is_opening
),

-- Later: from its own active employees of the last December 31.
from_prior_year as (
    select
        trajectories.trajectory_id,
        last_year.employee_id,
        last_year.employee_key,
        last_year.birth_date,
        last_year.hire_date,
        last_year.job_level,
        last_year.current_compensation as opening_compensation,
        last_year.cumulative_compensation as prior_cumulative_compensation,
        last_year.plan_eligibility_date as prior_eligibility_date
    from {{ source("state", "prior_snapshot") }} as last_year
    inner join trajectories
        on
            last_year.scenario_id = trajectories.scenario_id
            and last_year.replicate = trajectories.replicate
            and not trajectories.is_first_year
    where
        last_year.simulation_year = (select simulation_year from control) - 1
        and last_year.employment_status = 'active'
),

opening as (
    select * from from_census
    union all
    select * from from_prior_year
),

first_day as (
    select make_date(simulation_year, 1, 1) as year_start from control
),

aged as (
    select
        opening.*,
        {{ completed_years("opening.birth_date", "first_day.year_start") }} as age,
        {{ completed_years("opening.hire_date", "first_day.year_start") }} as tenure
    from opening
    cross join first_day
),

exposed as (
    select
        aged.trajectory_id,
        aged.employee_id,
        aged.employee_key,
        aged.birth_date,
        aged.hire_date,
        aged.job_level,
        aged.opening_compensation,
        aged.prior_cumulative_compensation,
        aged.prior_eligibility_date,
        aged.age,
        aged.tenure,
        age_bands.age_band,
        tenure_bands.tenure_band,
        hazards.voluntary_hazard,
        hazards.retirement_hazard,
        hazards.promotion_hazard
    from aged
    -- The reference tables end at 130 years.
    inner join age_bands on least(aged.age, 130) = age_bands.age
    inner join tenure_bands on least(aged.tenure, 130) = tenure_bands.tenure
    inner join hazards
        on
            age_bands.age = hazards.age
            and tenure_bands.tenure_band = hazards.tenure_band
            and aged.job_level = hazards.job_level
),

final as (
    select * from {{ with_draws("exposed", [
        "termination", "termination_day", "termination_reason", "promotion",
        "promotion_month", "performance", "raise_month",
    ]) }}
)

select * from final
