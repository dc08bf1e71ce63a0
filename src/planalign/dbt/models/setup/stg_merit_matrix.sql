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
            "weighted_multiplier * 1000000000", "weight_in_all"
        ) }}::decimal(18, 0) * 0.000000000000001::decimal(15, 15))::decimal(18, 15)
            as mean_multiplier
    from averaged
)

select * from final
