-- docs/method/contributions.md
-- What goes into the accounts of whom, and what a leaver forfeits. In whole cents until
-- the end: each amount is rounded once.
with plans as (
    select * from {{ ref("int_plan_provisions") }}
),

employment as (
    select * from {{ ref("int_employment") }}
),

eligibilities as (
    select * from {{ ref("int_plan_eligibility") }}
),

enrollments as (
    select * from {{ ref("int_enrollment") }}
),

deferrals as (
    select * from {{ ref("int_deferral_periods") }}
),

-- The match of the pay periods and that of the whole year, by the same formula.
matched as (
    select
        deferrals.*,
        enrollments.enrollment_status,
        enrollments.deferral_rate,
        enrollments.full_match_rate,
        enrollments.savings_inclination,
        {{ match_units(
            "deferrals.opening_rate * deferrals.matched_pay_before",
            "deferrals.matched_pay_before",
            "plans.match_tiers[enrollments.match_group]"
        ) }}
        + {{ match_units(
            "deferrals.closing_rate * deferrals.matched_pay_after",
            "deferrals.matched_pay_after",
            "plans.match_tiers[enrollments.match_group]"
        ) }}
        + {{ match_units(
            "deferrals.last_period_deferral",
            "deferrals.last_period_pay",
            "plans.match_tiers[enrollments.match_group]"
        ) }} as match_of_periods,
        {{ match_units(
            "deferrals.matched_units",
            "deferrals.counted_pay",
            "plans.match_tiers[enrollments.match_group]"
        ) }} as match_of_year
    from deferrals
    inner join enrollments
        on
            deferrals.trajectory_id = enrollments.trajectory_id
            and deferrals.employee_key = enrollments.employee_key
    inner join plans on deferrals.trajectory_id = plans.trajectory_id
),

