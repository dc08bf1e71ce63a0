-- docs/method/promotions-and-raises.md#merit-by-position-in-the-band
-- Beside each multiplier what its position earns on average over the ratings.
with cells as (
    select * from {{ source("inputs", "merit_matrix") }}
),

averaged as (
    select
        *,
        sum({{ digits_of("weight", 6) }} * {{ digits_of("multiplier", 6) }}) over (
            partition by scenario_id, position
        ) as weighted_multiplier,
        sum({{ digits_of("weight", 6) }}) over (
            partition by scenario_id, position
        ) as weight_in_all
    from cells
),

final as (
    select
        scenario_id,
        rating,
        position,
        from_place,
        multiplier,
        ({{ rounded_quotient(
            "weighted_multiplier * 1000", "weight_in_all"
        ) }}::decimal(18, 0) * 0.000000001::decimal(9, 9))::decimal(18, 9)
            as mean_multiplier
    from averaged
)

select * from final
