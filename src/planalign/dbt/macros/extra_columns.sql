{#
    Columns of the census beyond the declared ones, which a configuration adds with
    `extra_columns`: carried from the census to the snapshot, and to hires. Written anew
    for a study that has some.
#}
{% macro extra_columns() %}
    {%- do return([]) -%}
{% endmacro %}
