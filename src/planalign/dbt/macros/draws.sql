{#
    Keyed random draws.

    A draw is a pure function of (seed, employee, year, decision): it depends on
    no sequence, so the order of rows, the number of threads and the company of
    other employees, scenarios or decisions cannot change it.

    Generator: Philox-2x32 with 7 rounds (J. Salmon, M. Moraes, R. Dror,
    D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11). The counter is
    the employee's 64-bit key, the stream is chosen by two 32-bit salts per
    (seed, year, decision): one is Philox's key, the other is xored into the
    counter. All arithmetic is on 32-bit lanes in UBIGINT: a 32 x 32-bit product
    cannot overflow. Integer literals take the type of the lane; a cast of each
    would double the time that DuckDB needs to bind the formula.
#}

{# Every decision that is drawn. A new name changes no other draw. #}
{% macro draw_decisions() %}
    {%- do return([
        "termination", "termination_day", "termination_reason",
        "hire_level", "hire_age", "hire_birth_day", "hire_month", "hire_day",
        "hire_pay", "hire_profile", "new_hire_termination", "new_hire_termination_day",
        "promotion", "promotion_month", "performance", "raise_month",
        "savings_inclination", "saving_choice", "saving_refusal", "saving_month",
        "deferral_level", "full_match",
    ] + own_decisions()) -%}
{% endmacro %}

{# 64-bit key of an employee: half of the MD5 of the id, the same everywhere. #}
{% macro employee_key(employee_id) -%}
    md5_number_lower({{ employee_id }})
{%- endmacro %}

{#
    The stream of a decision: 64 bits of the MD5 of seed, year and decision, whose
    two halves are its salts.
#}
{% macro draw_stream(seed_and_year, decision) -%}
    md5_number_lower({{ seed_and_year }} || '{{ decision }}') as {{ decision }}_stream
{%- endmacro %}

{#
    Philox rounds over columns `<name>_left`, `<name>_right` (the counter) and
    `<name>_key`, for all names at once; `first` rounds are behind them already. One
    nested select per round: as one expression the formula doubles with every round.
    Between rounds, `<name>_left` holds the left word times the multiplier, which
    both words of the next round need.
#}
{% macro philox(relation, names, rounds=7, first=0) -%}
    {%- set ns = namespace(query=relation) -%}
    {%- for round in range(first, rounds) -%}
        {%- set is_first = loop.first -%}
        {%- set is_last = loop.last -%}
        {%- set bump = (round * 2654435769) % 4294967296 -%}
        {%- set lanes = [] -%}
        {%- for name in names -%}
            {%- set product = name ~ "_left" ~ (" * 3528905107" if is_first else "") -%}
            {%- set key = name ~ "_key" if round == 0
                else "((" ~ name ~ "_key + " ~ bump ~ ") & 4294967295)" -%}
            {%- do lanes.append(
                "xor(xor((" ~ product ~ ") >> 32, " ~ key ~ "), " ~ name ~ "_right)"
                ~ ("" if is_last else " * 3528905107") ~ " as " ~ name ~ "_left, ("
                ~ product ~ ") & 4294967295 as " ~ name ~ "_right"
            ) -%}
        {%- endfor -%}
        {%- set ns.query = "(select * replace (" ~ lanes | join(", ")
            ~ ") from " ~ ns.query ~ ")" -%}
    {%- endfor -%}
    {{ ns.query }}
{%- endmacro %}

{#
    Two 32-bit words as a uniform draw in [0, 1) with nine decimals: six digits
    of one word, three of the other, so that no digit is biased by more than
    2.4e-4 of its probability.
#}
{% macro uniform(left, right) -%}
    ((({{ left }} * 1000000) >> 32) * 1000
    + (({{ right }} * 1000) >> 32))::decimal(9, 0)
    * 0.000000001::decimal(9, 9)
{%- endmacro %}

{#
    `relation` (with columns trajectory_id and employee_key) and one uniform
    draw per decision in a column `draw_<decision>` DECIMAL(18, 9) in [0, 1).
#}
{% macro with_draws(relation, decisions) -%}
    {%- set lanes = [] -%}
    {%- set draws = [] -%}
    {%- for decision in decisions -%}
        {%- if decision not in draw_decisions() -%}
            {%- do exceptions.raise_compiler_error(
                "with_draws: unknown decision '" ~ decision
                ~ "'; add it to draw_decisions()"
            ) -%}
        {%- endif -%}
        {%- set stream = "streams." ~ decision ~ "_stream" -%}
        {%- do lanes.append(
            "xor(keyed.mixed_word, xor(" ~ stream ~ " >> 32, " ~ stream ~ " & 4294967295)) as "
            ~ decision ~ "_left, keyed.low_word as " ~ decision ~ "_right, "
            ~ stream ~ " & 4294967295 as " ~ decision ~ "_key"
        ) -%}
        {%- do draws.append(
            uniform(decision ~ "_left", decision ~ "_right") ~ " as draw_" ~ decision
        ) -%}
    {%- endfor -%}
    {#- The first round, as far as it is the same for every decision of an employee:
        the product of the counter's left word, and its right word, into which each
        stream puts its salts. All else goes along as one struct: DuckDB binds every
        column anew in each round. -#}
    {%- set start -%}
        (
        select keyed.carried, {{ lanes | join(", ") }}
        from (
            select
                drawn_row as carried,
                trajectory_id,
                xor(
                    ((employee_key & 4294967295) * 3528905107) >> 32, employee_key >> 32
                ) as mixed_word,
                ((employee_key & 4294967295) * 3528905107) & 4294967295 as low_word
            from {{ relation }} as drawn_row
        ) as keyed
        inner join {{ ref("int_draw_streams") }} as streams
            on keyed.trajectory_id = streams.trajectory_id
        )
    {%- endset -%}
    (
    select
        unnest(carried),
        {{ draws | join(", ") }}
    from {{ philox(start, decisions, first=1) }}
    )
{%- endmacro %}

{#
    UUID of an event (RFC 9562, version 8): the employee's key, and the digest of
    scenario, replicate and year xored with a constant of the event type. An
    employee has one event of a type in a year. Through text, because the cast of
    a UHUGEINT to UUID does not exist in every supported DuckDB; both halves have
    their highest bit set (the lower by the variant), so that no zero is missing
    in front.
#}
{% macro event_id(employee_key, event_digest, type_number) -%}
    (
        to_hex(
            ({{ employee_key }} & 18446744073709490175::ubigint)
            | 9223372036854808576::ubigint
        )
        || to_hex(
            (
                xor(
                    {{ event_digest }},
                    {{ type_number }}::ubigint * 1152921504606847::ubigint
                )
                & 4611686018427387903::ubigint
            ) | 9223372036854775808::ubigint
        )
    )::uuid
{%- endmacro %}
