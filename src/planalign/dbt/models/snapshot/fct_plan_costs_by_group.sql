-- docs/method/contributions.md#events-and-cost
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

snapshot as (
    select *
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
),

-- One pass over the employees; the dimensions are added up from its few cells.
-- Who takes part is counted on December 31; contributions count leavers too.
cells as (
    select
        snapshot.scenario_id,
        snapshot.replicate,
        snapshot.simulation_year,
        snapshot.age_band,
        snapshot.tenure_band,
        snapshot.job_level::varchar as job_level,
        case
            when snapshot.is_highly_compensated then 'highly_compensated' else 'other'
        end as compensation_group,
        {% for column in extra_groups() %}
            coalesce(snapshot.{{ column }}::varchar, '(none)') as {{ column }},
        {% endfor %}
        count(*) as headcount,
        count(*) filter (where snapshot.plan_compensation > 0) as covered_headcount,
        count(*) filter (
            where snapshot.is_covered and snapshot.termination_date is null
        ) as eligible_headcount,
        count(*) filter (
            where snapshot.is_covered and snapshot.termination_date is null
            and snapshot.deferral_rate > 0
        ) as participant_headcount,
        count(*) filter (
            where snapshot.is_covered and snapshot.termination_date is null
            and snapshot.deferral_rate >= snapshot.full_match_rate
            and snapshot.full_match_rate > 0
        ) as full_match_headcount,
        {% for amount in plan_amounts() %}
            sum(snapshot.{{ amount }}) as {{ amount }},
        {% endfor %}
        coalesce(sum(snapshot.deferral_rate) filter (
            where snapshot.is_covered and snapshot.termination_date is null
        ), 0) as deferral_rates
    from snapshot
    inner join trajectories
        on
            snapshot.scenario_id = trajectories.scenario_id
            and snapshot.replicate = trajectories.replicate
    group by
        snapshot.scenario_id,
        snapshot.replicate,
        snapshot.simulation_year,
        snapshot.age_band,
        snapshot.tenure_band,
        snapshot.job_level,
        {% for column in extra_groups() %}
            snapshot.{{ column }},
        {% endfor %}
        snapshot.is_highly_compensated
),

added as (
    {% for dimension in [
        "age_band", "tenure_band", "job_level", "compensation_group"
    ] + extra_groups() %}
        select
            scenario_id,
            replicate,
            simulation_year,
            '{{ dimension }}' as dimension,
            {{ dimension }} as group_name,
            {% for count in plan_headcounts() %}
                sum({{ count }})::integer as {{ count }},
            {% endfor %}
            {% for amount in plan_amounts() %}
                sum({{ amount }})::decimal(18, 2) as {{ amount }},
            {% endfor %}
            sum(deferral_rates)::decimal(18, 6) as deferral_rate_total
        from cells
        group by scenario_id, replicate, simulation_year, {{ dimension }}
        {% if dimension in extra_groups() %}
            -- Where nobody has one there are no groups.
            qualify
                group_name <> '(none)'
                or count(*) over (partition by scenario_id, replicate) > 1
        {% endif %}
        {{ "union all by name" if not loop.last }}
    {% endfor %}
),

final as (
    select
        *,
        {{ plan_rates() }}
    from added
)

select * from final
