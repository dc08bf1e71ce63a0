{#
    Decisions that a study draws beside those in macros/draws.sql: a study's own file of
    this name takes the place of this one. A new name changes no other draw.
#}
{% macro own_decisions() %}
    {%- do return([]) -%}
{% endmacro %}
