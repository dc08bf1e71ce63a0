-- The cost of the plan is what the employees of the snapshot were contributed, in all
-- and in each dimension.
with control as (
    select simulation_year from {{ source("inputs", "control") }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

paid as (
    select
        scenario_id,
        replicate,
        count(*) as headcount,
        sum(core_contribution) as core_contribution
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = (select simulation_year from control)
    group by scenario_id, replicate
),

costs as (
    select
        scenario_id,
        replicate,
        employer_cost
    from {{ ref("fct_plan_costs") }}
    where simulation_year = (select simulation_year from control)
),

by_group as (
    select
        scenario_id,
        replicate,
        dimension,
        sum(headcount) as headcount,
        sum(core_contribution) as core_contribution
    from {{ ref("fct_plan_costs_by_group") }}
    where simulation_year = (select simulation_year from control)
    group by scenario_id, replicate, dimension
)

select
    trajectories.scenario_id,
    trajectories.replicate,
    by_group.dimension,
    paid.core_contribution,
    costs.employer_cost,
    by_group.core_contribution as contribution_of_groups
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
    coalesce(paid.core_contribution, 0) is distinct from costs.employer_cost
    or coalesce(by_group.core_contribution, 0) <> coalesce(paid.core_contribution, 0)
    or coalesce(by_group.headcount, 0) <> coalesce(paid.headcount, 0)
