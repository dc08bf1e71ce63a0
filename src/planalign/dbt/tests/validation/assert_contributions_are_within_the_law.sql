-- Nothing is contributed without plan entry, above the annual additions of section
-- 415(c) (the lesser of a dollar amount and the pay of the year), or on pay that was
-- not paid; and every contribution has its event.
with control as (
    select simulation_year from {{ source("inputs", "control") }}
),

limits as (
    select
        scenario_id,
        max(amount) filter (where limit_name = 'annual_additions')
            as annual_additions_limit
    from {{ ref("int_plan_limits") }}
    where simulation_year = (select simulation_year from control)
    group by scenario_id
),

contributed as (
    select
        scenario_id,
        replicate,
        employee_id,
        (event_payload ->> '$.amount')::decimal(15, 2) as amount
    from {{ ref("fct_yearly_events") }}
    where
        simulation_year = (select simulation_year from control)
        and event_type = 'core_contribution'
),

snapshot as (
    select *
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = (select simulation_year from control)
)

select
    snapshot.scenario_id,
    snapshot.replicate,
    snapshot.employee_id,
    snapshot.plan_compensation,
    snapshot.core_contribution,
    contributed.amount
from snapshot
inner join limits on snapshot.scenario_id = limits.scenario_id
left join contributed
    on
        snapshot.scenario_id = contributed.scenario_id
        and snapshot.replicate = contributed.replicate
        and snapshot.employee_id = contributed.employee_id
where
    snapshot.core_contribution < 0
    or snapshot.core_contribution > limits.annual_additions_limit
    or snapshot.core_contribution > snapshot.prorated_annual_compensation
    or snapshot.plan_compensation > snapshot.prorated_annual_compensation
    or (snapshot.plan_compensation > 0 and not snapshot.is_plan_eligible)
    or (snapshot.core_contribution > 0 and snapshot.plan_compensation = 0)
    or snapshot.core_contribution <> coalesce(contributed.amount, 0)
