with summary as (
    select *
    from {{ ref("fct_financial_summary") }}
    where simulation_year = (
        select simulation_year from {{ source("inputs", "control") }}
    )
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

-- Every employee is in one job level.
costs as (
    select
        scenario_id,
        replicate,
        sum(covered_headcount)::integer as covered_headcount,
        sum(plan_compensation)::decimal(18, 2) as plan_compensation,
        sum(core_contribution)::decimal(18, 2) as core_contribution
    from {{ ref("fct_plan_costs_by_group") }}
    where
        simulation_year = (
            select simulation_year from {{ source("inputs", "control") }}
        )
        and dimension = 'job_level'
    group by scenario_id, replicate
),

final as (
    select
        summary.scenario_id,
        summary.replicate,
        summary.simulation_year,
        coalesce(costs.covered_headcount, 0) as covered_headcount,
        coalesce(costs.plan_compensation, 0)::decimal(18, 2) as plan_compensation,
        coalesce(costs.core_contribution, 0)::decimal(18, 2) as core_contribution,
        coalesce(costs.core_contribution, 0)::decimal(18, 2) as employer_cost,
        {{ rate_quotient(
            digits_of("coalesce(costs.core_contribution, 0)::decimal(18, 2)", 2),
            digits_of("summary.payroll", 2)
        ) }} as employer_cost_rate
    from summary
    inner join trajectories
        on
            summary.scenario_id = trajectories.scenario_id
            and summary.replicate = trajectories.replicate
    left join costs
        on
            summary.scenario_id = costs.scenario_id
            and summary.replicate = costs.replicate
)

select * from final
