{#
    Factors on the hazards of the opening workforce, of a study's own: an expression over
    the columns of `aged` in int_baseline_workforce, by hazard (`voluntary`, `retirement` or
    `promotion`). A study's own file of this name takes the place of this one. Rates that
    are given for the whole workforce stay as they are: factors say who rather than others.
#}
{% macro own_hazard_factors() %}
    {%- do return({}) -%}
{% endmacro %}
