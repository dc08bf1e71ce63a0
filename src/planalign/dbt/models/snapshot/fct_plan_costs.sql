-- docs/method/contributions.md#events-and-cost
with summary as (
    select *
    from {{ ref("fct_financial_summary") }}
    where simulation_year = {{ year_in_hand() }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

forfeitures as (
    select * from {{ ref("int_forfeitures") }}
),

-- Every employee is in one job level.
added as (
    select
        scenario_id,
        replicate,
        {% for count in plan_headcounts() %}
            sum({{ count }})::integer as {{ count }},
        {% endfor %}
        {% for amount in plan_amounts() %}
            sum({{ amount }})::decimal(18, 2) as {{ amount }},
        {% endfor %}
        sum(deferral_rate_total)::decimal(18, 6) as deferral_rate_total
    from {{ ref("fct_plan_costs_by_group") }}
    where
        simulation_year = {{ year_in_hand() }}
        and dimension = 'job_level'
    group by scenario_id, replicate
),

filled as (
    select
        summary.scenario_id,
        summary.replicate,
        summary.simulation_year,
        summary.payroll,
        {% for count in plan_headcounts() %}
            coalesce(added.{{ count }}, 0) as {{ count }},
        {% endfor %}
        coalesce(added.deferral_rate_total, 0)::decimal(18, 6) as deferral_rate_total,
        {% for amount in plan_amounts() %}
            coalesce(added.{{ amount }}, 0)::decimal(18, 2) as {{ amount }},
        {% endfor %}
        forfeitures.cost_reduction,
        forfeitures.expenses_paid
    from summary
    inner join trajectories
        on
            summary.scenario_id = trajectories.scenario_id
            and summary.replicate = trajectories.replicate
    inner join forfeitures on trajectories.trajectory_id = forfeitures.trajectory_id
    left join added
        on
            summary.scenario_id = added.scenario_id
            and summary.replicate = added.replicate
),

costed as (
    select
        *,
        (pre_tax_deferral + roth_deferral + catch_up_deferral)::decimal(18, 2)
            as employee_contribution,
        (
            match_contribution + true_up_contribution + core_contribution
            - cost_reduction
        )::decimal(18, 2) as employer_cost
    from filled
),

final as (
    select
        * exclude (payroll),
        {{ rate_quotient(digits_of("employer_cost", 2), digits_of("payroll", 2)) }}
            as employer_cost_rate,
        {{ plan_rates() }}
    from costed
)

select * from final
