-- docs/method/contributions.md#elective-deferrals
-- How much is deferred, in whole cents: the elected share of pay, up to what the law
-- and the plan allow.
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
        {% for column in pay_columns() %}
            employment.{{ column }},
        {% endfor %}
        employment.days_in_year,
        employment.is_highly_compensated,
        employment.prior_year_compensation,
        enrollments.plan_day,
        enrollments.decision_day,
        {{ ten_thousandths("enrollments.opening_deferral_rate") }} as opening_rate,
        {{ ten_thousandths("enrollments.deferral_rate") }} as closing_rate,
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
        elected - regular > catch_up_limit as is_limited
    from summed
),

final as (
    select
        trajectory_id,
        employee_key,
        plan_day,
        decision_day,
        opening_rate,
        closing_rate,
        compensation_limit,
        pay,
        pay_after,
        least(pay, compensation_limit) as counted_pay,
        regular,
        catch_up,
        catch_up_limit,
        is_catch_up_roth,
        is_limited,
        -- Not rounded: or a match of the year would differ from that of its periods.
        case
            when is_limited then (regular + catch_up) * 10000
            else elected_units
        end as matched_units
    from allowed
)

select * from final
