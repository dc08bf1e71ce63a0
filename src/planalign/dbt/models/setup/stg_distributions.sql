-- docs/method/draws.md#use
-- Cumulative shares to nine decimals; only the bounds between classes are kept,
-- so that a draw falls into the class whose number is one more than the number
-- of bounds at or below it.
with classes as (
    select * from {{ source("inputs", "distributions") }}
),

cumulative as (
    select
        scenario_id,
        distribution,
        ordinal,
        label,
        lower_value,
        upper_value,
        weight,
        sum({{ digits_of("weight", 6) }}) over (
            partition by scenario_id, distribution
            order by ordinal
        ) as weight_to_here,
        sum({{ digits_of("weight", 6) }}) over (
            partition by scenario_id, distribution
        ) as weight_in_all,
        ordinal = max(ordinal) over (
            partition by scenario_id, distribution
        ) as is_last
    from classes
),

bounded as (
    select
        *,
        ({{ rounded_quotient(
            "weight_to_here * 1000000000", "weight_in_all"
        ) }}::decimal(10, 0) * 0.000000001::decimal(9, 9))::decimal(10, 9)
            as upper_bound
    from cumulative
),

final as (
    select
        scenario_id,
        distribution,
        coalesce(
            list(upper_bound order by ordinal) filter (where not is_last),
            []::decimal(10, 9)[]
        ) as bounds,
        list(label order by ordinal) as labels,
        list(lower_value order by ordinal) as lower_values,
        list(upper_value order by ordinal) as upper_values
    from bounded
    group by scenario_id, distribution
)

select * from final
