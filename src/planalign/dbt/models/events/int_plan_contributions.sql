-- What the plan pays for whom: the nonelective (core) contribution, a share of the pay
-- since plan entry. Pay counts up to the limit of section 401(a)(17), and the
-- contribution up to the annual additions of section 415(c).
with trajectories as (
    select
        trajectory_id,
        core_rate,
        compensation_limit,
        annual_additions_limit
    from {{ ref("int_trajectories") }}
),

employment as (
    select * from {{ ref("int_employment") }}
),

paid as (
    select
        *,
        {{ money_quotient("cent_days", "days_in_year") }}
            as prorated_annual_compensation,
        {{ money_quotient("cent_days", "days_employed") }}
            as full_year_equivalent_compensation,
        greatest(first_day, plan_eligibility_date) as plan_day
    from employment
),

-- A first plan day after the last day of employment is none.
covered as (
    select
        *,
        case
            when plan_eligibility_date is null or plan_day > last_day
                then 0::decimal(15, 2)
            else {{ money_quotient(cent_days_from("plan_day"), "days_in_year") }}
        end as plan_compensation
    from paid
),

final as (
    select
        covered.trajectory_id,
        covered.employee_id,
        covered.employee_key,
        covered.birth_date,
        covered.hire_date,
        covered.termination_date,
        covered.is_new_hire,
        covered.job_level,
        covered.opening_compensation,
        covered.compensation,
        covered.last_day,
        covered.prorated_annual_compensation,
        covered.full_year_equivalent_compensation,
        covered.prior_cumulative_compensation,
        covered.plan_eligibility_date,
        covered.plan_compensation,
        least(
            {{ money(
                "least(covered.plan_compensation, trajectories.compensation_limit)"
                ~ "::decimal(24, 2) * trajectories.core_rate"
            ) }},
            trajectories.annual_additions_limit,
            covered.prorated_annual_compensation
        )::decimal(15, 2) as core_contribution
    from covered
    inner join trajectories
        on covered.trajectory_id = trajectories.trajectory_id
)

select * from final
