-- docs/method/pay.md
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

requirements as (
    select * from {{ ref("int_hiring_requirements") }}
),

snapshot as (
    select *
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
),

changes as (
    select
        trajectory_id,
        count(promotion_date)::integer as promotions,
        (count(*) filter (
            where compensation_before_raise <> compensation_after_raise
        ))::integer as raises
    from {{ ref("int_workforce_changes") }}
    group by trajectory_id
),

counted as (
    select
        scenario_id,
        replicate,
        (count(*) filter (
            where detailed_status in ('new_hire_active', 'new_hire_termination')
        ))::integer as hires,
        (count(*) filter (
            where detailed_status = 'experienced_termination'
        ))::integer as experienced_terminations,
        (count(*) filter (
            where detailed_status = 'new_hire_termination'
        ))::integer as new_hire_terminations,
        (count(*) filter (
            where employment_status = 'active'
        ))::integer as closing_headcount,
        sum(prorated_annual_compensation)::decimal(18, 2) as payroll,
        coalesce(sum(current_compensation) filter (
            where employment_status = 'active'
        ), 0)::decimal(18, 2) as closing_annual_payroll,
        (count(*) filter (
            where employment_status = 'active' and is_plan_eligible
        ))::integer as plan_eligible_headcount
    from snapshot
    group by scenario_id, replicate
),

final as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        requirements.opening_headcount,
        coalesce(counted.hires, 0) as hires,
        coalesce(counted.experienced_terminations, 0) as experienced_terminations,
        coalesce(counted.new_hire_terminations, 0) as new_hire_terminations,
        coalesce(changes.promotions, 0) as promotions,
        coalesce(changes.raises, 0) as raises,
        coalesce(counted.closing_headcount, 0) as closing_headcount,
        requirements.target_closing_headcount,
        requirements.unmet_reduction,
        coalesce(counted.payroll, 0)::decimal(18, 2) as payroll,
        coalesce(counted.closing_annual_payroll, 0)::decimal(18, 2)
            as closing_annual_payroll,
        case
            when counted.closing_headcount > 0
                then {{ money_quotient(
                    digits_of("counted.closing_annual_payroll", 2),
                    "counted.closing_headcount::hugeint"
                ) }}
        end as average_compensation,
        coalesce(counted.plan_eligible_headcount, 0) as plan_eligible_headcount
    from trajectories
    inner join requirements
        on trajectories.trajectory_id = requirements.trajectory_id
    left join changes
        on trajectories.trajectory_id = changes.trajectory_id
    left join counted
        on
            trajectories.scenario_id = counted.scenario_id
            and trajectories.replicate = counted.replicate
)

select * from final
