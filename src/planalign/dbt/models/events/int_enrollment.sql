-- docs/method/saving.md
-- Who saves, from when and how much. An employee decides once in a year at most: to
-- enrol (or not), to change the deferral, or to let it rise.
--
-- `savings_inclination` is the employee's place among all, 0 the most inclined to save,
-- drawn when first seen and kept: a plan with automatic enrolment loses those behind
-- its opt-out rate, one without it wins those before the voluntary rate of their age,
-- tenure and pay, whichever way they got there.
with plans as (
    select * from {{ ref("int_plan_provisions") }}
),

employment as (
    select * from {{ ref("int_employment") }}
),

eligibilities as (
    select * from {{ ref("int_plan_eligibility") }}
),

behavior as (
    select * from {{ ref("stg_savings_behavior") }}
),

eligible as (
    select
        employment.trajectory_id,
        employment.employee_id,
        employment.employee_key,
        {{ employed_since("employment") }} as employed_since,
        employment.current_age,
        employment.years_of_service,
        employment.age_band,
        employment.tenure_band,
        employment.opening_age_band,
        employment.opening_tenure_band,
        employment.first_day,
        {% for column in pay_columns() %}
            employment.{{ column }},
        {% endfor %}
        employment.prior_eligibility_date,
        employment.prior_enrollment_status,
        employment.prior_deferral_rate,
        employment.prior_savings_inclination,
        coalesce(
            employment.prior_eligibility_date, eligibilities.eligibility_date
        ) as plan_eligibility_date
    from employment
    left join eligibilities
        on
            employment.trajectory_id = eligibilities.trajectory_id
            and employment.employee_key = eligibilities.employee_key
    where
        not employment.is_excluded
        and coalesce(
            employment.prior_eligibility_date, eligibilities.eligibility_date
        ) <= employment.last_day
),

drawn as (
    select * from {{ with_draws("eligible", [
        "savings_inclination", "saving_choice", "saving_refusal", "saving_month",
        "deferral_level", "full_match",
    ]) }}
),

placed as (
    select
        drawn.*,
        plans.is_first_year,
        plans.year_start,
        plans.automatic_enrollment_enabled,
        plans.automatic_enrollment_default_rate,
        plans.automatic_enrollment_reenrollment,
        plans.automatic_enrollment_reenrollment_opt_out_rate,
        plans.escalation_enabled,
        plans.escalation_scope,
        plans.escalation_step,
        plans.escalation_cap,
        plans.escalation_date,
        plans.escalation_opt_out_rate,
        plans.deferrals_maximum_rate,
        plans.behavior_deferral_factor,
        plans.behavior_own_choice_share,
        plans.behavior_change_rate,
        plans.behavior_full_match_share,
        plans.full_match_rates,
        plans.automatic_enrollment_opt_out_rate,
        plans.behavior_participation_factor,
        plans.automatic_enrollment_enabled
        and (
            plans.automatic_enrollment_scope = 'all'
            or drawn.employed_since >= plans.automatic_enrollment_hired_since
            -- Section 401(k)(13)(C)(iv) spares nobody who was not eligible before.
            or (
                plans.match_formula = 'qaca'
                and drawn.plan_eligibility_date >= plans.qaca_since
            )
        ) as is_automatic,
        greatest(drawn.first_day, drawn.plan_eligibility_date) as plan_day,
        -- When the window of automatic enrolment ends; of whom the census says when
        -- they were enrolled so, that day.
        drawn.plan_eligibility_date + case
            when
                drawn.prior_enrollment_status = 'automatic'
                and drawn.prior_eligibility_date is not null
                then 0
            else plans.automatic_enrollment_window_days
        end as enrollment_day,
        make_date(
            plans.simulation_year, 1 + floor(drawn.draw_saving_month * 12)::integer, 1
        ) as month_day,
        plans.deferral_multiples[{{ position_of(
            "drawn.draw_deferral_level", "plans.deferral_bounds"
        ) }}] as multiple,
        case plans.match_by
            when 'service'
                then {{ position_of("drawn.years_of_service", "plans.match_floors") }}
            when 'points'
                then {{ position_of(
                    "drawn.current_age + drawn.years_of_service", "plans.match_floors"
                ) }}
            else 1
        end as match_group,
        -- Multiplied, not divided: a wage base of nothing leaves all pay above it.
        {{ position_of(
            cents("drawn.opening_compensation") ~ " * 10000",
            "list_transform(plans.pay_band_floors, "
            ~ "lambda floor_share: floor_share * plans.wage_base_limit)"
        ) }} as pay_band
    from drawn
    inner join plans on drawn.trajectory_id = plans.trajectory_id
),

