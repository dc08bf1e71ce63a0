-- docs/method/promotions-and-raises.md
-- What happens to each employee of the opening workforce in the year. Promotion
-- and raise depend on each other (the later one builds on the pay after the
-- earlier), so that both are decided in one pass; the event models select from it.
with workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

targets as (
    select * from {{ ref("int_headcount_targets") }}
),

scales as (
    select * from {{ ref("int_promotion_scale") }}
),

terminations as (
    select * from {{ ref("int_termination_events") }}
),

probabilities as (
    {{ scaled_probabilities("workforce", "promotion_hazard", "scales") }}
),

exposed as (
    select
        workforce.trajectory_id,
        workforce.employee_id,
        workforce.employee_key,
        {{ employed_since("workforce") }} as employed_since,
        workforce.job_level as opening_job_level,
        workforce.opening_compensation,
        workforce.draw_promotion,
        workforce.draw_promotion_month,
        workforce.draw_performance,
        workforce.draw_raise_month,
        terminations.termination_date,
        terminations.reason as termination_reason,
        -- Who leaves in the year is not promoted in it.
        case
            when terminations.termination_date is null
                then probabilities.probability
            else 0
        end::decimal(10, 9) as promotion_probability
    from workforce
    inner join probabilities
        on
            workforce.trajectory_id = probabilities.trajectory_id
            and workforce.promotion_hazard = probabilities.hazard
    left join terminations
        on
            workforce.trajectory_id = terminations.trajectory_id
            and workforce.employee_key = terminations.employee_key
),

promoted_by_rank as (
    select
        exposed.trajectory_id,
        exposed.employee_key
    from exposed
    inner join targets on exposed.trajectory_id = targets.trajectory_id
    inner join trajectories
        on exposed.trajectory_id = trajectories.trajectory_id
    where
        trajectories.alignment = 'exact'
        and exposed.promotion_probability > 0
    qualify row_number() over (
        partition by exposed.trajectory_id
        order by
            {{ draw_order("exposed.draw_promotion", "exposed.promotion_probability") }},
            exposed.employee_key
    ) <= round(targets.expected_promotions)
),

-- Dates are the first of the drawn month; rates are those of the level held on
-- January 1.
decided as (
    select
        exposed.* exclude (
            draw_promotion, draw_promotion_month, draw_performance,
            draw_raise_month, promotion_probability
        ),
        case
            when
                (
                    trajectories.alignment = 'expected'
                    and exposed.draw_promotion < exposed.promotion_probability
                )
                or promoted_by_rank.employee_key is not null
                then make_date(
                    trajectories.simulation_year,
                    {{ position_of(
                        "exposed.draw_promotion_month",
                        "trajectories.promotion_month_bounds"
                    ) }},
                    1
                )
        end as promotion_date,
        case
            when exposed.employed_since < trajectories.raise_cutoff_date
                then make_date(
                    trajectories.simulation_year,
                    {{ position_of(
                        "exposed.draw_raise_month",
                        "trajectories.raise_month_bounds"
                    ) }},
                    1
                )
        end as review_date,
        {{ position_of(
            "exposed.draw_performance", "trajectories.performance_bounds"
        ) }} as rating_position
    from exposed
    inner join trajectories
        on exposed.trajectory_id = trajectories.trajectory_id
    left join promoted_by_rank
        on
            exposed.trajectory_id = promoted_by_rank.trajectory_id
            and exposed.employee_key = promoted_by_rank.employee_key
),

rated as (
    select
        decided.* exclude (review_date, rating_position),
        -- Who has left by the day of the raise gets none.
        case
            when
                decided.termination_date is null
                or decided.review_date < decided.termination_date
                then decided.review_date
        end as raise_date,
        trajectories.performance_ratings[decided.rating_position]
            as performance_rating,
        trajectories.cola_rates[decided.opening_job_level] as cola_rate,
        trajectories.merit_rates[
            (decided.opening_job_level - 1) * len(trajectories.performance_ratings)
            + decided.rating_position
        ] as merit_rate,
        trajectories.promotion_increases[decided.opening_job_level]
            as promotion_increase,
        trajectories.band_minimums[decided.opening_job_level + 1]
            as promoted_band_minimum
    from decided
    inner join trajectories
        on decided.trajectory_id = trajectories.trajectory_id
),

-- Pay after the first of the two, whichever that is.
first_change as (
    select
        *,
        promotion_date is not null
        and (raise_date is null or promotion_date <= raise_date)
            as is_promotion_first,
        {{ money_product("opening_compensation", "(1 + cola_rate + merit_rate)") }}
            as raised_compensation,
        case
            when promotion_date is not null
                then greatest(
                    {{ money_product(
                        "opening_compensation", "(1 + promotion_increase)"
                    ) }},
                    promoted_band_minimum
                )
        end as promoted_compensation
    from rated
),

second_change as (
    select
        * exclude (raised_compensation, promoted_compensation),
        case
            when raise_date is null then null
            when is_promotion_first then promoted_compensation
            else opening_compensation
        end as compensation_before_raise,
        case
            when raise_date is null then null
            when is_promotion_first
                then {{ money_product(
                    "promoted_compensation", "(1 + cola_rate + merit_rate)"
                ) }}
            else raised_compensation
        end as compensation_after_raise,
        case
            when promotion_date is null then null
            when is_promotion_first or raise_date is null
                then opening_compensation
            else raised_compensation
        end as compensation_before_promotion,
        case
            when promotion_date is null then null
            when is_promotion_first or raise_date is null
                then promoted_compensation
            else greatest(
                {{ money_product(
                    "raised_compensation", "(1 + promotion_increase)"
                ) }},
                promoted_band_minimum
            )
        end as compensation_after_promotion
    from first_change
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        opening_job_level,
        (opening_job_level + (promotion_date is not null)::integer)::integer
            as job_level,
        opening_compensation,
        termination_date,
        termination_reason,
        promotion_date,
        promotion_increase,
        compensation_before_promotion,
        compensation_after_promotion,
        raise_date,
        performance_rating,
        cola_rate,
        merit_rate,
        compensation_before_raise,
        compensation_after_raise,
        case
            when
                raise_date is not null
                and not is_promotion_first
                and promotion_date is not null
                then compensation_after_promotion
            else coalesce(
                compensation_after_raise,
                compensation_after_promotion,
                opening_compensation
            )
        end as compensation
    from second_change
)

select * from final
