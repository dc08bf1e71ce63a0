{# Arithmetic of the plan, in whole cents and ten-thousandths of a rate. #}

{#
    Pay of the year before the first: as the census says, or the annual pay for the
    days since hire, the latest one. `census` is a relation with the columns of stg_census_data.
#}
{% macro prior_year_pay(census, year_start) -%}
    coalesce(
        {{ census }}.prior_year_compensation,
        {{ money_quotient(
            cents(census ~ ".annual_compensation")
            ~ " * greatest(0, " ~ year_start ~ " - greatest("
            ~ employed_since(census) ~ ", ("
            ~ year_start ~ " - to_years(1))::date))",
            "(" ~ year_start ~ " - (" ~ year_start ~ " - to_years(1))::date)"
        ) }}
    )
{%- endmacro %}

{# Annual pay on a day, changes of the day included. For columns of int_employment. #}
{% macro pay_on(day) -%}
    (opening_compensation
    + case when promotion_date <= {{ day }} then promotion_change else 0 end
    + case when raise_date <= {{ day }} then raise_change else 0 end)::decimal(15, 2)
{%- endmacro %}

{# Job level on a day, a promotion of the day included. #}
{% macro level_on(day) -%}
    case when promotion_date <= {{ day }} then job_level else opening_job_level end
{%- endmacro %}

{# A rate with at most four decimals in ten-thousandths. #}
{% macro ten_thousandths(rate) -%}
    ({{ rate }} * 10000)::bigint
{%- endmacro %}

{# Cents times ten thousand as whole cents, rounded half up. #}
{% macro whole_cents(units) -%}
    (({{ units }} + 5000) // 10000)
{%- endmacro %}

{# Whole cents as dollars. #}
{% macro dollars(cents_amount) -%}
    (({{ cents_amount }})::decimal(16, 0) * 0.01::decimal(2, 2))::decimal(15, 2)
{%- endmacro %}

{# Whole cents of pay from a day to the last day of employment, rounded half up. #}
{% macro pay_cents_from(day) -%}
    {{ rounded_quotient(cent_days_from(day), "days_in_year") }}::bigint
{%- endmacro %}

{#
    The match of a deferral by a group's tiers (stg_plan_schedules), in 1e-8 cents:
    each tier's step on the deferral up to its share of pay. `deferral` is in cents
    times ten thousand, so that a rate times pay is exact; `pay` in cents.
#}
{% macro match_units(deferral, pay, tiers) -%}
    coalesce(list_sum(list_transform(
        {{ tiers }},
        lambda tier: tier.step * least({{ deferral }}, tier.up_to * ({{ pay }}))
    )), 0)::hugeint
{%- endmacro %}

{#
    The full match of each group: the least deferral, rounded up to four places, that
    earns all that its spans (stg_plan_schedules) pay within the maximum, a share of pay;
    0 where nothing is paid.
#}
{% macro full_match_rates(groups, maximum_rate) -%}
    list_transform({{ groups }}, lambda spans: (coalesce(list_max(list_transform(
        list_filter(
            spans, lambda span: span.earned_before < {{ millionths(maximum_rate) }} * 100
        ),
        lambda span: least(span.up_to, span.start + {{ rounded_up(
            "(" ~ millionths(maximum_rate) ~ " * 100 - span.earned_before)", "span.rate"
        ) }})
    )), 0)::decimal(9, 0) * 0.0001::decimal(4, 4))::decimal(9, 6))
{%- endmacro %}

{# What pay_on, level_on and pay_cents_from rest on, of int_employment. #}
{% macro pay_columns() %}
    {%- do return([
        "opening_job_level", "job_level", "opening_compensation", "promotion_date",
        "promotion_change", "raise_date", "raise_change", "last_day",
    ]) -%}
{% endmacro %}

{# What the census says of an employee, and a hire is given, to the snapshot. #}
{% macro census_columns() %}
    {%- do return([
        "department", "weekly_hours", "is_union", "is_five_percent_owner",
        "rehire_date", "roth_share",
    ] + extra_columns()) -%}
{% endmacro %}

{# What is known of an employee on January 1, from the year before or the census. #}
{% macro prior_columns() %}
    {%- do return([
        "prior_cumulative_compensation", "prior_eligibility_date",
        "prior_year_compensation", "was_highly_compensated",
        "prior_enrollment_status", "prior_deferral_rate",
        "prior_savings_inclination", "prior_match_balance", "prior_core_balance",
    ]) -%}
{% endmacro %}

{#
    What a year at the pay and the rate of a day would defer, in cents times ten
    thousand; the day is counted from plan entry. For columns of int_deferral_periods.
#}
{% macro deferral_slope(days) -%}
    ({{ cents("opening_compensation") }}
    + case
        when days_to_promotion <= {{ days }} then {{ cents("promotion_change") }}
        else 0
    end
    + case when days_to_raise <= {{ days }} then {{ cents("raise_change") }} else 0 end)
    * case when days_to_change <= {{ days }} then closing_rate else opening_rate end
{%- endmacro %}

{# numerator / denominator of two whole numbers, rounded up; NULL by nothing. #}
{% macro rounded_up(numerator, denominator) -%}
    (({{ numerator }} + {{ denominator }} - 1) // nullif({{ denominator }}, 0))
{%- endmacro %}

{# Vested share after completed years of service; all of it from age 65 (411(a)(8)). #}
{% macro vested_share(rates, years, age) -%}
    case
        when {{ age }} >= 65 then 1
        else {{ rates }}[least({{ years }} + 1, len({{ rates }}))]
    end
{%- endmacro %}

{# A rate with at most six decimals in millionths. #}
{% macro millionths(rate) -%}
    ({{ rate }} * 1000000)::bigint
{%- endmacro %}

{#
    Whether an employee meets the conditions of a contribution: employed on the last
    day of the year, hours of service as scheduled. For relation `employment`.
#}
{% macro serves(last_day, hours, year_end) -%}
    (
        (
            not {{ last_day }}
            or employment.termination_date is null
            or employment.termination_date = {{ year_end }}
        )
        and employment.weekly_hours * employment.days_employed >= {{ hours }} * 7
    )
{%- endmacro %}

{# Counts and amounts of the cost marts, in the order of their columns. #}
{% macro plan_headcounts() %}
    {%- do return([
        "headcount", "covered_headcount", "eligible_headcount",
        "participant_headcount", "full_match_headcount",
    ]) -%}
{% endmacro %}

{% macro plan_amounts() %}
    {%- do return([
        "plan_compensation", "pre_tax_deferral", "roth_deferral",
        "catch_up_deferral", "match_contribution", "true_up_contribution",
        "core_contribution", "forfeiture", "forfeiture_allocation",
    ]) -%}
{% endmacro %}

{# Rates of the cost marts, from their counts and the sum of deferral rates. #}
{% macro plan_rates() -%}
    {{ rate_quotient("participant_headcount", "eligible_headcount") }}
        as participation_rate,
    {{ rate_quotient(
        digits_of("deferral_rate_total", 6), "participant_headcount::hugeint * 1000000"
    ) }} as average_deferral_rate,
    {{ rate_quotient("full_match_headcount", "eligible_headcount") }}
        as full_match_share
{%- endmacro %}
