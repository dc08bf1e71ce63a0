{#
    The doors to what changes from year to year and from block to block. Staging models
    are the doors to what is constant in a run: they are built once. A model in place of
    a macro here would be one more statement of every year.
#}

{# The year in hand, as a value. #}
{% macro year_in_hand() -%}
    (select simulation_year from {{ source("inputs", "control") }})
{%- endmacro %}

{# The first year of the study, as a value. #}
{% macro first_year_of_study() -%}
    (select start_year from {{ source("inputs", "control") }})
{%- endmacro %}

{#
    The trajectories in hand. int_trajectories has them with all that they need to know;
    these are for what it rests on, and for what is made before it or without it.
#}
{% macro trajectories_in_hand() -%}
    {{ source("inputs", "trajectories") }}
{%- endmacro %}

{#
    The rows of a fact for the trajectories and the year in hand. A mart that reads a fact
    with all its rows would count those of the blocks before it once more.
#}
{% macro in_hand(fact) -%}
    (
        select *
        from {{ ref(fact) }}
        where
            simulation_year = {{ year_in_hand() }}
            and (scenario_id, replicate) in (
                select scenario_id, replicate from {{ trajectories_in_hand() }}
            )
    )
{%- endmacro %}

{# The workforce snapshot of the year before the one in hand. #}
{% macro prior_snapshot() -%}
    (
        select * from {{ source("state", "prior_snapshot") }}
        where simulation_year = {{ year_in_hand() }} - 1
    )
{%- endmacro %}

{#
    A parameter of the study's own, for the trajectories and the year in hand: a row per
    trajectory with its `number`, or its `text` if that is its kind. To be joined by
    trajectory_id; the engine refuses a study that does not give it, or another kind.
#}
{% macro parameter(name, kind="number") -%}
    {%- if kind not in ["number", "text"] -%}
        {%- do exceptions.raise_compiler_error(
            "parameter: '" ~ name ~ "' is neither number nor text but '" ~ kind ~ "'"
        ) -%}
    {%- endif -%}
    (
        select
            trajectories.trajectory_id,
            parameters.{{ kind }}
        from {{ source("inputs", "parameters") }} as parameters
        inner join {{ trajectories_in_hand() }} as trajectories
            on parameters.scenario_id = trajectories.scenario_id
        where
            parameters.simulation_year = {{ year_in_hand() }}
            and parameters.parameter = '{{ name }}'
    )
{%- endmacro %}
