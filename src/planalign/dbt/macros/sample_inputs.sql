{#
    Load the sample company into schema `inputs` where a table is missing, so
    that `dbt build` works in this folder as it is. A run of the engine has
    loaded its own inputs before; then nothing happens. Gives the statements: what a
    hook runs itself is rolled back.
#}
{% macro load_sample_inputs() -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == "inputs"
            and not adapter.get_relation(node.database, node.schema, node.identifier) %}
            {%- if loop.first %}
    create schema if not exists inputs;
            {%- endif %}
    create table if not exists inputs.{{ node.identifier }} as
    select *
    from read_csv(
        '{{ invocation_args_dict["project_dir"] | replace("'", "''") }}/sample_inputs/{{ node.identifier }}.csv',
        header = true,
        columns = {
            {%- for column in node.columns.values() %}
            '{{ column.name }}': '{{ column.data_type }}'{{ "," if not loop.last }}
            {%- endfor %}
        }
    );
        {%- endfor -%}
        {#- Looking for the tables has begun a transaction, which dbt rolls back. -#}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}
