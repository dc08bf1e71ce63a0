-- docs/method/eligibility.md
-- Who becomes eligible for the plan, and when. Once eligible, always eligible:
-- an employee who has been found eligible before is not looked at again.
with plans as (
    select * from {{ ref("int_plan_provisions") }}
),

-- In the plan by the census, or back with an account of it: whatever the rules say, and
-- though the day is not known.
waiting as (
    select
        employment.*,
        {{ employed_since("employment") }} as employed_since,
        employment.prior_enrollment_status is not null
        or (
            employment.rehire_date is not null
            and employment.prior_match_balance + employment.prior_core_balance > 0
        ) as has_entered
    from {{ ref("int_employment") }} as employment
    where
        employment.prior_eligibility_date is null
        and not employment.is_excluded
),

-- Months of service that the plan asks for. Of who is scheduled for fewer hours than
-- it asks for, the law: at least 500 hours in each of two consecutive years, three
-- before 2025 (section 401(k)(2)(D)(ii) and (15)); before 2024 it asked nothing.
serving as (
    select
        waiting.*,
        plans.simulation_year,
        plans.year_start,
        plans.year_end,
        plans.is_first_year,
        plans.eligibility_minimum_age,
        plans.months_between_entries,
        case
            when not waiting.is_long_term_part_time
                then plans.eligibility_months_of_service
            when waiting.weekly_hours * 52 < 500 or plans.simulation_year < 2024
                then null
            when plans.simulation_year = 2024 then 36
            else 24
        end as months_of_service
    from waiting
    inner join plans on waiting.trajectory_id = plans.trajectory_id
),

-- The day on which age and service are both there.
qualified as (
    select
        *,
        greatest(
            {{ birthday("birth_date", "eligibility_minimum_age") }},
            (employed_since + to_months(months_of_service))::date,
            case
                when is_long_term_part_time
                    then make_date(least(simulation_year, 2025), 1, 1)
            end
        ) as qualification_date
    from serving
    where months_of_service is not null or has_entered
),

entered as (
    select
        *,
        case
            when months_between_entries is null then qualification_date
            else {{ entry_date("qualification_date", "months_between_entries") }}
        end as entry_date
    from qualified
),

-- A date that was missed under earlier rules counts from January 1. Before the
-- first year there were none: the employee has been eligible since then.
effective as (
    select
        *,
        case
            when has_entered and entry_date >= year_start then employed_since
            when is_first_year then entry_date
            else greatest(entry_date, first_day)
        end as eligibility_date
    from entered
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        eligibility_date,
        eligibility_date >= year_start as is_event,
        -- Level and pay on the day, before a change of the same day.
        {{ level_on("eligibility_date - 1") }} as job_level,
        {{ pay_on("eligibility_date - 1") }} as compensation
    from effective
    where eligibility_date <= last_day
)

select * from final
