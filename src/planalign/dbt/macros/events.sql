{#
    Every event that a year can bring, declared once: the model fct_yearly_events and
    docs/reference/events.md (by tools/event_reference.py) follow from this list.

    On one day an employee's events are in the order of the list; what stands behind
    `termination` is what the plan does after the employment. An employee has at most one
    event of a name in a year.
#}
{% macro yearly_events() %}
    {%- set contributed = "pre_tax_deferral + roth_deferral + catch_up_deferral"
        ~ " + match_contribution + core_contribution" -%}
    {%- set events = [
        event(
            "hire", 1, "int_hiring_events", "hire_date",
            "is hired",
            previous_pay="0",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "compensation", "annual pay at the start"
                ),
                event_value("job_level", "INTEGER", "job_level", "level at the start"),
            ],
        ),
        event(
            "eligibility", 2, "int_plan_eligibility", "eligibility_date",
            "enters the plan",
            where="is_event",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "compensation",
                    "annual pay on the day of plan entry, before a change of the same day"
                ),
            ],
        ),
        event(
            "promotion", 3, "int_promotion_events", "promotion_date",
            "rises one job level",
            previous_pay="previous_compensation",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "compensation - previous_compensation",
                    "change of annual pay"
                ),
                event_value("from_level", "INTEGER", "opening_job_level", "level before"),
                event_value("to_level", "INTEGER", "job_level", "level after"),
            ],
        ),
        event(
            "raise", 4, "int_compensation_events", "raise_date",
            "is paid more, or less, from the day of the yearly review on",
            previous_pay="previous_compensation",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "compensation - previous_compensation",
                    "change of annual pay"
                ),
                event_value("cola_rate", "DECIMAL(9,6)", "cola_rate", "cost-of-living part"),
                event_value("merit_rate", "DECIMAL(9,6)", "merit_rate", "merit part"),
                event_value(
                    "rating", "VARCHAR", "performance_rating", "performance rating"
                ),
            ],
        ),
        event(
            "enrollment", 7, "int_enrollment", "decision_day",
            "begins to save: by own choice, automatically or by reenrolment",
            where="decision in ('voluntary', 'automatic', 'reenrollment')",
            payload=saving_payload(
                status="`voluntary` or `automatic`",
                reason="`voluntary`, `automatic` or `reenrollment`"
            ),
        ),
        event(
            "opt_out", 8, "int_enrollment", "decision_day",
            "declines automatic enrolment: the deferral rate is 0",
            where="decision = 'opt_out'",
            payload=saving_payload(
                status="`opted_out`",
                reason="`opt_out`"
            ),
        ),
        event(
            "deferral_change", 9, "int_enrollment", "decision_day",
            "chooses another deferral rate",
            where="decision = 'change'",
            payload=saving_payload(
                status="`voluntary`",
                reason="`change`"
            ),
        ),
        event(
            "escalation", 10, "int_enrollment", "decision_day",
            "saves more by the automatic rise of the plan",
            where="decision = 'escalation'",
            payload=saving_payload(
                status="`voluntary` or `automatic`, as it was",
                reason="`escalation`"
            ),
        ),
        event(
            "vesting", 12, "int_plan_contributions", "vesting_date",
            "has a higher vested share of an account that is not empty",
            where="(match_account > 0 and vested_match_rate > prior_vested_match_rate)"
            ~ " or (core_account > 0 and vested_core_rate > prior_vested_core_rate)",
            level=level_on("vesting_date"),
            pay=pay_on("vesting_date"),
            payload=[
                event_value(
                    "match", "DECIMAL(9,6)", "vested_match_rate",
                    "vested share of the match after the event"
                ),
                event_value(
                    "core", "DECIMAL(9,6)", "vested_core_rate",
                    "vested share of the core contributions after it"
                ),
                event_value(
                    "previous_match", "DECIMAL(9,6)", "prior_vested_match_rate",
                    "vested share of the match before"
                ),
                event_value(
                    "previous_core", "DECIMAL(9,6)", "prior_vested_core_rate",
                    "vested share of the core contributions before"
                ),
            ],
        ),
        event(
            "hce_status", 14, "int_plan_contributions", "first_day",
            "is highly compensated from January 1, or no longer",
            where="is_highly_compensated <> was_highly_compensated",
            level=level_on("first_day"),
            pay=pay_on("first_day"),
            payload=[
                event_value(
                    "highly_compensated", "BOOLEAN", "is_highly_compensated",
                    "whether the employee is, from this day on"
                ),
            ],
        ),
    ] + own_events() + [
        event(
            "contribution", 6, "int_plan_contributions", "last_day",
            "has contributions of the year, on the last day of employment in it",
            where=contributed ~ " > 0",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", contributed,
                    "all that is contributed for the year but a true-up"
                ),
                event_value(
                    "pre_tax", "DECIMAL(15,2)", "pre_tax_deferral",
                    "of that, deferred before tax, without catch-up"
                ),
                event_value(
                    "roth", "DECIMAL(15,2)", "roth_deferral",
                    "Roth deferral, without catch-up"
                ),
                event_value(
                    "catch_up", "DECIMAL(15,2)", "catch_up_deferral", "catch-up deferral"
                ),
                event_value("match", "DECIMAL(15,2)", "match_contribution", "match"),
                event_value(
                    "core", "DECIMAL(15,2)", "core_contribution", "core contribution"
                ),
                event_value(
                    "plan_compensation", "DECIMAL(15,2)", "plan_compensation",
                    "pay since plan entry"
                ),
                event_value(
                    "limit_date", "DATE", "limit_date",
                    "the day on which the deferral met what is allowed", if_any=true
                ),
            ],
        ),
        event(
            "forfeiture_allocation", 15, "int_forfeiture_allocations", "last_day",
            "is allocated forfeitures of others",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "forfeiture_allocation",
                    "share of reallocated forfeitures"
                ),
            ],
        ),
        event(
            "termination", 5, "int_plan_contributions", "termination_date",
            "leaves; the day is the last of employment",
            where="termination_date is not null",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "compensation", "last annual pay"
                ),
                event_value(
                    "reason", "VARCHAR", "termination_reason",
                    "`voluntary`, `retirement`, or `new_hire`: left in the year of hire"
                ),
            ],
        ),
        event(
            "true_up", 11, "int_plan_contributions", year_end_after("last_day"),
            "is credited a true-up on December 31, also who has left",
            where="true_up_contribution > 0",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "true_up_contribution",
                    "what the match of the year is above that of its pay periods"
                ),
            ],
        ),
        event(
            "forfeiture", 13, "int_plan_contributions", year_end_after("last_day"),
            "forfeits on December 31 what was not vested on leaving",
            where="forfeited_match + forfeited_core > 0",
            payload=[
                event_value(
                    "amount", "DECIMAL(15,2)", "forfeited_match + forfeited_core",
                    "what is forfeited"
                ),
                event_value(
                    "match", "DECIMAL(15,2)", "forfeited_match", "of that, of the match"
                ),
                event_value(
                    "core", "DECIMAL(15,2)", "forfeited_core",
                    "of that, of the core contributions"
                ),
            ],
        ),
    ] -%}
    {%- for event in own_events() if not 1001 <= event.number <= 9999 -%}
        {%- do exceptions.raise_compiler_error(
            "own_events: '" ~ event.name ~ "' has number " ~ event.number
            ~ "; those of your own are 1001 to 9999"
        ) -%}
    {%- endfor -%}
    {%- for key in ["name", "number"] -%}
        {%- set given = events | map(attribute=key) | list -%}
        {%- for one in given if given.count(one) > 1 -%}
            {%- do exceptions.raise_compiler_error(
                "yearly_events: two events have the " ~ key ~ " '" ~ one ~ "'"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return(events) -%}
{% endmacro %}

{#
    An event, for the list.

    name          what `event_type` is, and the line of the reference
    number        makes the event's id (docs/method/event-ids.md): never changed, nor
                  used a second time; from 1001 to 9999 it is one of own_events
    source        the model with the rows, which has trajectory_id, employee_id and
                  employee_key; the expressions below are over its columns
    day           the day of the event
    words         what the employee does or what happens to them
    payload       a list of event_value, in the order of the JSON
    where         which rows are an event; default is each
    level, pay    job level and annual pay after the event
    previous_pay  annual pay before it; default is that after it: no money moves
#}
{% macro event(
    name, number, source, day, words, payload,
    where="true", level="job_level", pay="compensation", previous_pay=none
) %}
    {%- do return({
        "name": name, "number": number, "source": source, "day": day, "words": words,
        "payload": payload, "where": where, "level": level, "pay": pay,
        "previous_pay": previous_pay or pay,
    }) -%}
{% endmacro %}

{#
    A value of a payload: its key, the type that `expression` is cast to, and what it
    means. With `if_any` the key is left out where there is none.
#}
{% macro event_value(key, type, expression, words, if_any=false) %}
    {%- do return({
        "key": key, "type": type, "expression": expression, "words": words,
        "if_any": if_any,
    }) -%}
{% endmacro %}

{# The payload of what a saver decides, with the words that two of its values can be. #}
{% macro saving_payload(status, reason) %}
    {%- do return([
        event_value("amount", "DECIMAL(9,6)", "deferral_rate", "deferral rate"),
        event_value(
            "previous", "DECIMAL(9,6)", "opening_deferral_rate", "deferral rate before"
        ),
        event_value("status", "VARCHAR", "enrollment_status", status),
        event_value("reason", "VARCHAR", "decision", reason),
    ]) -%}
{% endmacro %}

{# The names of the events that the plan brings after the employment. #}
{% macro events_after_employment() %}
    {%- set names = yearly_events() | map(attribute="name") | list -%}
    {%- do return(names[names.index("termination") + 1:]) -%}
{% endmacro %}

{#
    A payload as JSON text. concat() takes half the time of a chain of ||; it leaves out
    what is null, and a chain with a null in it is.
#}
{% macro event_payload(payload) -%}
    {%- if payload and payload[0].if_any -%}
        {%- do exceptions.raise_compiler_error(
            "event_payload: the first value, " ~ payload[0].key ~ ", has if_any: put one "
            ~ "before it that is always there"
        ) -%}
    {%- endif -%}
    concat(
        {%- for value in payload %}
        {%- set separator = " || " if value.if_any else ", " %}
        {%- set typed = "(" ~ value.expression ~ ")::" ~ value.type %}
        {%- set in_json = "to_json(" ~ typed ~ ")" if value.type == "VARCHAR"
            else "'\"' || " ~ typed ~ " || '\"'" if value.type == "DATE"
            else typed %}
        '{{ "{" if loop.first else "," }}"{{ value.key }}":'{{ separator }}{{ in_json }},
        {%- else %}
        '{',
        {%- endfor %}
        '}'
    )
{%- endmacro %}
