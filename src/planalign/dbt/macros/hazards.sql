{# A hazard of int_baseline_workforce, with the factor that a study has of its own. #}
{% macro hazard(name) -%}
    {%- set factors = own_hazard_factors() -%}
    {%- if name in factors -%}
        least(hazards.{{ name }}_hazard * ({{ factors[name] }}), 1)::decimal(10, 9)
    {%- else -%}
        hazards.{{ name }}_hazard
    {%- endif -%}
{%- endmacro %}