-- What the employee would do: whether to enrol unasked, whether to stay enrolled, and
-- the whole percentage of pay to choose, which some raise to what earns the full match.
-- What the census shows was decided by the rates of January 1, at the age of that day.
inclined as (
    select
        placed.*,
        {% for opening, rates in [("", "behavior"), ("opening_", "before")] %}
            least(1, round(
                {{ rates }}.participation_rate::decimal(18, 6)
                * placed.behavior_participation_factor, 6
            ))::decimal(9, 6) as {{ opening }}participation_rate,
            1 - least(1, round(
                {{ rates }}.opt_out_factor::decimal(18, 6)
                * placed.automatic_enrollment_opt_out_rate, 6
            ))::decimal(9, 6) as {{ opening }}staying_rate,
        {% endfor %}
        least(placed.deferrals_maximum_rate, greatest(
            0.01::decimal(9, 6),
            round(
                behavior.deferral_rate::decimal(38, 6)
                * placed.behavior_deferral_factor * placed.multiple, 2
            )::decimal(9, 6),
            case
                when placed.draw_full_match < placed.behavior_full_match_share
                    then placed.full_match_rates[placed.match_group]
            end
        )) as chosen_rate
    from placed
    inner join behavior
        on
            placed.age_band = behavior.age_band
            and placed.tenure_band = behavior.tenure_band
            and placed.pay_band = behavior.pay_band
    left join behavior as before
        on
            placed.opening_age_band = before.age_band
            and placed.opening_tenure_band = before.tenure_band
            and placed.pay_band = before.pay_band
),

-- Whom the census shows saving, or not saving, is inclined like those who do, or not.
known as (
    select
        -- Nobody opts out who would enrol unasked.
        * replace (
            greatest(participation_rate, staying_rate) as staying_rate,
            greatest(opening_participation_rate, opening_staying_rate)
                as opening_staying_rate
        ),
        case
            when prior_savings_inclination is not null then prior_savings_inclination
            when prior_enrollment_status = 'automatic'
                then round(
                    opening_staying_rate::decimal(18, 6) * draw_savings_inclination, 9
                )
            when prior_enrollment_status = 'opted_out'
                then least(0.999999999, opening_staying_rate + round(
                    (1 - opening_staying_rate)::decimal(18, 6)
                    * draw_savings_inclination, 9
                ))
            when prior_deferral_rate > 0 or prior_enrollment_status = 'voluntary'
                then round(
                    opening_participation_rate::decimal(18, 6)
                    * draw_savings_inclination, 9
                )
            when
                is_first_year
                and prior_deferral_rate = 0
                and plan_eligibility_date < year_start
                then least(0.999999999, opening_participation_rate + round(
                    (1 - opening_participation_rate)::decimal(18, 6)
                    * draw_savings_inclination, 9
                ))
            else draw_savings_inclination
        end::decimal(9, 9) as savings_inclination
    from inclined
),

-- On January 1. Before the first year the plan was as it is then: of whom the census
-- tells nothing and who was eligible, the inclination tells. Who has just entered, or
-- is within the window of automatic enrolment, has not decided yet.
opening as (
    select
        *,
        case
            when prior_enrollment_status is not null then prior_enrollment_status
            when
                not is_first_year or plan_eligibility_date >= year_start
                then 'undecided'
            when prior_deferral_rate > 0 then 'voluntary'
            when prior_deferral_rate = 0 then 'not_enrolled'
            when
                savings_inclination < opening_participation_rate
                and (
                    not is_automatic
                    or savings_inclination
                    < opening_participation_rate * behavior_own_choice_share
                )
                then 'voluntary'
            when not is_automatic then 'not_enrolled'
            when enrollment_day >= year_start then 'undecided'
            when savings_inclination >= opening_staying_rate then 'opted_out'
            else 'automatic'
        end as opening_status
    from known
),

