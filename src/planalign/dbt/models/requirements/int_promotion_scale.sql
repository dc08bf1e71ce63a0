-- Expected promotions are the configured share of the opening headcount. Only
-- who stays through the year is promoted, so that each employee counts with the
-- probability of staying.
with targets as (
    select
        trajectory_id,
        expected_promotions as target
    from {{ ref("int_headcount_targets") }}
),

workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

terminations as (
    select * from {{ ref("int_termination_scale") }}
),

hazard_groups as (
    select
        workforce.trajectory_id,
        workforce.promotion_hazard as hazard,
        sum(1 - {{ scaled_probability(
            "(workforce.voluntary_hazard + workforce.retirement_hazard)",
            "terminations.factor"
        ) }})::decimal(18, 9) as weight
    from workforce
    inner join terminations
        on workforce.trajectory_id = terminations.trajectory_id
    where workforce.promotion_hazard > 0
    group by workforce.trajectory_id, workforce.promotion_hazard
)

select * from {{ capped_scale("hazard_groups", "targets") }}
