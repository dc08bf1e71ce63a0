{#
    Load the sample company into schema `inputs` where a table is missing, so
    that `dbt build` works in this folder as it is. A run of the engine has
    loaded its own inputs before; then nothing happens.
#}
{% macro load_sample_inputs() -%}
    {%- if execute -%}
        {%- do run_query("create schema if not exists inputs") -%}
        {%- for node in graph.sources.values() if node.source_name == "inputs" -%}
            {%- set relation = api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.identifier
            ) -%}
            {%- if not adapter.get_relation(node.database, node.schema, node.identifier) -%}
                {%- set columns = [] -%}
                {%- for column in node.columns.values() -%}
                    {%- do columns.append("'" ~ column.name ~ "': '" ~ column.data_type ~ "'") -%}
                {%- endfor -%}
                {%- do run_query(
                    "create table if not exists " ~ relation
                    ~ " as select * from read_csv('"
                    ~ invocation_args_dict["project_dir"] ~ "/sample_inputs/" ~ node.identifier
                    ~ ".csv', header = true, columns = {" ~ columns | join(", ") ~ "})"
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