-- A plan's own caps on the match; the core rate, from the floor of its schedule that
-- the employee has reached.
designed as (
    select
        employment.*,
        coalesce(
            employment.prior_eligibility_date, eligibilities.eligibility_date
        ) as plan_eligibility_date,
        matched.enrollment_status,
        matched.deferral_rate,
        matched.full_match_rate,
        matched.savings_inclination,
        matched.limit_date,
        coalesce(matched.pay, 0) as plan_pay,
        coalesce(matched.counted_pay, 0) as counted_pay,
        coalesce(matched.regular, 0) as elected_regular,
        coalesce(matched.catch_up, 0) as elected_catch_up,
        coalesce(matched.catch_up_limit, 0) as catch_up_limit,
        coalesce(matched.is_catch_up_roth, false) as is_catch_up_roth,
        {{ money_quotient("employment.cent_days", "employment.days_in_year") }}
            as prorated_annual_compensation,
        {{ money_quotient("employment.cent_days", "employment.days_employed") }}
            as full_year_equivalent_compensation,
        plans.deferrals_roth,
        coalesce(employment.roth_share, plans.deferrals_roth_share)
            as deferrals_roth_share,
        plans.investment_return_rate,
        plans.match_vested_rates,
        plans.core_vested_rates,
        plans.match_basis,
        plans.match_true_up,
        {{ cents("plans.annual_additions_limit") }} as annual_additions_limit,
        least(
            coalesce({{ cents("plans.match_maximum_amount") }}, 9000000000000000000),
            (
                coalesce(matched.counted_pay, 0)
                * {{ millionths("plans.match_maximum_rate") }} + 500000
            ) // 1000000
        ) as match_maximum,
        ((coalesce(matched.match_of_periods, 0) + 50000000) // 100000000)::bigint
            as match_of_periods,
        ((coalesce(matched.match_of_year, 0) + 50000000) // 100000000)::bigint
            as match_of_year,
        -- Section 401(k)(2)(D): long-term part-time employees need only be let defer.
        not employment.is_long_term_part_time
        and {{ serves("plans.match_last_day", "plans.match_hours", "plans.year_end") }}
            as is_matched,
        not employment.is_long_term_part_time
        and {{ serves("plans.core_last_day", "plans.core_hours", "plans.year_end") }}
            as is_core_eligible,
        {{ millionths("case plans.core_by
            when 'service' then plans.core_rates[" ~ position_of(
                "employment.years_of_service", "plans.core_floors"
            ) ~ "]
            when 'age' then plans.core_rates[" ~ position_of(
                "employment.current_age", "plans.core_floors"
            ) ~ "]
            when 'points' then plans.core_rates[" ~ position_of(
                "employment.current_age + employment.years_of_service",
                "plans.core_floors"
            ) ~ "]
            else plans.core_rate
        end") }} as core_rate,
        {{ millionths("plans.core_excess_rate") }} as core_excess_rate,
        {{ millionths("plans.core_integration_level") }}
        * {{ cents("plans.wage_base_limit") }} // 1000000 as integration_level
    from employment
    inner join plans on employment.trajectory_id = plans.trajectory_id
    left join eligibilities
        on
            employment.trajectory_id = eligibilities.trajectory_id
            and employment.employee_key = eligibilities.employee_key
    left join matched
        on
            employment.trajectory_id = matched.trajectory_id
            and employment.employee_key = matched.employee_key
),

formulated as (
    select
        *,
        case
            when not is_matched then 0
            when match_basis = 'annual' then least(match_of_year, match_maximum)
            else least(match_of_periods, match_maximum)
        end as formula_match,
        case
            when not is_matched or match_basis = 'annual' or not match_true_up then 0
            else greatest(
                0, least(match_of_year, match_maximum) - match_of_periods
            )
        end as formula_true_up,
        case
            when is_core_eligible
                then (
                    core_rate * counted_pay
                    + (coalesce(core_excess_rate, core_rate) - core_rate)
                    * greatest(0, counted_pay - integration_level)
                    + 500000
                ) // 1000000
            else 0
        end as formula_core,
        least(
            annual_additions_limit, {{ cents("prorated_annual_compensation") }}
        ) as additions_limit
    from designed
),

-- Section 415(c): what is above it becomes catch-up first; then the true-up, the match
-- and the core contribution are cut, in this order, and the deferral last.
exceeding as (
    select
        *,
        greatest(
            0,
            elected_regular + formula_match + formula_true_up + formula_core
            - additions_limit
        ) as excess
    from formulated
),

moved as (
    select
        *,
        least(excess, catch_up_limit - elected_catch_up, elected_regular) as to_catch_up
    from exceeding
),

cut as (
    select
        *,
        least(excess - to_catch_up, formula_true_up) as true_up_cut,
        least(
            greatest(0, excess - to_catch_up - formula_true_up), formula_match
        ) as match_cut,
        least(
            greatest(0, excess - to_catch_up - formula_true_up - formula_match),
            formula_core
        ) as core_cut,
        greatest(
            0,
            excess - to_catch_up - formula_true_up - formula_match - formula_core
        ) as regular_cut
    from moved
),

contributed as (
    select
        *,
        elected_regular - to_catch_up - regular_cut as regular,
        elected_catch_up + to_catch_up as catch_up,
        {{ dollars("formula_match - match_cut") }} as match_contribution,
        {{ dollars("formula_true_up - true_up_cut") }} as true_up_contribution,
        {{ dollars("formula_core - core_cut") }} as core_contribution,
        {{ years_of_service("hire_date", "last_day") }} as service_years,
        {{ completed_years("birth_date", "last_day") }} as last_age,
        {{ years_of_service("hire_date", "(first_day - 1)") }} as prior_service_years,
        {{ completed_years("birth_date", "(first_day - 1)") }} as prior_age
    from cut
),

split as (
    select
        *,
        case
            when deferrals_roth
                then
                    (regular * {{ millionths("deferrals_roth_share") }} + 500000)
                    // 1000000
            else 0
        end as roth_regular,
        case
            when not deferrals_roth then 0
            when is_catch_up_roth then catch_up
            else
                (catch_up * {{ millionths("deferrals_roth_share") }} + 500000)
                // 1000000
        end as roth_catch_up,
        {% for source in ["match", "core"] %}
            {{ vested_share(source ~ "_vested_rates", "service_years", "last_age") }}
                as vested_{{ source }}_rate,
            {{ vested_share(
                source ~ "_vested_rates", "prior_service_years", "prior_age"
            ) }} as prior_vested_{{ source }}_rate,
        {% endfor %}
        -- The return of the year is that of the opening account.
        (
            {{ money_product("prior_match_balance", "(1 + investment_return_rate)") }}
            + match_contribution + true_up_contribution
        )::decimal(15, 2
        ) as match_account,
        (
            {{ money_product("prior_core_balance", "(1 + investment_return_rate)") }}
            + core_contribution
        )::decimal(15, 2
        ) as core_account
    from contributed
),

-- Who leaves is paid out the vested part at once, and forfeits the rest.
final as (
    select
        trajectory_id,
        employee_id,
        employee_key,
        birth_date,
        hire_date,
        termination_date,
        termination_reason,
        is_new_hire,
        current_age,
        age_band,
        current_tenure,
        tenure_band,
        opening_age_band,
        opening_tenure_band,
        compensation,
        {% for column in pay_columns() %}
            {{ column }},
        {% endfor %}
        first_day,
        prorated_annual_compensation,
        full_year_equivalent_compensation,
        prior_cumulative_compensation,
        {% for column in census_columns() %}
            {{ column }},
        {% endfor %}
        is_highly_compensated,
        was_highly_compensated,
        plan_eligibility_date,
        coalesce(
            enrollment_status, prior_enrollment_status, 'not_eligible'
        ) as enrollment_status,
        coalesce(deferral_rate, prior_deferral_rate, 0)::decimal(9, 6) as deferral_rate,
        coalesce(savings_inclination, prior_savings_inclination)::decimal(9, 9)
            as savings_inclination,
        coalesce(full_match_rate, 0)::decimal(9, 6) as full_match_rate,
        enrollment_status is not null as is_covered,
        limit_date,
        {{ dollars("plan_pay") }} as plan_compensation,
        {{ dollars("regular - roth_regular") }} as pre_tax_deferral,
        {{ dollars("roth_regular") }} as roth_deferral,
        {{ dollars("catch_up") }} as catch_up_deferral,
        {{ dollars("roth_catch_up") }} as roth_catch_up_deferral,
        match_contribution,
        true_up_contribution,
        core_contribution,
        {% for source in ["match", "core"] %}
            vested_{{ source }}_rate::decimal(9, 6) as vested_{{ source }}_rate,
            prior_vested_{{ source }}_rate::decimal(9, 6)
                as prior_vested_{{ source }}_rate,
            {{ source }}_account,
            case
                when termination_date is null then 0
                else {{ source }}_account - {{ money_product(
                    source ~ "_account", "vested_" ~ source ~ "_rate"
                ) }}
            end::decimal(15, 2) as forfeited_{{ source }},
        {% endfor %}
        -- The day that makes a year of service whole, or the 65th birthday: whichever
        -- comes to the same sooner.
        least(
            case
                when
                    {{ vested_share("match_vested_rates", "service_years", "0") }}
                    = vested_match_rate
                    and {{ vested_share("core_vested_rates", "service_years", "0") }}
                    = vested_core_rate
                    then {{ birthday("hire_date", "service_years") }} - 1
            end,
            case
                when last_age >= 65 and prior_age < 65
                    then {{ birthday("birth_date", "65") }}
            end
        ) as vesting_date,
        -- What reallocated forfeitures are shared out by.
        case
            when termination_date is null and not is_long_term_part_time
                then {{ dollars("counted_pay") }}
            else 0
        end::decimal(15, 2) as allocation_compensation,
        (
            match_account + core_account - prior_match_balance - prior_core_balance
            - match_contribution - true_up_contribution - core_contribution
        )::decimal(15, 2) as account_return,
        {{ dollars("additions_limit") }} as additions_limit
    from split
)

select * from final
