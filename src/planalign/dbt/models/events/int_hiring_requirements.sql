-- docs/method/hires.md#how-many
-- Hires that bring the workforce to its target after the terminations of the year
-- and after those hires who leave again within it.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

targets as (
    select * from {{ ref("int_headcount_targets") }}
),

terminations as (
    select
        trajectory_id,
        count(*)::integer as terminations
    from {{ ref("int_termination_events") }}
    group by trajectory_id
),

needed as (
    select
        targets.trajectory_id,
        targets.opening_headcount,
        targets.target_closing_headcount,
        trajectories.new_hire_termination_rate,
        trajectories.alignment,
        coalesce(terminations.terminations, 0) as terminations,
        targets.target_closing_headcount - targets.opening_headcount
        + coalesce(terminations.terminations, 0) as net_hires
    from targets
    inner join trajectories
        on targets.trajectory_id = trajectories.trajectory_id
    left join terminations
        on targets.trajectory_id = terminations.trajectory_id
),

final as (
    select
        *,
        {{ rounded_quotient(
            "greatest(net_hires, 0)::hugeint * 1000000",
            digits_of("1 - new_hire_termination_rate", 6)
        ) }}::integer as hires,
        -- Employees above the target that only layoffs could remove.
        greatest(-net_hires, 0)::integer as unmet_reduction
    from needed
)

select * from final
