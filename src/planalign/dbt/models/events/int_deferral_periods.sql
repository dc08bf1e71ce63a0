-- docs/method/contributions.md#the-day-on-which-a-limit-is-met
-- On which day a deferral meets what is allowed, and in which pay period. That is what
-- a match by pay period looks at: pay of full periods before and after the change of
-- the rate (columns `matched_..`), and the period that is cut short (`last_period_..`).
--
-- Pay, deferral rate and plan entry are constant between a few days of the year, so
-- that the deferral since entry is a line with at most three bends; the day on which
-- it meets what is allowed, and the pay period of that day, follow without a row per
-- period.
with plans as (
    select
        trajectory_id,
        year_start,
        pay_frequency
    from {{ ref("int_plan_provisions") }}
),

employment as (
    select * from {{ ref("int_employment") }}
),

deferrals as (
    select * from {{ ref("int_deferrals") }}
),

paid as (
    select
        deferrals.trajectory_id,
        deferrals.employee_key,
        deferrals.plan_day,
        deferrals.decision_day,
        deferrals.opening_rate,
        deferrals.closing_rate,
        deferrals.pay,
        deferrals.pay - deferrals.pay_after as pay_before,
        deferrals.matched_units,
        {% for column in pay_columns() %}
            employment.{{ column }},
        {% endfor %}
        employment.days_in_year,
        plans.year_start,
        plans.pay_frequency
    from deferrals
    inner join employment
        on
            deferrals.trajectory_id = employment.trajectory_id
            and deferrals.employee_key = employment.employee_key
    inner join plans on deferrals.trajectory_id = plans.trajectory_id
    where deferrals.is_limited
),

-- Days from entry to the last day, to promotion, raise and change of the rate.
limited as (
    select
        *,
        last_day - plan_day + 1 as days_covered,
        least(
            greatest(coalesce(promotion_date, last_day + 1), plan_day), last_day + 1
        ) - plan_day as days_to_promotion,
        least(
            greatest(coalesce(raise_date, last_day + 1), plan_day), last_day + 1
        ) - plan_day as days_to_raise,
        coalesce(decision_day, last_day + 1) - plan_day as days_to_change,
        -- Cents times ten thousand times days of the year: what daily shares of
        -- annual amounts add up to.
        matched_units * days_in_year as target
    from paid
),

bent as (
    select
        *,
        least(days_to_promotion, days_to_raise, days_to_change) as first_bend,
        days_to_promotion + days_to_raise + days_to_change
        - least(days_to_promotion, days_to_raise, days_to_change)
        - greatest(days_to_promotion, days_to_raise, days_to_change) as second_bend,
        greatest(days_to_promotion, days_to_raise, days_to_change) as third_bend
    from limited
),

sloped as (
    select
        *,
        {{ deferral_slope("0") }} as first_slope,
        {{ deferral_slope("first_bend") }} as second_slope,
        {{ deferral_slope("second_bend") }} as third_slope,
        {{ deferral_slope("third_bend") }} as last_slope
    from bent
),

summed_to_bends as (
    select
        *,
        first_slope * first_bend as to_first_bend,
        first_slope * first_bend + second_slope * (second_bend - first_bend)
            as to_second_bend,
        first_slope * first_bend + second_slope * (second_bend - first_bend)
        + third_slope * (third_bend - second_bend) as to_third_bend
    from sloped
),

reached as (
    select
        *,
        plan_day - 1 + (least(days_covered, greatest(1, case
            when target <= to_first_bend
                then {{ rounded_up("target", "first_slope") }}
            when target <= to_second_bend
                then
                    first_bend
                    + {{ rounded_up("target - to_first_bend", "second_slope") }}
            when target <= to_third_bend
                then
                    second_bend
                    + {{ rounded_up("target - to_second_bend", "third_slope") }}
            else
                third_bend
                + {{ rounded_up("target - to_third_bend", "last_slope") }}
        end)))::integer as limit_date
    from summed_to_bends
),

