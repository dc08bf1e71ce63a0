"""The SQL statements that read a census.

They are put together from constants, from the quoted names of `columns.COLUMNS`
and the identifiers DuckDB gave a file's columns, and from a checked table name;
paths, dates and delimiters are bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.census.cells import reasons, value_of
from planalign.census.columns import quoted
from planalign.census.findings import MOST_EXAMPLES, MOST_OF_A_VALUE
from planalign.census.rules import ACTIVE, FACTS, SAME_EMPLOYEE, text_column
from planalign.duck import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from planalign.census.columns import Column
    from planalign.census.rules import Rule

# Text and value of every cell, a row per row of the file.
CELLS = "temp.planalign_census_cells"

DROP_CELLS = f"drop table if exists {CELLS}"

# One row: employees and active ones.
SUMMARY = "\n".join(["select count(*), count(*) filter", f"({ACTIVE})", f"from {CELLS}"])

# One row: the latest hire if it is more than two years before the census date, whether
# anybody active is in a union, and the departments of those who are active.
WHOLE = "\n".join(
    [
        "select",
        "    case when max(hire_date) < $census_date - interval 2 year then max(hire_date) end,",
        f'    coalesce(bool_or("union" and {ACTIVE}), false),',
        f"    coalesce(list(distinct department) filter ({ACTIVE}), [])",
        f"from {CELLS}",
    ]
)

# One row: the active employees hired, for the last time, since a day who do not save, as far as
# the census tells, and of whom it does not say why.
NON_SAVERS = "\n".join(
    [
        "select count(*)",
        f"from {CELLS}",
        "where coalesce(deferral_rate, 0) = 0 and enrollment_status is null",
        "    and (enrolled_on is null or deferral_rate = 0)",
        f"    and coalesce(rehire_date, hire_date) >= $since and {ACTIVE}",
    ]
)


def load(
    columns: Sequence[Column],
    scan: str,
    row_number: str,
    texts: Mapping[str, str],
    floating: Set[str],
) -> str:
    """Return the statement that fills the table of cells.

    Args:
        columns: of the census.
        scan: table function to select from.
        row_number: expression for the 1-based number of a row.
        texts: census column -> expression for its text; null where there is none.
        floating: those of the columns whose text is made of floating-point numbers.

    """
    names = [column.name for column in columns]
    complete = dict.fromkeys(names, "cast(null as varchar)") | dict(texts)
    as_text = ", ".join(f"{complete[name]} as {text_column(name)}" for name in names)
    all_texts = ", ".join(map(text_column, names))
    values = ", ".join(
        value_of(text_column(column.name), column, floating=column.name in floating)
        + f" as {quoted(column.name)}"
        for column in columns
    )
    return "\n".join(
        [
            f"create or replace temp table {CELLS} as",
            "with texts as (",
            f"    select {row_number} as file_row, {as_text}",
            f"    from {scan}",
            ")",
            f"select *, coalesce({all_texts}) is null as is_blank, {values}",
            "from texts",
        ]
    )


def violations(
    columns: Sequence[Column], rules: Sequence[Rule], floating: Set[str], most: int
) -> str:
    """Return the query that gives the rows that meet a rule, by row and rule.

    Of each kind (a rule, and the reason why a text has no value) the first rows are
    there, of all kinds together the first `most`. A row of the result holds the row
    of the file, the numbers of rule and reason, the text of the cell, the detail of
    the rule, the first row of the same employee where there are several, how many
    rows the kind has, the place among them and the place among all.

    Args:
        columns: of the census.
        rules: their numbers count from 0.
        floating: columns whose text is made of floating-point numbers.
        most: how many rows to list.

    """
    any_rule = " or ".join(f"({rule.condition})" for rule in rules)
    numbers = ", ".join(
        f"case when {rule.condition} then {number} end" for number, rule in enumerate(rules)
    )
    values = [
        # One more than is shown, to see that there is more.
        f"when {number} then left({text_column(rule.column)}, {MOST_OF_A_VALUE + 1})"
        for number, rule in enumerate(rules)
        if rule.column and rule.shows_value
    ]
    details = [
        f"when {number} then {rule.detail}" for number, rule in enumerate(rules) if rule.detail
    ]
    by_name = {column.name: column for column in columns}
    whys = [
        f"when {number} then {_reason(by_name[rule.column], floating)}"
        for number, rule in enumerate(rules)
        if rule.column and not rule.message
    ]
    firsts = [
        f"when {number} then first_row"
        for number, rule in enumerate(rules)
        if rule.message == SAME_EMPLOYEE
    ]
    facts = ", ".join(f"{aggregate} as {name}" for name, aggregate in FACTS.items())
    return "\n".join(
        [
            "with repeated as (",
            "    select employee_id, min(file_row) as first_row",
            f"    from {CELLS}",
            "    where employee_id is not null",
            "    group by employee_id",
            "    having count(*) > 1",
            "),",
            "facts as (",
            f"    select {facts}",
            f"    from {CELLS}",
            "),",
            "offending as (",
            "    select *",
            f"    from {CELLS} cross join facts",
            *(["    left join repeated using (employee_id)"] if firsts else []),
            f"    where {any_rule}",
            "),",
            "numbered as (",
            f"    select *, unnest([{numbers}]) as rule_number",
            "    from offending",
            "),",
            "broken as (",
            "    select",
            "        file_row, rule_number,",
            f"        {_by_rule(whys)} as reason,",
            f"        {_by_rule(values)} as cell,",
            f"        {_by_rule(details)} as detail,",
            f"        {_by_rule(firsts)} as first_row",
            "    from numbered",
            "    where rule_number is not null",
            "),",
            "repetitions as (",
            "    select *, row_number() over (",
            "        partition by rule_number, reason, cell order by file_row",
            "    ) as repetition",
            "    from broken",
            "),",
            # Different values before the same one again.
            "placed as (",
            "    select",
            "        * exclude (repetition),",
            "        count(*) over (partition by rule_number, reason) as rows_of_kind,",
            "        row_number() over (",
            "            partition by rule_number, reason order by repetition, file_row",
            "        ) as place_in_kind,",
            "        row_number() over (order by file_row, rule_number) as place",
            "    from repetitions",
            ")",
            "select *",
            "from placed",
            f"where place <= {most} or place_in_kind <= {MOST_EXAMPLES}",
            "order by place",
        ]
    )


def _by_rule(cases: Sequence[str]) -> str:
    return f"case rule_number {' '.join(cases)} end" if cases else "null"


def _reason(column: Column, floating: Set[str]) -> str:
    """Return the expression for the number of the reason why a text has no value."""
    text = text_column(column.name)
    found = reasons(column, floating=column.name in floating)
    cases = " ".join(
        f"when regexp_full_match({text}, {literal(reason.pattern)}, 'is') then {number}"
        for number, reason in enumerate(found)
    )
    return f"case {cases} end" if cases else "null"


def publish(columns: Sequence[Column], target: str) -> str:
    """Return the statement that makes the census table; `target` is quoted."""
    names = ", ".join(quoted(column.name) for column in columns)
    return "\n".join([f"create or replace table {target} as", f"select {names}", f"from {CELLS}"])
