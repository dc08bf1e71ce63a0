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

-- Hires leave by the part of the year that is left from the day they start on: the mean
-- over the days of a month, both ends counted, twice so that it is whole.
shares as (
    select
        trajectory_id,
        ({{ rounded_quotient(
            digits_of("new_hire_termination_rate", 6) ~ " * " ~ digits_of(
                "list_sum(list_transform("
                ~ "range(1, 13), lambda month: ("
                ~ "coalesce(hire_month_bounds[month], 1)"
                ~ " - coalesce(hire_month_bounds[month - 1], 0)"
                ~ ") * ("
                ~ "2 * (year_end - last_day(make_date(simulation_year, month, 1)))"
                ~ " + day(last_day(make_date(simulation_year, month, 1))) + 1"
                ~ ")))", 9
            ),
            "(2000000 * days_in_year)::hugeint"
        ) }}::decimal(10, 0) * 0.000000001::decimal(9, 9))::decimal(10, 9)
            as leaving_share
    from trajectories
),

needed as (
    select
        targets.trajectory_id,
        targets.opening_headcount,
        targets.target_closing_headcount,
        trajectories.new_hire_termination_rate,
        trajectories.alignment,
        shares.leaving_share,
        coalesce(terminations.terminations, 0) as terminations,
        targets.target_closing_headcount - targets.opening_headcount
        + coalesce(terminations.terminations, 0) as net_hires
    from targets
    inner join trajectories
        on targets.trajectory_id = trajectories.trajectory_id
    inner join shares on targets.trajectory_id = shares.trajectory_id
    left join terminations
        on targets.trajectory_id = terminations.trajectory_id
),

final as (
    select
        *,
        {{ rounded_quotient(
            "greatest(net_hires, 0)::hugeint * 1000000000",
            digits_of("1 - leaving_share", 9)
        ) }}::integer as hires,
        -- Employees above the target that only layoffs could remove.
        greatest(-net_hires, 0)::integer as unmet_reduction
    from needed
)

select * from final