-- The pay period of that day: a month, its halves, or weeks from January 1.
in_period as (
    select
        *,
        greatest(plan_day, case pay_frequency
            when 'monthly' then date_trunc('month', limit_date)::date
            when 'semimonthly'
                then
                    date_trunc('month', limit_date)::date
                    + case when day(limit_date) > 15 then 15 else 0 end
            when 'biweekly' then limit_date - ((limit_date - year_start) % 14)::integer
            else limit_date - ((limit_date - year_start) % 7)::integer
        end) as period_start,
        least(last_day, case pay_frequency
            when 'monthly' then last_day(limit_date)
            when 'semimonthly'
                then case
                    when day(limit_date) > 15 then last_day(limit_date)
                    else date_trunc('month', limit_date)::date + 14
                end
            when
                'biweekly'
                then limit_date - ((limit_date - year_start) % 14)::integer + 13
            else limit_date - ((limit_date - year_start) % 7)::integer + 6
        end) as period_end
    from reached
),

paid_to_period as (
    select
        *,
        pay - {{ pay_cents_from("period_start") }} as pay_to_period,
        pay - {{ pay_cents_from("(period_end + 1)") }} as pay_through_period
    from in_period
),

stopped as (
    select
        *,
        least(pay_before, pay_to_period) as full_pay_before,
        pay_to_period - least(pay_before, pay_to_period) as full_pay_after,
        pay_through_period - pay_to_period as last_period_pay,
        greatest(0, least(pay_before, pay_through_period) - pay_to_period)
            as last_period_pay_before
    from paid_to_period
),

cut_short as (
    select
        *,
        greatest(
            0,
            matched_units - opening_rate * full_pay_before
            - closing_rate * full_pay_after
        ) as last_period_deferral
    from stopped
),

-- Of all others every period is full.
combined as (
    select
        deferrals.*,
        cut_short.limit_date,
        coalesce(cut_short.full_pay_before, deferrals.pay - deferrals.pay_after)
            as full_pay_before,
        coalesce(cut_short.full_pay_after, deferrals.pay_after) as full_pay_after,
        coalesce(cut_short.last_period_pay, 0) as last_period_pay,
        coalesce(cut_short.last_period_pay_before, 0) as last_period_pay_before,
        coalesce(cut_short.last_period_deferral, 0) as last_period_deferral
    from deferrals
    left join cut_short
        on
            deferrals.trajectory_id = cut_short.trajectory_id
            and deferrals.employee_key = cut_short.employee_key
),

-- Pay counts for a match up to the limit of section 401(a)(17), in order of time.
counted as (
    select
        *,
        least(full_pay_before, compensation_limit) as counted_to_change,
        least(full_pay_before + full_pay_after, compensation_limit)
            as counted_to_period,
        least(
            full_pay_before + full_pay_after + last_period_pay, compensation_limit
        ) as counted_through_period
    from combined
),

last_counted as (
    select
        *,
        counted_through_period - counted_to_period as last_counted_pay,
        least(counted_through_period - counted_to_period, last_period_pay_before)
            as last_counted_pay_before
    from counted
),

final as (
    select
        trajectory_id,
        employee_key,
        opening_rate,
        closing_rate,
        pay,
        counted_pay,
        regular,
        catch_up,
        catch_up_limit,
        is_catch_up_roth,
        limit_date,
        matched_units,
        counted_to_change as matched_pay_before,
        counted_to_period - counted_to_change as matched_pay_after,
        last_counted_pay as last_period_pay,
        -- Of pay that does not count no deferral is matched.
        case
            when last_counted_pay < last_period_pay
                then least(
                    last_period_deferral,
                    opening_rate * last_counted_pay_before
                    + closing_rate * (last_counted_pay - last_counted_pay_before)
                )
            else last_period_deferral
        end as last_period_deferral
    from last_counted
)

select * from final
