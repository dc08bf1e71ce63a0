{#
    A hazard of int_baseline_workforce, with the factor that a study has of its own: 1 where
    that is null, for least() would pass over it.
#}
{% macro hazard(name) -%}
    {%- set factors = own_hazard_factors() -%}
    {%- set names = ["voluntary", "retirement", "promotion"] -%}
    {%- for given in factors if given not in names -%}
        {%- do exceptions.raise_compiler_error(
            "own_hazard_factors: '" ~ given ~ "' is no hazard; those are "
            ~ names | join(", ")
        ) -%}
    {%- endfor -%}
    {%- if name in factors -%}
        least(
            hazards.{{ name }}_hazard * coalesce(({{ factors[name] }}), 1), 1
        )::decimal(10, 9)
    {%- else -%}
        hazards.{{ name }}_hazard
    {%- endif -%}
{%- endmacro %}
