-- docs/method/hazards.md#scaling-with-a-cap
-- Expected terminations are the configured share of the opening headcount.
with targets as (
    select
        trajectory_id,
        expected_terminations as target
    from {{ ref("int_headcount_targets") }}
),

hazard_groups as (
    select
        trajectory_id,
        voluntary_hazard + retirement_hazard as hazard,
        count(*)::decimal(18, 9) as weight
    from {{ ref("int_baseline_workforce") }}
    where voluntary_hazard + retirement_hazard > 0
    group by trajectory_id, voluntary_hazard + retirement_hazard
)

select * from {{ capped_scale("hazard_groups", "targets") }}
