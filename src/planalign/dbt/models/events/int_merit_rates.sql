-- docs/method/promotions-and-raises.md#merit-by-position-in-the-band
-- The merit raise of each level, position and rating that spends the budget of the
-- level on those who get a raise: one rounding for each, and not for each employee.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

matrix as (
    select * from {{ ref("stg_merit_matrix") }}
),

occupied as (
    select
        reviews.trajectory_id,
        trajectories.scenario_id,
        reviews.job_level,
        reviews.band_position,
        trajectories.merit_budgets[reviews.job_level] as merit_budget,
        count(*) as employees
    from {{ ref("int_reviews") }} as reviews
    inner join trajectories
        on reviews.trajectory_id = trajectories.trajectory_id
    group by all
),

means as (
    select
        scenario_id,
        position,
        any_value(mean_multiplier) as mean_multiplier,
        max(any_value(mean_multiplier)) over (
            partition by scenario_id
        ) as highest_mean
    from matrix
    group by scenario_id, position
),

-- Ten times the employees by the mean multiplier that they would earn, but at least as
-- much as if each earned the highest mean: raises are scaled up tenfold at most.
spent as (
    select
        occupied.*,
        greatest(
            10 * sum(
                occupied.employees * {{ digits_of("means.mean_multiplier", 15) }}
            ) over level_in_hand,
            sum(
                occupied.employees * {{ digits_of("means.highest_mean", 15) }}
            ) over level_in_hand
        ) as tenfold_multipliers,
        sum(occupied.employees) over level_in_hand as employees_of_level
    from occupied
    inner join means
        on
            occupied.scenario_id = means.scenario_id
            and occupied.band_position = means.position
    window level_in_hand as (
        partition by occupied.trajectory_id, occupied.job_level
    )
),

final as (
    select
        spent.trajectory_id,
        spent.job_level,
        spent.band_position,
        matrix.rating,
        case
            when spent.tenfold_multipliers > 0
                then {{ rounded_quotient(
                    digits_of("spent.merit_budget", 6) ~ " * "
                    ~ digits_of("matrix.multiplier", 6)
                    ~ " * spent.employees_of_level * 10000000000",
                    "spent.tenfold_multipliers"
                ) }}::decimal(9, 0) * 0.000001::decimal(6, 6)
            else 0
        end::decimal(9, 6) as merit_rate
    from spent
    inner join matrix
        on
            spent.scenario_id = matrix.scenario_id
            and spent.band_position = matrix.position
)

select * from final
