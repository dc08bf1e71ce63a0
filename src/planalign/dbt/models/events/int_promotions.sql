-- docs/method/promotions-and-raises.md#promotions
-- Who of those who stay is promoted: whom the rate chooses, as far as the level above
-- has room for them.
with recursive trajectories as (
    select * from {{ ref("int_trajectories") }}
),

workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

terminations as (
    select * from {{ ref("int_termination_events") }}
),

targets as (
    select * from {{ ref("int_headcount_targets") }}
),

level_targets as (
    select * from {{ ref("int_level_targets") }}
),

requirements as (
    select * from {{ ref("int_hiring_requirements") }}
),

scales as (
    select * from {{ ref("int_promotion_scale") }}
),

probabilities as (
    {{ scaled_probabilities("workforce", "promotion_hazard", "scales") }}
),

-- Who leaves in the year is not promoted in it.
staying as (
    select
        workforce.trajectory_id,
        workforce.employee_key,
        workforce.job_level,
        workforce.promotion_hazard,
        workforce.draw_promotion
    from workforce
    left join terminations
        on
            workforce.trajectory_id = terminations.trajectory_id
            and workforce.employee_key = terminations.employee_key
    where terminations.employee_key is null
),

exposed as (
    select
        staying.trajectory_id,
        staying.employee_key,
        staying.job_level,
        staying.draw_promotion,
        probabilities.probability,
        {{ draw_order("staying.draw_promotion", "probabilities.probability") }}
            as place,
        trajectories.alignment,
        trajectories.promotions
    from staying
    inner join probabilities
        on
            staying.trajectory_id = probabilities.trajectory_id
            and staying.promotion_hazard = probabilities.hazard
    inner join trajectories
        on staying.trajectory_id = trajectories.trajectory_id
    where probabilities.probability > 0
),

by_rank as (
    select exposed.*
    from exposed
    inner join targets on exposed.trajectory_id = targets.trajectory_id
    where exposed.alignment = 'exact'
    qualify row_number() over (
        partition by exposed.trajectory_id
        order by exposed.place, exposed.employee_key
    ) <= round(targets.expected_promotions)
),

candidates as (
    select * from by_rank
    union all by name
    select * from exposed
    where alignment = 'expected' and draw_promotion < probability
),

ranked as (
    select
        trajectory_id,
        employee_key,
        job_level,
        promotions,
        row_number() over (
            partition by trajectory_id, job_level
            order by place, employee_key
        ) as place_in_level
    from candidates
),

-- What each level lacks before anybody is promoted, and before hires whose levels are
-- given by weights.
counted as (
    select
        trajectory_id,
        job_level,
        count(*) as employees
    from staying
    group by trajectory_id, job_level
),

waiting as (
    select
        trajectory_id,
        job_level,
        count(*) as employees
    from candidates
    group by trajectory_id, job_level
),

levels as (
    select
        level_targets.trajectory_id,
        level_targets.job_level,
        level_targets.job_level = max(level_targets.job_level) over (
            partition by level_targets.trajectory_id
        ) as is_highest,
        coalesce(waiting.employees, 0)::bigint as candidates,
        (
            level_targets.target_headcount - coalesce(counted.employees, 0)
            - case
                when trajectories.hiring_levels = 'weights'
                    then round(
                        greatest(requirements.net_hires, 0) * (
                            coalesce(trajectories.hire_level_bounds[
                                level_targets.job_level
                            ], 1) - coalesce(trajectories.hire_level_bounds[
                                level_targets.job_level - 1
                            ], 0)
                        )
                    )
                else 0
            end
        )::bigint as lacking
    from level_targets
    inner join trajectories
        on level_targets.trajectory_id = trajectories.trajectory_id
    inner join requirements
        on level_targets.trajectory_id = requirements.trajectory_id
    left join counted
        on
            level_targets.trajectory_id = counted.trajectory_id
            and level_targets.job_level = counted.job_level
    left join waiting
        on
            level_targets.trajectory_id = waiting.trajectory_id
            and level_targets.job_level = waiting.job_level
    where trajectories.promotions = 'vacancies'
),

-- From the highest level down: who is promoted out of a level leaves room in it.
filled as (
    select
        trajectory_id,
        job_level,
        0::bigint as promoted,
        lacking as room
    from levels
    where is_highest

    union all

    select
        levels.trajectory_id,
        levels.job_level,
        least(levels.candidates, greatest(filled.room, 0)) as promoted,
        levels.lacking + least(levels.candidates, greatest(filled.room, 0)) as room
    from filled
    inner join levels
        on
            filled.trajectory_id = levels.trajectory_id
            and filled.job_level - 1 = levels.job_level
),

final as (
    select
        ranked.trajectory_id,
        ranked.employee_key
    from ranked
    left join filled
        on
            ranked.trajectory_id = filled.trajectory_id
            and ranked.job_level = filled.job_level
    where
        ranked.promotions = 'rates'
        or ranked.place_in_level <= filled.promoted
)

select * from final
