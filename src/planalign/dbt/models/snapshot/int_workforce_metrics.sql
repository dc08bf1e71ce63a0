-- docs/method/hazards.md#measured-rates
with summary as (
    select *
    from {{ ref("fct_financial_summary") }}
    where simulation_year = {{ year_in_hand() }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

active as (
    select
        scenario_id,
        replicate,
        sum(current_age)::bigint as total_age,
        sum(current_tenure)::bigint as total_tenure
    from {{ ref("fct_workforce_snapshot") }}
    where
        simulation_year = {{ year_in_hand() }}
        and employment_status = 'active'
    group by scenario_id, replicate
),

final as (
    select
        summary.scenario_id,
        summary.replicate,
        summary.simulation_year,
        summary.closing_headcount as headcount,
        {{ rate_quotient("active.total_age", "summary.closing_headcount") }}
            as average_age,
        {{ rate_quotient("active.total_tenure", "summary.closing_headcount") }}
            as average_tenure,
        {{ rate_quotient(
            "summary.experienced_terminations", "summary.opening_headcount"
        ) }} as termination_rate,
        {{ rate_quotient("summary.new_hire_terminations", "summary.hires") }}
            as new_hire_termination_rate,
        {{ rate_quotient("summary.promotions", "summary.opening_headcount") }}
            as promotion_rate,
        {{ rate_quotient(
            "(summary.closing_headcount - summary.opening_headcount)",
            "summary.opening_headcount"
        ) }} as growth_rate
    from summary
    inner join trajectories
        on
            summary.scenario_id = trajectories.scenario_id
            and summary.replicate = trajectories.replicate
    left join active
        on
            summary.scenario_id = active.scenario_id
            and summary.replicate = active.replicate
)

select * from final
