-- docs/method/opening-workforce.md
with trajectories as (
    select * from {{ ref("int_trajectories") }}
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

plans as (
    select * from {{ ref("int_plan_provisions") }}
),

top_paid as (
    select * from {{ ref("int_top_paid_group") }}
),

first_day as (
    select make_date({{ year_in_hand() }}, 1, 1) as year_start
),

-- First year: every trajectory starts from the census.
first_year as (
    select
        list(trajectory_id) as trajectory_ids,
        any_value(year_start) as year_start
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
        census.enrolled_on as prior_eligibility_date,
        census.department,
        coalesce(census.weekly_hours, 40)::decimal(5, 2) as weekly_hours,
        coalesce(census.is_union, false) as is_union,
        coalesce(census.ownership_percent, 0) > 0.05 as is_five_percent_owner,
        census.rehire_date,
        census.roth_share,
        {% for column in extra_columns() %}
            census.{{ column }},
        {% endfor %}
        {{ prior_year_pay("census", "first_year.year_start") }}
            as prior_year_compensation,
        false as was_highly_compensated,
        -- To enrol and to save nothing is to decide against it. Who is not enrolled is
        -- an employee who does not save: there is no more to know.
        case
            when
                census.enrollment_status in ('automatic', 'voluntary')
                and round(census.deferral_rate, 4) = 0
                then 'opted_out'
            when
                census.enrollment_status is null
                and census.enrolled_on is not null
                and coalesce(round(census.deferral_rate, 4), 1) > 0
                then 'voluntary'
            when census.enrollment_status <> 'not_enrolled'
                then census.enrollment_status
        end as prior_enrollment_status,
        case
            when census.enrollment_status in ('opted_out', 'not_enrolled') then 0
            else round(census.deferral_rate, 4)
        end::decimal(9, 6) as prior_deferral_rate,
        null::decimal(9, 9) as prior_savings_inclination,
        coalesce(census.balance_match, 0)::decimal(15, 2) as prior_match_balance,
        coalesce(census.balance_core, 0)::decimal(15, 2) as prior_core_balance
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
        last_year.plan_eligibility_date as prior_eligibility_date,
        {% for column in census_columns() %}
            last_year.{{ column }},
        {% endfor %}
        last_year.prorated_annual_compensation as prior_year_compensation,
        last_year.is_highly_compensated as was_highly_compensated,
        nullif(last_year.enrollment_status, 'not_eligible')
            as prior_enrollment_status,
        -- Of who was not covered yet, only what the census says is known.
        case
            when
                last_year.savings_inclination is not null
                or last_year.deferral_rate > 0
                then last_year.deferral_rate
        end as prior_deferral_rate,
        last_year.savings_inclination as prior_savings_inclination,
        last_year.match_balance as prior_match_balance,
        last_year.core_balance as prior_core_balance
    from {{ prior_snapshot() }} as last_year
    inner join trajectories
        on
            last_year.scenario_id = trajectories.scenario_id
            and last_year.replicate = trajectories.replicate
            and not trajectories.is_first_year
    where last_year.employment_status = 'active'
),

opening as (
    select * from from_census
    union all by name
    select * from from_prior_year
),

aged as (
    select
        opening.*,
        {{ completed_years("opening.birth_date", "first_day.year_start") }} as age,
        {{ completed_years(employed_since("opening"), "first_day.year_start") }}
            as tenure
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
        {% for column in census_columns() + prior_columns() %}
            aged.{{ column }},
        {% endfor %}
        -- Section 414(q)(1): more than the threshold, strictly, in the year before,
        -- or a five percent owner.
        aged.is_five_percent_owner or (
            aged.prior_year_compensation > plans.highly_compensated_threshold
            and (
                not plans.highly_compensated_top_paid_group
                or top_paid.employee_key is not null
            )
        ) as is_highly_compensated,
        aged.age,
        aged.tenure,
        age_bands.age_band,
        tenure_bands.tenure_band,
        {{ hazard("voluntary") }} as voluntary_hazard,
        {{ hazard("retirement") }} as retirement_hazard,
        {{ hazard("promotion") }} as promotion_hazard
    from aged
    -- The reference tables end at 130 years.
    inner join age_bands on least(aged.age, 130) = age_bands.age
    inner join tenure_bands on least(aged.tenure, 130) = tenure_bands.tenure
    inner join hazards
        on
            age_bands.age = hazards.age
            and tenure_bands.tenure_band = hazards.tenure_band
            and aged.job_level = hazards.job_level
    inner join plans on aged.trajectory_id = plans.trajectory_id
    left join top_paid
        on
            aged.trajectory_id = top_paid.trajectory_id
            and aged.employee_key = top_paid.employee_key
),

drawn as (
    select * from {{ with_draws("exposed", [
        "termination", "termination_day", "termination_reason", "promotion",
        "promotion_month", "performance", "raise_month",
    ]) }}
),

rated as (
    select
        drawn.* exclude (draw_performance),
        {{ position_of(
            "drawn.draw_performance", "trajectories.performance_bounds"
        ) }} as rating,
        trajectories.promotion_factors
    from drawn
    inner join trajectories
        on drawn.trajectory_id = trajectories.trajectory_id
),

-- A rating makes a promotion likelier than another one does.
final as (
    select
        * exclude (promotion_factors) replace (
            least(
                round(promotion_hazard::decimal(38, 9) * promotion_factors[rating], 9),
                1
            )::decimal(10, 9) as promotion_hazard
        )
    from rated
)

select * from final
