{#
    Columns of the census beyond the declared ones, which a configuration adds with
    `extra_columns`: carried from the census to the snapshot, and to hires. Written anew
    for a study that has some.
#}
{% macro extra_columns() %}
    {%- do return([]) -%}
{% endmacro %}

{# Those of them by whose values employees are grouped: texts, whole numbers and flags. #}
{% macro extra_groups() %}
    {%- do return([]) -%}
{% endmacro %}
