-- docs/method/pay.md
-- Everyone who is employed on a day of the year: when, for what pay, and what the plan
-- knows of them.
with trajectories as (
    select
        trajectory_id,
        simulation_year,
        year_start,
        year_end,
        days_in_year
    from {{ ref("int_trajectories") }}
),

plans as (
    select * from {{ ref("int_plan_provisions") }}
),

workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

changes as (
    select * from {{ ref("int_workforce_changes") }}
),

hires as (
    select * from {{ ref("int_hiring_events") }}
),

hire_terminations as (
    select * from {{ ref("int_new_hire_termination_events") }}
),

age_bands as (
    select * from {{ ref("stg_age_bands") }}
),

tenure_bands as (
    select * from {{ ref("stg_tenure_bands") }}
),

employed as (
    select
        changes.trajectory_id,
        changes.employee_id,
        changes.employee_key,
        workforce.birth_date,
        workforce.hire_date,
        changes.termination_date,
        changes.termination_reason,
        changes.opening_job_level,
        changes.job_level,
        changes.opening_compensation,
        changes.promotion_date,
        coalesce(
            changes.compensation_after_promotion
            - changes.compensation_before_promotion, 0
        ) as promotion_change,
        changes.raise_date,
        coalesce(
            changes.compensation_after_raise - changes.compensation_before_raise, 0
        ) as raise_change,
        changes.compensation,
        false as is_new_hire,
        {% for column in census_columns() + prior_columns() %}
            workforce.{{ column }},
        {% endfor %}
        workforce.age_band as opening_age_band,
        workforce.tenure_band as opening_tenure_band,
        workforce.is_highly_compensated
    from changes
    inner join workforce
        on
            changes.trajectory_id = workforce.trajectory_id
            and changes.employee_key = workforce.employee_key

    union all by name

    select
        hires.trajectory_id,
        hires.employee_id,
        hires.employee_key,
        hires.birth_date,
        hires.hire_date,
        hire_terminations.termination_date,
        hire_terminations.reason as termination_reason,
        hires.job_level as opening_job_level,
        hires.job_level,
        hires.compensation as opening_compensation,
        0 as prior_cumulative_compensation,
        null as prior_eligibility_date,
        null as promotion_date,
        0 as promotion_change,
        null as raise_date,
        0 as raise_change,
        hires.compensation,
        true as is_new_hire,
        hires.department,
        hires.weekly_hours,
        hires.is_union,
        false as is_five_percent_owner,
        null as rehire_date,
        null as roth_share,
        {% for column in extra_columns() %}
            hires.{{ column }},
        {% endfor %}
        0 as prior_year_compensation,
        false as was_highly_compensated,
        null as prior_enrollment_status,
        null as prior_deferral_rate,
        null as prior_savings_inclination,
        0 as prior_match_balance,
        0 as prior_core_balance,
        -- No hazard looks at the age or tenure of a hire.
        null as opening_age_band,
        null as opening_tenure_band,
        false as is_highly_compensated
    from hires
    left join hire_terminations
        on
            hires.trajectory_id = hire_terminations.trajectory_id
            and hires.employee_key = hire_terminations.employee_key
),

-- The first and the last day of employment in the year both count. Every birthday
-- and anniversary of the year has passed on December 31.
placed as (
    select
        employed.*,
        trajectories.days_in_year,
        (trajectories.simulation_year - year(employed.birth_date))::integer
            as current_age,
        (trajectories.simulation_year - year({{ employed_since("employed") }}))::integer
            as current_tenure,
        {{ years_of_service("employed.hire_date", "trajectories.year_end") }}
            as years_of_service,
        greatest(employed.hire_date, trajectories.year_start) as first_day,
        coalesce(employed.termination_date, trajectories.year_end) as last_day
    from employed
    inner join trajectories
        on employed.trajectory_id = trajectories.trajectory_id
),

final as (
    select
        placed.*,
        age_bands.age_band,
        tenure_bands.tenure_band,
        placed.last_day - placed.first_day + 1 as days_employed,
        {{ cent_days_from("placed.first_day") }} as cent_days,
        -- Hours of a year of 52 weeks, as scheduled.
        plans.eligibility_hours_of_service > 0
        and placed.weekly_hours * 52 < plans.eligibility_hours_of_service
            as is_long_term_part_time,
        not plans.offered
        or (plans.eligibility_exclude_union and placed.is_union)
        or coalesce(
            list_contains(plans.excluded_departments, placed.department), false
        )
        or list_contains(plans.excluded_levels, placed.opening_job_level)
            as is_excluded
    from placed
    inner join plans on placed.trajectory_id = plans.trajectory_id
    inner join age_bands on least(placed.current_age, 130) = age_bands.age
    inner join tenure_bands
        on least(placed.current_tenure, 130) = tenure_bands.tenure
)

select * from final
