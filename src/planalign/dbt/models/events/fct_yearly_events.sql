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
            order by combined.effective_date, combined.place_in_day
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
