with trajectories as (
    select
        trajectory_id,
        scenario_id,
        replicate,
        simulation_year,
        year_start,
        year_end,
        days_in_year
    from {{ ref("int_trajectories") }}
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

eligibilities as (
    select * from {{ ref("int_plan_eligibility") }}
),

age_bands as (
    select * from {{ ref("stg_age_bands") }}
),

tenure_bands as (
    select * from {{ ref("stg_tenure_bands") }}
),

employed as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        birth_date,
        hire_date,
        termination_date,
        job_level,
        opening_compensation,
        prior_cumulative_compensation,
        prior_eligibility_date,
        promotion_date,
        coalesce(compensation_after_promotion - compensation_before_promotion, 0)
            as promotion_change,
        raise_date,
        coalesce(compensation_after_raise - compensation_before_raise, 0)
            as raise_change,
        compensation,
        false as is_new_hire
    from changes

    union all

    select
        hires.trajectory_id,
        hires.employee_id,
        hires.employee_key,
        hires.birth_date,
        hires.hire_date,
        hire_terminations.termination_date,
        hires.job_level,
        hires.compensation as opening_compensation,
        0 as prior_cumulative_compensation,
        null as prior_eligibility_date,
        null as promotion_date,
        0 as promotion_change,
        null as raise_date,
        0 as raise_change,
        hires.compensation,
        true as is_new_hire
    from hires
    left join hire_terminations
        on
            hires.trajectory_id = hire_terminations.trajectory_id
            and hires.employee_key = hire_terminations.employee_key
),

-- The first and the last day of employment in the year both count.
placed as (
    select
        employed.*,
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        trajectories.year_start,
        trajectories.year_end,
        trajectories.days_in_year,
        greatest(employed.hire_date, trajectories.year_start) as first_day,
        coalesce(employed.termination_date, trajectories.year_end) as last_day
    from employed
    inner join trajectories
        on employed.trajectory_id = trajectories.trajectory_id
),

-- Cent-days: each rate of pay by the days it was paid, a change counting from its
-- own date, so that one division rounds once.
measured as (
    select
        *,
        last_day - first_day + 1 as days_employed,
        {{ cents("opening_compensation") }} * (last_day - first_day + 1)
        + {{ cents("promotion_change") }}
        * coalesce(last_day - promotion_date + 1, 0)
        + {{ cents("raise_change") }}
        * coalesce(last_day - raise_date + 1, 0) as cent_days,
        -- Every birthday and anniversary of the year has passed on December 31.
        (simulation_year - year(birth_date))::integer as current_age,
        (simulation_year - year(hire_date))::integer as current_tenure
    from placed
),

paid as (
    select
        *,
        {{ money_quotient("cent_days", "days_in_year") }}
            as prorated_annual_compensation,
        {{ money_quotient("cent_days", "days_employed") }}
            as full_year_equivalent_compensation
    from measured
),

final as (
    select
        paid.scenario_id,
        paid.replicate,
        paid.simulation_year,
        paid.employee_id,
        paid.employee_key,
        paid.birth_date,
        paid.hire_date,
        paid.termination_date,
        paid.current_age,
        age_bands.age_band,
        paid.current_tenure,
        tenure_bands.tenure_band,
        paid.job_level,
        case
            when paid.termination_date is null then 'active' else 'terminated'
        end as employment_status,
        case
            when paid.is_new_hire and paid.termination_date is null
                then 'new_hire_active'
            when paid.is_new_hire then 'new_hire_termination'
            when paid.termination_date is null then 'continuous_active'
            else 'experienced_termination'
        end as detailed_status,
        paid.opening_compensation,
        paid.compensation as current_compensation,
        paid.prorated_annual_compensation,
        paid.full_year_equivalent_compensation,
        (
            paid.prior_cumulative_compensation + paid.prorated_annual_compensation
        )::decimal(18, 2) as cumulative_compensation,
        coalesce(paid.prior_eligibility_date, eligibilities.eligibility_date)
            as plan_eligibility_date,
        (
            coalesce(paid.prior_eligibility_date, eligibilities.eligibility_date)
            is not null
        ) as is_plan_eligible
    from paid
    inner join age_bands on least(paid.current_age, 130) = age_bands.age
    inner join tenure_bands on least(paid.current_tenure, 130) = tenure_bands.tenure
    left join eligibilities
        on
            paid.trajectory_id = eligibilities.trajectory_id
            and paid.employee_key = eligibilities.employee_key
)

select * from final
