{#
    The tests of reference tables. A row that they find is one fault: the row of the
    file (the header is not counted; null where a row is missing), column, value, what
    is wrong and what to do, as the engine reports them before it simulates.
#}

{#
    No cell of the columns is empty, no two rows have the same key, and values are in
    their ranges: {column: [least, most]}, either of them null for none. In each of
    `in_order`, a pair of columns, the first is at most the second.
#}
{% test reference_rows(model, key, ranges={}, in_order=[]) %}
    with numbered as (
        select rowid + 1 as row_number, * from {{ model }}
    ),

    faults as (
        {% for column in key + (ranges | list) | reject("in", key) | list %}
            select
                row_number,
                '{{ column }}' as column_name,
                null as value,
                'empty' as message,
                'Every row needs a value here' as remedy
            from numbered
            where {{ column }} is null

            union all by name
        {% endfor %}
        {% for column, (least, most) in ranges.items() %}
            select
                row_number,
                '{{ column }}' as column_name,
                {{ column }}::varchar as value,
                {% if least is none %}
                    'above {{ most }}' as message,
                    'Write at most {{ most }}' as remedy
                {% elif most is none %}
                    'below {{ least }}' as message,
                    'Write at least {{ least }}' as remedy
                {% else %}
                    'outside {{ least }} to {{ most }}' as message,
                    'Write a number from {{ least }} to {{ most }}' as remedy
                {% endif %}
            from numbered
            where
                {% if least is not none %}{{ column }} < {{ least }}{% endif %}
                {% if least is not none and most is not none %}or{% endif %}
                {% if most is not none %}{{ column }} > {{ most }}{% endif %}

            union all by name
        {% endfor %}
        {% for first, second in in_order %}
            select
                row_number,
                '{{ first }}' as column_name,
                {{ first }}::varchar as value,
                'above {{ second }}, ' || {{ second }} as message,
                'Exchange or correct the two' as remedy
            from numbered
            where {{ first }} > {{ second }}

            union all by name
        {% endfor %}
        select
            row_number,
            '{{ key | join(", ") }}' as column_name,
            concat_ws(', ', {{ key | join(", ") }}) as value,
            'the same as in row ' || first_row as message,
            'Keep one of the rows' as remedy
        from (
            select
                *,
                min(row_number) over (partition by {{ key | join(", ") }}) as first_row
            from numbered
        )
        where
            row_number > first_row
            {% for column in key %} and {{ column }} is not null{% endfor %}
    )

    select * from faults order by row_number, column_name, message
{% endtest %}

{#
    Whole numbers in bands, both ends inclusive: from `first` to at least `last`
    without a gap and without an overlap.
#}
{% test reference_bands(model, minimum, maximum, first, last) %}
    with numbered as (
        select
            rowid + 1 as row_number,
            {{ minimum }}::bigint as minimum,
            {{ maximum }}::bigint as maximum
        from {{ model }}
        where {{ minimum }} <= {{ maximum }}
    ),

    follows as (
        select
            *,
            coalesce(
                max(maximum) over (
                    order by minimum, row_number
                    rows between unbounded preceding and 1 preceding
                ) + 1,
                {{ first }}
            ) as expected
        from numbered
    ),

    faults as (
        select
            row_number,
            '{{ minimum }}' as column_name,
            minimum::varchar as value,
            case when minimum > expected then 'a gap' else 'an overlap' end
                || ': the bands before end at ' || (expected - 1) as message,
            'Begin this band at ' || expected || ', or correct another' as remedy
        from follows
        where minimum <> expected

        union all by name

        select
            arg_max(row_number, maximum) as row_number,
            '{{ maximum }}' as column_name,
            max(maximum)::varchar as value,
            'nothing follows this band' as message,
            'End the last band at {{ last }}' as remedy
        from numbered
        having max(maximum) < {{ last }}
    )

    select * from faults order by row_number, column_name
{% endtest %}

{# A column of numbers or words has each of the listed values; with `only`, no other. #}
{% test reference_values(model, column, values, only=true) %}
    with listed as (
        select unnest([
            {%- for value in values %}'{{ value }}'{{ ", " if not loop.last }}{% endfor -%}
        ]) as value
    ),

    found as (
        select rowid + 1 as row_number, {{ column }}::varchar as value from {{ model }}
    ),

    faults as (
        select
            null as row_number,
            '{{ column }}' as column_name,
            value,
            'has no row' as message,
            'Add a row for it' as remedy
        from listed
        where value not in (select value from found where value is not null)
        {% if only %}
            union all by name

            select
                row_number,
                '{{ column }}' as column_name,
                value,
                'not a known value' as message,
                'Allowed values: {{ values | join(", ") }}' as remedy
            from found
            where value not in (select value from listed)
        {% endif %}
    )

    select * from faults order by row_number nulls first, value
{% endtest %}

{# A column has only the listed words. #}
{% test reference_words(model, column, words) %}
    select
        rowid + 1 as row_number,
        '{{ column }}' as column_name,
        {{ column }} as value,
        'not a known value' as message,
        'Allowed values: {{ words | join(", ") }}' as remedy
    from {{ model }}
    where
        {{ column }} is null
        or {{ column }} not in ('{{ words | join("', '") }}')
    order by row_number
{% endtest %}

{#
    There is a row for every combination of the names in other reference tables, and
    none for another: {column: table that has it too}.
#}
{% test reference_combinations(model, of) %}
    {% set columns = of | list %}
    with found as (
        select rowid + 1 as row_number, * from {{ model }}
    ),

    wanted as (
        select distinct {{ columns | join(", ") }}
        from
            {% for column, table in of.items() %}
                (select {{ column }} from {{ ref(table) }} where {{ column }} is not null)
                {{- "," if not loop.last }}
            {% endfor %}
    ),

    faults as (
        {% for column, table in of.items() %}
            select
                row_number,
                '{{ column }}' as column_name,
                {{ column }}::varchar as value,
                'not in {{ table }}' as message,
                'Correct it, or add it to {{ table }}' as remedy
            from found
            where
                {{ column }} not in (
                    select {{ column }} from {{ ref(table) }}
                    where {{ column }} is not null
                )

            union all by name
        {% endfor %}
        select
            null as row_number,
            '{{ columns | join(", ") }}' as column_name,
            concat_ws(', ', {{ columns | join(", ") }}) as value,
            'has no row' as message,
            'Add a row for it' as remedy
        from wanted
        anti join found using ({{ columns | join(", ") }})
    )

    select * from faults order by row_number nulls first, column_name, value
{% endtest %}

{# Whole numbers without a gap, from `first` on if it is given, `by` each name if that is. #}
{% test reference_sequence(model, column, first=none, by=none) %}
    {% set partition = "partition by " ~ by if by else "" %}
    with numbered as (
        select
            *,
            rowid + 1 as row_number,
            lag({{ column }}) over ({{ partition }} order by {{ column }}) as previous
        from {{ model }}
        where {{ column }} is not null
    )

    select
        row_number,
        '{{ column }}' as column_name,
        {% if by %}{{ by }} || ' ' || {% endif %}{{ column }}::varchar as value,
        case
            when previous is null then 'the first is not {{ first }}'
            else 'a gap after ' || previous
        end as message,
        'Add the rows that are missing before it' as remedy
    from numbered
    where
        {{ column }} > previous + 1
        {% if first is not none %}
            or previous is null and {{ column }} <> {{ first }}
        {% endif %}
    order by row_number
{% endtest %}

{# In the order of one column, another starts at `first` and rises from row to row. #}
{% test reference_ascent(model, column, order_by, first) %}
    with numbered as (
        select
            *,
            rowid + 1 as row_number,
            lag({{ column }}) over (order by {{ order_by }}) as previous
        from {{ model }}
    )

    select
        row_number,
        '{{ column }}' as column_name,
        {{ column }}::varchar as value,
        case
            when previous is null then 'the first is not {{ first }}'
            else 'not above the one before, ' || previous
        end as message,
        'Begin with {{ first }} and let each row have more than the one before' as remedy
    from numbered
    where {{ column }} <= previous or previous is null and {{ column }} <> {{ first }}
    order by row_number
{% endtest %}

{# The values of a column add up to a total. #}
{% test reference_sum(model, column, total) %}
    select
        null as row_number,
        '{{ column }}' as column_name,
        sum({{ column }})::varchar as value,
        'the rows do not add up to {{ total }}' as message,
        'Correct the rows so that they add up to {{ total }}' as remedy
    from {{ model }}
    having sum({{ column }}) <> {{ total }}
{% endtest %}
