-- docs/method/opening-workforce.md
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

allocations as (
    select * from {{ ref("int_forfeiture_allocations") }}
),

paid as (
    select
        contributions.*,
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        coalesce(allocations.forfeiture_allocation, 0)::decimal(15, 2)
            as forfeiture_allocation
    from contributions
    inner join trajectories
        on contributions.trajectory_id = trajectories.trajectory_id
    left join allocations
        on
            contributions.trajectory_id = allocations.trajectory_id
            and contributions.employee_key = allocations.employee_key
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
        paid.age_band,
        paid.current_tenure,
        paid.tenure_band,
        paid.opening_age_band,
        paid.opening_tenure_band,
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
        {% for column in census_columns() %}
            paid.{{ column }},
        {% endfor %}
        paid.is_highly_compensated,
        paid.is_covered,
        paid.enrollment_status,
        paid.savings_inclination,
        paid.deferral_rate,
        paid.full_match_rate,
        paid.plan_compensation,
        paid.pre_tax_deferral,
        paid.roth_deferral,
        paid.catch_up_deferral,
        paid.roth_catch_up_deferral,
        paid.match_contribution,
        paid.true_up_contribution,
        paid.core_contribution,
        paid.forfeiture_allocation,
        (
            paid.pre_tax_deferral + paid.roth_deferral + paid.match_contribution
            + paid.true_up_contribution + paid.core_contribution
            + paid.forfeiture_allocation
        )::decimal(15, 2) as annual_additions,
        paid.limit_date,
        paid.vested_match_rate,
        paid.vested_core_rate,
        paid.account_return,
        (paid.forfeited_match + paid.forfeited_core)::decimal(15, 2) as forfeiture,
        (paid.match_account - paid.forfeited_match)::decimal(15, 2) as match_balance,
        (
            paid.core_account - paid.forfeited_core + paid.forfeiture_allocation
        )::decimal(15, 2) as core_balance
    from paid
)

select * from final
