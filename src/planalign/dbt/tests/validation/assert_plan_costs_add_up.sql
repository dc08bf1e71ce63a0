-- The cost of the plan is what the employees of the snapshot were contributed less the
-- forfeitures used instead, in all and in each dimension; and every dollar forfeited is
-- used, but for cents that cannot be shared out.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

paid as (
    select
        scenario_id,
        replicate,
        count(*) as headcount,
        sum(match_contribution + true_up_contribution + core_contribution)
            as employer_contribution,
        sum(pre_tax_deferral + roth_deferral + catch_up_deferral) as deferral,
        sum(forfeiture) as forfeiture,
        sum(forfeiture_allocation) as forfeiture_allocation
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
    group by scenario_id, replicate
),

costs as (
    select *
    from {{ ref("fct_plan_costs") }}
    where simulation_year = {{ year_in_hand() }}
),

by_group as (
    select
        scenario_id,
        replicate,
        dimension,
        sum(headcount) as headcount,
        sum(match_contribution + true_up_contribution + core_contribution)
            as employer_contribution,
        sum(pre_tax_deferral + roth_deferral + catch_up_deferral) as deferral
    from {{ ref("fct_plan_costs_by_group") }}
    where simulation_year = {{ year_in_hand() }}
    group by scenario_id, replicate, dimension
)

select
    trajectories.scenario_id,
    trajectories.replicate,
    by_group.dimension,
    paid.employer_contribution,
    costs.employer_cost,
    costs.cost_reduction,
    by_group.employer_contribution as contribution_of_groups
from trajectories
left join paid
    on
        trajectories.scenario_id = paid.scenario_id
        and trajectories.replicate = paid.replicate
left join costs
    on
        trajectories.scenario_id = costs.scenario_id
        and trajectories.replicate = costs.replicate
left join by_group
    on
        trajectories.scenario_id = by_group.scenario_id
        and trajectories.replicate = by_group.replicate
where
    coalesce(paid.employer_contribution, 0)
    is distinct from costs.employer_cost + costs.cost_reduction
    or coalesce(by_group.employer_contribution, 0)
    <> coalesce(paid.employer_contribution, 0)
    or coalesce(by_group.deferral, 0) <> coalesce(paid.deferral, 0)
    or coalesce(by_group.headcount, 0) <> coalesce(paid.headcount, 0)
    or coalesce(paid.forfeiture, 0) <> costs.forfeiture
    or costs.cost_reduction + costs.expenses_paid + costs.forfeiture_allocation
    > costs.forfeiture
