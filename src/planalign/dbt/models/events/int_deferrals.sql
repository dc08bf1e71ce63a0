-- What is deferred, in whole cents: the elected share of pay, up to what the law and
-- the plan allow. Columns `matched_..` and `last_period_..` are what a match by pay
-- period looks at.
--
-- Pay, deferral rate and plan entry are constant between a few days of the year, so
-- that the deferral since entry is a line with at most three bends; the day on which
-- it meets what is allowed, and the pay period of that day, follow without a row per
-- period.
with plans as (
    select * from {{ ref("int_plan_provisions") }}
),

employment as (
    select * from {{ ref("int_employment") }}
),

enrollments as (
    select * from {{ ref("int_enrollment") }}
),

covered as (
    select
        employment.trajectory_id,
        employment.employee_key,
        employment.current_age,
        employment.opening_compensation,
        employment.promotion_date,
        employment.promotion_change,
        employment.raise_date,
        employment.raise_change,
        employment.last_day,
        employment.days_in_year,
        employment.is_highly_compensated,
        employment.prior_year_compensation,
        enrollments.plan_day,
        enrollments.decision_day,
        {{ ten_thousandths("enrollments.opening_deferral_rate") }} as opening_rate,
        {{ ten_thousandths("enrollments.deferral_rate") }} as closing_rate,
        plans.year_start,
        plans.pay_frequency,
        {{ cents("plans.elective_deferral_limit") }} as elective_deferral_limit,
        {{ cents("plans.compensation_limit") }} as compensation_limit,
        {{ ten_thousandths("least(
            plans.deferrals_maximum_rate,
            case
                when employment.is_highly_compensated
                    then plans.deferrals_highly_compensated_maximum_rate
                else 1
            end
        )") }} as maximum_rate,
        -- Section 414(v)(7): Roth only for whom the employer paid more than the
        -- threshold in the year before, from 2026 on.
        plans.simulation_year >= 2026
        and employment.prior_year_compensation > plans.roth_catch_up_wages_limit
            as is_catch_up_roth,
        -- The age attained by December 31 counts.
        case
            when not plans.deferrals_catch_up or employment.current_age < 50 then 0
            when
                not plans.deferrals_roth
                and plans.simulation_year >= 2026
                and employment.prior_year_compensation
                > plans.roth_catch_up_wages_limit
                then 0
            when employment.current_age between 60 and 63
                then {{ cents("plans.catch_up_60_to_63_limit") }}
            else {{ cents("plans.catch_up_limit") }}
        end as catch_up_limit
    from enrollments
    inner join employment
        on
            enrollments.trajectory_id = employment.trajectory_id
            and enrollments.employee_key = employment.employee_key
    inner join plans on enrollments.trajectory_id = plans.trajectory_id
),

-- Without catch-up a deferral ends at the plan's maximum in every period.
elected as (
    select
        * replace (
            case
                when catch_up_limit > 0 then opening_rate
                else least(opening_rate, maximum_rate)
            end as opening_rate,
            case
                when catch_up_limit > 0 then closing_rate
                else least(closing_rate, maximum_rate)
            end as closing_rate
        ),
        {{ pay_cents_from("plan_day") }} as pay,
        case
            when decision_day is null then 0
            else {{ pay_cents_from("decision_day") }}
        end as pay_after
    from covered
),

weighed as (
    select
        *,
        opening_rate * (pay - pay_after) + closing_rate * pay_after as elected_units
    from elected
),

summed as (
    select
        *,
        {{ whole_cents("elected_units") }} as elected,
        least(
            elective_deferral_limit,
            {{ whole_cents("elected_units") }},
            {{ whole_cents("maximum_rate * pay") }}
        ) as regular
    from weighed
),

-- What is above the limit of section 402(g) or the plan's becomes catch-up first.
allowed as (
    select
        *,
        least(elected - regular, catch_up_limit) as catch_up,
        regular + least(elected - regular, catch_up_limit) as deferral
    from summed
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
        deferral * 10000 * days_in_year as target
    from allowed
    where elected > deferral
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
        pay - {{ pay_cents_from("(period_end + 1)") }} as pay_through_period,
        pay - pay_after as pay_before
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

combined as (
    select
        trajectory_id,
        employee_key,
        plan_day,
        opening_rate,
        closing_rate,
        compensation_limit,
        pay,
        regular,
        catch_up,
        catch_up_limit,
        is_catch_up_roth,
        -- Not rounded: or a match of the year would differ from that of its periods.
        elected_units as matched_units,
        null::date as limit_date,
        pay - pay_after as full_pay_before,
        pay_after as full_pay_after,
        0::bigint as last_period_pay,
        0::bigint as last_period_pay_before,
        0::bigint as last_period_deferral
    from allowed
    where elected <= deferral

    union all by name

    select
        trajectory_id,
        employee_key,
        plan_day,
        opening_rate,
        closing_rate,
        compensation_limit,
        pay,
        regular,
        catch_up,
        catch_up_limit,
        is_catch_up_roth,
        deferral * 10000 as matched_units,
        limit_date,
        full_pay_before,
        full_pay_after,
        last_period_pay,
        last_period_pay_before,
        greatest(
            0,
            deferral * 10000 - opening_rate * full_pay_before
            - closing_rate * full_pay_after
        ) as last_period_deferral
    from stopped
),

-- Pay counts for a match up to the limit of section 401(a)(17), in order of time.
counted as (
    select
        *,
        least(pay, compensation_limit) as counted_pay,
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
