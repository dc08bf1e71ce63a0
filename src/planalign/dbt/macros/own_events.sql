{#
    Events of a project of your own, declared as those of macros/events.sql, with numbers
    from 1001 to 9999. On one day they come behind what is decided, before the contribution.
#}
{% macro own_events() %}
    {%- do return([]) -%}
{% endmacro %}
