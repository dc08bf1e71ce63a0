-- docs/method/event-ids.md
with events as (
    select *
    from {{ ref("fct_yearly_events") }}
    where simulation_year = {{ year_in_hand() }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

final as (
    select
        events.scenario_id,
        events.replicate,
        events.simulation_year,
        events.event_type,
        count(*)::integer as event_count,
        sum(events.compensation_amount)::decimal(18, 2) as compensation_amount,
        sum(events.previous_compensation)::decimal(18, 2)
            as previous_compensation
    from events
    inner join trajectories
        on
            events.scenario_id = trajectories.scenario_id
            and events.replicate = trajectories.replicate
    group by
        events.scenario_id,
        events.replicate,
        events.simulation_year,
        events.event_type
)

select * from final
