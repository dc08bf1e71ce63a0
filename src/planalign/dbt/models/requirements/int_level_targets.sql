-- docs/method/promotions-and-raises.md#vacancies
-- The target headcount by the shares that the levels have in the census. Cumulative
-- counts are rounded, so that the levels add up to the target.
with levels as (
    select distinct
        scenario_id,
        job_level
    from {{ ref("int_effective_parameters") }}
    where simulation_year = {{ year_in_hand() }}
),

-- Of the opening workforce of the first year.
mix as (
    select
        job_level,
        count(*) as employees
    from {{ ref("stg_census_data") }}
    where is_opening
    group by job_level
),

trajectories as (
    select
        trajectory_id,
        scenario_id
    from {{ ref("int_trajectories") }}
),

targets as (
    select * from {{ ref("int_headcount_targets") }}
),

cumulative as (
    select
        levels.scenario_id,
        levels.job_level,
        sum(coalesce(mix.employees, 0)) over (
            partition by levels.scenario_id
            order by levels.job_level
        ) as employees_to_here,
        sum(coalesce(mix.employees, 0)) over (
            partition by levels.scenario_id
        ) as employees_in_all
    from levels
    left join mix on levels.job_level = mix.job_level
),

counted as (
    select
        targets.trajectory_id,
        cumulative.job_level,
        -- A census of nobody has a target of nobody.
        {{ rounded_quotient(
            "cumulative.employees_to_here * targets.target_closing_headcount",
            "greatest(cumulative.employees_in_all, 1)"
        ) }}::integer as target_to_here
    from targets
    inner join trajectories
        on targets.trajectory_id = trajectories.trajectory_id
    inner join cumulative
        on trajectories.scenario_id = cumulative.scenario_id
),

final as (
    select
        trajectory_id,
        job_level,
        (
            target_to_here - coalesce(lag(target_to_here) over (
                partition by trajectory_id
                order by job_level
            ), 0)
        )::integer as target_headcount
    from counted
)

select * from final
