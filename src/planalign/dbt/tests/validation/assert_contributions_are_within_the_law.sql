-- No source of contributions is above what the law allows: deferrals section 402(g),
-- catch-up 414(v) by the age on December 31, annual additions 415(c) (the lesser of a
-- dollar amount and the pay of the year). Nothing is contributed without coverage or
-- on pay that was not paid, and every contribution has its event.
with limits as (
    select
        {% for name in [
            "elective_deferral", "catch_up", "catch_up_60_to_63", "annual_additions",
        ] %}
            max(amount) filter (where limit_name = '{{ name }}')
                as {{ name }}_limit,
        {% endfor %}
        scenario_id
    from {{ ref("int_plan_limits") }}
    where simulation_year = {{ year_in_hand() }}
    group by scenario_id
),

contributed as (
    select
        scenario_id,
        replicate,
        employee_id,
        sum((event_payload ->> '$.amount')::decimal(15, 2)) as amount
    from {{ ref("fct_yearly_events") }}
    where
        simulation_year = {{ year_in_hand() }}
        and event_type in ('contribution', 'true_up', 'forfeiture_allocation')
    group by scenario_id, replicate, employee_id
),

snapshot as (
    select
        *,
        pre_tax_deferral + roth_deferral as regular_deferral,
        annual_additions + catch_up_deferral as contribution
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
)

select
    snapshot.scenario_id,
    snapshot.replicate,
    snapshot.employee_id,
    snapshot.current_age,
    snapshot.prorated_annual_compensation,
    snapshot.plan_compensation,
    snapshot.regular_deferral,
    snapshot.catch_up_deferral,
    snapshot.annual_additions,
    contributed.amount
from snapshot
inner join limits on snapshot.scenario_id = limits.scenario_id
left join contributed
    on
        snapshot.scenario_id = contributed.scenario_id
        and snapshot.replicate = contributed.replicate
        and snapshot.employee_id = contributed.employee_id
where
    least(
        snapshot.pre_tax_deferral, snapshot.roth_deferral,
        snapshot.catch_up_deferral, snapshot.roth_catch_up_deferral,
        snapshot.match_contribution, snapshot.true_up_contribution,
        snapshot.core_contribution, snapshot.forfeiture_allocation,
        snapshot.forfeiture, snapshot.match_balance, snapshot.core_balance
    ) < 0
    or snapshot.regular_deferral > limits.elective_deferral_limit
    or snapshot.catch_up_deferral > case
        when snapshot.current_age < 50 then 0
        when snapshot.current_age between 60 and 63
            then limits.catch_up_60_to_63_limit
        else limits.catch_up_limit
    end
    or snapshot.roth_catch_up_deferral > snapshot.catch_up_deferral
    or snapshot.annual_additions
    > least(limits.annual_additions_limit, snapshot.prorated_annual_compensation)
    or snapshot.plan_compensation > snapshot.prorated_annual_compensation
    or snapshot.regular_deferral + snapshot.catch_up_deferral
    > snapshot.plan_compensation
    or (snapshot.contribution > 0 and not snapshot.is_covered)
    or (snapshot.is_covered and snapshot.plan_eligibility_date is null)
    or least(snapshot.vested_match_rate, snapshot.vested_core_rate) < 0
    or greatest(snapshot.vested_match_rate, snapshot.vested_core_rate) > 1
    or snapshot.contribution <> coalesce(contributed.amount, 0)
