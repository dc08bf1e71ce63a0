{# Exact dates: DuckDB's date_diff('year', ..) counts boundaries, not birthdays. #}

{#
    Completed years from one date to another. A February 29 anniversary falls on
    March 1 in other years, because (2, 28) comes before (2, 29).
#}
{% macro completed_years(from_date, to_date) -%}
    (year({{ to_date }}) - year({{ from_date }})
    - (month({{ to_date }}) * 32 + day({{ to_date }})
    < month({{ from_date }}) * 32 + day({{ from_date }}))::integer)::integer
{%- endmacro %}

{#
    Whole years of service from the day of hire to the last day, both of them counted:
    the period of service of Treas. Reg. 1.410(a)-7 ends on the day of severance, and what
    is left over of a year is disregarded, (d)(1)(iv). A year is whole at the end of the
    day before the anniversary.
#}
{% macro years_of_service(hire_date, last_day) -%}
    {{ completed_years(hire_date, "(" ~ last_day ~ " + 1)") }}
{%- endmacro %}

{# The day on which the present employment of a row of a relation began. #}
{% macro employed_since(relation) -%}
    coalesce({{ relation }}.rehire_date, {{ relation }}.hire_date)
{%- endmacro %}

{# The date of the n-th birthday; February 29 becomes March 1 in other years. #}
{% macro birthday(birth_date, age) -%}
    (({{ birth_date }} + to_years({{ age }}))::date
    + (day(({{ birth_date }} + to_years({{ age }}))::date)
    < day({{ birth_date }}))::integer)
{%- endmacro %}

{#
    First entry date on or after a date, where entry dates are January 1 and
    every `months` months after it.
#}
{% macro entry_date(from_date, months) -%}
    (date_trunc('year', {{ from_date }} - 1)
    + to_months((
        {{ months }} * ((month({{ from_date }} - 1) - 1) // {{ months }} + 1)
    )::integer))::date
{%- endmacro %}

{# Day number `draw` of [first_date, last_date], every day equally likely. #}
{% macro day_between(first_date, last_date, draw) -%}
    ({{ first_date }}
    + floor({{ draw }} * ({{ last_date }} - {{ first_date }} + 1)::decimal(6, 0))::integer)
{%- endmacro %}

{# The band of each completed year, of `age` or `tenure`, from the reference table. #}
{% macro band_of_each(of) -%}
    select
        unnest(generate_series(minimum_{{ of }}, maximum_{{ of }}))::integer as {{ of }},
        {{ of }}_band
    from {{ ref(of ~ "_bands") }}
{%- endmacro %}

{# December 31 of the year of a day. #}
{% macro year_end_after(day) -%}
    make_date(year({{ day }}), 12, 31)
{%- endmacro %}
