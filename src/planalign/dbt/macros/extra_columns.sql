{#
    Columns of the census that no rule looks at: carried from it to the snapshot, and to
    hires. Written anew for a study that adds some with `extra_columns`.
#}
{% macro extra_columns() %}
    {%- do return(["grade", "location"]) -%}
{% endmacro %}

{# Those of them by whose values employees are grouped: texts, whole numbers and flags. #}
{% macro extra_groups() %}
    {%- do return(["grade", "location"]) -%}
{% endmacro %}
