-- docs/method/pay.md
-- Pay of the active workforce by level on December 31, and its growth since
-- January 1.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

closing as (
    select
        scenario_id,
        replicate,
        simulation_year,
        job_level,
        count(*)::integer as headcount,
        sum(current_compensation)::decimal(18, 2) as total_compensation,
        min(current_compensation) as minimum_compensation,
        max(current_compensation) as maximum_compensation
    from {{ ref("fct_workforce_snapshot") }}
    where
        simulation_year = {{ year_in_hand() }}
        and employment_status = 'active'
    group by scenario_id, replicate, simulation_year, job_level
),

opening as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        workforce.job_level,
        count(*) as headcount,
        sum(workforce.opening_compensation) as total_compensation
    from {{ ref("int_baseline_workforce") }} as workforce
    inner join trajectories
        on workforce.trajectory_id = trajectories.trajectory_id
    group by
        trajectories.scenario_id, trajectories.replicate, workforce.job_level
),

averaged as (
    select
        closing.*,
        {{ money_quotient(
            digits_of("closing.total_compensation", 2),
            "closing.headcount::hugeint"
        ) }} as average_compensation,
        case
            when opening.headcount > 0
                then {{ money_quotient(
                    digits_of("opening.total_compensation", 2),
                    "opening.headcount::hugeint"
                ) }}
        end as opening_average_compensation
    from closing
    inner join trajectories
        on
            closing.scenario_id = trajectories.scenario_id
            and closing.replicate = trajectories.replicate
    left join opening
        on
            closing.scenario_id = opening.scenario_id
            and closing.replicate = opening.replicate
            and closing.job_level = opening.job_level
),

final as (
    select
        scenario_id,
        replicate,
        simulation_year,
        job_level,
        headcount,
        total_compensation,
        average_compensation,
        minimum_compensation,
        maximum_compensation,
        opening_average_compensation,
        {{ rate_quotient(
            digits_of("average_compensation - opening_average_compensation", 2),
            digits_of("opening_average_compensation", 2)
        ) }} as growth_rate
    from averaged
)

select * from final
