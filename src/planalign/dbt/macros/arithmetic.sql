{# Exact decimal arithmetic: DuckDB's `/` on DECIMAL gives DOUBLE. #}

{# Dollars to the cent, rounded half away from zero. The only rounding of money. #}
{% macro money(expression) -%}
    round({{ expression }}, 2)::decimal(15, 2)
{%- endmacro %}

{#
    A decimal with `places` decimals as the integer of its digits. Widened first:
    the product of two narrow decimals keeps 18 digits and overflows.
#}
{% macro digits_of(value, places) -%}
    (({{ value }})::decimal(38, {{ places }}) * {{ 10 ** places }})::hugeint
{%- endmacro %}

{# Dollars as a whole number of cents. #}
{% macro cents(amount) -%}
    ({{ amount }} * 100)::bigint
{%- endmacro %}

{#
    Dollars times a factor (1 + rates, at least 0, six decimals), to the cent and
    rounded half up, which for pay is half away from zero. In 64-bit integers: the
    same product of decimals would be 128 bits wide and take ten times as long.
    Whole millions of cents and the rest apart, so that pay of DECIMAL(15, 2) and a
    factor below 900 cannot overflow.
#}
{% macro money_product(amount, factor) -%}
    {%- set micros = "(" ~ factor ~ " * 1000000)::bigint" -%}
    ((
        ({{ cents(amount) }} // 1000000) * {{ micros }}
        + (({{ cents(amount) }} % 1000000) * {{ micros }} + 500000) // 1000000
    )::decimal(16, 0) * 0.01::decimal(2, 2))::decimal(15, 2)
{%- endmacro %}

{#
    numerator / denominator of two integers, rounded half away from zero. Both
    may be any integer type; the denominator is positive.
#}
{% macro rounded_quotient(numerator, denominator) -%}
    ((2 * {{ numerator }} + sign({{ numerator }}) * {{ denominator }})
    // (2 * {{ denominator }}))
{%- endmacro %}

{# Whole cents divided by a positive count, as dollars to the cent. #}
{% macro money_quotient(cents_total, denominator) -%}
    ({{ rounded_quotient(cents_total, denominator) }}::decimal(16, 0)
    * 0.01::decimal(2, 2))::decimal(15, 2)
{%- endmacro %}

{#
    Cent-days from a day to the last day of employment: each rate of pay by the days
    it was paid, a change counting from its own date, so that one division rounds
    once. For relations with the columns of int_employment.
#}
{% macro cent_days_from(day) -%}
    ({{ cents("opening_compensation") }} * (last_day - {{ day }} + 1)
    + {{ cents("promotion_change") }}
    * coalesce(last_day - greatest(promotion_date, {{ day }}) + 1, 0)
    + {{ cents("raise_change") }}
    * coalesce(last_day - greatest(raise_date, {{ day }}) + 1, 0))
{%- endmacro %}

{#
    numerator / denominator of two integers as DECIMAL(18, 6), a rate. NULL
    where the denominator is zero.
#}
{% macro rate_quotient(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then ({{ rounded_quotient(
                "(" ~ numerator ~ ")::hugeint * 1000000",
                "(" ~ denominator ~ ")::hugeint"
            ) }}::decimal(18, 0) * 0.000001::decimal(6, 6))::decimal(18, 6)
    end
{%- endmacro %}
