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

terminations as (
    select * from {{ ref("int_termination_events") }}
),

promotions as (
    select * from {{ ref("int_promotions") }}
),

reviews as (
    select * from {{ ref("int_reviews") }}
),

merit_rates as (
    select * from {{ ref("int_merit_rates") }}
),

-- Dates are the first of the drawn month; rates are those of the level held on
-- January 1.
decided as (
    select
        workforce.trajectory_id,
        workforce.employee_id,
        workforce.employee_key,
        workforce.job_level as opening_job_level,
        workforce.opening_compensation,
        terminations.termination_date,
        terminations.reason as termination_reason,
        case
            when promotions.employee_key is not null
                then make_date(
                    trajectories.simulation_year,
                    {{ position_of(
                        "workforce.draw_promotion_month",
                        "trajectories.promotion_month_bounds"
                    ) }},
                    1
                )
        end as promotion_date,
        reviews.raise_date,
        reviews.band_position,
        workforce.rating,
        trajectories.performance_ratings[workforce.rating] as performance_rating,
        trajectories.cola_rates[workforce.job_level] as cola_rate,
        trajectories.promotion_increases[workforce.job_level]
            as promotion_increase,
        trajectories.band_minimums[workforce.job_level + 1]
            as promoted_band_minimum
    from workforce
    inner join trajectories
        on workforce.trajectory_id = trajectories.trajectory_id
    left join terminations
        on
            workforce.trajectory_id = terminations.trajectory_id
            and workforce.employee_key = terminations.employee_key
    left join promotions
        on
            workforce.trajectory_id = promotions.trajectory_id
            and workforce.employee_key = promotions.employee_key
    left join reviews
        on
            workforce.trajectory_id = reviews.trajectory_id
            and workforce.employee_key = reviews.employee_key
),

rated as (
    select
        decided.* exclude (rating, band_position),
        merit_rates.merit_rate
    from decided
    left join merit_rates
        on
            decided.trajectory_id = merit_rates.trajectory_id
            and decided.opening_job_level = merit_rates.job_level
            and decided.band_position = merit_rates.band_position
            and decided.rating = merit_rates.rating
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
