{#
    Materialisation of the yearly facts: a table made once from its contract, to
    which each simulated year is appended. Repeating a year first removes it and
    the years after it, which are stale then. The cost of a year does not grow
    with the years behind it.
#}
{% materialization yearly, adapter="duckdb" %}
    {%- set relation = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {%- do get_assert_columns_equivalent(sql) -%}
    {% call statement("create") -%}
        {{ create_yearly_fact(relation, model.columns.values()) }}
    {%- endcall %}
    {% call statement("delete") -%}
        {{ delete_from_year_on(relation, model.columns.keys()) }}
    {%- endcall %}
    {% call statement("main") -%}
        {%- set names = model.columns.keys() | join(", ") -%}
        insert into {{ relation }} ({{ names }})
        select {{ names }} from (
        {{ sql }}
        ) as yearly_rows
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}

{# `create table if not exists` from the columns of a contract. #}
{% macro create_yearly_fact(relation, columns) -%}
    create table if not exists {{ relation }} (
        {%- for column in columns %}
        {{ column.name }} {{ column.data_type }}
        {%- if column.constraints
            and "not_null" in (column.constraints | map(attribute="type") | list) %} not null
        {%- endif %}{{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# Remove the rows of the trajectories in hand, from the control year on. #}
{% macro delete_from_year_on(relation, names) -%}
    delete from {{ relation }}
    where
        {%- if "simulation_year" in names %}
        simulation_year >= {{ year_in_hand() }}
        and
        {%- endif %}
        {%- if "replicate" in names %}
        (scenario_id, replicate) in (
            select scenario_id, replicate from {{ trajectories_in_hand() }}
        )
        {%- else %}
        scenario_id in (
            select scenario_id from {{ trajectories_in_hand() }}
        )
        {%- endif %}
{%- endmacro %}

{# Statements that create every yearly fact that is not there yet. #}
{% macro create_yearly_facts() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | selectattr("resource_type", "equalto", "model")
            if node.config.materialized == "yearly" %}
    {{ create_yearly_fact(
        api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias
        ),
        node.columns.values()
    ) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#
    The listed columns, or the key that the model declares in its `meta`, identify a row, and
    none of them is null. With the year among those of the key, of the year in hand alone: it
    costs no more in the last year than in the first.
#}
{% test unique_key(model, columns=none) %}
    {%- set key = columns -%}
    {%- if columns is none and execute -%}
        {%- set key = graph.nodes[context["model"].attached_node].config.meta.get("key") -%}
    {%- endif -%}
    {%- set key = key or ["missing"] -%}
    {%- set of_year = columns is none and key | length > 1 and "simulation_year" in key -%}
    {%- set names = key | reject("equalto", "simulation_year") | list if of_year else key -%}
    select {{ names | join(", ") }}
    from {{ model }}
    {%- if of_year %}
    where simulation_year = {{ year_in_hand() }}
    {%- endif %}
    group by {{ names | join(", ") }}
    having count(*) > 1 or {{ names | join(" is null or ") }} is null
{% endtest %}
