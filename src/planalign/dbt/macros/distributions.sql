{#
    1-based position of a draw among the shares of a distribution, whose inner
    cumulative bounds are a list: the number of bounds at or below it, plus one.
#}
{% macro position_of(draw, bounds) -%}
    (1 + len(list_filter({{ bounds }}, lambda bound: bound <= {{ draw }})))
{%- endmacro %}

{#
    1-based position of pay in a band, whose places are a list of fractions of the way
    from its lowest to its highest pay: the number of places that it reaches, plus one.
#}
{% macro position_in_band(pay, lowest, highest, places) -%}
    (1 + len(list_filter(
        {{ places }},
        lambda place: ({{ pay }} - {{ lowest }})::decimal(18, 2)
        >= ({{ highest }} - {{ lowest }})::decimal(18, 2) * place
    )))
{%- endmacro %}

{#
    Probability of a hazard under the scale factor of its trajectory: never above 1.
#}
{% macro scaled_probability(hazard, factor) -%}
    least(
        1::decimal(10, 9),
        round({{ hazard }}::decimal(38, 9) * {{ factor }}, 9)
    )::decimal(10, 9)
{%- endmacro %}

{#
    trajectory_id, hazard, probability: the scaled probability of each distinct
    hazard of a relation. Employees share few hazards, and the product is wide: once
    for each is a tenth of the work of once for each employee.
#}
{% macro scaled_probabilities(relation, hazard, scales) -%}
    select
        distinct_hazards.trajectory_id,
        distinct_hazards.hazard,
        {{ scaled_probability("distinct_hazards.hazard", "scaled.factor") }}
            as probability
    from (
        select distinct
            trajectory_id,
            {{ hazard }} as hazard
        from {{ relation }}
    ) as distinct_hazards
    inner join {{ scales }} as scaled
        on distinct_hazards.trajectory_id = scaled.trajectory_id
{%- endmacro %}

{#
    Scale factor per trajectory such that sum(weight * min(1, factor * hazard))
    equals a target: hazards whose scaled value passes 1 are capped, and what
    they would have had beyond is redistributed over the others (water-filling,
    closed form over the distinct hazards in descending order).

    groups: relation(trajectory_id, hazard DECIMAL(.., 9), weight DECIMAL(.., 9)),
        one row per trajectory and distinct positive hazard.
    targets: relation(trajectory_id, target DECIMAL(.., 9)).

    Gives trajectory_id, factor DECIMAL(28, 12). A target of nothing scales to nothing,
    one beyond the whole weight caps everyone: also where nobody has any weight.
#}
{% macro capped_scale(groups, targets) -%}
    (
    with descending as (
        select
            grouped.trajectory_id,
            targeted.target,
            grouped.hazard,
            targeted.target - coalesce(sum(grouped.weight) over (
                partition by grouped.trajectory_id
                order by grouped.hazard desc
                rows between unbounded preceding and 1 preceding
            ), 0) as target_left,
            sum(
                round(grouped.weight::decimal(38, 9) * grouped.hazard, 12)
                ::decimal(38, 12)
            ) over (
                partition by grouped.trajectory_id
                order by grouped.hazard desc
                rows between current row and unbounded following
            ) as hazard_left
        from {{ groups }} as grouped
        inner join {{ targets }} as targeted
            on grouped.trajectory_id = targeted.trajectory_id
    ),

    -- The first hazard that need not be capped; without one, all are.
    uncapped as (
        select
            trajectory_id,
            arg_max(target_left, hazard) as target_left,
            arg_max(hazard_left, hazard) as hazard_left
        from descending
        where
            hazard_left > 0
            and target_left::decimal(28, 9) * hazard::decimal(10, 9) <= hazard_left
        group by trajectory_id
    )

    select
        targeted.trajectory_id,
        case when targeted.target > 0 then coalesce((
            {{ rounded_quotient(
                digits_of("uncapped.target_left", 9) ~ " * 1000000000000000",
                digits_of("uncapped.hazard_left", 12)
            ) }}::decimal(26, 0) * 0.000000000001::decimal(12, 12)
        )::decimal(28, 12), 1000000000) else 0 end::decimal(28, 12) as factor
    from {{ targets }} as targeted
    left join uncapped on targeted.trajectory_id = uncapped.trajectory_id
    )
{%- endmacro %}

{#
    Sort key of `exact` alignment: draw over probability (> 0), the smaller the
    sooner, as a whole number with nine decimals.
#}
{% macro draw_order(draw, probability) -%}
    ({{ digits_of(draw, 9) }} * 1000000000 // {{ digits_of(probability, 9) }})
{%- endmacro %}
