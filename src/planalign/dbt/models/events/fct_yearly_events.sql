-- docs/method/event-ids.md
-- The events of the list in macros/events.sql, put together.
with trajectories as (
    select
        trajectory_id,
        scenario_id,
        replicate,
        simulation_year,
        event_digest
    from {{ ref("int_trajectories") }}
),

combined as (
    {% for event in yearly_events() %}
        select
            trajectory_id,
            employee_id,
            employee_key,
            '{{ event.name }}' as event_type,
            {{ event.number }} as type_number,
            {{ loop.index }} as place_in_day,
            {{ event.day }} as effective_date,
            {{ event.level }} as job_level,
            {{ event.pay }} as compensation_amount,
            ({{ event.previous_pay }})::decimal(15, 2) as previous_compensation,
            {{ event_payload(event.payload) }} as event_payload
        from {{ ref(event.source) }}
        where {{ event.where }}

        {{ "union all by name" if not loop.last }}
    {% endfor %}
),

numbered as (
    select
        *,
        (row_number() over (
            partition by trajectory_id, employee_key
            order by effective_date, place_in_day
        ))::integer as event_sequence
    from combined
),

final as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.simulation_year,
        {{ event_id(
            "numbered.employee_key", "trajectories.event_digest",
            "numbered.type_number"
        ) }} as event_id,
        numbered.employee_id,
        numbered.event_type,
        numbered.effective_date,
        numbered.event_sequence,
        numbered.job_level,
        numbered.compensation_amount,
        numbered.previous_compensation,
        numbered.event_payload::json as event_payload
    from numbered
    inner join trajectories
        on numbered.trajectory_id = trajectories.trajectory_id
)

select * from final
