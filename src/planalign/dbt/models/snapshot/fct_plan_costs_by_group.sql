with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

snapshot as (
    select *
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = (
        select simulation_year from {{ source("inputs", "control") }}
    )
),

-- One pass over the employees; the dimensions are added up from its few cells.
cells as (
    select
        snapshot.scenario_id,
        snapshot.replicate,
        snapshot.simulation_year,
        snapshot.age_band,
        snapshot.tenure_band,
        snapshot.job_level::varchar as job_level,
        count(*) as headcount,
        count(*) filter (where snapshot.plan_compensation > 0) as covered_headcount,
        sum(snapshot.plan_compensation) as plan_compensation,
        sum(snapshot.core_contribution) as core_contribution
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
        snapshot.job_level
),

final as (
    {% for dimension in ["age_band", "tenure_band", "job_level"] %}
        select
            scenario_id,
            replicate,
            simulation_year,
            '{{ dimension }}' as dimension,
            {{ dimension }} as group_name,
            sum(headcount)::integer as headcount,
            sum(covered_headcount)::integer as covered_headcount,
            sum(plan_compensation)::decimal(18, 2) as plan_compensation,
            sum(core_contribution)::decimal(18, 2) as core_contribution
        from cells
        group by scenario_id, replicate, simulation_year, {{ dimension }}
        {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from final
