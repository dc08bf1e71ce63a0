with trajectories as (
    select
        trajectory_id,
        scenario_id,
        replicate,
        simulation_year,
        year_end,
        event_digest
    from {{ ref("int_trajectories") }}
),

changes as (
    select * from {{ ref("int_workforce_changes") }}
),

hires as (
    select * from {{ ref("int_hiring_events") }}
),

hire_terminations as (
    select * from {{ ref("int_new_hire_termination_events") }}
),

promotions as (
    select * from {{ ref("int_promotion_events") }}
),

raises as (
    select * from {{ ref("int_compensation_events") }}
),

eligibilities as (
    select * from {{ ref("int_plan_eligibility") }}
),

enrollments as (
    select * from {{ ref("int_enrollment") }}
    where decision is not null
),

contributions as (
    select * from {{ ref("int_plan_contributions") }}
),

allocations as (
    select * from {{ ref("int_forfeiture_allocations") }}
),

-- On one day an employee's events are in the order of `type_number`, but a contribution
-- is after all decisions, then the termination, and then what the plan does after the
-- year; the ids of events rest on the number. Payloads are put together by concat(),
-- which takes half the time of a chain of ||.
combined as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        'hire' as event_type,
        1 as type_number,
        hire_date as effective_date,
        job_level,
        compensation as compensation_amount,
        0::decimal(15, 2) as previous_compensation,
        concat('{"amount":', compensation, ',"job_level":', job_level, '}')
            as event_payload
    from hires

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        'eligibility' as event_type,
        2 as type_number,
        eligibility_date as effective_date,
        job_level,
        compensation as compensation_amount,
        compensation as previous_compensation,
        concat('{"amount":', compensation, '}') as event_payload
    from eligibilities
    where is_event

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        'promotion' as event_type,
        3 as type_number,
        promotion_date as effective_date,
        job_level,
        compensation as compensation_amount,
        previous_compensation,
        concat(
            '{"amount":', compensation - previous_compensation,
            ',"from_level":', opening_job_level, ',"to_level":', job_level, '}'
        ) as event_payload
    from promotions

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        'raise' as event_type,
        4 as type_number,
        raise_date as effective_date,
        job_level,
        compensation as compensation_amount,
        previous_compensation,
        concat(
            '{"amount":', compensation - previous_compensation,
            ',"cola_rate":', cola_rate, ',"merit_rate":', merit_rate,
            ',"rating":"', performance_rating, '"}'
        ) as event_payload
    from raises

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        'termination' as event_type,
        5 as type_number,
        termination_date as effective_date,
        job_level,
        compensation as compensation_amount,
        compensation as previous_compensation,
        concat('{"amount":', compensation, ',"reason":"', termination_reason, '"}')
            as event_payload
    from changes
    where termination_date is not null

    union all by name

    select
        hires.trajectory_id,
        hires.employee_id,
        hires.employee_key,
        'termination' as event_type,
        5 as type_number,
        hire_terminations.termination_date as effective_date,
        hires.job_level,
        hires.compensation as compensation_amount,
        hires.compensation as previous_compensation,
        concat(
            '{"amount":', hires.compensation, ',"reason":"',
            hire_terminations.reason, '"}'
        ) as event_payload
    from hires
    inner join hire_terminations
        on
            hires.trajectory_id = hire_terminations.trajectory_id
            and hires.employee_key = hire_terminations.employee_key

    union all by name

    -- What is contributed for a year is one event on the last day of employment.
    select
        trajectory_id,
        employee_id,
        employee_key,
        'contribution' as event_type,
        6 as type_number,
        last_day as effective_date,
        job_level,
        compensation as compensation_amount,
        compensation as previous_compensation,
        concat(
            '{"amount":',
            pre_tax_deferral + roth_deferral + catch_up_deferral
            + match_contribution + core_contribution,
            ',"pre_tax":', pre_tax_deferral, ',"roth":', roth_deferral,
            ',"catch_up":', catch_up_deferral, ',"match":', match_contribution,
            ',"core":', core_contribution,
            ',"plan_compensation":', plan_compensation,
            case
                when limit_date is not null
                    then concat(',"limit_date":"', limit_date, '"')
            end, '}'
        ) as event_payload
    from contributions
    where
        pre_tax_deferral + roth_deferral + catch_up_deferral
        + match_contribution + core_contribution > 0

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        case decision
            when 'opt_out' then 'opt_out'
            when 'change' then 'deferral_change'
            when 'escalation' then 'escalation'
            else 'enrollment'
        end as event_type,
        case decision
            when 'opt_out' then 8
            when 'change' then 9
            when 'escalation' then 10
            else 7
        end as type_number,
        decision_day as effective_date,
        job_level,
        compensation as compensation_amount,
        compensation as previous_compensation,
        concat(
            '{"amount":', deferral_rate, ',"previous":', opening_deferral_rate,
            ',"status":"', enrollment_status, '","reason":"', decision, '"}'
        ) as event_payload
    from enrollments

    union all by name

    -- A true-up is made after the year, also for who has left.
    select
        contributions.trajectory_id,
        contributions.employee_id,
        contributions.employee_key,
        'true_up' as event_type,
        11 as type_number,
        trajectories.year_end as effective_date,
        contributions.job_level,
        contributions.compensation as compensation_amount,
        contributions.compensation as previous_compensation,
        concat('{"amount":', contributions.true_up_contribution, '}')
            as event_payload
    from contributions
    inner join trajectories
        on contributions.trajectory_id = trajectories.trajectory_id
    where contributions.true_up_contribution > 0

    union all by name

    select
        trajectory_id,
        employee_id,
        employee_key,
        'vesting' as event_type,
        12 as type_number,
        vesting_date as effective_date,
        {{ level_on("vesting_date") }} as job_level,
        {{ pay_on("vesting_date") }} as compensation_amount,
        {{ pay_on("vesting_date") }} as previous_compensation,
        concat(
            '{"match":', vested_match_rate, ',"core":', vested_core_rate,
            ',"previous_match":', prior_vested_match_rate,
            ',"previous_core":', prior_vested_core_rate, '}'
        ) as event_payload
    from contributions
    where
        (match_account > 0 and vested_match_rate > prior_vested_match_rate)
        or (core_account > 0 and vested_core_rate > prior_vested_core_rate)

    union all by name

    select
        contributions.trajectory_id,
        contributions.employee_id,
        contributions.employee_key,
        'forfeiture' as event_type,
        13 as type_number,
        trajectories.year_end as effective_date,
        contributions.job_level,
        contributions.compensation as compensation_amount,
        contributions.compensation as previous_compensation,
        concat(
            '{"amount":', contributions.forfeited_match + contributions.forfeited_core,
            ',"match":', contributions.forfeited_match,
            ',"core":', contributions.forfeited_core, '}'
        ) as event_payload
    from contributions
    inner join trajectories
        on contributions.trajectory_id = trajectories.trajectory_id
    where contributions.forfeited_match + contributions.forfeited_core > 0

    union all by name

    -- Highly compensated from January 1, or no longer.
    select
        trajectory_id,
        employee_id,
        employee_key,
        'hce_status' as event_type,
        14 as type_number,
        first_day as effective_date,
        {{ level_on("first_day") }} as job_level,
        {{ pay_on("first_day") }} as compensation_amount,
        {{ pay_on("first_day") }} as previous_compensation,
        concat('{"highly_compensated":', is_highly_compensated, '}') as event_payload
    from contributions
    where is_highly_compensated <> was_highly_compensated

    union all by name

    select
        contributions.trajectory_id,
        contributions.employee_id,
        contributions.employee_key,
        'forfeiture_allocation' as event_type,
        15 as type_number,
        contributions.last_day as effective_date,
        contributions.job_level,
        contributions.compensation as compensation_amount,
        contributions.compensation as previous_compensation,
        concat('{"amount":', allocations.forfeiture_allocation, '}') as event_payload
    from contributions
    inner join allocations
        on
            contributions.trajectory_id = allocations.trajectory_id
            and contributions.employee_key = allocations.employee_key
),

final as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        {{ event_id(
            "combined.employee_key", "trajectories.event_digest",
            "combined.type_number"
        ) }} as event_id,
        combined.employee_id,
        combined.event_type,
        combined.effective_date,
        (row_number() over (
            partition by combined.trajectory_id, combined.employee_key
            order by
                combined.effective_date,
                case combined.event_type
                    when 'contribution' then 1
                    when 'forfeiture_allocation' then 1
                    when 'termination' then 2
                    when 'true_up' then 3
                    when 'forfeiture' then 3
                    else 0
                end,
                combined.type_number
        ))::integer as event_sequence,
        combined.job_level,
        combined.compensation_amount,
        combined.previous_compensation,
        combined.event_payload::json as event_payload
    from combined
    inner join trajectories
        on combined.trajectory_id = trajectories.trajectory_id
)

select * from final
