-- docs/method/hazards.md#scaling-with-a-cap
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

cells as (
    select
        trajectory_id,
        promotion_hazard,
        voluntary_hazard + retirement_hazard as exit_hazard,
        count(*) as employees
    from workforce
    where promotion_hazard > 0
    group by trajectory_id, promotion_hazard, voluntary_hazard + retirement_hazard
),

hazard_groups as (
    select
        cells.trajectory_id,
        cells.promotion_hazard as hazard,
        sum(cells.employees * (1 - {{ scaled_probability(
            "cells.exit_hazard", "terminations.factor"
        ) }}))::decimal(18, 9) as weight
    from cells
    inner join terminations
        on cells.trajectory_id = terminations.trajectory_id
    group by cells.trajectory_id, cells.promotion_hazard
)

select * from {{ capped_scale("hazard_groups", "targets") }}
