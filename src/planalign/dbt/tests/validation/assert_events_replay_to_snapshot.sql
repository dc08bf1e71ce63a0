-- Replaying the events of the year from the opening pay gives the snapshot: the pay
-- after the last event, each event starting from the pay after the one before, the
-- dates of hire and termination, and nothing outside employment.
with events as (
    select
        scenario_id,
        replicate,
        employee_id,
        event_type,
        effective_date,
        event_sequence,
        compensation_amount,
        previous_compensation
    from {{ ref("fct_yearly_events") }}
    where simulation_year = {{ year_in_hand() }}
),

-- A chain without a gap: what the events before an event change adds up to its
-- previous pay less the first.
replayed as (
    select
        scenario_id,
        replicate,
        employee_id,
        count(*) as events,
        max(event_sequence) as last_sequence,
        arg_max(compensation_amount, event_sequence) as last_compensation,
        arg_min(previous_compensation, event_sequence) as first_compensation,
        sum(compensation_amount - previous_compensation) as change,
        min(effective_date) as first_date,
        -- What the plan does after the year is no part of the employment.
        max(effective_date) filter (
            where event_type not in ('{{ events_after_employment() | join("', '") }}')
        ) as last_date,
        max(effective_date) filter (where event_type = 'hire') as hire_date,
        max(effective_date) filter (where event_type = 'termination')
            as termination_date,
        count(*) filter (where event_type = 'termination') as terminations
    from events
    group by scenario_id, replicate, employee_id
),

snapshot as (
    select
        scenario_id,
        replicate,
        employee_id,
        hire_date,
        termination_date,
        detailed_status,
        opening_compensation,
        current_compensation
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
),

compared as (
    select
        snapshot.*,
        replayed.events,
        replayed.last_sequence,
        replayed.terminations,
        replayed.hire_date as event_hire_date,
        replayed.termination_date as event_termination_date,
        replayed.first_date,
        replayed.last_date,
        replayed.change,
        replayed.first_compensation,
        coalesce(replayed.last_compensation, snapshot.opening_compensation)
            as replayed_compensation,
        snapshot.detailed_status in ('new_hire_active', 'new_hire_termination')
            as is_new_hire
    from snapshot
    left join replayed
        on
            snapshot.scenario_id = replayed.scenario_id
            and snapshot.replicate = replayed.replicate
            and snapshot.employee_id = replayed.employee_id
)

select *
from compared
where
    replayed_compensation <> current_compensation
    or termination_date is distinct from event_termination_date
    or (is_new_hire and hire_date is distinct from event_hire_date)
    or (not is_new_hire and event_hire_date is not null)
    or first_date < hire_date
    or last_date > termination_date
    or terminations > 1
    or events <> last_sequence
    or first_compensation + change <> replayed_compensation
    or (
        events > 0
        and first_compensation
        <> case when is_new_hire then 0 else opening_compensation end
    )
