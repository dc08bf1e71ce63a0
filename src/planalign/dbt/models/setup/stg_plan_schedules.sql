-- docs/method/contributions.md#match
-- Schedules of the plan as lists in order: `floors` from which a group begins (but for
-- the first, which begins at nothing), `rates` by group, and for a match its `tiers`
-- and `spans`.
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
        ), 0) as step,
        lag(up_to, 1, 0) over (
            partition by scenario_id, simulation_year, schedule, from_value
            order by ordinal
        ) as start
    from entries
),

-- As spans of deferrals that earn: from where, up to where, at which rate, and what is
-- earned before, in 1e-8 of pay.
earning as (
    select
        *,
        (start * 10000)::bigint as start_units,
        (up_to * 10000)::bigint as up_to_units,
        (rate * 10000)::bigint as rate_units,
        coalesce(sum((rate * 10000)::bigint * ((up_to - start) * 10000)::bigint) over (
            partition by scenario_id, simulation_year, schedule, from_value
            order by ordinal
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint as earned_before
    from stepped
),

groups as (
    select
        scenario_id,
        simulation_year,
        schedule,
        from_value,
        max(rate) as rate,
        list({
            'up_to': up_to_units, 'step': (step * 10000)::bigint
        } order by ordinal) as tiers,
        coalesce(
            list({
                'start': start_units,
                'up_to': up_to_units,
                'rate': rate_units,
                'earned_before': earned_before
            } order by ordinal) filter (where rate > 0 and up_to > 0),
            []
        ) as spans
    from earning
    group by scenario_id, simulation_year, schedule, from_value
),

final as (
    select
        scenario_id,
        simulation_year,
        schedule,
        list(from_value order by from_value)[2:] as floors,
        list(rate order by from_value) as rates,
        list(tiers order by from_value) as tiers,
        list(spans order by from_value) as spans
    from groups
    group by scenario_id, simulation_year, schedule
)

select * from final
