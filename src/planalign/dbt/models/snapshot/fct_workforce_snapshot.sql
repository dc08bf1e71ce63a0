with trajectories as (
    select
        trajectory_id,
        scenario_id,
        replicate,
        simulation_year
    from {{ ref("int_trajectories") }}
),

contributions as (
    select * from {{ ref("int_plan_contributions") }}
),

age_bands as (
    select * from {{ ref("stg_age_bands") }}
),

tenure_bands as (
    select * from {{ ref("stg_tenure_bands") }}
),

paid as (
    select
        contributions.*,
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        -- Every birthday and anniversary of the year has passed on December 31.
        (trajectories.simulation_year - year(contributions.birth_date))::integer
            as current_age,
        (trajectories.simulation_year - year(contributions.hire_date))::integer
            as current_tenure
    from contributions
    inner join trajectories
        on contributions.trajectory_id = trajectories.trajectory_id
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
        paid.plan_eligibility_date,
        paid.plan_eligibility_date is not null as is_plan_eligible,
        paid.plan_compensation,
        paid.core_contribution
    from paid
    inner join age_bands on least(paid.current_age, 130) = age_bands.age
    inner join tenure_bands on least(paid.current_tenure, 130) = tenure_bands.tenure
)

select * from final
