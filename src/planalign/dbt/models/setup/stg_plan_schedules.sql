-- Schedules of the plan as lists in order: `floors` from which a group begins (but for
-- the first, which begins at nothing), `rates` by group, and for a match its `tiers`.
with entries as (
    select * from {{ source("inputs", "plan_schedules") }}
),

-- A tier pays its rate on deferrals up to a share of pay. As steps that add up: each
-- pays, on all deferrals up to its share, what its rate is above that of the next.
stepped as (
    select
        *,
        rate - coalesce(lead(rate) over (
            partition by scenario_id, simulation_year, schedule, from_value
            order by ordinal
        ), 0) as step
    from entries
),

groups as (
    select
        scenario_id,
        simulation_year,
        schedule,
        from_value,
        max(rate) as rate,
        -- Who defers as much earns all there is; further tiers pay nothing.
        coalesce(max(up_to) filter (where rate > 0), 0)::decimal(9, 6)
            as full_match_rate,
        list({
            'up_to': (up_to * 10000)::bigint, 'step': (step * 10000)::bigint
        } order by ordinal) as tiers
    from stepped
    group by scenario_id, simulation_year, schedule, from_value
),

final as (
    select
        scenario_id,
        simulation_year,
        schedule,
        list(from_value order by from_value)[2:] as floors,
        list(rate order by from_value) as rates,
        list(full_match_rate order by from_value) as full_match_rates,
        list(tiers order by from_value) as tiers
    from groups
    group by scenario_id, simulation_year, schedule
)

select * from final
