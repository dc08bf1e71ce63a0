-- docs/method/hires.md#levels
-- The bounds between the job levels of hires, as those of a distribution.
with trajectories as (
    select
        trajectory_id,
        hiring_levels,
        hire_level_bounds
    from {{ ref("int_trajectories") }}
),

level_targets as (
    select * from {{ ref("int_level_targets") }}
),

-- After the leavers and the promotions of the year.
filled as (
    select
        trajectory_id,
        job_level,
        count(*) as employees
    from {{ ref("int_workforce_changes") }}
    where termination_date is null
    group by trajectory_id, job_level
),

lacking as (
    select
        level_targets.trajectory_id,
        level_targets.job_level,
        greatest(
            level_targets.target_headcount - coalesce(filled.employees, 0), 0
        ) as hires
    from level_targets
    left join filled
        on
            level_targets.trajectory_id = filled.trajectory_id
            and level_targets.job_level = filled.job_level
),

cumulative as (
    select
        trajectory_id,
        job_level,
        sum(hires) over (
            partition by trajectory_id
            order by job_level
        ) as hires_to_here,
        sum(hires) over (partition by trajectory_id) as hires_in_all,
        job_level = max(job_level) over (partition by trajectory_id) as is_last
    from lacking
),

restoring as (
    select
        trajectory_id,
        list(
            {{ rounded_quotient(
                "hires_to_here * 1000000000", "greatest(hires_in_all, 1)"
            ) }}::decimal(10, 0) * 0.000000001::decimal(9, 9)
            order by job_level
        ) filter (where not is_last) as bounds
    from cumulative
    group by trajectory_id
),

final as (
    select
        trajectories.trajectory_id,
        case
            when trajectories.hiring_levels = 'weights'
                then trajectories.hire_level_bounds
            else coalesce(restoring.bounds, [])
        end::decimal(10, 9)[] as level_bounds
    from trajectories
    left join restoring
        on trajectories.trajectory_id = restoring.trajectory_id
)

select * from final