opened as (
    select
        *,
        case
            -- Who has not enrolled defers nothing, whatever the census says of later.
            when opening_status = 'undecided' then 0
            when prior_deferral_rate is not null then prior_deferral_rate
            when opening_status = 'voluntary' then chosen_rate
            when opening_status = 'automatic' and escalation_enabled
                then least(
                    escalation_cap,
                    automatic_enrollment_default_rate + escalation_step * greatest(
                        0, year(year_start) - 1 - year(enrollment_day)
                    )
                )
            when opening_status = 'automatic' then automatic_enrollment_default_rate
            else 0
        end::decimal(9, 6) as opening_deferral_rate
    from opening
),

-- A saver who chooses anew what they have takes the next whole percentage of pay above
-- it instead, or that below where it is the plan's maximum: a change is one.
chosen as (
    select
        * replace (
            case
                when opening_status = 'undecided' and prior_deferral_rate > 0
                    then prior_deferral_rate
                when
                    opening_status not in ('voluntary', 'automatic')
                    or chosen_rate <> opening_deferral_rate
                    then chosen_rate
                when chosen_rate < deferrals_maximum_rate
                    then least(
                        deferrals_maximum_rate, (floor(chosen_rate * 100) + 1) * 0.01
                    )
                else least(
                    deferrals_maximum_rate,
                    greatest(0.01, (ceil(chosen_rate * 100) - 1) * 0.01)
                )
            end::decimal(9, 6) as chosen_rate
        )
    from opened
),

decided as (
    select
        *,
        case
            when opening_status in ('voluntary', 'automatic')
                then case
                    when
                        draw_saving_choice < behavior_change_rate
                        -- A plan that allows 1 % or less allows no other.
                        and chosen_rate <> opening_deferral_rate
                        and month_day between plan_day and last_day
                        then 'change'
                    when
                        escalation_enabled
                        and (escalation_scope = 'all' or opening_status = 'automatic')
                        and opening_deferral_rate < escalation_cap
                        and draw_saving_refusal >= escalation_opt_out_rate
                        -- Nobody's deferral rises in the year of enrolment.
                        and plan_eligibility_date < year_start
                        then 'escalation'
                end
            when opening_status = 'opted_out' and automatic_enrollment_enabled
                then case
                    when
                        is_automatic
                        and automatic_enrollment_reenrollment
                        and draw_saving_refusal
                        >= automatic_enrollment_reenrollment_opt_out_rate
                        then 'reenrollment'
                end
            -- What the census says of who enters now: already elected.
            when opening_status = 'undecided' and prior_deferral_rate > 0
                then 'voluntary'
            when is_automatic and savings_inclination >= staying_rate then 'opt_out'
            when
                savings_inclination < participation_rate
                and (
                    not is_automatic
                    or savings_inclination
                    < participation_rate * behavior_own_choice_share
                )
                then 'voluntary'
            when is_automatic then 'automatic'
        end as decision
    from chosen
),

dated as (
    select
        *,
        case decision
            when 'change' then month_day
            when 'escalation' then escalation_date
            when 'reenrollment' then plan_day
            -- Who has just entered enrols at once; others whenever they come to it.
            when 'voluntary'
                then case
                    when opening_status = 'undecided' then plan_day
                    else greatest(month_day, plan_day)
                end
            else greatest(plan_day, enrollment_day)
        end as decision_day
    from decided
),

effective as (
    select
        * replace (
            case when decision_day <= last_day then decision end as decision,
            case
                when decision is not null and decision_day <= last_day
                    then decision_day
            end as decision_day
        )
    from dated
),

final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        plan_eligibility_date,
        plan_day,
        match_group,
        savings_inclination,
        opening_deferral_rate,
        case decision
            when 'change' then chosen_rate
            when 'escalation'
                then least(escalation_cap, opening_deferral_rate + escalation_step)
            when 'voluntary' then chosen_rate
            when 'automatic' then automatic_enrollment_default_rate
            when 'reenrollment' then automatic_enrollment_default_rate
            else opening_deferral_rate
        end::decimal(9, 6) as deferral_rate,
        case
            when decision = 'change' or decision = 'voluntary' then 'voluntary'
            when decision = 'automatic' or decision = 'reenrollment' then 'automatic'
            when decision = 'opt_out' then 'opted_out'
            -- Undecided is only who is within the window of automatic enrolment.
            when opening_status = 'undecided' and not is_automatic then 'not_enrolled'
            else opening_status
        end as enrollment_status,
        decision,
        decision_day,
        coalesce(full_match_rates[match_group], 0)::decimal(9, 6) as full_match_rate,
        {{ level_on("decision_day") }} as job_level,
        {{ pay_on("decision_day") }} as compensation
    from effective
)

select * from final
