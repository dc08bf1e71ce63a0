with trajectories as (
    select
        trajectory_id,
        scenario_id,
        replicate,
        simulation_year,
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

contributions as (
    select * from {{ ref("int_plan_contributions") }}
    where core_contribution > 0
),

-- On one day an employee's events are in the order of `type_number`, but for the
-- termination, which is the last; the ids of events rest on it. Payloads are put
-- together by concat(), which takes half the time of a chain of ||.
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

    union all

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

    union all

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

    union all

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

    union all

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

    union all

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

    union all

    -- The contribution of a year is made on the last day of employment in it.
    select
        trajectory_id,
        employee_id,
        employee_key,
        'core_contribution' as event_type,
        6 as type_number,
        last_day as effective_date,
        job_level,
        compensation as compensation_amount,
        compensation as previous_compensation,
        concat(
            '{"amount":', core_contribution,
            ',"plan_compensation":', plan_compensation, '}'
        ) as event_payload
    from contributions
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
                combined.event_type = 'termination',
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
